/* SPDX-License-Identifier: Apache-2.0 */
/* test_session_table.c: what is remembered, for how long, and what is forgotten first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inference/schedule/session_table.h"

/* Endpoints are only names to the table. */
static const struct endpoint *name(uintptr_t number)
{
    return (const struct endpoint *)number;
}

static void a_session_is_found_until_its_time_is_over(void **state)
{
    (void)state;
    struct session_table *table = session_table_new(64, 100);
    assert_null(session_table_find(table, 7, 0));
    session_table_put(table, 7, name(1), 1000);
    assert_ptr_equal(session_table_find(table, 7, 1099), name(1));
    assert_null(session_table_find(table, 7, 1100));
    session_table_put(table, 7, name(2), 2000);
    assert_ptr_equal(session_table_find(table, 7, 2050), name(2));
    session_table_free(table);
}

static void a_full_row_forgets_what_was_used_longest_ago(void **state)
{
    (void)state;
    struct session_table *table = session_table_new(4, 10000); /* one row */
    for (uint64_t key = 1; key <= 4; key++)
        session_table_put(table, key, name(key), 100 + key);
    session_table_put(table, 1, name(1), 200); /* used again */
    session_table_put(table, 5, name(5), 300);
    assert_null(session_table_find(table, 2, 300));
    for (uint64_t key = 1; key <= 5; key++)
        if (key != 2)
            assert_ptr_equal(session_table_find(table, key, 300), name(key));
    session_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_found_until_its_time_is_over),
        cmocka_unit_test(a_full_row_forgets_what_was_used_longest_ago),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
