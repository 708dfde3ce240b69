/* SPDX-License-Identifier: Apache-2.0 */
/* test_string_skip.c: all versions of the skipper stop at the same byte, wherever the block borders fall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inference/payload/string_skip.h"

enum { TEXT_MAX = 200 };

static const string_skip_fn versions[] = {
    string_skip_scalar,
#ifdef __x86_64__
    string_skip_sse2,
    string_skip_avx2,
#endif
};

static bool runs_here(string_skip_fn version)
{
#ifdef __x86_64__
    return version != string_skip_avx2 || __builtin_cpu_supports("avx2");
#else
    (void)version;
    return true;
#endif
}

/* In memory of exactly this size, so that AddressSanitizer sees a read past the end. */
static void expect_stop_at(const char *text, size_t len, size_t wanted)
{
    char *exact = malloc(len > 0 ? len : 1);
    assert_non_null(exact);
    memcpy(exact, text, len);
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        if (runs_here(versions[i]))
            assert_int_equal(versions[i](exact, exact + len) - exact, wanted);
    free(exact);
}

static void stops_at_the_first_special_byte_at_any_place(void **state)
{
    (void)state;
    static const char specials[] = {'"', '\0', '\n', 0x1f};
    for (size_t at = 0; at < 100; at++)
        for (size_t i = 0; i < sizeof specials; i++) {
            char text[TEXT_MAX];
            memset(text, 'a' + (int)(at % 26), sizeof text);
            text[at] = specials[i];
            expect_stop_at(text, sizeof text, at);
            expect_stop_at(text, at + 1, at);
            expect_stop_at(text, at, at);
        }
}

static void goes_over_short_escapes_and_stops_at_others(void **state)
{
    (void)state;
    for (size_t at = 0; at < 70; at++)
        for (unsigned c = 0; c < 256; c++) {
            char text[100];
            memset(text, 'x', sizeof text);
            text[at] = '\\';
            text[at + 1] = (char)c;
            bool is_short = c != 0 && strchr("\"\\/bfnrt", (int)c) != NULL;
            expect_stop_at(text, sizeof text, is_short ? sizeof text : at);
            expect_stop_at(text, at + 1, at);
        }
}

static void bytes_above_ascii_and_delete_are_plain(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(0x7f + i % 129);
    expect_stop_at(text, sizeof text, sizeof text);
}

static void all_versions_agree_on_random_text(void **state)
{
    (void)state;
    static const char alphabet[] = "aaaaaaaaaaaabc\\\\\\nnnnnnnn/\\\xc3\xbc\"";
    uint32_t seed = 1;
    for (unsigned round = 0; round < 20000; round++) {
        char text[TEXT_MAX];
        size_t len = (seed >> 8) % sizeof text;
        for (size_t i = 0; i < len; i++) {
            seed = seed * 1664525 + 1013904223;
            text[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        seed = seed * 1664525 + 1013904223;
        expect_stop_at(text, len, (size_t)(string_skip_scalar(text, text + len) - text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_at_the_first_special_byte_at_any_place),
        cmocka_unit_test(goes_over_short_escapes_and_stops_at_others),
        cmocka_unit_test(bytes_above_ascii_and_delete_are_plain),
        cmocka_unit_test(all_versions_agree_on_random_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
