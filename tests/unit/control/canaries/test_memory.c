/* SPDX-License-Identifier: Apache-2.0 */
/* What a status remembers is what was written, through JSON text and back; a broken one remembers nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/canaries/memory.h"

static struct canary_memory some_memory(void)
{
    return (struct canary_memory){
        .rollout = {.phase = PHASE_PAUSED,
                    .resumes_to = PHASE_PROGRESSING,
                    .cause = WAIT_HUMAN_WEIGHT,
                    .phase_since_ms = 1790000000001,
                    .is_approved = true,
                    .is_moving = true,
                    .step = 3,
                    .confirmed_bp = 500,
                    .intended_bp = 2500,
                    .grows_to_bp = 5000,
                    .move = 7,
                    .step_began_ms = 1790000000000,
                    .step_requests = 123456789012,
                    .base_requests = 5,
                    .epoch = 4,
                    .last_command = 1790000000123,
                    .revision = (UINT64_C(1) << 53) - 1,
                    .why = "somebody \"else\"\nset it"},
        .stable = "mymodel-pool-v1",
    };
}

/* As the store would: text in between. */
static json_t *through_text(json_t *state)
{
    json_t *status = json_pack("{s:o}", "state", state);
    char *text = json_dumps(status, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(status);
    json_t *back = json_loads(text, 0, NULL);
    free(text);
    return back;
}

static void all_of_it_comes_back(void **state)
{
    (void)state;
    struct canary_memory memory = some_memory(), back;
    json_t *status = through_text(memory_write(&memory));
    assert_true(memory_read(status, &back));
    /* Byte by byte, but padding: each field by way of what it writes. */
    json_t *first = memory_write(&memory), *second = memory_write(&back);
    assert_true(json_equal(first, second));
    assert_int_equal(back.rollout.phase, PHASE_PAUSED);
    assert_int_equal(back.rollout.cause, WAIT_HUMAN_WEIGHT);
    assert_true(back.rollout.is_moving);
    assert_false(back.rollout.is_aborting);
    assert_true(back.rollout.revision == (UINT64_C(1) << 53) - 1);
    assert_string_equal(back.rollout.why, memory.rollout.why);
    assert_string_equal(back.stable, "mymodel-pool-v1");
    json_decref(first);
    json_decref(second);
    json_decref(status);
}

static void nothing_is_remembered_of_no_status(void **state)
{
    (void)state;
    struct canary_memory memory = some_memory();
    assert_false(memory_read(NULL, &memory));
    assert_int_equal(memory.rollout.phase, PHASE_PENDING);
    assert_int_equal(memory.rollout.move, 0);
}

/* A half would be worse than none: steps would be done twice. */
static void a_field_that_makes_no_sense_spoils_it_all(void **state)
{
    (void)state;
    struct canary_memory memory = some_memory(), back;
    static const char *const keys[] = {"phase", "resumesTo", "cause",       "moving",      "step",
                                       "move",  "epoch",     "lastCommand", "confirmedBp", "revision"};
    for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *written = memory_write(&memory);
        json_object_set_new(written, keys[i], json_string("nonsense"));
        json_t *status = json_pack("{s:o}", "state", written);
        assert_false(memory_read(status, &back));
        assert_int_equal(back.rollout.step, 0);
        json_decref(status);
    }
    json_t *written = memory_write(&memory);
    json_object_set_new(written, "step", json_integer(ROLLOUT_STEPS_MAX));
    json_t *status = json_pack("{s:o}", "state", written);
    assert_false(memory_read(status, &back));
    json_decref(status);
}

static void history_keeps_the_newest(void **state)
{
    (void)state;
    json_t *history = NULL;
    for (unsigned i = 0; i < 40; i++) {
        char message[16];
        snprintf(message, sizeof message, "m%u", i);
        json_t *next = history_add(history, 1000 * i, "StepPassed", message, i * 100);
        json_decref(history);
        history = next;
    }
    assert_int_equal(json_array_size(history), HISTORY_MAX);
    const json_t *last = json_array_get(history, HISTORY_MAX - 1), *first = json_array_get(history, 0);
    assert_string_equal(json_string_value(json_object_get(last, "message")), "m39");
    assert_string_equal(json_string_value(json_object_get(first, "message")), "m8");
    assert_string_equal(json_string_value(json_object_get(last, "time")), "1970-01-01T00:00:39Z");
    json_decref(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_comes_back),
        cmocka_unit_test(nothing_is_remembered_of_no_status),
        cmocka_unit_test(a_field_that_makes_no_sense_spoils_it_all),
        cmocka_unit_test(history_keeps_the_newest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
