/* SPDX-License-Identifier: Apache-2.0 */
/* guard_cells.c: from counts and histograms to what the sequential test compares: sums of values in [0, 1].
 *
 * A quantile becomes the share of values above a cut.  The cut is the quantile of stable's former blocks, for the
 * canary moved by the limit; whatever the cut is, the shares of both arms in the same block are compared, so a cut
 * that has become stale by drift shifts which quantile is looked at, not the verdict. */
#include "canary/guard.h"

#include <assert.h>
#include <math.h>

#include "base/compiler.h"

/* Sums of one arm under one id. */
struct sample {
    double n, sum;
};

static const enum value values[GUARD_METRIC_COUNT] = {
    [GUARD_TTFT] = VALUE_TTFT,   [GUARD_TPOT] = VALUE_TPOT, [GUARD_TOTAL] = VALUE_TOTAL,
    [GUARD_QUEUE] = VALUE_QUEUE, [GUARD_COST] = VALUE_COST, [GUARD_OUTPUT_TOKENS] = VALUE_OUTPUT_TOKENS,
};

static struct sample of_answered(const struct arm_sums *sums, uint64_t count)
{
    return (struct sample){(double)sums->answered, (double)count};
}

static struct sample sample_of_sums(enum guard_metric metric, const struct arm_sums *sums)
{
    switch (metric) {
    case GUARD_ERROR_RATE:
        return (struct sample){(double)sums->judged, (double)sums->failures};
    case GUARD_THROTTLED_RATE:
        return (struct sample){(double)sums->judged, (double)sums->throttled};
    case GUARD_EMPTY_RATE:
        return of_answered(sums, sums->empty);
    case GUARD_FINISH_STOP:
        return of_answered(sums, sums->finishes[FINISH_STOP]);
    case GUARD_FINISH_LENGTH:
        return of_answered(sums, sums->finishes[FINISH_LENGTH]);
    case GUARD_FINISH_TOOL_CALLS:
        return of_answered(sums, sums->finishes[FINISH_TOOL_CALLS]);
    case GUARD_FINISH_CONTENT_FILTER:
        return of_answered(sums, sums->finishes[FINISH_CONTENT_FILTER]);
    case GUARD_FINISH_OTHER:
        return of_answered(sums, sums->finishes[FINISH_OTHER] + sums->finishes[FINISH_NONE]);
    case GUARD_CACHE_HIT_SHARE:
        return (struct sample){(double)sums->cacheable, sums->cached_share};
    default:
        return (struct sample){(double)sums->values[values[metric]].count, 0};
    }
}

static struct sample sample_of_tally(enum guard_metric metric, const struct arm_tally *tally)
{
    double judged = (double)tally->judged, count = (double)tally->retried;
    if (metric == GUARD_RETRIED_RATE)
        return (struct sample){judged, count};
    count = (double)tally->outcomes[metric == GUARD_CANCELLED_RATE ? OUTCOME_CANCELLED : OUTCOME_CLIENT_ERROR];
    return (struct sample){judged + count, count};
}

static struct sample plus(struct sample a, struct sample b)
{
    return (struct sample){a.n + b.n, a.sum + b.sum};
}

/* Over all strata. */
static struct sample sample_of_arm(enum guard_metric metric, const struct strata *strata, enum arm_role arm)
{
    if (guard_metric_kind(metric) == GUARD_KIND_TALLY)
        return sample_of_tally(metric, &strata->tallies[arm]);
    struct sample all = {0};
    for (unsigned id = 0; id <= STRATA_IDS; id++)
        if (strata->slots[id] != NULL)
            all = plus(all, sample_of_sums(metric, &strata->slots[id]->arms[arm]));
    return all;
}

/* By stratum, all its cached shares together. */
static void sample_uncached(enum guard_metric metric, const struct strata *strata,
                            struct sample ret_samples[STRATA_UNCACHED_IDS][ARM_ROLES])
{
    for (unsigned i = 0; i < STRATA_UNCACHED_IDS; i++)
        ret_samples[i][ARM_STABLE] = ret_samples[i][ARM_CANARY] = (struct sample){0};
    for (unsigned id = 0; id <= STRATA_IDS; id++)
        for (unsigned arm = 0; strata->slots[id] != NULL && arm < ARM_ROLES; arm++) {
            struct sample *sample = &ret_samples[strata_id_uncached(id)][arm];
            *sample = plus(*sample, sample_of_sums(metric, &strata->slots[id]->arms[arm]));
        }
}

double guard_samples(const struct guard *guard, const struct strata *strata, enum arm_role arm)
{
    return sample_of_arm(guard->metric, strata, arm).n;
}

/* At-least guards are turned round: the test knows only "at most". */
static struct paired_cell rate_cell(const struct guard *guard, enum guard_limit limit, struct sample canary,
                                    struct sample stable, double expected)
{
    bool is_at_least = guard->direction == GUARD_AT_LEAST;
    struct paired_cell cell = {
        .canary_n = canary.n,
        .canary_sum = is_at_least ? canary.n - canary.sum : canary.sum,
        .stable_n = stable.n,
        .stable_sum = is_at_least ? stable.n - stable.sum : stable.sum,
        .expected = is_at_least ? 1 - expected : expected,
    };
    if (limit == LIMIT_ABSOLUTE) {
        cell.increase = is_at_least ? 1 - guard->absolute : guard->absolute;
    } else {
        cell.ratio = guard->ratio;
        cell.increase = (is_at_least ? 1 - guard->ratio : 0) + guard->increase;
    }
    return cell;
}

static void add_rate(struct guard_cells *cells, const struct guard guards[2], enum guard_limit limit,
                     struct sample canary, struct sample stable, double expected)
{
    if (canary.n <= 0)
        return;
    cells->worse[cells->count] = rate_cell(&guards[0], limit, canary, stable, expected);
    cells->within[cells->count] = rate_cell(&guards[1], limit, canary, stable, expected);
    cells->count++;
}

/* Rates of a stratum: all its cached shares together. */
static void rate_cells(const struct guard guards[2], enum guard_limit limit, const struct strata *block,
                       const struct strata *reference, struct guard_cells *cells)
{
    enum guard_metric metric = guards[0].metric;
    struct sample past = sample_of_arm(metric, reference, ARM_STABLE);
    double expected = (past.sum + 0.5) / (past.n + 10);
    if (guard_metric_kind(metric) == GUARD_KIND_TALLY) {
        add_rate(cells, guards, limit, sample_of_arm(metric, block, ARM_CANARY),
                 sample_of_arm(metric, block, ARM_STABLE), expected);
        return;
    }
    struct sample samples[STRATA_UNCACHED_IDS][ARM_ROLES];
    sample_uncached(metric, block, samples);
    for (unsigned i = 0; i < STRATA_UNCACHED_IDS; i++)
        add_rate(cells, guards, limit, samples[i][ARM_CANARY], samples[i][ARM_STABLE], expected);
}

/* How many values of the former blocks make a quantile worth cutting at. */
static double reference_min(double quantile)
{
    double tail = quantile < 0.5 ? quantile : 1 - quantile;
    return fmax(20, 4 / tail);
}

/* A stratum's values: the canary's and stable's of the block, stable's of the blocks before. */
struct triple {
    const struct histogram *canary, *stable, *past;
};

static double cut_of(struct guard_cuts *cuts, unsigned id, const struct histogram *past, double quantile)
{
    uint64_t known = cuts->counts[id];
    if (past->count < known || past->count > known + known / 30) {
        cuts->cuts[id] = histogram_quantile(past, quantile);
        cuts->counts[id] = past->count;
    }
    return cuts->cuts[id];
}

static double share_of(const struct guard *guard, const struct histogram *seen, double cut)
{
    double above = histogram_above(seen, cut);
    return guard->direction == GUARD_AT_MOST ? above : (double)seen->count - above;
}

static double beyond(const struct guard *guard)
{
    return guard->direction == GUARD_AT_MOST ? 1 - guard->quantile : guard->quantile;
}

/* cut: stable's quantile so far. */
static struct paired_cell quantile_cell(const struct guard *guard, enum guard_limit limit,
                                        const struct triple *values_of, double cut)
{
    struct paired_cell cell = {.canary_n = (double)values_of->canary->count,
                               .stable_n = (double)values_of->stable->count};
    if (limit == LIMIT_ABSOLUTE) {
        cell.canary_sum = share_of(guard, values_of->canary, guard->absolute);
        cell.increase = beyond(guard);
        return cell;
    }
    cell.canary_sum = share_of(guard, values_of->canary, fmax(0, guard_allowed(guard, LIMIT_RELATIVE, cut)));
    cell.stable_sum = share_of(guard, values_of->stable, cut);
    cell.ratio = 1;
    cell.expected = beyond(guard);
    return cell;
}

/* What a mean at its limit must stay clear of, or nothing could be beyond: stable may have hardly any spread, and an
 * increase may be many times stable's figure. */
static void caps_of(const struct guard *guard, const struct triple *values_of, double p99, double *ret_stable,
                    double *ret_canary)
{
    *ret_stable = fmax(p99, 2 * histogram_mean(values_of->past));
    *ret_canary = guard->ratio * *ret_stable;
    if (guard->direction == GUARD_AT_MOST)
        *ret_canary += 2 * guard->increase;
}

/* Means of min(value, cap) / cap, each arm by its own cap: the ratio makes up for it.  An at-least guard compares what
 * is missing to 1. */
static struct paired_cell mean_cell(const struct guard *guard, enum guard_limit limit, const struct triple *values_of,
                                    double p99)
{
    bool is_at_least = guard->direction == GUARD_AT_LEAST, is_absolute = limit == LIMIT_ABSOLUTE;
    double cap = 4 * guard->absolute, canary_cap = cap;
    if (!is_absolute)
        caps_of(guard, values_of, p99, &cap, &canary_cap);
    struct paired_cell cell = {
        .canary_n = (double)values_of->canary->count,
        .canary_sum = histogram_capped_sum(values_of->canary, canary_cap),
        .stable_n = (double)values_of->stable->count,
        .stable_sum = histogram_capped_sum(values_of->stable, cap),
        .ratio = is_absolute ? 0 : guard->ratio * cap / canary_cap,
        .increase = is_absolute ? 0.25 : fmin(0.99, guard->increase / canary_cap),
    };
    double past = (double)values_of->past->count;
    cell.expected = past > 0 ? histogram_capped_sum(values_of->past, cap) / past : 0;
    if (is_at_least) {
        cell.canary_sum = cell.canary_n - cell.canary_sum;
        cell.stable_sum = cell.stable_n - cell.stable_sum;
        cell.expected = 1 - cell.expected;
        cell.increase = is_absolute ? 0.75 : cell.increase;
    }
    return cell;
}

static void add_value(struct guard_cells *cells, const struct guard guards[2], enum guard_limit limit,
                      const struct triple *values_of, struct guard_cuts *cuts, unsigned id)
{
    double quantile = guards[0].quantile > 0 ? guards[0].quantile : 0.99;
    double cut = 0;
    if (limit == LIMIT_RELATIVE) {
        bool has_reference = (double)values_of->past->count >= reference_min(quantile);
        cut = has_reference ? cut_of(cuts, id, values_of->past, quantile) : 0;
        if (cut <= 0)
            return;
    }
    bool is_mean = guards[0].quantile <= 0;
    struct paired_cell (*make)(const struct guard *, enum guard_limit, const struct triple *, double) =
        is_mean ? mean_cell : quantile_cell;
    cells->worse[cells->count] = make(&guards[0], limit, values_of, cut);
    cells->within[cells->count] = make(&guards[1], limit, values_of, cut);
    cells->count++;
}

static void value_cells(const struct guard guards[2], enum guard_limit limit, const struct strata *block,
                        const struct strata *reference, struct guard_cuts *cuts, struct guard_cells *cells)
{
    static const struct histogram nothing;
    enum value value = values[guards[0].metric];
    for (unsigned id = 0; id <= STRATA_IDS; id++) {
        const struct stratum *stratum = block->slots[id], *former = reference->slots[id];
        if (stratum == NULL || stratum->arms[ARM_CANARY].values[value].count == 0)
            continue;
        struct triple values_of = {
            .canary = &stratum->arms[ARM_CANARY].values[value],
            .stable = &stratum->arms[ARM_STABLE].values[value],
            .past = former != NULL ? &former->arms[ARM_STABLE].values[value] : &nothing,
        };
        add_value(cells, guards, limit, &values_of, cuts, id);
    }
}

void guard_cells(const struct guard *guard, enum guard_limit limit, double slack, const struct strata *block,
                 const struct strata *reference, struct guard_cuts *cuts, struct guard_cells *ret_cells)
{
    assert(guard_has_limit(guard, limit));
    const struct guard guards[2] = {*guard, guard_widen(guard, slack)};
    ret_cells->count = 0;
    if (guard_metric_kind(guard->metric) == GUARD_KIND_VALUE)
        value_cells(guards, limit, block, reference, cuts, ret_cells);
    else
        rate_cells(guards, limit, block, reference, ret_cells);
}

static double value_figure(const struct guard *guard, const struct strata *strata, enum arm_role arm)
{
    const struct histogram *histograms[STRATA_IDS + 1];
    double weights[STRATA_IDS + 1], sum = 0, n = 0;
    enum value value = values[guard->metric];
    unsigned count = 0;
    for (unsigned id = 0; id <= STRATA_IDS; id++) {
        if (strata->slots[id] == NULL || strata->slots[id]->arms[arm].values[value].count == 0)
            continue;
        const struct histogram *mine = &strata->slots[id]->arms[arm].values[value];
        double canary_n = (double)strata->slots[id]->arms[ARM_CANARY].values[value].count;
        histograms[count] = mine;
        weights[count] = canary_n / (double)mine->count;
        sum += weights[count++] * mine->sum;
        n += canary_n;
    }
    if (n <= 0)
        return NAN;
    return guard->quantile > 0 ? histogram_weighted_quantile(histograms, weights, count, guard->quantile) : sum / n;
}

static double rate_figure(const struct guard *guard, const struct strata *strata, enum arm_role arm)
{
    struct sample samples[STRATA_UNCACHED_IDS][ARM_ROLES];
    if (guard_metric_kind(guard->metric) == GUARD_KIND_TALLY) {
        struct sample all = sample_of_arm(guard->metric, strata, arm);
        return all.n > 0 ? all.sum / all.n : NAN;
    }
    sample_uncached(guard->metric, strata, samples);
    double sum = 0, n = 0;
    for (unsigned i = 0; i < STRATA_UNCACHED_IDS; i++) {
        const struct sample *mine = &samples[i][arm];
        if (mine->n > 0) {
            sum += samples[i][ARM_CANARY].n * mine->sum / mine->n;
            n += samples[i][ARM_CANARY].n;
        }
    }
    return n > 0 ? sum / n : NAN;
}

double guard_figure(const struct guard *guard, const struct strata *strata, enum arm_role arm)
{
    bool is_value = guard_metric_kind(guard->metric) == GUARD_KIND_VALUE;
    return is_value ? value_figure(guard, strata, arm) : rate_figure(guard, strata, arm);
}
