/* SPDX-License-Identifier: Apache-2.0 */
/* vllm_metrics.h: the few families of a vLLM metrics page that picking needs (old and new names). */
#ifndef INFERENCE_SCRAPE_VLLM_METRICS_H
#define INFERENCE_SCRAPE_VLLM_METRICS_H

#include "base/bytes.h"

struct vllm_metrics {
    bool has_waiting, has_running, has_kv, has_loras;
    unsigned waiting;
    unsigned running;
    unsigned kv_permille; /* the mean over the label sets, since it is a share */
    unsigned max_loras;
    char running_loras[4096]; /* comma-separated; of the newest vllm:lora_requests_info series */
    char waiting_loras[4096];
};

/* Sums a gauge over its label sets (data-parallel ranks); missing families leave has_* false. */
void vllm_metrics_read(struct bytes page, struct vllm_metrics *ret_metrics);

#endif
