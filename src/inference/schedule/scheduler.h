/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler.h: chooses the endpoint of a pool for a request. */
#ifndef INFERENCE_SCHEDULE_SCHEDULER_H
#define INFERENCE_SCHEDULE_SCHEDULER_H

#include "inference/pool.h"

#define PICK_MAX_EXCLUDED 8

struct pick_request {
    struct bytes target_model;                    /* after the model arm's draw; "" when none */
    struct endpoint *excluded[PICK_MAX_EXCLUDED]; /* tried already for this exchange */
    unsigned excluded_count;
    uint64_t now_ms;
    uint64_t random; /* for ties */
};

/* The best usable endpoint, counted (endpoint_take) and with its in_flight raised already, so that simultaneous picks
 * spread; NULL when none is left.  Order: not avoided, adapter resident (when the model is an adapter somewhere),
 * fewest waiting, fewest running + in flight, least KV use, random. */
struct endpoint *schedule_pick(struct pool *pool, const struct pick_request *request);
/* The exchange with the endpoint is over: lowers in_flight.  The count stays the caller's (endpoint_give_back). */
void schedule_release(struct endpoint *endpoint);

/* What a pick weighed, for `explain` and /debug/pools. */
struct pick_score {
    const struct endpoint *endpoint;
    bool is_usable, is_avoided, has_lora;
    unsigned waiting, running, in_flight, kv_permille;
};
/* Negative, zero, positive as a is better than, equal to or worse than b. Pure. */
int schedule_compare(const struct pick_score *a, const struct pick_score *b);
void schedule_score(struct endpoint *endpoint, struct bytes target_model, uint64_t now_ms,
                    struct pick_score *ret_score);

#endif
