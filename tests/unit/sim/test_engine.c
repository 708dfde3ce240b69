/* SPDX-License-Identifier: Apache-2.0 */
/* test_engine.c: slots, queue, adapters and gates of the simulated engine, with time driven by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "sim/engine.h"

struct fixture {
    struct behaviour behaviour;
    struct engine *engine;
    unsigned progress_calls;
    unsigned finished;
};

static void on_progress(struct sequence *sequence, void *context)
{
    struct fixture *fixture = context;
    fixture->progress_calls++;
    fixture->finished += sequence->state == SEQUENCE_FINISHED;
}

/* ttft 10 ms, itl 1 ms, no prefill. */
static void start_engine(struct fixture *fixture, unsigned max_num_seqs, unsigned max_loras)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->behaviour = behaviour_defaults;
    fixture->behaviour.ttft_us = 10000;
    fixture->behaviour.itl_us = 1000;
    fixture->behaviour.prefill_us = 0;
    struct engine_config config = {
        .behaviour = &fixture->behaviour,
        .max_num_seqs = max_num_seqs,
        .max_loras = max_loras,
        .seed = 1,
        .on_progress = on_progress,
        .context = fixture,
    };
    fixture->engine = engine_new(&config);
}

static void tokens_come_at_their_times(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sequence sequence = {.prompt_tokens = 5, .total_tokens = 3};
    start_engine(&fixture, 4, 1);
    engine_submit(fixture.engine, &sequence, 1000);
    assert_int_equal(engine_next_us(fixture.engine), 11000);
    engine_advance(fixture.engine, 10999);
    assert_int_equal(sequence.generated, 0);
    engine_advance(fixture.engine, 11000);
    assert_int_equal(sequence.generated, 1);
    assert_int_equal(sequence.first_token_us, 11000);
    engine_advance(fixture.engine, 12000);
    assert_int_equal(sequence.generated, 2);
    assert_int_equal(sequence.state, SEQUENCE_RUNNING);
    engine_advance(fixture.engine, 13000);
    assert_int_equal(sequence.state, SEQUENCE_FINISHED);
    assert_int_equal(engine_running(fixture.engine), 0);
    assert_true(engine_next_us(fixture.engine) == UINT64_MAX);
    engine_free(fixture.engine);
}

static void a_late_advance_catches_up_in_one_call(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sequence sequence = {.total_tokens = 100};
    start_engine(&fixture, 4, 1);
    engine_submit(fixture.engine, &sequence, 0);
    engine_advance(fixture.engine, 10000 + 49 * 1000);
    assert_int_equal(sequence.generated, 50);
    assert_int_equal(fixture.progress_calls, 1);
    engine_free(fixture.engine);
}

static void without_latencies_everything_is_done_at_once(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sequence sequence = {.prompt_tokens = 1000, .total_tokens = 2000};
    start_engine(&fixture, 4, 1);
    fixture.behaviour.ttft_us = fixture.behaviour.itl_us = 0;
    engine_submit(fixture.engine, &sequence, 77);
    engine_advance(fixture.engine, 77);
    assert_int_equal(sequence.generated, 2000);
    assert_int_equal(fixture.finished, 1);
    engine_free(fixture.engine);
}

static void an_answer_without_tokens_finishes_after_the_first_token_time(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sequence sequence = {.total_tokens = 0};
    start_engine(&fixture, 4, 1);
    engine_submit(fixture.engine, &sequence, 0);
    engine_advance(fixture.engine, 10000);
    assert_int_equal(sequence.state, SEQUENCE_FINISHED);
    assert_int_equal(sequence.generated, 0);
    engine_free(fixture.engine);
}

static void the_queue_is_first_come_first_served(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sequence sequences[3] = {{.total_tokens = 1}, {.total_tokens = 1}, {.total_tokens = 1}};
    start_engine(&fixture, 1, 1);
    for (unsigned i = 0; i < 3; i++)
        engine_submit(fixture.engine, &sequences[i], 0);
    assert_int_equal(engine_running(fixture.engine), 1);
    assert_int_equal(engine_waiting(fixture.engine), 2);
    engine_advance(fixture.engine, 10000);
    assert_int_equal(sequences[0].state, SEQUENCE_FINISHED);
    assert_int_equal(sequences[1].state, SEQUENCE_RUNNING);
    assert_int_equal(sequences[2].state, SEQUENCE_WAITING);
    assert_int_equal(sequences[1].started_us, 10000);
    engine_abort(fixture.engine, &sequences[1], 15000);
    assert_int_equal(sequences[1].state, SEQUENCE_ABORTED);
    assert_int_equal(sequences[2].started_us, 15000);
    engine_abort(fixture.engine, &sequences[2], 16000);
    engine_abort(fixture.engine, &sequences[2], 16000);
    assert_int_equal(engine_running(fixture.engine) + engine_waiting(fixture.engine), 0);
    engine_free(fixture.engine);
}

static void the_queue_has_an_end(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sequence sequences[3] = {{.total_tokens = 1}, {.total_tokens = 1}, {.total_tokens = 1}};
    start_engine(&fixture, 1, 1);
    fixture.behaviour.max_waiting = 2;
    assert_true(engine_has_room(fixture.engine, 3));
    assert_false(engine_has_room(fixture.engine, 4));
    for (unsigned i = 0; i < 3; i++) {
        assert_true(engine_has_room(fixture.engine, 1));
        engine_submit(fixture.engine, &sequences[i], 0);
    }
    assert_false(engine_has_room(fixture.engine, 1));
    engine_abort(fixture.engine, &sequences[2], 0);
    assert_true(engine_has_room(fixture.engine, 1));
    engine_free(fixture.engine);
}

static void a_third_adapter_waits_and_others_pass_it(void **state)
{
    (void)state;
    struct fixture fixture;
    struct adapter_use adapters[3] = {{0}};
    struct sequence sequences[5] = {{.total_tokens = 1, .adapter = &adapters[0]},
                                    {.total_tokens = 1, .adapter = &adapters[1]},
                                    {.total_tokens = 1, .adapter = &adapters[2]},
                                    {.total_tokens = 1, .adapter = &adapters[0]},
                                    {.total_tokens = 1}};
    start_engine(&fixture, 10, 2);
    for (unsigned i = 0; i < 5; i++)
        engine_submit(fixture.engine, &sequences[i], i);
    assert_int_equal(sequences[2].state, SEQUENCE_WAITING);
    assert_int_equal(adapters[2].waiting, 1);
    assert_int_equal(adapters[0].running, 2);
    assert_int_equal(sequences[4].state, SEQUENCE_RUNNING);
    engine_advance(fixture.engine, 10000); /* the first use of adapter 0 ends, the second goes on */
    assert_int_equal(sequences[2].state, SEQUENCE_WAITING);
    engine_advance(fixture.engine, 10001); /* adapter 1 is free */
    assert_int_equal(sequences[2].state, SEQUENCE_RUNNING);
    assert_int_equal(adapters[2].running, 1);
    assert_int_equal(adapters[2].waiting, 0);
    engine_free(fixture.engine);
}

static void a_gate_stops_before_the_token_it_names(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sequence sequence = {.total_tokens = 5};
    start_engine(&fixture, 4, 1);
    fixture.behaviour.itl_us = 0;
    assert_true(engine_add_gate(fixture.engine, 0, UINT64_MAX));
    assert_true(engine_add_gate(fixture.engine, 2, 1));
    engine_submit(fixture.engine, &sequence, 0);
    engine_advance(fixture.engine, 20000);
    assert_int_equal(sequence.state, SEQUENCE_HELD);
    assert_int_equal(sequence.generated, 0);
    assert_int_equal(engine_held(fixture.engine), 1);
    assert_int_equal(engine_running(fixture.engine), 1);
    assert_int_equal(engine_release(fixture.engine, 1, 30000), 1);
    engine_advance(fixture.engine, 30000);
    assert_int_equal(sequence.state, SEQUENCE_HELD);
    assert_int_equal(sequence.generated, 2);
    assert_int_equal(engine_release(fixture.engine, UINT64_MAX, 40000), 1);
    engine_advance(fixture.engine, 40000);
    assert_int_equal(sequence.state, SEQUENCE_FINISHED);
    assert_int_equal(engine_held(fixture.engine), 0);
    engine_free(fixture.engine);
}

static void a_gate_with_a_count_stops_so_many(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sequence sequences[3] = {{.total_tokens = 1}, {.total_tokens = 1}, {.total_tokens = 1}};
    start_engine(&fixture, 4, 1);
    assert_true(engine_add_gate(fixture.engine, 0, 2));
    for (unsigned i = 0; i < 3; i++)
        engine_submit(fixture.engine, &sequences[i], i);
    engine_advance(fixture.engine, 20000);
    assert_int_equal(engine_held(fixture.engine), 2);
    assert_int_equal(sequences[2].state, SEQUENCE_FINISHED);
    engine_abort(fixture.engine, &sequences[0], 20000);
    assert_int_equal(engine_held(fixture.engine), 1);
    assert_int_equal(engine_release(fixture.engine, 5, 20000), 1);
    engine_free(fixture.engine);
}

static void a_gate_in_a_used_place_stops_those_that_passed_the_old_one(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sequence sequence = {.total_tokens = 10};
    start_engine(&fixture, 4, 1);
    fixture.behaviour.itl_us = 0;
    assert_true(engine_add_gate(fixture.engine, 1, 1));
    engine_submit(fixture.engine, &sequence, 0);
    engine_advance(fixture.engine, 10000);
    assert_int_equal(sequence.generated, 1);
    assert_true(engine_add_gate(fixture.engine, 4, 1));
    engine_release(fixture.engine, 1, 10000);
    engine_advance(fixture.engine, 10000);
    assert_int_equal(sequence.generated, 4);
    assert_int_equal(sequence.state, SEQUENCE_HELD);
    engine_abort(fixture.engine, &sequence, 10000);
    engine_free(fixture.engine);
}

static void gates_have_a_limit(void **state)
{
    (void)state;
    struct fixture fixture;
    start_engine(&fixture, 4, 1);
    for (unsigned i = 0; i < 32; i++)
        assert_true(engine_add_gate(fixture.engine, i, 1));
    assert_false(engine_add_gate(fixture.engine, 99, 1));
    assert_int_equal(engine_release(fixture.engine, UINT64_MAX, 0), 0);
    assert_true(engine_add_gate(fixture.engine, 99, 1));
    engine_free(fixture.engine);
}

static void the_cache_fills_with_prompts_and_answers_and_empties(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sequence sequence = {.prompt_tokens = 40, .total_tokens = 8};
    start_engine(&fixture, 4, 1);
    fixture.behaviour.kv_blocks = 10;
    engine_submit(fixture.engine, &sequence, 0);
    assert_true(engine_kv_usage(fixture.engine) == 0.25);
    engine_advance(fixture.engine, 10000 + 6 * 1000);
    assert_true(engine_kv_usage(fixture.engine) == 47.0 / 160);
    engine_advance(fixture.engine, 100000);
    assert_true(engine_kv_usage(fixture.engine) == 0);
    engine_free(fixture.engine);
}

static void a_slow_start_is_added_to_the_first_token_only(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sequence sequence = {.total_tokens = 2, .extra_delay_us = 5000000};
    start_engine(&fixture, 4, 1);
    engine_submit(fixture.engine, &sequence, 0);
    assert_int_equal(engine_next_us(fixture.engine), 5010000);
    engine_advance(fixture.engine, 5010000);
    assert_int_equal(engine_next_us(fixture.engine), 5011000);
    engine_free(fixture.engine);
}

/* The batching engine: a step of 6 ms, 40 us for each uncached token of a prompt, 30 us for each sequence that decodes
 * and 20 ns for each token of its context. */

static void a_batching_engine_computes_prompts_and_remembers_their_blocks(void **state)
{
    (void)state;
    struct fixture fixture;
    uint64_t blocks[] = {11, 22, 33, 44, 55, 66};
    struct sequence first = {.prompt_tokens = 100, .total_tokens = 2, .blocks = blocks, .block_count = 6};
    struct sequence second = first;
    start_engine(&fixture, 4, 1);
    fixture.behaviour.batch = true;
    engine_submit(fixture.engine, &first, 1000);
    assert_int_equal(engine_waiting(fixture.engine) + engine_running(fixture.engine), 1);
    assert_int_equal(engine_next_us(fixture.engine), 1000 + 6000 + 100 * 40);
    engine_advance(fixture.engine, 11000);
    assert_int_equal(first.generated, 1);
    assert_int_equal(first.first_token_us, 11000);
    assert_int_equal(first.state, SEQUENCE_RUNNING);
    engine_advance(fixture.engine, 11000 + 6000 + 30 + 3);
    assert_int_equal(first.state, SEQUENCE_FINISHED);
    assert_int_equal(fixture.finished, 1);
    assert_int_equal(engine_running(fixture.engine), 0);
    /* Six blocks of 16 tokens are cached: 4 tokens are left. */
    engine_submit(fixture.engine, &second, 100000);
    assert_int_equal(engine_next_us(fixture.engine), 100000 + 6000 + 4 * 40);
    engine_advance(fixture.engine, 200000);
    assert_int_equal(second.state, SEQUENCE_FINISHED);
    assert_true(engine_next_us(fixture.engine) == UINT64_MAX);
    engine_free(fixture.engine);
}

static void gates_and_aborts_work_in_a_batching_engine(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sequence held = {.prompt_tokens = 10, .total_tokens = 3}, gone = held, before = held;
    start_engine(&fixture, 4, 1);
    fixture.behaviour.batch = true;
    assert_true(engine_add_gate(fixture.engine, 2, 1));
    engine_submit(fixture.engine, &held, 0);
    engine_advance(fixture.engine, 1000000);
    assert_int_equal(held.state, SEQUENCE_HELD);
    assert_int_equal(held.generated, 2);
    assert_int_equal(engine_held(fixture.engine), 1);
    assert_true(engine_add_gate(fixture.engine, 0, 1));
    engine_submit(fixture.engine, &before, 1000000);
    engine_submit(fixture.engine, &gone, 1000000);
    engine_advance(fixture.engine, 1006000);
    engine_abort(fixture.engine, &gone, 1006000);
    engine_advance(fixture.engine, 2000000);
    assert_int_equal(before.generated, 0);
    assert_int_equal(before.state, SEQUENCE_HELD);
    assert_int_equal(engine_release(fixture.engine, UINT64_MAX, 2000000), 2);
    engine_advance(fixture.engine, 3000000);
    assert_int_equal(held.state, SEQUENCE_FINISHED);
    assert_int_equal(before.state, SEQUENCE_FINISHED);
    assert_int_equal(gone.state, SEQUENCE_ABORTED);
    assert_int_equal(engine_running(fixture.engine) + engine_held(fixture.engine), 0);
    assert_true(engine_kv_usage(fixture.engine) == 0);
    engine_free(fixture.engine);
}

static void adapters_of_a_batching_engine_are_counted(void **state)
{
    (void)state;
    struct fixture fixture;
    struct adapter_use use = {0};
    struct sequence sequence = {.adapter = &use, .prompt_tokens = 10, .total_tokens = 2};
    start_engine(&fixture, 4, 1);
    fixture.behaviour.batch = true;
    engine_submit(fixture.engine, &sequence, 0);
    assert_int_equal(use.waiting, 1);
    engine_advance(fixture.engine, 4000000 + 6000 + 400); /* loaded from disk */
    assert_int_equal(sequence.generated, 1);
    assert_int_equal(use.running, 1);
    assert_int_equal(use.waiting, 0);
    engine_advance(fixture.engine, 9000000);
    assert_int_equal(use.running, 0);
    engine_free(fixture.engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_come_at_their_times),
        cmocka_unit_test(a_late_advance_catches_up_in_one_call),
        cmocka_unit_test(without_latencies_everything_is_done_at_once),
        cmocka_unit_test(an_answer_without_tokens_finishes_after_the_first_token_time),
        cmocka_unit_test(the_queue_is_first_come_first_served),
        cmocka_unit_test(the_queue_has_an_end),
        cmocka_unit_test(a_third_adapter_waits_and_others_pass_it),
        cmocka_unit_test(a_gate_stops_before_the_token_it_names),
        cmocka_unit_test(a_gate_with_a_count_stops_so_many),
        cmocka_unit_test(a_gate_in_a_used_place_stops_those_that_passed_the_old_one),
        cmocka_unit_test(gates_have_a_limit),
        cmocka_unit_test(the_cache_fills_with_prompts_and_answers_and_empties),
        cmocka_unit_test(a_slow_start_is_added_to_the_first_token_only),
        cmocka_unit_test(a_batching_engine_computes_prompts_and_remembers_their_blocks),
        cmocka_unit_test(gates_and_aborts_work_in_a_batching_engine),
        cmocka_unit_test(adapters_of_a_batching_engine_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
