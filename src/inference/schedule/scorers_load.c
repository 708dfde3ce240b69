/* SPDX-License-Identifier: Apache-2.0 */
/* scorers_load.c: scorers that spread load, by scraped gauges or by this process's own counts.  Pure. */
#include "inference/schedule/plugins.h"

static double waiting_of(const struct candidate *candidate)
{
    return candidate->waiting;
}

static double running_of(const struct candidate *candidate)
{
    return candidate->running;
}

/* (max - value) / (max - min); 1 when all are equal. */
static void score_between(const struct pick_state *state, double (*value_of)(const struct candidate *),
                          double *ret_scores)
{
    double min = 0, max = 0;
    for (unsigned i = 0; i < state->count; i++) {
        double value = value_of(pick_candidate(state, i));
        min = i == 0 || value < min ? value : min;
        max = i == 0 || value > max ? value : max;
    }
    for (unsigned i = 0; i < state->count; i++)
        ret_scores[i] = max > min ? (max - value_of(pick_candidate(state, i))) / (max - min) : 1;
}

void score_queue(const struct plugin *plugin, const struct pick_state *state, double *ret_scores)
{
    (void)plugin;
    score_between(state, waiting_of, ret_scores);
}

void score_running(const struct plugin *plugin, const struct pick_state *state, double *ret_scores)
{
    (void)plugin;
    score_between(state, running_of, ret_scores);
}

void score_kv_cache(const struct plugin *plugin, const struct pick_state *state, double *ret_scores)
{
    (void)plugin;
    for (unsigned i = 0; i < state->count; i++)
        ret_scores[i] = 1 - pick_candidate(state, i)->kv_usage;
}

/* threshold */
void score_load_aware(const struct plugin *plugin, const struct pick_state *state, double *ret_scores)
{
    double threshold = plugin->values[0];
    for (unsigned i = 0; i < state->count; i++) {
        double waiting = pick_candidate(state, i)->waiting;
        ret_scores[i] = 0.5 * (1 - (waiting < threshold ? waiting : threshold) / threshold);
    }
}

/* idleThreshold, maxBusyScore */
void score_active_requests(const struct plugin *plugin, const struct pick_state *state, double *ret_scores)
{
    double max = 0;
    for (unsigned i = 0; i < state->count; i++)
        if (pick_candidate(state, i)->in_flight > max)
            max = pick_candidate(state, i)->in_flight;
    for (unsigned i = 0; i < state->count; i++) {
        double count = pick_candidate(state, i)->in_flight;
        ret_scores[i] = count <= plugin->values[0] ? 1 : (max - count) / max * plugin->values[1];
    }
}

/* queueThresholdTokens */
void score_token_load(const struct plugin *plugin, const struct pick_state *state, double *ret_scores)
{
    double threshold = plugin->values[0];
    for (unsigned i = 0; i < state->count; i++) {
        double tokens = pick_candidate(state, i)->prompt_tokens;
        ret_scores[i] = 1 - (tokens < threshold ? tokens : threshold) / threshold;
    }
}

/* ttftWeight, tpotWeight.  The best of each kind over an endpoint's own; what was never measured counts as the best, so
 * that it gets measured. */
void score_latency(const struct plugin *plugin, const struct pick_state *state, double *ret_scores)
{
    double best_ttft = 0, best_token = 0, weight = plugin->values[0] + plugin->values[1];
    for (unsigned i = 0; i < state->count; i++) {
        const struct candidate *candidate = pick_candidate(state, i);
        if (candidate->ttft_ms > 0 && (best_ttft == 0 || candidate->ttft_ms < best_ttft))
            best_ttft = candidate->ttft_ms;
        if (candidate->token_ms > 0 && (best_token == 0 || candidate->token_ms < best_token))
            best_token = candidate->token_ms;
    }
    for (unsigned i = 0; i < state->count; i++) {
        const struct candidate *candidate = pick_candidate(state, i);
        double ttft = candidate->ttft_ms > 0 ? best_ttft / candidate->ttft_ms : 1;
        double token = candidate->token_ms > 0 ? best_token / candidate->token_ms : 1;
        ret_scores[i] = weight > 0 ? (plugin->values[0] * ttft + plugin->values[1] * token) / weight : 1;
    }
}
