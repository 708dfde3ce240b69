/* SPDX-License-Identifier: Apache-2.0 */
/* test_strata.c: which stratum takes an exchange, what is excluded and counted, and that shards add up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "canary/strata.h"

static struct strata strata;

static int set_up(void **state)
{
    struct strata_options options;
    (void)state;
    strata_default_options(&options);
    strata_init(&strata, &options);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    strata_deinit(&strata);
    return 0;
}

static struct observation answer(void)
{
    return (struct observation){
        .arm = ARM_CANARY,
        .outcome = OUTCOME_OK,
        .finish = FINISH_STOP,
        .is_streaming = true,
        .prompt_tokens = 1000,
        .cached_tokens = 0,
        .ttft_us = 80000,
        .tpot_us = 12000,
        .total_us = 1280000,
        .queue_us = 0,
        .output_tokens = 101,
        .cost_micros = OBSERVATION_UNKNOWN,
        .endpoint_served = 100,
        .endpoint_age_ms = 600000,
    };
}

/* The canary's sums in the stratum that takes this exchange. */
static const struct arm_sums *sums_of(const struct observation *observation)
{
    return &strata.slots[strata_id(&strata.options, observation)]->arms[observation->arm];
}

static void edges_belong_to_the_lower_length_bucket(void **state)
{
    (void)state;
    static const struct {
        uint32_t tokens;
        unsigned bucket;
    } cases[] = {{0, 0},    {128, 0},  {129, 1},   {512, 1},   {513, 2},
                 {2048, 2}, {8192, 3}, {32768, 4}, {32769, 5}, {UINT32_MAX, 5}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct observation observation = answer();
        observation.prompt_tokens = cases[i].tokens;
        assert_int_equal(strata_id(&strata.options, &observation) / 6, cases[i].bucket);
        assert_true(strata_id(&strata.options, &observation) < STRATA_IDS);
    }
}

static void cached_share_and_streaming_part_strata(void **state)
{
    (void)state;
    struct observation a = answer(), b = answer();
    b.is_streaming = false;
    assert_int_not_equal(strata_id(&strata.options, &a), strata_id(&strata.options, &b));
    assert_int_not_equal(strata_id_uncached(strata_id(&strata.options, &a)),
                         strata_id_uncached(strata_id(&strata.options, &b)));
    b = answer();
    b.cached_tokens = 100; /* 10 % is still the first bucket */
    assert_int_equal(strata_id(&strata.options, &a), strata_id(&strata.options, &b));
    b.cached_tokens = 101;
    assert_int_equal(strata_id(&strata.options, &a) + 1, strata_id(&strata.options, &b));
    b.cached_tokens = UINT32_MAX; /* more than there is: what servers say is not believed to add up */
    assert_int_equal(strata_id(&strata.options, &a) + 2, strata_id(&strata.options, &b));
    assert_int_equal(strata_id_uncached(strata_id(&strata.options, &a)),
                     strata_id_uncached(strata_id(&strata.options, &b)));
}

static void an_answer_lands_in_its_arm_and_stratum(void **state)
{
    (void)state;
    struct observation observation = answer();
    observation.is_empty = true;
    strata_add(&strata, &observation);
    const struct arm_sums *sums = sums_of(&observation);
    assert_int_equal(sums->judged, 1);
    assert_int_equal(sums->answered, 1);
    assert_int_equal(sums->empty, 1);
    assert_int_equal(sums->finishes[FINISH_STOP], 1);
    assert_int_equal(sums->values[VALUE_TTFT].count, 1);
    assert_int_equal(sums->values[VALUE_COST].count, 0);
    assert_int_equal(strata.tallies[ARM_CANARY].prompt_tokens, 1000);
    assert_int_equal(strata.tallies[ARM_STABLE].seen, 0);
}

/* What each outcome adds: judged, failed, TTFT kept. */
static void what_is_not_judged_is_excluded_and_counted(void **state)
{
    (void)state;
    static const struct {
        enum outcome outcome;
        unsigned judged, failures, ttft;
    } cases[] = {
        {OUTCOME_OK, 1, 0, 1},        {OUTCOME_SERVER_ERROR, 1, 1, 0},  {OUTCOME_BROKEN, 1, 1, 0},
        {OUTCOME_TIMEOUT, 1, 1, 0},   {OUTCOME_THROTTLED, 1, 1, 0},     {OUTCOME_CLIENT_ERROR, 0, 0, 0},
        {OUTCOME_CANCELLED, 0, 0, 1}, {OUTCOME_MODEL_MISSING, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct observation first = answer(), observation = answer();
        strata_reset(&strata);
        strata_add(&strata, &first); /* so that the stratum is there */
        observation.outcome = cases[i].outcome;
        strata_add(&strata, &observation);
        const struct arm_sums *sums = sums_of(&observation);
        assert_int_equal(sums->judged, 1 + cases[i].judged);
        assert_int_equal(sums->failures, cases[i].failures);
        assert_int_equal(sums->values[VALUE_TTFT].count, 1 + cases[i].ttft);
        assert_int_equal(sums->values[VALUE_TOTAL].count, 1 + (cases[i].outcome == OUTCOME_OK));
        assert_int_equal(strata.tallies[ARM_CANARY].seen, 2);
        assert_int_equal(strata.tallies[ARM_CANARY].judged, 1 + cases[i].judged);
        assert_int_equal(strata.tallies[ARM_CANARY].outcomes[cases[i].outcome], cases[i].outcome == OUTCOME_OK ? 2 : 1);
    }
}

static void a_client_that_left_before_the_first_token_tells_no_latency(void **state)
{
    (void)state;
    struct observation observation = answer();
    observation.outcome = OUTCOME_CANCELLED;
    observation.ttft_us = OBSERVATION_UNKNOWN;
    strata_add(&strata, &observation);
    assert_int_equal(sums_of(&observation)->values[VALUE_TTFT].count, 0);
}

static void warm_up_hides_slowness_but_no_failure(void **state)
{
    (void)state;
    static const struct {
        uint32_t served;
        uint64_t age_ms;
        unsigned warmup;
    } cases[] = {{9, 600000, 1}, {10, 600000, 0}, {100, 29999, 1}, {100, 30000, 0}, {0, 0, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct observation observation = answer();
        strata_reset(&strata);
        observation.endpoint_served = cases[i].served;
        observation.endpoint_age_ms = cases[i].age_ms;
        strata_add(&strata, &observation);
        assert_int_equal(strata.tallies[ARM_CANARY].warmup, cases[i].warmup);
        assert_int_equal(sums_of(&observation)->values[VALUE_TTFT].count, 1 - cases[i].warmup);
        observation.outcome = OUTCOME_SERVER_ERROR;
        strata_add(&strata, &observation);
        assert_int_equal(sums_of(&observation)->failures, 1);
        assert_int_equal(strata.tallies[ARM_CANARY].warmup, cases[i].warmup);
    }
}

static void a_retried_exchange_tells_no_latency_but_its_end(void **state)
{
    (void)state;
    struct observation observation = answer();
    observation.was_retried = true;
    strata_add(&strata, &observation);
    assert_int_equal(sums_of(&observation)->answered, 1);
    assert_int_equal(sums_of(&observation)->values[VALUE_TTFT].count, 0);
    observation.outcome = OUTCOME_BROKEN;
    strata_add(&strata, &observation);
    assert_int_equal(sums_of(&observation)->failures, 1);
    assert_int_equal(strata.tallies[ARM_CANARY].retried, 2);
}

static void draw(struct random_state *random, struct observation *observation)
{
    *observation = answer();
    observation->arm = random_next(random) % 2 != 0 ? ARM_CANARY : ARM_STABLE;
    observation->prompt_tokens = (uint32_t)random_below(random, 50000);
    observation->cached_tokens = (uint32_t)random_below(random, 50000);
    observation->is_streaming = random_next(random) % 2 != 0;
    observation->outcome = (enum outcome)random_below(random, OUTCOME_COUNT);
    observation->endpoint_served = (uint32_t)random_below(random, 20);
}

static uint64_t count_judged(const struct strata *counted)
{
    uint64_t judged = 0;
    for (unsigned id = 0; id <= STRATA_IDS; id++)
        for (unsigned arm = 0; counted->slots[id] != NULL && arm < ARM_ROLES; arm++)
            judged += counted->slots[id]->arms[arm].judged;
    return judged;
}

static void strata_beyond_the_limit_share_the_rest(void **state)
{
    (void)state;
    struct strata few;
    struct strata_options options = strata.options;
    struct random_state random;
    random_seed(&random, 3);
    options.max_strata = 4;
    strata_init(&few, &options);
    for (unsigned i = 0; i < 5000; i++) {
        struct observation observation;
        draw(&random, &observation);
        strata_add(&few, &observation);
    }
    unsigned used = 0;
    for (unsigned id = 0; id <= STRATA_IDS; id++)
        used += few.slots[id] != NULL;
    assert_int_equal(used, 4);
    assert_int_equal(few.used, 4);
    assert_non_null(few.slots[STRATA_IDS]);
    assert_int_equal(count_judged(&few), few.tallies[ARM_STABLE].judged + few.tallies[ARM_CANARY].judged);
    strata_deinit(&few);
}

static void shards_add_up_to_one(void **state)
{
    (void)state;
    struct strata shards[3], merged;
    struct random_state random;
    random_seed(&random, 5);
    strata_init(&merged, &strata.options);
    for (unsigned i = 0; i < 3; i++)
        strata_init(&shards[i], &strata.options);
    for (unsigned i = 0; i < 6000; i++) {
        struct observation observation;
        draw(&random, &observation);
        strata_add(&strata, &observation);
        strata_add(&shards[i % 3], &observation);
    }
    for (unsigned i = 0; i < 3; i++) {
        strata_merge(&merged, &shards[i]);
        strata_deinit(&shards[i]);
    }
    assert_memory_equal(merged.tallies, strata.tallies, sizeof merged.tallies);
    assert_int_equal(count_judged(&merged), count_judged(&strata));
    strata_merge_stable(&merged, &strata);
    assert_int_equal(merged.tallies[ARM_CANARY].seen, strata.tallies[ARM_CANARY].seen);
    assert_int_equal(merged.tallies[ARM_STABLE].seen, 2 * strata.tallies[ARM_STABLE].seen);
    strata_reset(&merged);
    assert_int_equal(count_judged(&merged), 0);
    strata_deinit(&merged);
}

static void strata_are_described(void **state)
{
    (void)state;
    char text[80];
    struct observation observation = answer();
    observation.cached_tokens = 300;
    strata_describe(&strata.options, strata_id(&strata.options, &observation), text);
    assert_string_equal(text, "513-2048 tokens, stream, cached 10-60 %");
    observation.prompt_tokens = 100000;
    observation.cached_tokens = 0;
    observation.is_streaming = false;
    strata_describe(&strata.options, strata_id(&strata.options, &observation), text);
    assert_string_equal(text, "32769 tokens or more, no stream, cached 0-10 %");
    strata_describe(&strata.options, STRATA_IDS, text);
    assert_string_equal(text, "rest");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* An exchange that failed has no usage: it must be compared with those that would have been like it. */
static void the_stratum_does_not_depend_on_the_answer(void **state)
{
    (void)state;
    struct strata_options options;
    strata_default_options(&options);
    struct observation answered = {.length_tokens = 600, .prompt_tokens = 100, .is_streaming = true};
    struct observation failed = {.length_tokens = 600, .prompt_tokens = 600, .is_streaming = true};
    assert_int_equal(strata_id_uncached(strata_id(&options, &answered)),
                     strata_id_uncached(strata_id(&options, &failed)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(edges_belong_to_the_lower_length_bucket),
        TEST(cached_share_and_streaming_part_strata),
        TEST(the_stratum_does_not_depend_on_the_answer),
        TEST(an_answer_lands_in_its_arm_and_stratum),
        TEST(what_is_not_judged_is_excluded_and_counted),
        TEST(a_client_that_left_before_the_first_token_tells_no_latency),
        TEST(warm_up_hides_slowness_but_no_failure),
        TEST(a_retried_exchange_tells_no_latency_but_its_end),
        TEST(strata_beyond_the_limit_share_the_rest),
        TEST(shards_add_up_to_one),
        TEST(strata_are_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
