/* SPDX-License-Identifier: Apache-2.0 */
/* pickers.c: from scores to one endpoint.  Pure: chance comes from the pick's own sequence. */
#include <assert.h>
#include <math.h>

#include "inference/schedule/plugins.h"

/* The finalizer of splitmix64. */
uint64_t pick_random(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

double pick_random_unit(uint64_t *state)
{
    return ((double)(pick_random(state) >> 11) + 1) * 0x1p-53;
}

/* Among equals one is drawn, all equally likely. */
unsigned pick_max_score(const struct plugin *plugin, const struct pick_state *state, const double *scores)
{
    (void)plugin;
    unsigned best = 0, equals = 1;
    for (unsigned i = 1; i < state->count; i++) {
        equals += scores[i] == scores[best];
        if (scores[i] > scores[best]) {
            best = i;
            equals = 1;
        }
    }
    if (equals == 1)
        return best;
    unsigned at = best; /* the first of them */
    for (unsigned left = (unsigned)(pick_random(state->random) % equals); left > 0; left -= scores[at] == scores[best])
        at++;
    return at;
}

unsigned pick_at_random(const struct plugin *plugin, const struct pick_state *state, const double *scores)
{
    (void)plugin;
    (void)scores;
    assert(state->count > 0);
    return (unsigned)(pick_random(state->random) % state->count);
}

/* Efraimidis and Spirakis: the greatest u^(1/weight) wins, each with the chance of its weight; log(u) / weight orders
 * the same and loses no digits.  Without any weight all are equally likely. */
unsigned pick_weighted(const struct plugin *plugin, const struct pick_state *state, const double *scores)
{
    int best = -1;
    double best_key = 0;
    for (unsigned i = 0; i < state->count; i++) {
        if (scores[i] <= 0)
            continue;
        double key = log(pick_random_unit(state->random)) / scores[i];
        if (best < 0 || key > best_key) {
            best = (int)i;
            best_key = key;
        }
    }
    return best >= 0 ? (unsigned)best : pick_at_random(plugin, state, scores);
}

/* Of two different ones drawn at random the better. */
unsigned pick_better_of_two(const struct plugin *plugin, const struct pick_state *state, const double *scores)
{
    unsigned first = pick_at_random(plugin, state, scores);
    if (state->count == 1)
        return first;
    unsigned second = (unsigned)(pick_random(state->random) % (state->count - 1));
    second += second >= first;
    return scores[second] > scores[first] ? second : first;
}
