/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_picker_config.c: any bytes as an EndpointPickerConfig.  What is accepted has a picker and keeps its bounds, and
 * chooses one of the candidates or none; what is refused says why. */
/* uses: inference_schedule */
#include <stdint.h>
#include <stdlib.h>

#include "inference/schedule/picker_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is asked for is there. */
static bool find_header(void *context, struct bytes name, struct bytes *ret_value)
{
    (void)context;
    (void)name;
    *ret_value = BYTES("10.0.0.1:8000, [10.0.0.1], a");
    return true;
}

static void check_profile(const struct profile *profile)
{
    static char labels[] = "\nzone=a\nb=\n", text[] = "10.0.0.1:8000";
    struct endpoint bare = {.text = text}, labelled = {.text = text, .labels = labels};
    struct candidate candidates[4] = {
        {.waiting = 3, .kv_usage = 0.9, .in_flight = 200, .prompt_tokens = 5e6},
        {.matched_tokens = 640, .ttft_ms = 30, .token_ms = 9, .pace = 0.04},
        {.prefill_tokens = 9000, .is_session = true, .cold_pick = 4},
        {.adapter = ADAPTER_FULL, .adapters_max = 4, .awaits_adapter = true},
    };
    struct request_facts request = {
        .prompt_tokens = 700, .hashed_tokens = 640, .has_adapter = true, .header = find_header};
    struct pick_scratch scratch = {0};
    uint64_t random = 1;
    if (!address_make(&bare.address, BYTES("10.0.0.1"), 8000) || !address_make(&labelled.address, BYTES("::1"), 1))
        abort();
    for (unsigned i = 0; i < 4; i++)
        candidates[i].endpoint = i % 2 == 0 ? &bare : &labelled;
    if (profile->picker.kind == NULL || profile->picker.kind->role != PLUGIN_PICKER ||
        profile->scorer_count > PROFILE_SCORERS_MAX || profile->filter_count > PROFILE_FILTERS_MAX)
        abort();
    int chosen = profile_choose(profile, &request, candidates, 4, &scratch, &random, NULL);
    if (chosen < -1 || chosen >= 4)
        abort();
    pick_scratch_deinit(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct problems problems;
    struct picker_config config;
    problems_init(&problems, arena);
    bool is_good = picker_config_parse(bytes_make((const char *)data, size), &problems, &config);
    if (is_good != (problems.count == 0))
        abort();
    if (is_good)
        check_profile(&config.profile);
    arena_free(arena);
    return 0;
}
