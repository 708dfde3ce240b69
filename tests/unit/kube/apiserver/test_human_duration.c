/* SPDX-License-Identifier: Apache-2.0 */
/* test_human_duration.c: both sides of every boundary. */
#include "kube/apiserver/human_duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/compiler.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define YEAR   (365 * DAY)

static void durations_change_their_units_where_kubectl_expects_it(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {INT64_MIN, "<invalid>"},
        {-2 * SECOND, "<invalid>"},
        {-2 * SECOND + 1, "0s"},
        {-1, "0s"},
        {0, "0s"},
        {999, "0s"},
        {SECOND, "1s"},
        {119 * SECOND + 999, "119s"},
        {2 * MINUTE, "2m"},
        {2 * MINUTE + SECOND, "2m1s"},
        {4 * MINUTE + 32 * SECOND, "4m32s"},
        {10 * MINUTE - 1, "9m59s"},
        {10 * MINUTE, "10m"},
        {10 * MINUTE + 59 * SECOND, "10m"},
        {3 * HOUR - 1, "179m"},
        {3 * HOUR, "3h"},
        {3 * HOUR + MINUTE, "3h1m"},
        {8 * HOUR - 1, "7h59m"},
        {8 * HOUR, "8h"},
        {8 * HOUR + 59 * MINUTE, "8h"},
        {48 * HOUR - 1, "47h"},
        {48 * HOUR, "2d"},
        {48 * HOUR + 59 * MINUTE, "2d"},
        {49 * HOUR, "2d1h"},
        {8 * DAY - 1, "7d23h"},
        {8 * DAY, "8d"},
        {8 * DAY + 23 * HOUR, "8d"},
        {2 * YEAR - 1, "729d"},
        {2 * YEAR, "2y"},
        {2 * YEAR + 23 * HOUR, "2y"},
        {2 * YEAR + DAY, "2y1d"},
        {8 * YEAR - 1, "7y364d"},
        {8 * YEAR, "8y"},
        {9 * YEAR - 1, "8y"},
        {INT64_MAX, "292471208y"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[16];
        human_duration(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void an_age_needs_a_beginning(void **state)
{
    (void)state;
    char text[16];
    human_age(0, 5000, text);
    assert_string_equal(text, "<unknown>");
    human_age(1700000000000, 1700000042000, text);
    assert_string_equal(text, "42s");
    human_age(1700000042000, 1700000000000, text);
    assert_string_equal(text, "<invalid>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_change_their_units_where_kubectl_expects_it),
        cmocka_unit_test(an_age_needs_a_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
