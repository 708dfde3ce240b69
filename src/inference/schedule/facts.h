/* SPDX-License-Identifier: Apache-2.0 */
/* facts.h: all that filters, scorers and pickers may know: the request, and each endpoint as it is now, in plain
 * numbers.
 *
 * Copied once per pick, so that plugins are pure functions and the benchmark can call them. */
#ifndef INFERENCE_SCHEDULE_FACTS_H
#define INFERENCE_SCHEDULE_FACTS_H

#include "inference/endpoint.h"

/* What the adapter that a request names needs at an endpoint, by the scraped lists and by what was sent there. */
enum adapter_state {
    ADAPTER_NONE,     /* the request names no adapter, or the endpoint serves none */
    ADAPTER_RESIDENT, /* in a slot */
    ADAPTER_LOADING,  /* asked for, and has not answered yet */
    ADAPTER_LOADABLE, /* a slot is idle or empty */
    ADAPTER_FULL      /* other adapters are at work in all slots */
};

/* Copied for all endpoints at each pick: kept small. */
struct candidate {
    struct endpoint *endpoint;

    /* As scraped: up to an interval old, or what stands in for it when it is too old (stale_policy). */
    double kv_usage; /* 0 to 1 */
    unsigned waiting, running;
    unsigned adapters_max, adapters_running, adapters_waiting;

    /* This process's own, exact counts. */
    unsigned in_flight;
    unsigned prefilling;     /* of them: without a first token yet */
    uint32_t matched_tokens; /* of the prompt's head, probably in the prefix cache */
    double prefill_tokens;   /* that those without a first token probably make the endpoint compute */
    double prompt_tokens;    /* of all prompts in flight */
    double taken_in_tokens;  /* of prompts that its cache did not have: a sum that fades within a minute */
    double cache_tokens;     /* that its KV cache holds; 0 = unknown */
    double pace;             /* time to first token over what was foreseen; relative; 0 = unknown */
    double ttft_ms;          /* averages; 0 = unknown */
    double token_ms;
    uint64_t cold_pick; /* number of the last pick without a prefix hit; 0 = never */

    /* About this request. */
    enum adapter_state adapter;
    bool is_stale;
    bool runs_adapter, awaits_adapter; /* as scraped, that of the request */
    bool is_session;                   /* earlier requests of the session went here */
};

struct request_facts {
    uint32_t prompt_tokens; /* an estimate; 0 = unknown */
    uint32_t hashed_tokens; /* of them in whole blocks: what matched_tokens is a part of */
    double reuse;           /* the share of what caches take in that they are asked for again, 0 to 1 */
    bool has_adapter;
    /* The value of a header, joined when it stands several times.  NULL: none is known. */
    bool (*header)(void *context, struct bytes name, struct bytes *ret_value);
    void *header_context;
};

/* What of the prompt the endpoint would have to compute. */
static inline uint32_t facts_uncached_tokens(const struct candidate *candidate, const struct request_facts *request)
{
    return request->prompt_tokens > candidate->matched_tokens ? request->prompt_tokens - candidate->matched_tokens : 0;
}

#endif
