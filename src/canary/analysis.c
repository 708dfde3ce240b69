/* SPDX-License-Identifier: Apache-2.0 */
/* analysis.c: gathers intervals into blocks and runs the guards' tests over them. */
#include "canary/analysis_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/compiler.h"

/* Stable's quantiles come from about this many of its latest values per stratum. */
enum { REFERENCE_VALUES = 4096 };
/* A block that waits for stable's share waits so many intervals: at 99 % canary there is next to none. */
enum { BLOCK_INTERVALS_MAX = 6 };
/* A figure that less than this share of stable's exchanges have, of at least so many, is not the service's. */
enum { APPLICABLE_MIN_JUDGED = 200 };
static const double APPLICABLE_SHARE = 0.01;
/* A block's say: latencies come by the dozen, failures one by one, so that a block with two must be able to tell. */
static const struct sequential_stakes DENSE = {0.6931, 0.5}, SPARSE = {1.3863, 0.5}; /* ln 2, ln 4 */

void analysis_default_options(struct analysis_options *ret_options)
{
    *ret_options = (struct analysis_options){
        .alpha_rollback = 0.01,
        .alpha_hold = 0.05,
        .alpha_pass = 0.05,
        .min_samples = 30,
        .min_blocks = 5,
        .block_min = 8,
        .window_blocks = 360,
    };
}

struct analysis *analysis_new(const struct analysis_options *options, const struct strata_options *strata,
                              const struct guard *guards, unsigned guard_count)
{
    assert(guard_count > 0 && guard_count <= ANALYSIS_GUARDS_MAX);
    struct analysis *analysis = must(calloc(1, sizeof *analysis));
    analysis->options = *options;
    analysis->guard_count = guard_count;
    for (unsigned i = 0; i < guard_count; i++) {
        assert(guard_check(&guards[i]) == NULL);
        analysis->guards[i].guard = guards[i];
    }
    strata_init(&analysis->block, strata);
    strata_init(&analysis->step, strata);
    strata_init(&analysis->reference, strata);
    analysis_begin_step(analysis, 1, 1);
    return analysis;
}

void analysis_free(struct analysis *analysis)
{
    if (analysis == NULL)
        return;
    strata_deinit(&analysis->block);
    strata_deinit(&analysis->step);
    strata_deinit(&analysis->reference);
    free(analysis);
}

static void begin_tests(struct analysis *analysis)
{
    analysis->window_blocks = 0;
    for (unsigned i = 0; i < analysis->guard_count; i++) {
        struct watched_guard *watched = &analysis->guards[i];
        bool is_dense = guard_metric_kind(watched->guard.metric) == GUARD_KIND_VALUE;
        struct sequential_stakes stakes = is_dense ? DENSE : SPARSE;
        for (unsigned limit = 0; limit < LIMIT_COUNT; limit++) {
            sequential_init(&watched->worse[limit], SIDE_WORSE, stakes);
            sequential_init(&watched->within[limit], SIDE_WITHIN, stakes);
        }
    }
}

/* What the open block holds of the former step would be judged by this one's limits: it only serves as reference. */
void analysis_begin_step(struct analysis *analysis, double slack, unsigned epoch)
{
    analysis->slack = slack > 1 ? slack : 1;
    analysis->epoch = epoch > 0 ? epoch : 1;
    analysis->step_blocks = 0;
    analysis->block_intervals = 0;
    analysis->missing_models = 0;
    strata_reset(&analysis->block);
    strata_reset(&analysis->step);
    begin_tests(analysis);
    for (unsigned i = 0; i < analysis->guard_count; i++)
        analysis->guards[i].verdict = VERDICT_NO_DATA;
}

unsigned analysis_epoch(const struct analysis *analysis)
{
    return analysis->epoch;
}

uint64_t analysis_step_requests(const struct analysis *analysis)
{
    return analysis->step.tallies[ARM_CANARY].judged + analysis->block.tallies[ARM_CANARY].judged;
}

/* A guard counts as one test for each of its limits. */
static unsigned count_tests(const struct analysis *analysis, enum guard_severity severity)
{
    unsigned count = 0;
    for (unsigned i = 0; i < analysis->guard_count; i++) {
        const struct guard *guard = &analysis->guards[i].guard;
        if (guard->severity == severity)
            count += (unsigned)guard->has_relative + (unsigned)guard->has_absolute;
    }
    return count;
}

double analysis_needed_to_fail(const struct analysis *analysis, const struct watched_guard *watched)
{
    bool is_rollback = watched->guard.severity == SEVERITY_ROLLBACK;
    double alpha = is_rollback ? analysis->options.alpha_rollback : analysis->options.alpha_hold;
    double spent = alpha / analysis->epoch / (analysis->epoch + 1);
    return -log(spent / count_tests(analysis, watched->guard.severity));
}

double analysis_needed_to_pass(const struct analysis *analysis)
{
    return -log(analysis->options.alpha_pass);
}

static void feed(struct sequential *test, const struct paired_cell *cells, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        sequential_add(test, &cells[i]);
    sequential_end_block(test);
}

static bool is_absent(const struct analysis *analysis, const struct guard *guard)
{
    uint64_t judged = analysis->step.tallies[ARM_STABLE].judged;
    return guard->is_optional && judged >= APPLICABLE_MIN_JUDGED &&
           guard_samples(guard, &analysis->step, ARM_STABLE) < APPLICABLE_SHARE * (double)judged &&
           guard_samples(guard, &analysis->step, ARM_CANARY) <
               APPLICABLE_SHARE * (double)analysis->step.tallies[ARM_CANARY].judged;
}

/* A fail stays until the tests start anew; all else is as of now. */
static enum verdict judge(const struct analysis *analysis, const struct watched_guard *watched)
{
    const struct guard *guard = &watched->guard;
    double to_fail = analysis_needed_to_fail(analysis, watched), to_pass = analysis_needed_to_pass(analysis);
    bool has_enough = guard_samples(guard, &analysis->step, ARM_CANARY) >= analysis->options.min_samples;
    bool passes = true;
    if (watched->verdict == VERDICT_FAIL)
        return VERDICT_FAIL;
    for (unsigned limit = 0; has_enough && limit < LIMIT_COUNT; limit++) {
        if (!guard_has_limit(guard, (enum guard_limit)limit))
            continue;
        bool is_ripe = watched->worse[limit].blocks >= analysis->options.min_blocks;
        if (is_ripe && sequential_evidence(&watched->worse[limit]) >= to_fail)
            return VERDICT_FAIL;
        passes = passes && is_ripe && sequential_evidence(&watched->within[limit]) >= to_pass;
    }
    if (!has_enough)
        return is_absent(analysis, guard) ? VERDICT_NOT_APPLICABLE : VERDICT_NO_DATA;
    return passes ? VERDICT_PASS : VERDICT_INCONCLUSIVE;
}

/* Old values fade by halves, so that the cuts follow the day. */
static void fade_reference(struct strata *reference)
{
    for (unsigned id = 0; id <= STRATA_IDS; id++) {
        struct stratum *stratum = reference->slots[id];
        struct arm_sums *stable = stratum != NULL ? &stratum->arms[ARM_STABLE] : NULL;
        for (unsigned value = 0; stable != NULL && value < VALUE_COUNT; value++)
            if (stable->values[value].count > REFERENCE_VALUES)
                histogram_halve(&stable->values[value]);
    }
}

static void run_tests(struct analysis *analysis)
{
    for (unsigned i = 0; i < analysis->guard_count; i++) {
        struct watched_guard *watched = &analysis->guards[i];
        for (unsigned limit = 0; limit < LIMIT_COUNT; limit++) {
            if (!guard_has_limit(&watched->guard, (enum guard_limit)limit))
                continue;
            struct guard_cells cells;
            guard_cells(&watched->guard, (enum guard_limit)limit, analysis->slack, &analysis->block,
                        &analysis->reference, &watched->cuts, &cells);
            feed(&watched->worse[limit], cells.worse, cells.count);
            feed(&watched->within[limit], cells.within, cells.count);
        }
    }
}

/* The tests see the block before the reference does: a cut must not know what it cuts. */
static void close_block(struct analysis *analysis)
{
    if (analysis->window_blocks >= analysis->options.window_blocks) {
        analysis->epoch++;
        begin_tests(analysis);
        for (unsigned i = 0; i < analysis->guard_count; i++)
            analysis->guards[i].verdict = VERDICT_INCONCLUSIVE;
    }
    run_tests(analysis);
    analysis->window_blocks++;
    analysis->step_blocks++;
    analysis->block_intervals = 0;
    analysis->missing_models = analysis->block.tallies[ARM_CANARY].outcomes[OUTCOME_MODEL_MISSING];
    strata_merge(&analysis->step, &analysis->block);
    strata_merge_stable(&analysis->reference, &analysis->block);
    fade_reference(&analysis->reference);
    strata_reset(&analysis->block);
    for (unsigned i = 0; i < analysis->guard_count; i++)
        analysis->guards[i].verdict = judge(analysis, &analysis->guards[i]);
}

struct strata *analysis_interval(struct analysis *analysis)
{
    return &analysis->block;
}

void analysis_end_interval(struct analysis *analysis)
{
    analysis->block_intervals++;
    uint64_t canary = analysis->block.tallies[ARM_CANARY].seen, stable = analysis->block.tallies[ARM_STABLE].seen;
    unsigned wanted = analysis->options.block_min;
    if (canary >= wanted && (stable >= wanted || analysis->block_intervals >= BLOCK_INTERVALS_MAX))
        close_block(analysis);
}

/* A fail that rolls back outranks one that holds; what lacks data outranks what only lacks confidence. */
static int rank(const struct watched_guard *watched)
{
    switch (watched->verdict) {
    case VERDICT_FAIL:
        return watched->guard.severity == SEVERITY_ROLLBACK ? 4 : 3;
    case VERDICT_NO_DATA:
        return 2;
    case VERDICT_INCONCLUSIVE:
        return 1;
    case VERDICT_PASS:
    case VERDICT_NOT_APPLICABLE:
    case VERDICT_COUNT:
        break;
    }
    return 0;
}

int analysis_decisive(const struct analysis *analysis, enum verdict *ret_verdict)
{
    int decisive = -1, highest = 0;
    bool has_pass = false;
    for (unsigned i = 0; i < analysis->guard_count; i++) {
        has_pass = has_pass || analysis->guards[i].verdict == VERDICT_PASS;
        if (rank(&analysis->guards[i]) > highest) {
            highest = rank(&analysis->guards[i]);
            decisive = (int)i;
        }
    }
    if (decisive >= 0)
        *ret_verdict = analysis->guards[decisive].verdict;
    else
        *ret_verdict = has_pass ? VERDICT_PASS : VERDICT_NO_DATA;
    if (*ret_verdict == VERDICT_PASS && analysis->missing_models > 0)
        *ret_verdict = VERDICT_INCONCLUSIVE;
    return decisive;
}

enum verdict analysis_verdict(const struct analysis *analysis, enum guard_severity *ret_severity)
{
    enum verdict verdict;
    int decisive = analysis_decisive(analysis, &verdict);
    if (ret_severity != NULL)
        *ret_severity = decisive >= 0 ? analysis->guards[decisive].guard.severity : SEVERITY_HOLD;
    return verdict;
}
