/* SPDX-License-Identifier: Apache-2.0 */
/* test_clock.c: RFC 3339 text both ways, and clocks that run forward. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/compiler.h"

static void times_are_written_in_utc_seconds(void **state)
{
    (void)state;
    static const struct {
        uint64_t wall_ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1767323045678, "2026-01-02T03:04:05Z"},
        {951782400000, "2000-02-29T00:00:00Z"},
        {253402300799999, "9999-12-31T23:59:59Z"},
        {UINT64_MAX, "9999-12-31T23:59:59Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[21];
        clock_rfc3339(cases[i].wall_ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void times_are_read_with_fractions_and_offsets(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t wall_ms;
    } cases[] = {
        {"2026-01-02T03:04:05Z", 1767323045000},           {"2026-01-02t03:04:05z", 1767323045000},
        {"2026-01-02T03:04:05.678Z", 1767323045678},       {"2026-01-02T03:04:05.6Z", 1767323045600},
        {"2026-01-02T03:04:05.678912345Z", 1767323045678}, {"2026-01-02T05:34:05+02:30", 1767323045000},
        {"2026-01-01T22:04:05-05:00", 1767323045000},      {"2024-02-29T00:00:00Z", 1709164800000},
        {"2016-12-31T23:59:60Z", 1483228800000},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_true(clock_parse_rfc3339(cases[i].text) == cases[i].wall_ms);
}

static void what_is_not_such_a_time_is_zero(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "2026",
        "2026-01-02",
        "2026-01-02 03:04:05Z",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05Zx",
        "2026-01-02T03:04:05.Z",
        "2026-13-02T03:04:05Z",
        "2026-00-02T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "2026-01-32T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z",
        "2026-1-2T3:4:5Z",
        "2026-01-02T03:04:05+0200",
        "2026-01-02T03:04:05+24:00",
        "1969-12-31T23:59:59Z",
        "+026-01-02T03:04:05Z",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_true(clock_parse_rfc3339(cases[i]) == 0);
    assert_true(clock_parse_rfc3339(NULL) == 0);
}

static void the_monotonic_clock_does_not_go_back(void **state)
{
    (void)state;
    uint64_t us = clock_now_us();
    uint64_t ms = clock_now_ms();
    assert_true(ms >= us / 1000);
    assert_true(clock_now_us() >= us);
    assert_true(clock_wall_ms() > 1700000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_in_utc_seconds),
        cmocka_unit_test(times_are_read_with_fractions_and_offsets),
        cmocka_unit_test(what_is_not_such_a_time_is_zero),
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
