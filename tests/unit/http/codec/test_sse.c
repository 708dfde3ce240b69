/* SPDX-License-Identifier: Apache-2.0 */
/* Where events end, wherever the network cuts the stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "http/codec/sse.h"

static const struct {
    const char *stream;
    size_t whole;
} cases[] = {
    {"", 0},
    {"data: a", 0},
    {"data: a\n", 0},
    {"data: a\n\n", 9},
    {"data: a\r\n\r\n", 11},
    {"data: a\n\r\n", 10},
    {"data: a\n\ndata: b", 9},
    {"data: a\n\ndata: b\n", 9},
    {"data: a\n\ndata: b\n\n", 18},
    {": ping\n\n", 8},
    {"data: a\n\n\n", 10},
    {"data: a\\n\\n", 0},
    {"event: x\ndata: {\"a\":\"b\"}\n\ndata: [DONE]\n\nda", 40},
};

static void whole_events_are_told_from_the_rest(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sse_tail tail = {0};
        assert_int_equal(sse_whole_events(&tail, bytes_of(cases[i].stream)), cases[i].whole);
    }
}

static void any_split_finds_the_same_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bytes stream = bytes_of(cases[i].stream);
        for (size_t cut = 0; cut <= stream.len; cut++) {
            struct sse_tail tail = {0};
            struct bytes first = bytes_make(stream.data, cut), second = bytes_skip(stream, cut);
            size_t whole = sse_whole_events(&tail, first);
            sse_tail_move(&tail, first);
            size_t more = sse_whole_events(&tail, second);
            assert_int_equal(more > 0 ? cut + more : whole, cases[i].whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_events_are_told_from_the_rest),
        cmocka_unit_test(any_split_finds_the_same_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
