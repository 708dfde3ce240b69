/* SPDX-License-Identifier: Apache-2.0 */
/* figures.c: plain sums over two generations of an arm's traffic.  Pure. */
#include "control/canaries/figures.h"

#include <math.h>
#include <string.h>

static void add_arm(struct arm_figures *into, const struct arm_figures *from)
{
    into->seen += from->seen;
    into->judged += from->judged;
    into->failures += from->failures;
    into->prompt_tokens += from->prompt_tokens;
    into->cached_tokens += from->cached_tokens;
    into->output_tokens += from->output_tokens;
    histogram_merge(&into->ttft_us, &from->ttft_us);
    histogram_merge(&into->tpot_us, &from->tpot_us);
    into->priced += from->priced;
    into->cost_micros += from->cost_micros;
}

static void add_stratum(struct arm_figures *into, const struct arm_sums *sums)
{
    into->failures += sums->failures;
    histogram_merge(&into->ttft_us, &sums->values[VALUE_TTFT]);
    histogram_merge(&into->tpot_us, &sums->values[VALUE_TPOT]);
    into->priced += sums->values[VALUE_COST].count;
    into->cost_micros += sums->values[VALUE_COST].sum;
}

static void add_interval(struct arm_figures *into, const struct strata *interval, enum arm_role arm)
{
    const struct arm_tally *tally = &interval->tallies[arm];
    into->seen += tally->seen;
    into->judged += tally->judged;
    into->prompt_tokens += tally->prompt_tokens;
    into->cached_tokens += tally->cached_tokens;
    into->output_tokens += tally->output_tokens;
    for (unsigned i = 0; i <= STRATA_IDS; i++) {
        if (interval->slots[i] != NULL)
            add_stratum(into, &interval->slots[i]->arms[arm]);
    }
}

void figures_add(struct figures *figures, const struct strata *interval, uint64_t now_ms, uint64_t window_ms)
{
    if (figures->now.began_ms == 0)
        figures->now.began_ms = figures->before.began_ms = now_ms;
    if (now_ms - figures->now.began_ms >= window_ms / 2) {
        memcpy(&figures->before, &figures->now, sizeof figures->before);
        memset(&figures->now, 0, sizeof figures->now);
        figures->now.began_ms = now_ms;
    }
    for (unsigned arm = 0; arm < ARM_ROLES; arm++)
        add_interval(&figures->now.arms[arm], interval, (enum arm_role)arm);
}

void figures_sum(const struct figures *figures, enum arm_role arm, uint64_t now_ms, struct arm_figures *ret_sum,
                 uint64_t *ret_span_ms)
{
    memcpy(ret_sum, &figures->before.arms[arm], sizeof *ret_sum);
    add_arm(ret_sum, &figures->now.arms[arm]);
    uint64_t began_ms = figures->before.began_ms;
    *ret_span_ms = began_ms > 0 && now_ms > began_ms ? now_ms - began_ms : 1;
}

static uint64_t seen(const struct figures *figures, enum arm_role arm)
{
    return figures->now.arms[arm].seen + figures->before.arms[arm].seen;
}

static uint64_t tokens_of(const struct arm_figures *arm)
{
    return arm->prompt_tokens + arm->output_tokens;
}

static uint64_t tokens(const struct figures *figures, enum arm_role arm)
{
    return tokens_of(&figures->now.arms[arm]) + tokens_of(&figures->before.arms[arm]);
}

static double share(uint64_t stable, uint64_t canary)
{
    return stable + canary > 0 ? 100.0 * (double)canary / (double)(stable + canary) : NAN;
}

double figures_request_share(const struct figures *figures)
{
    return share(seen(figures, ARM_STABLE), seen(figures, ARM_CANARY));
}

double figures_token_share(const struct figures *figures)
{
    return share(tokens(figures, ARM_STABLE), tokens(figures, ARM_CANARY));
}
