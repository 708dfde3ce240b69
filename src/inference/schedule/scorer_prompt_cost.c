/* SPDX-License-Identifier: Apache-2.0 */
/* scorer_prompt_cost.c: the default scorer: what a request would cost at each endpoint, in uncached prompt tokens.
 *
 * The engine computes prompts in the order of arrival, so a first token waits for the uncached tokens sent before it
 * and for its own.  Every step also decodes: a running sequence is worth so many tokens of prefill per step, a token of
 * its context so many.  That toll is paid for many steps, by this request and by those that are there, so it is counted
 * `horizon` times: this is what makes a popular prefix spread to idle endpoints before the ones that have it are slow.
 * A prompt that is not cached pushes out as much of what others may ask for again: the more so the faster the cache is
 * filled anew.  So sessions stay where they are for longer than it pays for themselves, and new ones go where the cache
 * holds what nobody will miss.  A KV cache that fills up ends in preemption; an adapter that is not in a slot has to be
 * loaded.  docs/picker.md tells how the numbers were found.  Pure. */
#include "inference/schedule/plugins.h"

enum {
    HORIZON,
    STEP_TOKENS,
    SEQUENCE_TOKENS,
    CONTEXT_TOKENS,
    KV_TOKENS,
    KV_START,
    LOAD_TOKENS,
    FULL_TOKENS,
    QUEUED_TOKENS,
    EVICTION_WEIGHT,
    EVICTION_TURNOVER,
    PACE_LIMIT,
};

const struct parameter_syntax prompt_cost_syntax[] = {
    [HORIZON] = {"horizonSteps", PARAMETER_NUMBER, 32, 0, 1e6},
    [STEP_TOKENS] = {"stepTokens", PARAMETER_NUMBER, 150, 0, 1e6},
    [SEQUENCE_TOKENS] = {"sequenceTokens", PARAMETER_NUMBER, 0.75, 0, 1e6},
    [CONTEXT_TOKENS] = {"contextTokens", PARAMETER_NUMBER, 0.0005, 0, 1},
    [KV_TOKENS] = {"kvFullTokens", PARAMETER_NUMBER, 4000, 0, 1e9},
    [KV_START] = {"kvStart", PARAMETER_NUMBER, 0.5, 0, 0.99},
    [LOAD_TOKENS] = {"adapterLoadTokens", PARAMETER_NUMBER, 5000, 0, 1e9},
    [FULL_TOKENS] = {"adapterFullTokens", PARAMETER_NUMBER, 100000, 0, 1e9},
    [QUEUED_TOKENS] = {"queuedTokens", PARAMETER_NUMBER, 500, 0, 1e6},
    [EVICTION_WEIGHT] = {"evictionWeight", PARAMETER_NUMBER, 8, 0, 1e3},
    [EVICTION_TURNOVER] = {"evictionTurnover", PARAMETER_NUMBER, 4, 0, 1e3},
    [PACE_LIMIT] = {"paceLimit", PARAMETER_NUMBER, 3, 1, 100},
    {0},
};

/* What others sent there, as far as a page shows more than this process knows of. */
static unsigned foreign(unsigned scraped, unsigned own)
{
    return scraped > own ? scraped - own : 0;
}

/* All that is there decodes or soon will. */
static double decode_tokens(const double *values, const struct candidate *candidate)
{
    double sequences = candidate->in_flight + foreign(candidate->running, candidate->in_flight);
    return values[STEP_TOKENS] + values[SEQUENCE_TOKENS] * sequences +
           values[CONTEXT_TOKENS] * candidate->prompt_tokens;
}

/* evictionTurnover: how often a minute a cache is filled anew when half of what goes is missed. */
static double eviction_tokens(const double *values, const struct candidate *candidate,
                              const struct request_facts *request)
{
    if (candidate->cache_tokens <= 0 || candidate->taken_in_tokens <= 0)
        return 0;
    double missed =
        candidate->taken_in_tokens / (candidate->taken_in_tokens + values[EVICTION_TURNOVER] * candidate->cache_tokens);
    return values[EVICTION_WEIGHT] * request->reuse * missed * facts_uncached_tokens(candidate, request);
}

double prompt_cost_foreseen(const struct candidate *candidate, const struct request_facts *request)
{
    static const double values[] = {
        [STEP_TOKENS] = 150,
        [SEQUENCE_TOKENS] = 0.75,
        [CONTEXT_TOKENS] = 0.0005,
    };
    return candidate->prefill_tokens + facts_uncached_tokens(candidate, request) +
           1.5 * decode_tokens(values, candidate);
}

static double adapter_tokens(const double *values, enum adapter_state state)
{
    switch (state) {
    case ADAPTER_LOADING:
        return values[LOAD_TOKENS] / 2;
    case ADAPTER_LOADABLE:
        return values[LOAD_TOKENS];
    case ADAPTER_FULL:
        return values[LOAD_TOKENS] + values[FULL_TOKENS];
    default:
        return 0;
    }
}

static double kv_tokens(const double *values, double usage)
{
    double over = usage > values[KV_START] ? (usage - values[KV_START]) / (1 - values[KV_START]) : 0;
    return values[KV_TOKENS] * over * over;
}

static double mean_pace(const struct pick_state *state)
{
    double sum = 0;
    unsigned count = 0;
    for (unsigned i = 0; i < state->count; i++) {
        double pace = pick_candidate(state, i)->pace;
        sum += pace;
        count += pace > 0;
    }
    return count > 0 ? sum / count : 1;
}

/* How much slower than the mean, within limits: an endpoint that had one bad moment must not be shunned for ever. Small
 * differences are noise, and following them would tear sessions from their caches. */
static double relative_pace(double pace, double mean, double limit)
{
    static const double noise = 1.25;
    double relative = pace > 0 ? pace / mean : 1;
    if (relative < noise && relative > 1 / noise)
        return 1;
    return relative > limit ? limit : relative < 1 / limit ? 1 / limit : relative;
}

static double cost(const double *values, const struct candidate *candidate, const struct request_facts *request,
                   double pace)
{
    double queued = foreign(candidate->waiting, candidate->prefilling);
    double prefill = candidate->prefill_tokens + facts_uncached_tokens(candidate, request) +
                     eviction_tokens(values, candidate, request) + values[QUEUED_TOKENS] * queued;
    return prefill * pace + values[HORIZON] * decode_tokens(values, candidate) +
           kv_tokens(values, candidate->kv_usage) + adapter_tokens(values, candidate->adapter);
}

void score_prompt_cost(const struct plugin *plugin, const struct pick_state *state, double *ret_scores)
{
    double least = 0, mean = mean_pace(state);
    for (unsigned i = 0; i < state->count; i++) {
        const struct candidate *candidate = pick_candidate(state, i);
        double pace = relative_pace(candidate->pace, mean, plugin->values[PACE_LIMIT]);
        ret_scores[i] = cost(plugin->values, candidate, state->request, pace);
        if (i == 0 || ret_scores[i] < least)
            least = ret_scores[i];
    }
    for (unsigned i = 0; i < state->count; i++)
        ret_scores[i] = ret_scores[i] > 0 ? least / ret_scores[i] : 1;
}
