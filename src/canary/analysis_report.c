/* SPDX-License-Identifier: Apache-2.0 */
/* analysis_report.c: the verdict with figures, and as a sentence. */
#include <math.h>
#include <stdio.h>

#include "canary/analysis_internal.h"

static const char *const verdicts[VERDICT_COUNT] = {
#define X(id, name, meaning) [VERDICT_##id] = name,
    CANARY_VERDICTS(X)
#undef X
};

const char *verdict_name(enum verdict verdict)
{
    return verdicts[verdict];
}

/* 1/capital bounds the chance of such a capital, whenever it is looked at. */
static double p_value(double evidence)
{
    return evidence > 0 ? exp(-evidence) : 1;
}

static void report_tests(const struct watched_guard *watched, struct guard_report *report)
{
    double worse = -INFINITY, within = INFINITY;
    for (unsigned limit = 0; limit < LIMIT_COUNT; limit++) {
        if (!guard_has_limit(&watched->guard, (enum guard_limit)limit))
            continue;
        worse = fmax(worse, sequential_evidence(&watched->worse[limit]));
        within = fmin(within, sequential_evidence(&watched->within[limit]));
        report->redundancy = fmax(report->redundancy, sequential_redundancy(&watched->worse[limit]));
    }
    report->p_worse = p_value(worse);
    report->p_within = p_value(within);
}

static double tighter(const struct guard *guard, double stable)
{
    double relative = guard->has_relative ? guard_allowed(guard, LIMIT_RELATIVE, stable) : NAN;
    if (!guard->has_absolute)
        return relative;
    return guard->direction == GUARD_AT_MOST ? fmin(relative, guard->absolute) : fmax(relative, guard->absolute);
}

static void report_guard(const struct analysis *analysis, const struct watched_guard *watched,
                         struct guard_report *report)
{
    const struct guard *guard = &watched->guard;
    *report = (struct guard_report){
        .guard = guard,
        .verdict = watched->verdict,
        .canary = guard_figure(guard, &analysis->step, ARM_CANARY),
        .stable = guard_figure(guard, &analysis->step, ARM_STABLE),
        .canary_n = (uint64_t)guard_samples(guard, &analysis->step, ARM_CANARY),
        .stable_n = (uint64_t)guard_samples(guard, &analysis->step, ARM_STABLE),
        .p_needed = exp(-analysis_needed_to_fail(analysis, watched)),
        .p_to_pass = exp(-analysis_needed_to_pass(analysis)),
        .redundancy = 1,
    };
    report->allowed = tighter(guard, report->stable);
    report_tests(watched, report);
}

/* "ttft p95: canary 812.0 ms, stable 402.1 ms, limit 522.6 ms" */
static void put_figures(struct buffer *out, const struct guard_report *report)
{
    char name[48], canary[32], stable[32], allowed[32];
    guard_describe(report->guard, name);
    guard_format(report->guard, report->canary, canary);
    guard_format(report->guard, report->stable, stable);
    guard_format(report->guard, report->allowed, allowed);
    buffer_printf(out, "%s: canary %s, stable %s, %s %s", name, canary, stable,
                  report->guard->direction == GUARD_AT_MOST ? "at most" : "at least", allowed);
}

static void put_counts(struct buffer *out, const struct guard_report *report)
{
    buffer_printf(out, " (%llu canary and %llu stable exchanges)", (unsigned long long)report->canary_n,
                  (unsigned long long)report->stable_n);
}

/* 99.95 % rather than 100 %. */
static void put_confidence(struct buffer *out, double p)
{
    int digits = p < 1e-9 ? 9 : p < 0.001 ? 3 : 1;
    double shown = 100 * (1 - (p < 1e-9 ? 1e-9 : p));
    buffer_printf(out, "%.*f %%", digits, shown);
}

static void put_no_data(struct buffer *out, const struct analysis *analysis, const struct guard_report *report)
{
    char name[48];
    guard_describe(report->guard, name);
    buffer_printf(out, "%s has no data: %llu canary exchanges, at least %u are needed", name,
                  (unsigned long long)report->canary_n, analysis->options.min_samples);
}

static void put_inconclusive(struct buffer *out, const struct analysis *analysis, const struct guard_report *report,
                             unsigned blocks)
{
    put_figures(out, report);
    put_counts(out, report);
    if (blocks < analysis->options.min_blocks) {
        buffer_printf(out, ": %u of the %u blocks that a verdict needs", blocks, analysis->options.min_blocks);
        return;
    }
    buffer_append_str(out, ": not confident yet; that it is within its limit, ");
    put_confidence(out, report->p_within);
    buffer_append_str(out, " of ");
    put_confidence(out, report->p_to_pass);
    buffer_append_str(out, ", that it is beyond, ");
    put_confidence(out, report->p_worse);
    buffer_append_str(out, " of ");
    put_confidence(out, report->p_needed);
}

static void put_fail(struct buffer *out, const struct guard_report *report)
{
    put_figures(out, report);
    buffer_append_str(out, "; confidence ");
    put_confidence(out, report->p_worse);
    put_counts(out, report);
}

static void put_pass(struct buffer *out, const struct analysis *analysis)
{
    buffer_printf(out, "every guard is within its limit, confidence ");
    put_confidence(out, analysis->options.alpha_pass);
    buffer_printf(out, " or more, after %llu canary exchanges",
                  (unsigned long long)analysis->step.tallies[ARM_CANARY].judged);
}

static void put_missing(struct buffer *out, uint64_t count)
{
    buffer_printf(out, "%llu requests met an endpoint of the canary that has not loaded the adapter",
                  (unsigned long long)count);
}

static void put_reason(struct buffer *out, const struct analysis *analysis, const struct analysis_report *report)
{
    if (report->decisive < 0) {
        if (report->verdict == VERDICT_PASS)
            put_pass(out, analysis);
        else if (report->verdict == VERDICT_INCONCLUSIVE)
            put_missing(out, analysis->missing_models);
        else
            buffer_append_str(out, "no guard applies to what this service answers");
        return;
    }
    const struct guard_report *guard = &report->guards[report->decisive];
    if (guard->verdict == VERDICT_FAIL)
        put_fail(out, guard);
    else if (guard->verdict == VERDICT_NO_DATA)
        put_no_data(out, analysis, guard);
    else
        put_inconclusive(out, analysis, guard, analysis->window_blocks);
}

void analysis_report(const struct analysis *analysis, struct analysis_report *ret_report)
{
    *ret_report = (struct analysis_report){.guard_count = analysis->guard_count,
                                           .blocks = analysis->step_blocks,
                                           .epoch = analysis->epoch,
                                           .severity = SEVERITY_HOLD};
    for (unsigned i = 0; i < analysis->guard_count; i++)
        report_guard(analysis, &analysis->guards[i], &ret_report->guards[i]);
    for (unsigned arm = 0; arm < ARM_ROLES; arm++)
        ret_report->tallies[arm] = analysis->step.tallies[arm];
    ret_report->decisive = analysis_decisive(analysis, &ret_report->verdict);
    if (ret_report->decisive >= 0)
        ret_report->severity = analysis->guards[ret_report->decisive].guard.severity;
    struct buffer text = {0};
    put_reason(&text, analysis, ret_report);
    snprintf(ret_report->reason, sizeof ret_report->reason, "%.*s", BYTES_ARG(buffer_bytes(&text)));
    buffer_deinit(&text);
}
