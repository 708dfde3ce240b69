/* SPDX-License-Identifier: Apache-2.0 */
/* engine_metrics.h: the few families of a model server's metrics page that picking needs: vLLM (old and new names),
 * SGLang, TensorRT-LLM and Triton, told apart by the names themselves, and names that the operator gives. */
#ifndef INFERENCE_SCRAPE_ENGINE_METRICS_H
#define INFERENCE_SCRAPE_ENGINE_METRICS_H

#include "base/bytes.h"
#include "base/error.h"
#include "inference/scrape/page_layout.h"

struct engine_metrics {
    bool has_waiting, has_running, has_kv, has_loras;
    unsigned waiting;
    unsigned running;
    unsigned kv_permille;         /* the mean over the label sets, since it is a share */
    unsigned long long kv_tokens; /* that the KV cache holds; 0: not told */
    double started_s;             /* wall time at which the server began; 0: not told */
    unsigned max_loras;
    char running_loras[4096]; /* comma-separated; of the newest vllm:lora_requests_info series */
    char waiting_loras[4096];
};

/* Where a number stands: a name, and a label with its value when one family tells several things. */
struct metric_selector {
    char name[120];
    char label[60]; /* "": any label set */
    char value[60];
};

/* An operator's names, which count before the known ones; an empty name: not given. */
struct metric_names {
    struct metric_selector waiting, running, kv;
};

/* "waiting=my_queue,kv=cache{kind=\"used\"}": any of waiting, running and kv (a share from 0 to 1).  False, with
 * problems about `path`, when it makes no sense. */
bool metric_names_parse(struct bytes text, const char *path, struct problems *problems, struct metric_names *ret_names);

/* Sums a gauge over its label sets (data-parallel ranks); missing families leave has_* false.  names may be NULL. */
void engine_metrics_read(struct bytes page, const struct metric_names *names, struct engine_metrics *ret_metrics);
/* The same, of pages of one server: with a layout that is known only the lines of the families that it names are read,
 * when all of them are there, and kv_tokens is not told.  Otherwise the whole page is, and the layout is written.  What
 * has been added elsewhere on a page is only seen after *layout = {0}, which other names also need. */
void engine_metrics_read_next(struct bytes page, const struct metric_names *names, struct page_layout *layout,
                              struct engine_metrics *ret_metrics);

#endif
