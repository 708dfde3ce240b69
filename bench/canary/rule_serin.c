/* SPDX-License-Identifier: Apache-2.0 */
/* rule_serin.c: the product's own analysis and rollout, driven as its controller does, without one. */
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "bench/canary/rules.h"

struct serin {
    const struct rollout_plan *plan;
    struct analysis *analysis;
    bool is_analysing;
    struct rollout_state state;
    struct rollout_facts facts;
    char why[64];
};

static void *serin_start(const struct rollout_plan *plan, const struct strata_options *strata)
{
    struct serin *serin = must(calloc(1, sizeof *serin));
    struct analysis_options options;
    const struct guard *guards;
    unsigned count = guard_defaults(&guards);
    analysis_default_options(&options);
    serin->plan = plan;
    serin->analysis = analysis_new(&options, strata, guards, count);
    serin->facts.has_target = serin->facts.is_warm = true;
    return serin;
}

static void serin_stop(void *rule)
{
    struct serin *serin = rule;
    analysis_free(serin->analysis);
    free(serin);
}

static void serin_observe(void *rule, const struct observation *observation)
{
    struct serin *serin = rule;
    struct observation seen = *observation;
    seen.total_us = seen.output_tokens =
        OBSERVATION_UNKNOWN; /* no guard looks at them: the study need not count them */
    strata_add(analysis_interval(serin->analysis), &seen);
}

static void carry_out(struct serin *serin, const struct rollout_decision *decision)
{
    if (decision->has_weight) {
        serin->facts.weight_bp = decision->weight_bp;
        serin->facts.applied_move = serin->state.move;
    }
    if (decision->begin_analysis) {
        analysis_begin_step(serin->analysis, decision->slack, serin->state.epoch);
        serin->is_analysing = true;
    }
}

static void look(struct serin *serin)
{
    serin->facts.verdict = analysis_verdict(serin->analysis, &serin->facts.severity);
    serin->facts.step_requests = analysis_step_requests(serin->analysis);
    serin->facts.epoch = serin->is_analysing ? analysis_epoch(serin->analysis) : 0;
}

static void name_culprit(struct serin *serin)
{
    struct analysis_report report;
    analysis_report(serin->analysis, &report);
    if (report.decisive >= 0)
        guard_describe(report.guards[report.decisive].guard, serin->why);
}

static enum fate serin_end_interval(void *rule, uint64_t now_ms, unsigned *ret_weight_bp)
{
    struct serin *serin = rule;
    struct rollout_decision decision = {0};
    analysis_end_interval(serin->analysis);
    do {
        look(serin);
        enum rollout_phase former = serin->state.phase;
        rollout_decide(serin->plan, &serin->state, &serin->facts, now_ms, &decision);
        if (serin->state.phase == PHASE_ROLLING_BACK && former != PHASE_ROLLING_BACK)
            name_culprit(serin);
        carry_out(serin, &decision);
    } while (!decision.is_settled || decision.has_weight);
    *ret_weight_bp = serin->facts.weight_bp;
    if (serin->state.phase == PHASE_ROLLED_BACK)
        return FATE_ROLLED_BACK;
    return serin->state.phase == PHASE_COMPLETED ? FATE_COMPLETED : FATE_OPEN;
}

static const char *serin_why(void *rule)
{
    return ((struct serin *)rule)->why;
}

const struct rule rule_serin = {"serin",       serin_start,        serin_stop, serin_observe,
                                serin_observe, serin_end_interval, serin_why};
