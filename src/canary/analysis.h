/* SPDX-License-Identifier: Apache-2.0 */
/* analysis.h: is the canary within its guards?  Counts of intervals in, verdicts out.
 *
 * Lives as long as a rollout; belongs to the control thread.  Intervals are gathered into blocks of enough canary
 * exchanges; every block adds to the tests of every guard, and verdicts may be read after any of them: looking often
 * does not make false alarms likelier.  Reads no clock and draws nothing by chance.  Does not decide what to do about
 * a verdict (canary/rollout does). */
#ifndef CANARY_ANALYSIS_H
#define CANARY_ANALYSIS_H

#include "base/buffer.h"
#include "canary/guard.h"

enum { ANALYSIS_GUARDS_MAX = 24, ANALYSIS_REASON_MAX = 320 };

/* X(ID, "name", "meaning") */
#define CANARY_VERDICTS(X)                                                                                             \
    X(NO_DATA, "no-data", "too few canary exchanges to say anything")                                                  \
    X(INCONCLUSIVE, "inconclusive", "neither better nor worse than the limit with enough confidence yet")              \
    X(PASS, "pass", "within the limit, with the stated confidence")                                                    \
    X(FAIL, "fail", "beyond the limit, with the stated confidence")                                                    \
    X(NOT_APPLICABLE, "not-applicable", "this service has no such figure")

enum verdict {
#define X(id, name, meaning) VERDICT_##id,
    CANARY_VERDICTS(X)
#undef X
        VERDICT_COUNT
};

struct analysis_options {
    double alpha_rollback; /* chance that a whole rollout within its limits is rolled back; split over guards, epochs */
    double alpha_hold;     /* the same for guards that only hold */
    double alpha_pass;     /* chance that a guard passes a canary that is beyond its limit, per guard and step */
    unsigned min_samples;  /* canary figures of a guard since the step began */
    unsigned min_blocks;   /* one bad moment is one block: no verdict before so many */
    unsigned block_min;    /* exchanges of either arm that make a block */
    unsigned window_blocks; /* a test that has seen so many blocks starts anew: the past must not outvote the present */
};

struct guard_report {
    const struct guard *guard;
    enum verdict verdict;
    double canary, stable; /* the arms' figures since the step began, NaN when unknown */
    double allowed;        /* what the tighter limit allows the canary, by stable's figure; NaN when unknown */
    uint64_t canary_n, stable_n;
    double p_worse;    /* chance of such evidence against a canary within its limit, at most */
    double p_within;   /* chance of such evidence for a canary beyond its limit, at most */
    double p_needed;   /* p_worse must reach this for a fail, */
    double p_to_pass;  /* p_within this for a pass */
    double redundancy; /* of neighbouring blocks: see sequential.h */
};

struct analysis_report {
    enum verdict verdict;
    enum guard_severity severity; /* of a fail */
    int decisive;                 /* index of the guard that the verdict hangs on, or -1 */
    char reason[ANALYSIS_REASON_MAX];
    unsigned guard_count;
    struct guard_report guards[ANALYSIS_GUARDS_MAX];
    struct arm_tally tallies[ARM_ROLES]; /* since the step began */
    unsigned blocks;
    unsigned epoch;
};

struct analysis;

/* 1 %, 5 %, 5 %, 30 samples, 5 blocks of 8, 360 blocks. */
void analysis_default_options(struct analysis_options *ret_options);
/* guards: 1..ANALYSIS_GUARDS_MAX, each passing guard_check(); copied.  strata: those of the intervals to come. */
struct analysis *analysis_new(const struct analysis_options *options, const struct strata_options *strata,
                              const struct guard *guards, unsigned guard_count);
/* Accepts NULL. */
void analysis_free(struct analysis *analysis);

/* Starts the step's evidence from nothing.  slack (at least 1) widens the relative limits that a pass needs, never
 * those of a fail.  epoch: 1 for the first; above any used before in this rollout, also by a process that has died,
 * because every epoch spends its own part of alpha: 1/(epoch (epoch + 1)). */
void analysis_begin_step(struct analysis *analysis, double slack, unsigned epoch);
/* Where the counts of the running interval go: each worker's shard is merged into it (strata_merge), then the interval
 * is ended.  Stable's exchanges before the first step belong there too: they teach what is usual. */
struct strata *analysis_interval(struct analysis *analysis);
void analysis_end_interval(struct analysis *analysis);
/* In force now; windows that ran out have raised it since analysis_begin_step(). */
unsigned analysis_epoch(const struct analysis *analysis);

/* The verdict alone: cheap.  ret_severity may be NULL. */
enum verdict analysis_verdict(const struct analysis *analysis, enum guard_severity *ret_severity);
/* The verdict with figures and a sentence. */
void analysis_report(const struct analysis *analysis, struct analysis_report *ret_report);
/* Canary exchanges judged since the step began; what "hold for N requests" counts. */
uint64_t analysis_step_requests(const struct analysis *analysis);

const char *verdict_name(enum verdict verdict);

#endif
