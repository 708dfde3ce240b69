/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c: runs a profile: filters in order, then the sum of weighted scores, then the picker.  Pure but for the
 * caller's scratch. */
#include "inference/schedule/profile.h"

#include <stdlib.h>

#include "base/compiler.h"

void pick_scratch_reserve(struct pick_scratch *scratch, unsigned count)
{
    if (count <= scratch->capacity)
        return;
    scratch->capacity = count + count / 2;
    scratch->kept = must(reallocarray(scratch->kept, scratch->capacity, sizeof *scratch->kept));
    scratch->scores = must(reallocarray(scratch->scores, scratch->capacity, sizeof *scratch->scores));
    scratch->totals = must(reallocarray(scratch->totals, scratch->capacity, sizeof *scratch->totals));
}

void pick_scratch_deinit(struct pick_scratch *scratch)
{
    free(scratch->kept);
    free(scratch->scores);
    free(scratch->totals);
    *scratch = (struct pick_scratch){0};
}

void profile_init_default(struct profile *profile)
{
    *profile = (struct profile){.scorer_count = 1};
    profile->scorers[0] = plugin_default(plugin_find(BYTES("prompt-cost-scorer")));
    profile->picker = plugin_default(plugin_find(BYTES("max-score-picker")));
}

static void tell(const struct profile_listener *listener, const struct plugin *scorer, const struct pick_state *state,
                 const double *scores)
{
    for (unsigned i = 0; i < state->count && listener != NULL; i++)
        listener->on_score(listener->context, scorer, pick_candidate(state, i), scores[i]);
}

static double cut_score(double score)
{
    return score > 1 ? 1 : score > 0 ? score : 0; /* not a number: 0 */
}

static void add_scores(const struct plugin *scorer, const struct pick_state *state, struct pick_scratch *scratch,
                       const struct profile_listener *listener)
{
    scorer->kind->score(scorer, state, scratch->scores);
    for (unsigned i = 0; i < state->count; i++)
        scratch->totals[i] += cut_score(scratch->scores[i]) * scorer->weight;
    tell(listener, scorer, state, scratch->scores);
}

int profile_choose(const struct profile *profile, const struct request_facts *request,
                   const struct candidate *candidates, unsigned count, struct pick_scratch *scratch, uint64_t *random,
                   const struct profile_listener *listener)
{
    pick_scratch_reserve(scratch, count);
    struct pick_state state = {request, candidates, scratch->kept, count, random};
    for (unsigned i = 0; i < count; i++) {
        scratch->kept[i] = i;
        scratch->totals[i] = 0;
    }
    for (unsigned i = 0; i < profile->filter_count && state.count > 0; i++)
        profile->filters[i].kind->filter(&profile->filters[i], &state);
    if (state.count == 0)
        return -1;
    if (state.count == 1 && listener == NULL) /* whatever the scores */
        return (int)state.kept[0];
    for (unsigned i = 0; i < profile->scorer_count; i++)
        add_scores(&profile->scorers[i], &state, scratch, listener);
    tell(listener, NULL, &state, scratch->totals);
    return (int)state.kept[profile->picker.kind->pick(&profile->picker, &state, scratch->totals)];
}
