/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler.h: chooses the endpoint of a pool for a request, and keeps count of what was sent where.
 *
 * A pick is charged to its endpoint under the pool's lock, before anything is sent, so that the next pick on any thread
 * sees it; the ticket remembers the charge until the exchange ends. */
#ifndef INFERENCE_SCHEDULE_SCHEDULER_H
#define INFERENCE_SCHEDULE_SCHEDULER_H

#include "inference/pool.h"
#include "inference/schedule/profile.h"

#define PICK_MAX_EXCLUDED 8

struct pick_request {
    struct bytes target_model;     /* after the model arm's draw; "" when none */
    struct bytes session_key;      /* for session affinity; "" when none */
    const uint64_t *prefix_hashes; /* of the prompt's blocks (prefix_hash.h); borrowed for the pick */
    unsigned prefix_count;         /* 0: unknown */
    uint32_t prompt_tokens;        /* an estimate; 0: unknown */
    const struct address *subset;  /* only these, when subset_count > 0 */
    unsigned subset_count;
    struct endpoint *excluded[PICK_MAX_EXCLUDED]; /* tried already for this exchange */
    unsigned excluded_count;
    /* As request_facts has it. */
    bool (*header)(void *context, struct bytes name, struct bytes *ret_value);
    void *header_context;
    const struct profile_listener *listener; /* told under the pool's lock; NULL: nobody listens */
    bool only_trusted;                       /* not those to be avoided, even when there are no others */
    uint64_t now_ms;
    uint64_t random; /* for ties */
};

/* What scraped values count for once they are older than `after_ms`.  Those of an endpoint that was never scraped are
 * zero, not old: else nothing could start. */
enum stale_action {
    STALE_OWN_COUNTS, /* this process's own counts stand in for them, and the others' mean for the KV cache */
    STALE_KEEP,       /* as if they were new */
    STALE_EXCLUDE     /* the endpoint is not picked while there are others */
};

struct stale_policy {
    enum stale_action action;
    uint32_t after_ms;
};
/* Own counts after 2 s. */
extern const struct stale_policy stale_policy_default;

/* What a pick has charged to its endpoint.  Embedded by who asked; nothing in it is for others. */
struct pick_ticket {
    struct endpoint *endpoint; /* NULL: nothing is charged */
    struct adapter_use *adapter;
    uint32_t prompt_tokens;
    uint32_t uncached_tokens;
    double foreseen; /* the wait for the first token, in tokens; 0: not to be learnt from */
    uint64_t picked_ms, first_token_ms;
    bool has_first_token;
};

/* The chosen endpoint, counted (endpoint_take) and charged; NULL when none is left.  Only usable ones that are not
 * excluded; those to be avoided only when there are no others. */
struct endpoint *schedule_pick(struct pool *pool, const struct pick_request *request, struct pick_ticket *ret_ticket);
/* The first token came: for streams only, and at most once. */
void schedule_first_token(struct pick_ticket *ticket, uint64_t now_ms);
/* The exchange with the endpoint is over: nothing is charged any more.  answer_tokens: 0 when unknown or when it did
 * not end well.  The count of the endpoint stays the caller's (endpoint_give_back).  Harmless the second time. */
void schedule_release(struct pick_ticket *ticket, uint64_t now_ms, uint32_t answer_tokens);

/* From the next pick on; NULL: the default.  The profile is copied. */
void schedule_set_profile(struct pool *pool, const struct profile *profile);
void schedule_set_stale_policy(struct pool *pool, const struct stale_policy *policy);

/* The same view and scores as a pick would have now, without picking: for `explain` and /debug/pools.  Returns how many
 * endpoints could be chosen. */
unsigned schedule_explain(struct pool *pool, const struct pick_request *request,
                          const struct profile_listener *listener);

/* The state of one endpoint for people. */
struct pick_score {
    const struct endpoint *endpoint;
    bool is_usable, is_avoided, has_lora;
    unsigned waiting, running, in_flight, kv_permille;
};
void schedule_score(struct endpoint *endpoint, struct bytes target_model, uint64_t now_ms,
                    struct pick_score *ret_score);

#endif
