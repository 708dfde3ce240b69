/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h: a configured sequence of filters, weighted scorers and a picker.  Immutable once made; pure. */
#ifndef INFERENCE_SCHEDULE_PROFILE_H
#define INFERENCE_SCHEDULE_PROFILE_H

#include "inference/schedule/plugins.h"

enum { PROFILE_FILTERS_MAX = 8, PROFILE_SCORERS_MAX = 16 };

struct profile {
    struct plugin filters[PROFILE_FILTERS_MAX];
    struct plugin scorers[PROFILE_SCORERS_MAX];
    struct plugin picker;
    unsigned filter_count, scorer_count;
};

/* Room for a pick among so many candidates; the owner's, used again for each pick. */
struct pick_scratch {
    unsigned capacity;
    unsigned *kept;
    double *scores;
    double *totals;
};

void pick_scratch_reserve(struct pick_scratch *scratch, unsigned count);
void pick_scratch_deinit(struct pick_scratch *scratch);

/* What each scorer said, for people.  Called per scorer and candidate that was not filtered out, with the score before
 * its weight; then, with scorer NULL, for the total. */
struct profile_listener {
    void (*on_score)(void *context, const struct plugin *scorer, const struct candidate *candidate, double score);
    void *context;
};

/* prompt-cost-scorer and max-score-picker. */
void profile_init_default(struct profile *profile);
/* The index of the chosen candidate, -1 when there is none or all were filtered out.  listener may be NULL. */
int profile_choose(const struct profile *profile, const struct request_facts *request,
                   const struct candidate *candidates, unsigned count, struct pick_scratch *scratch, uint64_t *random,
                   const struct profile_listener *listener);

#endif
