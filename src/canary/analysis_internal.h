/* SPDX-License-Identifier: Apache-2.0 */
/* analysis_internal.h: the analysis' body, shared by the files that run it and that tell about it. */
#ifndef CANARY_ANALYSIS_INTERNAL_H
#define CANARY_ANALYSIS_INTERNAL_H

#include "canary/analysis.h"

/* A guard with its tests: by limit, for a fail and for a pass. */
struct watched_guard {
    struct guard guard;
    struct guard_cuts cuts;
    struct sequential worse[LIMIT_COUNT];
    struct sequential within[LIMIT_COUNT];
    enum verdict verdict;
};

struct analysis {
    struct analysis_options options;
    struct watched_guard guards[ANALYSIS_GUARDS_MAX];
    unsigned guard_count;
    double slack;
    unsigned epoch;
    unsigned window_blocks;   /* since the tests began */
    unsigned step_blocks;     /* since the step began */
    unsigned block_intervals; /* in the open block */
    uint64_t missing_models;  /* in the last closed block */
    struct strata block;      /* open */
    struct strata step;       /* closed blocks since the step began */
    struct strata reference;  /* stable's closed blocks, old ones fading, over all steps */
};

/* What ln(capital) must reach. */
double analysis_needed_to_fail(const struct analysis *analysis, const struct watched_guard *watched);
double analysis_needed_to_pass(const struct analysis *analysis);
/* The guard that the verdict hangs on, or -1 (every guard passes, or no guard says anything in particular). */
int analysis_decisive(const struct analysis *analysis, enum verdict *ret_verdict);

#endif
