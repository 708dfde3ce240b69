/* SPDX-License-Identifier: Apache-2.0 */
/* strata.c: sorts observations into strata.  strata_add() is on the path of every request: no division by a variable
 * but the cached share, no memory but for a stratum's first exchange. */
#include "canary/strata.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"

enum { REST = STRATA_IDS, CACHED_BUCKETS = STRATA_CACHED_EDGES + 1 };

void strata_default_options(struct strata_options *ret_options)
{
    *ret_options = (struct strata_options){
        .length_edges = {128, 512, 2048, 8192, 32768},
        .cached_edges = {100, 600},
        .max_strata = 24,
        .warmup_requests = 10,
        .warmup_ms = 30000,
    };
}

void strata_init(struct strata *strata, const struct strata_options *options)
{
    *strata = (struct strata){.options = *options};
    if (strata->options.max_strata < 1)
        strata->options.max_strata = 1;
    if (strata->options.max_strata > STRATA_IDS + 1)
        strata->options.max_strata = STRATA_IDS + 1;
}

void strata_deinit(struct strata *strata)
{
    for (unsigned i = 0; i <= REST; i++)
        free(strata->slots[i]);
    *strata = (struct strata){0};
}

unsigned strata_id(const struct strata_options *options, const struct observation *observation)
{
    unsigned length = 0, cached = 0;
    uint32_t tokens = observation->length_tokens > 0 ? observation->length_tokens : observation->prompt_tokens;
    while (length < STRATA_LENGTH_EDGES && tokens > options->length_edges[length])
        length++;
    uint64_t cached_scaled = (uint64_t)observation->cached_tokens * 1000;
    while (cached < STRATA_CACHED_EDGES &&
           cached_scaled > (uint64_t)observation->prompt_tokens * options->cached_edges[cached])
        cached++;
    return (length * 2 + observation->is_streaming) * CACHED_BUCKETS + cached;
}

unsigned strata_id_uncached(unsigned id)
{
    return id / CACHED_BUCKETS;
}

/* The last place is kept for "rest". */
static struct stratum *take_slot(struct strata *strata, unsigned id)
{
    if (LIKELY(strata->slots[id] != NULL))
        return strata->slots[id];
    unsigned others = strata->used - (strata->slots[REST] != NULL);
    if (others >= strata->options.max_strata - 1)
        id = REST;
    if (strata->slots[id] == NULL) {
        strata->slots[id] = must(calloc(1, sizeof *strata->slots[id]));
        strata->used++;
    }
    return strata->slots[id];
}

static bool is_warming_up(const struct strata_options *options, const struct observation *observation)
{
    return observation->endpoint_served < options->warmup_requests || observation->endpoint_age_ms < options->warmup_ms;
}

static void add_value(struct arm_sums *sums, enum value value, uint64_t amount)
{
    if (amount != OBSERVATION_UNKNOWN)
        histogram_add(&sums->values[value], amount);
}

static void add_answer(struct arm_sums *sums, const struct observation *observation)
{
    sums->answered++;
    sums->empty += observation->is_empty;
    sums->finishes[observation->finish]++;
}

/* Latencies, tokens and cache of an answer that shows the arm as it normally is. */
static void add_values(struct arm_sums *sums, const struct observation *observation)
{
#define X(id, field, name, unit) add_value(sums, VALUE_##id, observation->field);
    CANARY_VALUES(X)
#undef X
    if (observation->prompt_tokens > 0) {
        uint32_t cached = observation->cached_tokens < observation->prompt_tokens ? observation->cached_tokens
                                                                                  : observation->prompt_tokens;
        sums->cached_share += (double)cached / observation->prompt_tokens;
        sums->cacheable++;
    }
}

static void add_to_stratum(struct arm_sums *sums, const struct observation *observation, bool is_measured)
{
    sums->judged += outcome_is_judged(observation->outcome);
    sums->failures += outcome_is_failure(observation->outcome);
    sums->throttled += observation->outcome == OUTCOME_THROTTLED;
    if (observation->outcome == OUTCOME_OK) {
        add_answer(sums, observation);
        if (is_measured)
            add_values(sums, observation);
    } else if (observation->outcome == OUTCOME_CANCELLED && is_measured) {
        add_value(sums, VALUE_TTFT, observation->ttft_us);
    }
}

void strata_add(struct strata *strata, const struct observation *observation)
{
    struct arm_tally *tally = &strata->tallies[observation->arm];
    bool is_judged = outcome_is_judged(observation->outcome);
    bool is_warmup = is_warming_up(&strata->options, observation);
    tally->seen++;
    tally->outcomes[observation->outcome]++;
    tally->judged += is_judged;
    tally->retried += is_judged && observation->was_retried;
    tally->warmup += observation->outcome == OUTCOME_OK && is_warmup;
    tally->prompt_tokens += observation->prompt_tokens;
    tally->cached_tokens += observation->cached_tokens;
    if (observation->output_tokens != OBSERVATION_UNKNOWN)
        tally->output_tokens += observation->output_tokens;
    if (is_judged || observation->outcome == OUTCOME_CANCELLED) {
        struct stratum *stratum = take_slot(strata, strata_id(&strata->options, observation));
        add_to_stratum(&stratum->arms[observation->arm], observation, !is_warmup && !observation->was_retried);
    }
}

static void merge_sums(struct arm_sums *into, const struct arm_sums *from)
{
    into->judged += from->judged;
    into->failures += from->failures;
    into->throttled += from->throttled;
    into->answered += from->answered;
    into->empty += from->empty;
    for (unsigned i = 0; i < FINISH_COUNT; i++)
        into->finishes[i] += from->finishes[i];
    into->cached_share += from->cached_share;
    into->cacheable += from->cacheable;
    for (unsigned i = 0; i < VALUE_COUNT; i++)
        histogram_merge(&into->values[i], &from->values[i]);
}

static void merge_tally(struct arm_tally *into, const struct arm_tally *from)
{
    into->seen += from->seen;
    for (unsigned i = 0; i < OUTCOME_COUNT; i++)
        into->outcomes[i] += from->outcomes[i];
    into->judged += from->judged;
    into->warmup += from->warmup;
    into->retried += from->retried;
    into->prompt_tokens += from->prompt_tokens;
    into->cached_tokens += from->cached_tokens;
    into->output_tokens += from->output_tokens;
}

static void merge_arms(struct strata *into, const struct strata *from, unsigned arm_count)
{
    for (unsigned id = 0; id <= REST; id++) {
        if (from->slots[id] == NULL)
            continue;
        struct stratum *stratum = take_slot(into, id);
        for (unsigned arm = 0; arm < arm_count; arm++)
            merge_sums(&stratum->arms[arm], &from->slots[id]->arms[arm]);
    }
    for (unsigned arm = 0; arm < arm_count; arm++)
        merge_tally(&into->tallies[arm], &from->tallies[arm]);
}

void strata_merge(struct strata *into, const struct strata *from)
{
    merge_arms(into, from, ARM_ROLES);
}

void strata_merge_stable(struct strata *into, const struct strata *from)
{
    merge_arms(into, from, ARM_STABLE + 1);
}

static void reset_sums(struct arm_sums *sums)
{
    for (unsigned i = 0; i < VALUE_COUNT; i++)
        histogram_reset(&sums->values[i]);
    sums->judged = sums->failures = sums->throttled = sums->answered = sums->empty = sums->cacheable = 0;
    for (unsigned i = 0; i < FINISH_COUNT; i++)
        sums->finishes[i] = 0;
    sums->cached_share = 0;
}

void strata_reset(struct strata *strata)
{
    for (unsigned id = 0; id <= REST; id++)
        for (unsigned arm = 0; strata->slots[id] != NULL && arm < ARM_ROLES; arm++)
            reset_sums(&strata->slots[id]->arms[arm]);
    for (unsigned arm = 0; arm < ARM_ROLES; arm++)
        strata->tallies[arm] = (struct arm_tally){0};
}

void strata_describe(const struct strata_options *options, unsigned id, char text[80])
{
    if (id >= STRATA_IDS) {
        snprintf(text, 80, "rest");
        return;
    }
    unsigned cached = id % CACHED_BUCKETS, length = id / CACHED_BUCKETS / 2;
    const char *kind = id / CACHED_BUCKETS % 2 != 0 ? "stream" : "no stream";
    uint32_t low = length > 0 ? options->length_edges[length - 1] + 1 : 0;
    int len = length < STRATA_LENGTH_EDGES
                  ? snprintf(text, 80, "%u-%u tokens, %s", low, options->length_edges[length], kind)
                  : snprintf(text, 80, "%u tokens or more, %s", low, kind);
    uint32_t from = cached > 0 ? options->cached_edges[cached - 1] : 0;
    uint32_t to = cached < STRATA_CACHED_EDGES ? options->cached_edges[cached] : 1000;
    snprintf(text + len, 80 - (size_t)len, ", cached %g-%g %%", from / 10.0, to / 10.0);
}
