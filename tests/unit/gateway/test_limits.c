/* SPDX-License-Identifier: Apache-2.0 */
/* Limits by name: the table says what the code does without a flag, and no value does harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "gateway/limits.h"

static void the_defaults_of_the_table_are_those_of_the_code(void **state)
{
    (void)state;
    struct limits limits, defaults = limits_default();
#define X(field, name, default_, unit, least, most, meaning, then)                                                     \
    limits = limits_default();                                                                                         \
    limits.field = least;                                                                                              \
    assert_null(limits_set(&limits, name "=" default_));                                                               \
    assert_int_equal(limits.field, defaults.field);
#include "gateway/limits.def"
#undef X
}

static void a_value_has_the_unit_of_its_limit(void **state)
{
    (void)state;
    struct limits limits = limits_default();
    assert_null(limits_set(&limits, "head-time=1500ms"));
    assert_int_equal(limits.server.head_timeout_ms, 1500);
    assert_null(limits_set(&limits, "head-time=2m"));
    assert_int_equal(limits.server.head_timeout_ms, 120000);
    assert_null(limits_set(&limits, "hold=3MiB"));
    assert_int_equal(limits.proxy.hold_bytes, 3 << 20);
    assert_null(limits_set(&limits, "send-buffer=65536"));
    assert_int_equal(limits.server.send_high_water, 65536);
    assert_null(limits_set(&limits, "body-rate=0"));
    assert_int_equal(limits.server.body_min_rate, 0);
}

static void what_is_wrong_changes_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "=",
        "head-time",
        "head-time=",
        "head-time=10",
        "head-time=10KiB",
        "head-time=",
        "hold=1s",
        "hold=-1",
        "hold=1.5MiB",
        "hold=4096MiB",
        "hold=99999999999999999999",
        "nothing=1",
        "Hold=1MiB",
        "connections=0",
        "connections=1KiB",
        "connections=1000001",
        "connections= 5",
        "tries=17",
        "hold=1 MiB",
        "hold=MiB",
        "head-time=10ss",
    };
    for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
        struct limits limits = limits_default(), before = limits;
        if (limits_set(&limits, wrong[i]) == NULL)
            fail_msg("accepted: %s", wrong[i]);
        assert_memory_equal(&limits, &before, sizeof limits);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_of_the_table_are_those_of_the_code),
        cmocka_unit_test(a_value_has_the_unit_of_its_limit),
        cmocka_unit_test(what_is_wrong_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
