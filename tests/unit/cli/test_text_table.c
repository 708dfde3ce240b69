/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for terminals: columns stand under each other, whatever is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/text_table.h"

static void expect(const struct text_table *table, size_t columns, const char *text)
{
    struct buffer out = {0};
    text_table_write_within(table, columns, &out);
    buffer_append_char(&out, '\0');
    assert_string_equal(buffer_bytes(&out).data, text);
    buffer_deinit(&out);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct text_table table;
    text_table_init(&table, arena, (const char *[]){"A", "LONG HEADER", "C"}, 3);
    text_table_add(&table, (const char *[]){"a very long cell", "b", "c"});
    text_table_add(&table, (const char *[]){"", "\xc3\xa9t\xc3\xa9", "last"});
    expect(&table, 0,
           "A                  LONG HEADER   C\n"
           "a very long cell   b             c\n"
           "-                  \xc3\xa9t\xc3\xa9           last\n");
    arena_free(arena);
}

static void a_table_that_is_too_wide_is_turned_on_its_side(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct text_table table;
    text_table_init(&table, arena, (const char *[]){"ARM", "NAME", "SHARE", "RATE"}, 4);
    text_table_add(&table, (const char *[]){"stable", "blue", "90%", "4.5"});
    text_table_add(&table, (const char *[]){"canary", "green", "10%", "0.5"});
    static const char wide[] = "ARM      NAME    SHARE   RATE\n"
                               "stable   blue    90%     4.5\n"
                               "canary   green   10%     0.5\n";
    expect(&table, 29, wide);
    expect(&table, 28,
           "ARM     stable   canary\n"
           "NAME    blue     green\n"
           "SHARE   90%      10%\n"
           "RATE    4.5      0.5\n");
    for (int i = 0; i < 20; i++) /* too many rows to stand side by side */
        text_table_add(&table, (const char *[]){"x", "x", "x", "x"});
    struct buffer out = {0};
    text_table_write_within(&table, 10, &out);
    assert_true(bytes_starts_with(buffer_bytes(&out), bytes_of(wide)));
    buffer_deinit(&out);
    arena_free(arena);
}

static void nothing_reaches_the_terminal_that_it_would_act_on(void **state)
{
    (void)state;
    struct buffer out = {0};
    text_append_clean(&out, "a\x1b[31m\tb\nc\x7f\xc2\x9b"
                            "d \xe2\x80\xa6 \xc2\xa0");
    buffer_append_char(&out, '\0');
    assert_string_equal(buffer_bytes(&out).data, "a?[31m?b c??d \xe2\x80\xa6 \xc2\xa0");
    buffer_deinit(&out);
}

static void more_rows_than_anybody_reads_are_dropped(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct text_table table;
    text_table_init(&table, arena, (const char *[]){"A"}, 1);
    for (int i = 0; i < 2 * TEXT_TABLE_ROWS_MAX; i++)
        text_table_add(&table, (const char *[]){"x"});
    assert_int_equal(table.row_count, TEXT_TABLE_ROWS_MAX);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(a_table_that_is_too_wide_is_turned_on_its_side),
        cmocka_unit_test(nothing_reaches_the_terminal_that_it_would_act_on),
        cmocka_unit_test(more_rows_than_anybody_reads_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
