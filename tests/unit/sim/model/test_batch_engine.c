/* SPDX-License-Identifier: Apache-2.0 */
/* test_batch_engine.c: steps by hand with round numbers. */
#include "unit/sim/model/engine_fixture.h"

static void a_step_costs_what_it_does(void **state)
{
    (void)state;
    struct fixture fixture;
    struct batch_sequence sequence = {.prompt_tokens = 5, .answer_tokens = 3};
    set_up(&fixture)->config.cost.context_token_ns = 1000;
    start(&fixture);
    assert_true(batch_engine_next_ns(fixture.engine) == UINT64_MAX);
    submit(&fixture, &sequence, 1000);
    assert_int_equal(batch_engine_next_ns(fixture.engine), 1105);
    batch_engine_advance(fixture.engine, 1104);
    assert_int_equal(sequence.generated, 0);
    batch_engine_advance(fixture.engine, 1105);
    assert_int_equal(sequence.first_token_ns, 1105);
    assert_int_equal(batch_engine_next_ns(fixture.engine), 1105 + 110 + 6000);
    batch_engine_advance(fixture.engine, 1000000); /* the second decodes 7 tokens of context */
    assert_int_equal(sequence.last_token_ns, 1105 + 110 + 6000 + 110 + 7000);
    assert_int_equal(sequence.state, BATCH_FINISHED);
    assert_int_equal(sequence.generated, 3);
    assert_int_equal(fixture.event_count, 2);
    assert_true(batch_engine_next_ns(fixture.engine) == UINT64_MAX);
    batch_engine_free(fixture.engine);
}

static void a_slow_engine_takes_longer_by_its_factor(void **state)
{
    (void)state;
    struct fixture fixture;
    struct batch_sequence sequence = {.prompt_tokens = 20, .answer_tokens = 1};
    set_up(&fixture)->config.cost.slowdown_permille = 1800;
    start(&fixture);
    submit(&fixture, &sequence, 0);
    batch_engine_advance(fixture.engine, 10000); /* chunks of 8, 8 and 4 */
    assert_int_equal(sequence.first_token_ns, 194 + 194 + 187);
    assert_int_equal(sequence.state, BATCH_FINISHED);
    batch_engine_free(fixture.engine);
}

static void prompts_are_prefilled_in_chunks_while_others_decode(void **state)
{
    (void)state;
    struct fixture fixture;
    struct batch_sequence first = {.prompt_tokens = 2, .answer_tokens = 50};
    struct batch_sequence second = {.prompt_tokens = 10, .answer_tokens = 1},
                          third = {.prompt_tokens = 7, .answer_tokens = 1};
    start(set_up(&fixture));
    submit(&fixture, &first, 0);
    batch_engine_advance(fixture.engine, 102);
    submit(&fixture, &second, 110); /* in the middle of the step from 102 to 212 */
    submit(&fixture, &third, 110);
    batch_engine_advance(fixture.engine, 212);
    assert_int_equal(batch_engine_next_ns(fixture.engine), 212 + 118); /* 8 tokens, 1 sequence */
    batch_engine_advance(fixture.engine, 330);
    assert_int_equal(batch_engine_next_ns(fixture.engine), 330 + 118); /* the last 2, and 6 of the third */
    batch_engine_advance(fixture.engine, 448);
    assert_int_equal(second.first_token_ns, 448);
    assert_int_equal(batch_engine_next_ns(fixture.engine), 448 + 111);
    batch_engine_advance(fixture.engine, 559);
    assert_int_equal(third.first_token_ns, 559);
    assert_int_equal(batch_engine_generated(fixture.engine, &first), 5);
    batch_engine_free(fixture.engine);
}

static void a_cached_prefix_is_not_computed_again(void **state)
{
    (void)state;
    static const uint64_t hashes[] = {1, 2, 3};
    struct fixture fixture;
    struct batch_sequence first = {.hashes = hashes, .hash_count = 3, .prompt_tokens = 8, .answer_tokens = 5};
    struct batch_sequence longer = {.hashes = hashes, .hash_count = 3, .prompt_tokens = 14, .answer_tokens = 1};
    struct batch_sequence same = {.hashes = hashes, .hash_count = 3, .prompt_tokens = 8, .answer_tokens = 1};
    start(set_up(&fixture));
    submit(&fixture, &first, 0);
    batch_engine_advance(fixture.engine, 10000);
    submit(&fixture, &longer, 10000); /* 8 of the prompt and 4 of the answer are cached */
    assert_int_equal(longer.cached_tokens, 12);
    batch_engine_advance(fixture.engine, 20000);
    assert_int_equal(longer.first_token_ns, 10102);
    submit(&fixture, &same, 20000); /* the last token is computed in any case */
    assert_int_equal(same.cached_tokens, 4);
    batch_engine_free(fixture.engine);
}

static void requests_of_one_moment_share_what_the_first_computes(void **state)
{
    (void)state;
    static const uint64_t hashes[] = {1, 2, 3, 4};
    struct fixture fixture;
    struct batch_sequence other = {.prompt_tokens = 1, .answer_tokens = 2};
    struct batch_sequence first = {.hashes = hashes, .hash_count = 2, .prompt_tokens = 9, .answer_tokens = 1},
                          second = first;
    set_up(&fixture)->config.prefill_budget = 100;
    start(&fixture);
    submit(&fixture, &other, 0);
    submit(&fixture, &first, 1);
    submit(&fixture, &second, 2);
    batch_engine_advance(fixture.engine, 101);
    assert_int_equal(first.cached_tokens, 0);
    assert_int_equal(second.cached_tokens, 8);
    assert_int_equal(batch_engine_next_ns(fixture.engine), 101 + 100 + 10 + 9 + 1);
    batch_engine_free(fixture.engine);
}

static void admission_ends_at_the_greatest_number_and_goes_on_in_order(void **state)
{
    (void)state;
    struct fixture fixture;
    struct batch_sequence sequences[4];
    set_up(&fixture)->config.max_sequences = 2;
    start(&fixture);
    for (unsigned i = 0; i < 4; i++) {
        sequences[i] = (struct batch_sequence){.prompt_tokens = 1, .answer_tokens = 2 + i};
        submit(&fixture, &sequences[i], 0);
    }
    batch_engine_advance(fixture.engine, 101);
    assert_int_equal(batch_engine_running(fixture.engine), 2);
    assert_int_equal(batch_engine_waiting(fixture.engine), 2);
    batch_engine_advance(fixture.engine, 100000);
    for (unsigned i = 1; i < 4; i++)
        assert_true(sequences[i - 1].first_token_ns <= sequences[i].first_token_ns);
    assert_int_equal(fixture.event_count, 8);
    batch_engine_free(fixture.engine);
}

static void a_prompt_without_budget_waits_only_if_asked_to(void **state)
{
    (void)state;
    for (unsigned within = 0; within < 2; within++) {
        struct fixture fixture;
        struct batch_sequence first = {.prompt_tokens = 30, .answer_tokens = 1}, second = first;
        set_up(&fixture)->config.admits_within_budget = within;
        start(&fixture);
        submit(&fixture, &first, 0);
        submit(&fixture, &second, 0);
        batch_engine_advance(fixture.engine, 108);
        assert_int_equal(batch_engine_running(fixture.engine), within ? 1 : 2);
        batch_engine_advance(fixture.engine, 216);
        assert_int_equal(batch_engine_page(fixture.engine)->waiting, within);
        batch_engine_free(fixture.engine);
    }
}

static void the_newest_is_preempted_when_blocks_run_out(void **state)
{
    (void)state;
    static const uint64_t hashes[] = {1, 2};
    struct fixture fixture;
    struct batch_sequence first = {.prompt_tokens = 4, .answer_tokens = 9};
    struct batch_sequence second = {.hashes = hashes, .hash_count = 1, .prompt_tokens = 4, .answer_tokens = 9};
    set_up(&fixture)->config.block_count = 4;
    start(&fixture);
    submit(&fixture, &first, 0);
    submit(&fixture, &second, 0);
    batch_engine_advance(fixture.engine, 100000);
    assert_int_equal(first.preemptions, 0);
    assert_true(second.preemptions > 0);
    assert_int_equal(first.generated, 9);
    assert_int_equal(second.generated, 9);
    assert_int_equal(first.state, BATCH_FINISHED);
    assert_int_equal(second.state, BATCH_FINISHED);
    assert_true(second.last_token_ns > first.last_token_ns);
    assert_int_equal(fixture.event_count, 4); /* one first token each */
    assert_true(batch_engine_page(fixture.engine)->kv_usage == 0);
    batch_engine_free(fixture.engine);
}

static void what_can_never_fit_is_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    struct batch_sequence sequence = {.prompt_tokens = 397, .answer_tokens = 4},
                          fits = {.prompt_tokens = 396, .answer_tokens = 4};
    start(set_up(&fixture));
    assert_false(batch_engine_submit(fixture.engine, &sequence, 0));
    assert_int_equal(sequence.state, BATCH_NEW);
    submit(&fixture, &fits, 0);
    batch_engine_advance(fixture.engine, 1000000);
    assert_int_equal(fits.state, BATCH_FINISHED);
    batch_engine_free(fixture.engine);
}

static void an_adapter_loads_while_others_go_on(void **state)
{
    (void)state;
    struct fixture fixture;
    struct batch_sequence base = {.prompt_tokens = 1, .answer_tokens = 10},
                          adapted = {.prompt_tokens = 1, .answer_tokens = 2, .adapter = 7};
    struct batch_sequence other = {.prompt_tokens = 1, .answer_tokens = 2, .adapter = 8};
    start(set_up(&fixture));
    submit(&fixture, &adapted, 0); /* nothing else to do: the load is what happens next */
    assert_int_equal(batch_engine_next_ns(fixture.engine), 500);
    submit(&fixture, &base, 100);
    submit(&fixture, &other, 100); /* the only slot is taken */
    batch_engine_advance(fixture.engine, 201);
    assert_int_equal(base.first_token_ns, 201);
    const struct batch_page *page = batch_engine_page(fixture.engine);
    assert_int_equal(page->waiting_adapter_count, 2);
    assert_int_equal(page->running_adapter_count, 0);
    batch_engine_advance(fixture.engine, 2000);
    assert_true(adapted.first_token_ns > 500 && adapted.first_token_ns < 800);
    assert_true(other.first_token_ns > adapted.last_token_ns + 500);
    assert_int_equal(batch_engine_next_ns(fixture.engine), UINT64_MAX);
    batch_engine_free(fixture.engine);
}

static void an_aborted_sequence_leaves_its_place_and_its_blocks(void **state)
{
    (void)state;
    struct fixture fixture;
    struct batch_sequence first = {.prompt_tokens = 8, .answer_tokens = 100, .adapter = 1},
                          second = {.prompt_tokens = 8, .answer_tokens = 1};
    struct batch_sequence waiting = {.prompt_tokens = 1, .answer_tokens = 1};
    set_up(&fixture)->config.max_sequences = 1;
    start(&fixture);
    submit(&fixture, &first, 0);
    batch_engine_advance(fixture.engine, 700);
    submit(&fixture, &second, 700);
    submit(&fixture, &waiting, 700);
    batch_engine_abort(fixture.engine, &waiting, 710);
    batch_engine_abort(fixture.engine, &first, 710);
    batch_engine_abort(fixture.engine, &first, 710);
    assert_int_equal(first.state, BATCH_ABORTED);
    batch_engine_advance(fixture.engine, 10000);
    assert_int_equal(second.state, BATCH_FINISHED);
    assert_int_equal(waiting.state, BATCH_ABORTED);
    assert_int_equal(batch_engine_running(fixture.engine) + batch_engine_waiting(fixture.engine), 0);
    assert_true(batch_engine_page(fixture.engine)->kv_usage == 0);
    batch_engine_free(fixture.engine);
}

static void a_paused_sequence_stands_still_and_goes_on_where_it_was(void **state)
{
    (void)state;
    struct fixture fixture;
    struct batch_sequence sequence = {.prompt_tokens = 2, .answer_tokens = 7};
    set_up(&fixture)->config.tells_every_token = true;
    fixture.pause_after = 3;
    start(&fixture);
    submit(&fixture, &sequence, 0);
    batch_engine_advance(fixture.engine, 10000);
    assert_int_equal(sequence.generated, 3);
    assert_int_equal(fixture.event_count, 3);
    assert_true(batch_engine_next_ns(fixture.engine) == UINT64_MAX);
    assert_int_equal(batch_engine_running(fixture.engine), 1);
    batch_engine_resume(fixture.engine, &sequence, 20000);
    fixture.pause_after = 0;
    batch_engine_advance(fixture.engine, 30000);
    assert_int_equal(sequence.last_token_ns, 20000 + 4 * 110);
    assert_int_equal(fixture.event_count, 8); /* 7 tokens and the end */
    batch_engine_free(fixture.engine);
}

static void the_page_tells_of_the_end_of_the_last_step(void **state)
{
    (void)state;
    struct fixture fixture;
    struct batch_sequence first = {.prompt_tokens = 8, .answer_tokens = 10}, second = first;
    start(set_up(&fixture));
    submit(&fixture, &first, 0);
    const struct batch_page *page = batch_engine_page(fixture.engine);
    assert_int_equal(page->running, 0);
    batch_engine_advance(fixture.engine, 108);
    assert_int_equal(page->running, 1);
    assert_true(page->kv_usage > 0.0199 && page->kv_usage < 0.0201); /* 2 of 100; the third comes with the next step */
    submit(&fixture, &second, 120);
    assert_int_equal(page->waiting, 0); /* the scheduler has not seen it */
    batch_engine_advance(fixture.engine, 218);
    assert_int_equal(page->running, 1);
    batch_engine_advance(fixture.engine, 336);
    assert_int_equal(page->running, 2);
    batch_engine_free(fixture.engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_costs_what_it_does),
        cmocka_unit_test(a_slow_engine_takes_longer_by_its_factor),
        cmocka_unit_test(prompts_are_prefilled_in_chunks_while_others_decode),
        cmocka_unit_test(a_cached_prefix_is_not_computed_again),
        cmocka_unit_test(requests_of_one_moment_share_what_the_first_computes),
        cmocka_unit_test(admission_ends_at_the_greatest_number_and_goes_on_in_order),
        cmocka_unit_test(a_prompt_without_budget_waits_only_if_asked_to),
        cmocka_unit_test(the_newest_is_preempted_when_blocks_run_out),
        cmocka_unit_test(what_can_never_fit_is_refused),
        cmocka_unit_test(an_adapter_loads_while_others_go_on),
        cmocka_unit_test(an_aborted_sequence_leaves_its_place_and_its_blocks),
        cmocka_unit_test(a_paused_sequence_stands_still_and_goes_on_where_it_was),
        cmocka_unit_test(the_page_tells_of_the_end_of_the_last_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
