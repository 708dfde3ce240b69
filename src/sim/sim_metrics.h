/* SPDX-License-Identifier: Apache-2.0 */
/* sim_metrics.h: the metrics of a vLLM server, by vLLM's names.  Not the gateway's registry: those names and labels are
 * another program's. */
#ifndef SIM_SIM_METRICS_H
#define SIM_SIM_METRICS_H

#include "base/json_read.h"
#include "sim/engine.h"
#include "sim/models.h"

struct sim_metrics;

/* model_name: the label on everything. */
struct sim_metrics *sim_metrics_new(struct bytes model_name, unsigned max_loras, bool has_lora);
void sim_metrics_free(struct sim_metrics *metrics);

/* So many tokens came after gap_us since the sequence's last one. */
void sim_metrics_add_tokens(struct sim_metrics *metrics, uint64_t tokens, uint64_t gap_us);
void sim_metrics_add_first_token(struct sim_metrics *metrics, uint64_t since_arrival_us);
/* A sequence has finished.  finish_reason: "stop" or "length"; max_tokens 0: none was asked for. */
void sim_metrics_add_finished(struct sim_metrics *metrics, const struct sequence *sequence, const char *finish_reason,
                              uint64_t max_tokens, uint64_t now_us);
void sim_metrics_add_aborted(struct sim_metrics *metrics);

/* Values for the outside instead of the true ones: an object with any of waiting, running, kv (numbers),
 * running-lora-adapters, waiting-lora-adapters (comma lists), max-lora; null ends it.  false with a sentence in
 * error. */
MUST_CHECK bool sim_metrics_fake(struct sim_metrics *metrics, json_t *fake, char error[200]);

void sim_metrics_write(struct sim_metrics *metrics, const struct engine *engine, const struct models *models,
                       uint64_t wall_ms, int64_t kv_blocks, struct buffer *out);

#endif
