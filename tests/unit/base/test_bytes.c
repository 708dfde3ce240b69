/* SPDX-License-Identifier: Apache-2.0 */
/* test_bytes.c: comparisons, trimming and numbers over borrowed bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/compiler.h"

static void names_compare_without_ascii_case(void **state)
{
    (void)state;
    assert_true(bytes_equal_nocase(BYTES("Content-Type"), BYTES("content-TYPE")));
    assert_true(bytes_equal_nocase(BYTES(""), bytes_make(NULL, 0)));
    assert_false(bytes_equal_nocase(BYTES("content-type"), BYTES("content_type")));
    assert_false(bytes_equal_nocase(BYTES("host"), BYTES("hos")));
    assert_true(bytes_starts_with_nocase(BYTES("X-Serin-Arm"), BYTES("x-serin-")));
    assert_true(bytes_starts_with_nocase(BYTES("a"), BYTES("")));
    assert_false(bytes_starts_with_nocase(BYTES("x-serin"), BYTES("x-serin-")));
    assert_false(bytes_starts_with_nocase(BYTES("x-sarin-arm"), BYTES("x-serin-")));
}

static void only_letters_are_folded(void **state)
{
    (void)state;
    /* '@' and '`', '[' and '{' differ in the same bit as letters do; so do bytes above ASCII. */
    assert_false(bytes_equal_nocase(BYTES("@["), BYTES("`{")));
    assert_false(bytes_equal_nocase(BYTES("\xc4"), BYTES("\xe4")));
}

static bool is_letter(int byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

/* Words of eight bytes are compared at once: every pair of bytes at every place of two words and a rest. */
static void each_byte_is_folded_alike_at_each_place(void **state)
{
    (void)state;
    char a[19], b[19];
    for (unsigned place = 0; place < sizeof a; place++) {
        for (int left = 0; left < 256; left++) {
            for (int right = 0; right < 256; right++) {
                memset(a, 'z', sizeof a);
                memset(b, 'Z', sizeof b);
                a[place] = (char)left;
                b[place] = (char)right;
                bool is_same =
                    left == right || (is_letter(left) && is_letter(right) && (left | 0x20) == (right | 0x20));
                assert_int_equal(bytes_equal_nocase(bytes_make(a, sizeof a), bytes_make(b, sizeof b)), is_same);
            }
        }
    }
}

static void order_is_bytewise_and_the_shorter_comes_first(void **state)
{
    (void)state;
    assert_true(bytes_compare(BYTES("a"), BYTES("b")) < 0);
    assert_true(bytes_compare(BYTES("\xff"), BYTES("a")) > 0);
    assert_true(bytes_compare(BYTES("a"), BYTES("ab")) < 0);
    assert_true(bytes_compare(BYTES("ab"), BYTES("a")) > 0);
    assert_int_equal(bytes_compare(BYTES("ab"), BYTES("ab")), 0);
    assert_int_equal(bytes_compare(BYTES(""), bytes_make(NULL, 0)), 0);
}

static void trimming_takes_spaces_and_tabs_from_both_ends(void **state)
{
    (void)state;
    assert_true(bytes_equal_str(bytes_trim(BYTES(" \t a b\t ")), "a b"));
    assert_true(bytes_equal_str(bytes_trim(BYTES(" \t ")), ""));
    assert_true(bytes_equal_str(bytes_trim(BYTES("\ra\n")), "\ra\n"));
}

static void only_plain_decimal_numbers_up_to_the_limit_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned long long limit;
        bool is_number;
        unsigned long long value;
    } cases[] = {
        {"0", 0, true, 0},
        {"007", 10, true, 7},
        {"65535", 65535, true, 65535},
        {"65536", 65535, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"99999999999999999999999", UINT64_MAX, false, 0},
        {"", 10, false, 0},
        {"-1", 10, false, 0},
        {"+1", 10, false, 0},
        {" 1", 10, false, 0},
        {"1 ", 10, false, 0},
        {"0x1", 10, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned long long value = 12345;
        assert_int_equal(bytes_to_u64(bytes_of(cases[i].text), cases[i].limit, &value), cases[i].is_number);
        assert_true(value == (cases[i].is_number ? cases[i].value : 12345));
    }
}

static void a_byte_is_found_where_it_first_stands(void **state)
{
    (void)state;
    assert_int_equal(bytes_find(BYTES("a=b=c"), '='), 1);
    assert_int_equal(bytes_find(BYTES("abc"), '='), 3);
    assert_int_equal(bytes_find(bytes_make(NULL, 0), '='), 0);
}

static void prefixes_and_suffixes_are_recognised(void **state)
{
    (void)state;
    assert_true(bytes_starts_with(BYTES("/v1/chat"), BYTES("/v1")));
    assert_false(bytes_starts_with(BYTES("/v"), BYTES("/v1")));
    assert_true(bytes_ends_with(BYTES("a.example.com"), BYTES(".example.com")));
    assert_false(bytes_ends_with(BYTES("com"), BYTES(".com")));
    assert_true(bytes_starts_with(bytes_make(NULL, 0), BYTES("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_compare_without_ascii_case),
        cmocka_unit_test(only_letters_are_folded),
        cmocka_unit_test(each_byte_is_folded_alike_at_each_place),
        cmocka_unit_test(order_is_bytewise_and_the_shorter_comes_first),
        cmocka_unit_test(trimming_takes_spaces_and_tabs_from_both_ends),
        cmocka_unit_test(only_plain_decimal_numbers_up_to_the_limit_are_read),
        cmocka_unit_test(a_byte_is_found_where_it_first_stands),
        cmocka_unit_test(prefixes_and_suffixes_are_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
