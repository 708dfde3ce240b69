/* SPDX-License-Identifier: Apache-2.0 */
/* test_copy.c: every length up to some hundred and those around the long runs, at odd places, and not a byte beyond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/copy.h"

enum { ROOM = 10000, BEFORE = 3, GUARD = 0x5a };

static void check_guards(const unsigned char *to, size_t len)
{
    for (unsigned i = 0; i < BEFORE; i++)
        assert_int_equal(to[i], GUARD);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(to[BEFORE + len + i], GUARD);
}

static void check_length(size_t len)
{
    static unsigned char from[ROOM], to[ROOM];
    for (size_t i = 0; i < len; i++)
        from[1 + i] = (unsigned char)(i * 7 + 1);
    memset(to, GUARD, sizeof to);
    copy_bytes(to + BEFORE, from + 1, len);
    assert_memory_equal(to + BEFORE, from + 1, len);
    check_guards(to, len);
    copy_zeros(to + BEFORE, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(to[BEFORE + i], 0);
    check_guards(to, len);
}

static void short_runs_are_copied_whole(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 400; len++)
        check_length(len);
}

static void long_runs_are_copied_whole(void **state)
{
    (void)state;
    static const size_t lengths[] = {1023, 1024, 4080, 4095, 4096, 4097, 9000};
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        check_length(lengths[i]);
}

static void nothing_needs_no_place(void **state)
{
    (void)state;
    copy_bytes(NULL, NULL, 0);
    copy_zeros(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(short_runs_are_copied_whole),
                                       cmocka_unit_test(long_runs_are_copied_whole),
                                       cmocka_unit_test(nothing_needs_no_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
