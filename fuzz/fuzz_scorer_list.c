/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_scorer_list.c: a list is refused with a problem, or is a profile of scorers with weights in their bounds. */
/* uses: inference_schedule */
#include <stdint.h>
#include <stdlib.h>

#include "inference/schedule/picker_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct problems problems;
    struct profile profile;
    problems_init(&problems, arena);
    bool is_good = scorer_list_parse(bytes_make((const char *)data, size), "x", &problems, &profile);
    if (is_good != (problems.count == 0) || (is_good && profile.scorer_count == 0))
        abort();
    for (unsigned i = 0; is_good && i < profile.scorer_count; i++)
        if (profile.scorers[i].kind->score == NULL || !(profile.scorers[i].weight >= 0))
            abort();
    arena_free(arena);
    return 0;
}
