/* SPDX-License-Identifier: Apache-2.0 */
/* fleet.h: one run: a trace, a policy and engines in simulated time. */
#ifndef BENCH_PICKER_FLEET_H
#define BENCH_PICKER_FLEET_H

#include "policy.h"

struct run_setup {
    const struct workload *workload;
    const struct policy *policy;
    const struct profile *profile; /* for Serin's policy; NULL: the default */
    struct blindness blind;
    double rate; /* requests per second */
    uint64_t seed;
    double warm_up_s, duration_s;
    bool admits_within_budget; /* see struct batch_config */
    bool forgets_answers;      /* only blocks of prompts are cached, as in `serin sim` */
    /* A search for the limit needs no more: ends when so many requests are late that the p90 is beyond this for sure;
     * 0: never. */
    double hopeless_ttft_ms;
};

struct run_result {
    double ttft_p50_ms, ttft_p90_ms, ttft_p99_ms;
    double tpot_ms;  /* mean over requests */
    double hit_rate; /* prompt tokens found in a prefix cache */
    double goodput;  /* per second */
    unsigned requests;
    unsigned unfinished; /* when the run was cut off; their first token counts as late as that */
};

struct run_result fleet_run(const struct run_setup *setup);

#endif
