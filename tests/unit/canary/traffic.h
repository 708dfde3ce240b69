/* SPDX-License-Identifier: Apache-2.0 */
/* traffic.h: simple traffic for the tests of guards and analysis: both arms alike but for what a test sets. */
#ifndef TESTS_CANARY_TRAFFIC_H
#define TESTS_CANARY_TRAFFIC_H

#include <math.h>

#include "base/random.h"
#include "canary/analysis.h"

/* What an arm's exchanges are like. */
struct arm_habits {
    unsigned per_interval;
    double ttft_ms, tpot_ms;
    double error_rate, empty_rate, cancelled_rate, client_error_rate, length_rate, missing_rate;
    double output_tokens;
    double cached_share;
    bool has_no_tpot;
};

static const struct arm_habits usual = {
    .per_interval = 40, .ttft_ms = 100, .tpot_ms = 12, .error_rate = 0.003, .output_tokens = 100, .cached_share = 0.3};

static struct observation draw_exchange(struct random_state *random, const struct arm_habits *habits, enum arm_role arm)
{
    struct observation observation = {
        .arm = arm,
        .outcome = OUTCOME_OK,
        .finish = random_unit(random) < habits->length_rate ? FINISH_LENGTH : FINISH_STOP,
        .is_streaming = true,
        .is_empty = random_unit(random) < habits->empty_rate,
        .prompt_tokens = random_unit(random) < 0.5 ? 400 : 4000,
        .queue_us = 500,
        .cost_micros = 300,
        .endpoint_served = 1000,
        .endpoint_age_ms = 3600000,
    };
    double is_long = observation.prompt_tokens > 1000 ? 3 : 1;
    observation.cached_tokens = (uint32_t)(observation.prompt_tokens * habits->cached_share);
    observation.ttft_us = (uint64_t)(habits->ttft_ms * 1e3 * is_long * exp(0.3 * random_normal(random)));
    observation.tpot_us = (uint64_t)(habits->tpot_ms * 1e3 * exp(0.1 * random_normal(random)));
    observation.output_tokens = 1 + (uint64_t)(habits->output_tokens * exp(0.5 * random_normal(random)));
    observation.total_us = observation.ttft_us + observation.tpot_us * observation.output_tokens;
    if (habits->has_no_tpot)
        observation.tpot_us = OBSERVATION_UNKNOWN;
    double fate = random_unit(random);
    if (fate < habits->error_rate)
        observation.outcome = OUTCOME_SERVER_ERROR;
    else if ((fate -= habits->error_rate) < habits->cancelled_rate)
        observation.outcome = OUTCOME_CANCELLED;
    else if ((fate -= habits->cancelled_rate) < habits->client_error_rate)
        observation.outcome = OUTCOME_CLIENT_ERROR;
    else if (fate - habits->client_error_rate < habits->missing_rate)
        observation.outcome = OUTCOME_MODEL_MISSING;
    return observation;
}

static void add_traffic(struct strata *strata, struct random_state *random, const struct arm_habits *habits,
                        enum arm_role arm)
{
    for (unsigned i = 0; i < habits->per_interval; i++) {
        struct observation observation = draw_exchange(random, habits, arm);
        strata_add(strata, &observation);
    }
}

static inline void run_intervals(struct analysis *analysis, struct random_state *random, unsigned count,
                                 const struct arm_habits *stable, const struct arm_habits *canary)
{
    for (unsigned i = 0; i < count; i++) {
        add_traffic(analysis_interval(analysis), random, stable, ARM_STABLE);
        add_traffic(analysis_interval(analysis), random, canary, ARM_CANARY);
        analysis_end_interval(analysis);
    }
}

#endif
