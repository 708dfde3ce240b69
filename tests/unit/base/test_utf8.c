/* SPDX-License-Identifier: Apache-2.0 */
/* test_utf8.c: well-formed and ill-formed sequences of RFC 3629. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "base/utf8.h"

static const struct {
    struct bytes text;
    bool is_valid;
} cases[] = {
    {BYTES(""), true},
    {BYTES("plain ascii, longer than a word"), true},
    {BYTES("a\0b"), true},
    {BYTES("\x7f"), true},
    {BYTES("\xc2\x80 \xdf\xbf"), true},
    {BYTES("\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf"), true},
    {BYTES("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"), true},
    {BYTES("12345678\xe2\x82\xac"
           "12345678"),
     true},
    {BYTES("\x80"), false},
    {BYTES("\xbf"), false},
    {BYTES("\xc0\xaf"), false},         /* overlong */
    {BYTES("\xc1\xbf"), false},         /* overlong */
    {BYTES("\xe0\x9f\xbf"), false},     /* overlong */
    {BYTES("\xf0\x8f\xbf\xbf"), false}, /* overlong */
    {BYTES("\xed\xa0\x80"), false},     /* surrogate */
    {BYTES("\xed\xbf\xbf"), false},     /* surrogate */
    {BYTES("\xf4\x90\x80\x80"), false}, /* above U+10FFFF */
    {BYTES("\xf5\x80\x80\x80"), false},
    {BYTES("\xff"), false},
    {BYTES("\xc2"), false},
    {BYTES("\xe2\x82"), false},
    {BYTES("\xf0\x9f\x98"), false},
    {BYTES("\xe2\x28\xa1"), false},
    {BYTES("\xe2\x82\x28"), false},
    {BYTES("12345678\xff"), false},
    {BYTES("1234567\xe2\x82"), false},
};

static void only_well_formed_text_is_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(utf8_is_valid(cases[i].text), cases[i].is_valid);
}

static void every_code_point_survives_coding(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point <= 0x110000; code_point++) {
        char out[4];
        size_t len = utf8_encode(code_point, out);
        bool is_scalar = code_point <= 0x10ffff && (code_point < 0xd800 || code_point > 0xdfff);
        if ((len > 0) != is_scalar || (len > 0 && utf8_sequence_len(bytes_make(out, len)) != len))
            fail_msg("U+%04X", (unsigned)code_point);
    }
}

static void code_points_have_their_known_bytes(void **state)
{
    (void)state;
    char out[4];
    assert_int_equal(utf8_encode('A', out), 1);
    assert_memory_equal(out, "A", 1);
    assert_int_equal(utf8_encode(0xe9, out), 2);
    assert_memory_equal(out, "\xc3\xa9", 2);
    assert_int_equal(utf8_encode(0x20ac, out), 3);
    assert_memory_equal(out, "\xe2\x82\xac", 3);
    assert_int_equal(utf8_encode(0x1f600, out), 4);
    assert_memory_equal(out, "\xf0\x9f\x98\x80", 4);
    assert_int_equal(utf8_encode(UINT32_MAX, out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_well_formed_text_is_valid),
        cmocka_unit_test(every_code_point_survives_coding),
        cmocka_unit_test(code_points_have_their_known_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
