/* SPDX-License-Identifier: Apache-2.0 */
/* scorers_affinity.c: scorers that send a request to where its prefix, its adapter or its session is.  Pure. */
#include "inference/schedule/plugins.h"

/* matchLengthWeight, matchLengthScaleTokens: the matched share, mixed with the matched length. */
void score_prefix(const struct plugin *plugin, const struct pick_state *state, double *ret_scores)
{
    double weight = plugin->values[0], total = state->request->hashed_tokens;
    for (unsigned i = 0; i < state->count; i++) {
        double matched = pick_candidate(state, i)->matched_tokens;
        double length = matched < plugin->values[1] ? matched / plugin->values[1] : 1;
        ret_scores[i] = total > 0 ? (1 - weight) * matched / total + weight * length * length : 0;
    }
}

/* Of candidates without a hit those come first that took none longest: rank / (n - 1). */
void score_no_hit(const struct plugin *plugin, const struct pick_state *state, double *ret_scores)
{
    (void)plugin;
    bool has_hit = false;
    for (unsigned i = 0; i < state->count; i++)
        has_hit = has_hit || pick_candidate(state, i)->matched_tokens > 0;
    for (unsigned i = 0; i < state->count; i++) {
        unsigned earlier = 0;
        for (unsigned j = 0; j < state->count && !has_hit; j++)
            earlier += pick_candidate(state, j)->cold_pick < pick_candidate(state, i)->cold_pick;
        ret_scores[i] = has_hit ? 0.5 : state->count > 1 ? 1 - (double)earlier / (state->count - 1) : 1;
    }
}

/* By the scraped lists alone, as the reference does. */
void score_adapter(const struct plugin *plugin, const struct pick_state *state, double *ret_scores)
{
    (void)plugin;
    for (unsigned i = 0; i < state->count; i++) {
        const struct candidate *candidate = pick_candidate(state, i);
        if (candidate->runs_adapter)
            ret_scores[i] = 1;
        else if (candidate->adapters_running + candidate->adapters_waiting < candidate->adapters_max)
            ret_scores[i] = 0.8;
        else
            ret_scores[i] = candidate->awaits_adapter ? 0.6 : 0;
    }
}

void score_session(const struct plugin *plugin, const struct pick_state *state, double *ret_scores)
{
    (void)plugin;
    for (unsigned i = 0; i < state->count; i++)
        ret_scores[i] = pick_candidate(state, i)->is_session;
}
