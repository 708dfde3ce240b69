/* SPDX-License-Identifier: Apache-2.0 */
/* rule_fixed.c: what progressive-delivery tools do: every minute the canary's success rate must be at least 99 % and
 * its 99th percentile of request duration below a fixed threshold; five failed checks in a row roll back, a passed one
 * takes the next step when the step's time is over.  Its operator is a good one: the threshold is 1.5 times what
 * stable's did before the rollout. */
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "bench/canary/rules.h"

enum { CHECK_INTERVALS = 6, FAILURES_MAX = 5 };

struct fixed {
    const struct rollout_plan *plan;
    struct histogram before, durations;
    uint64_t requests, failures;
    double threshold_us;
    unsigned intervals, step, failed_checks;
    unsigned weight_bp;
    uint64_t step_began_ms;
    const char *why;
};

static void *fixed_start(const struct rollout_plan *plan, const struct strata_options *strata)
{
    (void)strata;
    struct fixed *fixed = must(calloc(1, sizeof *fixed));
    fixed->plan = plan;
    fixed->why = "";
    return fixed;
}

static void fixed_stop(void *rule)
{
    free(rule);
}

static void fixed_learn(void *rule, const struct observation *observation)
{
    struct fixed *fixed = rule;
    if (observation->outcome == OUTCOME_OK)
        histogram_add(&fixed->before, observation->total_us);
}

static void fixed_observe(void *rule, const struct observation *observation)
{
    struct fixed *fixed = rule;
    if (observation->arm != ARM_CANARY)
        return;
    fixed->requests++;
    fixed->failures += outcome_is_failure(observation->outcome);
    if (observation->outcome == OUTCOME_OK)
        histogram_add(&fixed->durations, observation->total_us);
}

/* False when there is nothing to look at: such a check neither passes nor fails. */
static bool check(struct fixed *fixed, bool *ret_passes)
{
    if (fixed->requests == 0 || fixed->durations.count == 0)
        return false;
    bool is_reliable = (double)(fixed->requests - fixed->failures) >= 0.99 * (double)fixed->requests;
    bool is_fast = histogram_quantile(&fixed->durations, 0.99) <= fixed->threshold_us;
    fixed->why = !is_reliable ? "success rate" : "duration p99";
    *ret_passes = is_reliable && is_fast;
    fixed->requests = fixed->failures = 0;
    histogram_reset(&fixed->durations);
    return true;
}

static enum fate take_step(struct fixed *fixed, uint64_t now_ms)
{
    if (fixed->step > 0 && now_ms - fixed->step_began_ms < fixed->plan->steps[fixed->step - 1].hold_ms)
        return FATE_OPEN;
    if (fixed->step >= fixed->plan->step_count)
        return FATE_COMPLETED;
    fixed->step_began_ms = now_ms;
    fixed->weight_bp = fixed->plan->steps[fixed->step++].weight_bp;
    return fixed->weight_bp == ROLLOUT_ALL_BP ? FATE_COMPLETED : FATE_OPEN;
}

static enum fate fixed_end_interval(void *rule, uint64_t now_ms, unsigned *ret_weight_bp)
{
    struct fixed *fixed = rule;
    enum fate fate = FATE_OPEN;
    bool passes;
    if (fixed->weight_bp == 0) {
        fixed->threshold_us = 1.5 * histogram_quantile(&fixed->before, 0.99);
        fate = take_step(fixed, now_ms);
    } else if (++fixed->intervals % CHECK_INTERVALS == 0 && check(fixed, &passes)) {
        fixed->failed_checks = passes ? 0 : fixed->failed_checks + 1;
        if (passes)
            fate = take_step(fixed, now_ms);
        else if (fixed->failed_checks == FAILURES_MAX)
            fate = FATE_ROLLED_BACK;
    }
    *ret_weight_bp = fixed->weight_bp;
    return fate;
}

static const char *fixed_why(void *rule)
{
    return ((struct fixed *)rule)->why;
}

const struct rule rule_fixed = {"fixed",       fixed_start,        fixed_stop, fixed_learn,
                                fixed_observe, fixed_end_interval, fixed_why};
