/* SPDX-License-Identifier: Apache-2.0 */
/* test_behaviour.c: the behaviour string of a simulated model server. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sim/behaviour.h"

static bool parses(const char *text, struct behaviour *behaviour)
{
    char error[BEHAVIOUR_ERROR_SIZE] = "";
    *behaviour = behaviour_defaults;
    bool ok = behaviour_parse(behaviour, bytes_of(text), error);
    assert_int_equal(ok, error[0] == '\0');
    return ok;
}

static void durations_take_us_ms_s_and_m(void **state)
{
    (void)state;
    struct behaviour behaviour;
    assert_true(parses("ttft=80ms,itl=12.5ms,prefill=200us,startup=1.5s,slow-first-token=2m", &behaviour));
    assert_int_equal(behaviour.ttft_us, 80000);
    assert_int_equal(behaviour.itl_us, 12500);
    assert_int_equal(behaviour.prefill_us, 200);
    assert_int_equal(behaviour.startup_us, 1500000);
    assert_int_equal(behaviour.slow_first_token_us, 120000000);
}

static void counts_switches_and_off_are_read(void **state)
{
    (void)state;
    struct behaviour behaviour;
    assert_true(parses("error-rate=0.25, error-code=503 ,die-after-events=0,empty=1,late-head=false,", &behaviour));
    assert_true(behaviour.error_rate == 0.25);
    assert_int_equal(behaviour.error_code, 503);
    assert_int_equal(behaviour.die_after_events, 0);
    assert_true(behaviour.empty);
    assert_false(behaviour.late_head);
    assert_true(parses("die-after-events=off", &behaviour));
    assert_int_equal(behaviour.die_after_events, BEHAVIOUR_OFF);
}

static void the_empty_string_changes_nothing(void **state)
{
    (void)state;
    struct behaviour behaviour;
    assert_true(parses("", &behaviour));
    assert_memory_equal(&behaviour, &behaviour_defaults, sizeof behaviour);
}

static void zero_needs_no_unit_but_other_durations_do(void **state)
{
    (void)state;
    struct behaviour behaviour;
    assert_true(parses("ttft=0,itl=0", &behaviour));
    assert_int_equal(behaviour.ttft_us, 0);
    assert_false(parses("ttft=80", &behaviour));
}

static void bad_items_are_refused_as_a_whole(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "ttft",
        "ttft=",
        "=5ms",
        "ttft=-1ms",
        "ttft=1e3ms",
        "ttft=nanms",
        "ttft=1.2.3ms",
        "ttft=25h",
        "ttft=86401s",
        "ttft=.ms",
        "error-rate=1.5",
        "error-rate=x",
        "error-code=200",
        "error-code=500.5",
        "empty=2",
        "die-after-bytes=-1",
        "max-waiting=off",
        "unknown=1",
        "itl=1ms,ttft=x",
        "load-factor=0",
        "ttft=1111111111111111111111111111111111ms",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct behaviour behaviour;
        if (parses(bad[i], &behaviour))
            fail_msg("%s was taken", bad[i]);
        assert_memory_equal(&behaviour, &behaviour_defaults, sizeof behaviour);
    }
}

static void an_unknown_key_is_told_with_the_known_ones(void **state)
{
    (void)state;
    struct behaviour behaviour = behaviour_defaults;
    char error[BEHAVIOUR_ERROR_SIZE];
    assert_false(behaviour_parse(&behaviour, BYTES("tfft=1ms"), error));
    assert_non_null(strstr(error, "tfft"));
    assert_non_null(strstr(error, " ttft,"));
    assert_non_null(strstr(error, "abort-on-sigterm"));
}

static void writing_gives_values_that_can_be_set_again(void **state)
{
    (void)state;
    struct behaviour behaviour = behaviour_defaults;
    struct buffer out = {0};
    struct json_writer json;
    behaviour.itl_us = 1500;
    jw_init(&json, &out);
    jw_begin_object(&json);
    behaviour_write(&behaviour, &json);
    jw_end_object(&json);
    buffer_append_char(&out, '\0');
    assert_non_null(strstr(out.data, "\"ttft\":\"40ms\""));
    assert_non_null(strstr(out.data, "\"itl\":\"1500us\""));
    assert_non_null(strstr(out.data, "\"die-after-events\":null"));
    assert_non_null(strstr(out.data, "\"refuse\":false"));
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_take_us_ms_s_and_m),
        cmocka_unit_test(counts_switches_and_off_are_read),
        cmocka_unit_test(the_empty_string_changes_nothing),
        cmocka_unit_test(zero_needs_no_unit_but_other_durations_do),
        cmocka_unit_test(bad_items_are_refused_as_a_whole),
        cmocka_unit_test(an_unknown_key_is_told_with_the_known_ones),
        cmocka_unit_test(writing_gives_values_that_can_be_set_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
