/* SPDX-License-Identifier: Apache-2.0 */
/* options.h: what the picker benchmark runs. */
#ifndef BENCH_PICKER_OPTIONS_H
#define BENCH_PICKER_OPTIONS_H

#include "inference/schedule/picker_config.h"
#include "policy.h"

enum { BENCH_WORKLOADS_MAX = 16, BENCH_POLICIES_MAX = 8, BENCH_LOADS_MAX = 8 };

struct options {
    struct workload workloads[BENCH_WORKLOADS_MAX]; /* with the endpoints as asked for */
    const struct policy *policies[BENCH_POLICIES_MAX];
    unsigned loads[BENCH_LOADS_MAX]; /* percent */
    unsigned workload_count, policy_count, load_count;
    uint64_t first_seed;
    unsigned seed_count, baseline_seeds;
    double warm_up_s, duration_s;
    unsigned jobs;
    bool searches;             /* for the limits; else the known ones are used */
    double limit_per_s;        /* 0: as searched or known */
    bool admits_within_budget; /* --admission vllm */
    bool forgets_answers;
    unsigned endpoints; /* 0: as the workload says */
    const char *trace_out;
    bool is_verbose;
    struct blindness blind;
    bool has_config;
    struct picker_config config; /* of Serin's policy */
    const char *out;
};

/* False, after a word on stderr, when they make no sense. */
bool options_read(int argc, char **argv, struct options *ret_options);

#endif
