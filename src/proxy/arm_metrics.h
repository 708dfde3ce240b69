/* SPDX-License-Identifier: Apache-2.0 */
/* arm_metrics.h: the series of an arm in this worker's shard, found without formatting anything.  Private to src/proxy.
 *
 * Arms come from the configuration, so that their names are few; what a client names never becomes a label.  One
 * thread; series live as long as the proxy. */
#ifndef PROXY_ARM_METRICS_H
#define PROXY_ARM_METRICS_H

#include "observe/metrics.h"

struct answer_shape;

struct arm_metrics {
    struct metric_series *duration, *first_byte, *first_token, *token_time, *token_gap;
    struct metric_series *prompt_tokens, *cached_tokens, *output_tokens, *empty, *active;
    struct arm_codes *codes;    /* by status */
    struct answer_shape *shape; /* of its whole answers */
    struct bytes arm;
};

struct arm_table;

struct arm_table *arm_table_new(struct metrics *metrics, unsigned shard);
void arm_table_free(struct arm_table *table);
/* arm: as the snapshot of this generation has it, at the same place each time; "" for exchanges that belong to none. */
struct arm_metrics *arm_table_get(struct arm_table *table, uint64_t generation, struct bytes arm);
/* serin_requests_total of the arm and status. */
struct metric_series *arm_metrics_code(struct arm_table *table, struct arm_metrics *metrics, unsigned status);

#endif
