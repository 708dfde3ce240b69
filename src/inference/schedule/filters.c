/* SPDX-License-Identifier: Apache-2.0 */
/* filters.c: plugins that take candidates out of a pick.  Pure. */
#include "inference/schedule/plugins.h"

/* Keeps those that the mask says; with none, all stay when `or_all`. */
static void keep(struct pick_state *state, bool (*is_kept)(const struct candidate *, const struct plugin *),
                 const struct plugin *plugin, bool or_all)
{
    unsigned kept = 0, count = state->count;
    for (unsigned i = 0; i < count; i++)
        kept += is_kept(pick_candidate(state, i), plugin);
    if (kept == 0 && or_all)
        return;
    state->count = 0;
    for (unsigned i = 0; i < count; i++)
        if (is_kept(pick_candidate(state, i), plugin))
            state->kept[state->count++] = state->kept[i];
}

static bool is_session(const struct candidate *candidate, const struct plugin *plugin)
{
    (void)plugin;
    return candidate->is_session;
}

void filter_session(const struct plugin *plugin, struct pick_state *state)
{
    keep(state, is_session, plugin, true);
}

/* queueDepthThreshold, kvCacheUtilThreshold, headroom */
static bool is_unsaturated(const struct candidate *candidate, const struct plugin *plugin)
{
    double queue = candidate->waiting / plugin->values[0], kv = candidate->kv_usage / plugin->values[1];
    return (queue > kv ? queue : kv) < 1 + plugin->values[2];
}

void filter_utilization(const struct plugin *plugin, struct pick_state *state)
{
    keep(state, is_unsaturated, plugin, true);
}

/* maxConcurrency, maxTokenConcurrency, headroom */
static bool has_place(const struct candidate *candidate, const struct plugin *plugin)
{
    double room = 1 + plugin->values[2];
    return candidate->in_flight < plugin->values[0] * room && candidate->prompt_tokens < plugin->values[1] * room;
}

void filter_concurrency(const struct plugin *plugin, struct pick_state *state)
{
    keep(state, has_place, plugin, false);
}

/* How long an endpoint's prefills in flight take, in ms, at a throughput in tokens per second. */
static double backlog_ms(const struct candidate *candidate, double tokens_per_s)
{
    return candidate->prefill_tokens / tokens_per_s * 1000;
}

/* affinityThreshold, explorationProbability, maxTTFTPenaltyMs, peakPrefillThroughput: keeps those that have most of the
 * prompt, unless even the least busy of them is much busier than the least busy of all. */
void filter_prefix_affinity(const struct plugin *plugin, struct pick_state *state)
{
    double threshold = plugin->values[0] * state->request->hashed_tokens;
    double least_all = -1, least_cached = -1;
    for (unsigned i = 0; i < state->count; i++) {
        const struct candidate *candidate = pick_candidate(state, i);
        double ms = backlog_ms(candidate, plugin->values[3]);
        if (least_all < 0 || ms < least_all)
            least_all = ms;
        if (candidate->matched_tokens >= threshold && (least_cached < 0 || ms < least_cached))
            least_cached = ms;
    }
    if (state->request->hashed_tokens == 0 || least_cached < 0 || least_cached - least_all > plugin->values[2] ||
        pick_random_unit(state->random) <= plugin->values[1])
        return;
    unsigned count = state->count;
    state->count = 0;
    for (unsigned i = 0; i < count; i++)
        if (state->candidates[state->kept[i]].matched_tokens >= threshold)
            state->kept[state->count++] = state->kept[i];
}
