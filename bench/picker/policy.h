/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h: what chooses an endpoint in the benchmark.  All see the same, equally stale metrics. */
#ifndef BENCH_PICKER_POLICY_H
#define BENCH_PICKER_POLICY_H

#include "sim/model/batch_engine.h"
#include "workload.h"

/* A metrics page as it was delivered. */
struct view {
    struct batch_page page;
    uint64_t scraped_ns;
};

/* A request between its arrival and its last token. */
struct call {
    struct batch_sequence sequence;
    struct session *session;
    struct list link; /* the fleet's */
    unsigned endpoint;
    bool is_measured;
    void *ticket; /* the policy's */
};

struct profile;

/* What Serin's policy is not told, to see what it is worth. */
struct blindness {
    bool prefix;  /* which endpoint was sent which prompt */
    bool pending; /* what was sent and is not computed yet */
};

struct policy_setup {
    unsigned endpoints;
    const struct workload *workload;
    const struct batch_config *engines; /* one per endpoint: what a metrics page tells of them once */
    uint64_t seed;
    const struct profile *profile; /* Serin's; NULL: the default */
    struct blindness blind;
};

struct policy {
    const char *name;
    void *(*new)(const struct policy_setup *setup);
    void (*free)(void *state);
    unsigned (*pick)(void *state, struct call *call, const struct view *const *views, uint64_t now_ns);
    /* What the gateway sees of the answer; NULL: not looked at. */
    void (*on_first_token)(void *state, struct call *call, uint64_t now_ns);
    void (*on_finished)(void *state, struct call *call, uint64_t now_ns);
};

extern const struct policy policy_random, policy_round_robin, policy_least_request, policy_reference,
    policy_reference_lora, policy_serin;

#endif
