/* SPDX-License-Identifier: Apache-2.0 */
/* test_hostname.c: patterns, their intersection, and the table that finds the most specific one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "route/hostname.h"

static void a_wildcard_takes_one_or_more_labels_but_not_its_own_domain(void **state)
{
    (void)state;
    assert_true(hostname_takes("*.example.com", BYTES("a.example.com")));
    assert_true(hostname_takes("*.example.com", BYTES("a.b.example.com")));
    assert_false(hostname_takes("*.example.com", BYTES("example.com")));
    assert_false(hostname_takes("*.example.com", BYTES(".example.com")));
    assert_false(hostname_takes("*.example.com", BYTES("aexample.com")));
    assert_true(hostname_takes("", BYTES("anything")));
    assert_true(hostname_takes("", BYTES("")));
    assert_false(hostname_takes("a.example.com", BYTES("b.example.com")));
}

static void the_intersection_is_the_narrower_pattern(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b, *common;
    } cases[] = {
        {"", "", ""},          {"", "a.b", "a.b"},        {"a.b", "", "a.b"},
        {"a.b", "a.b", "a.b"}, {"a.b", "c.b", NULL},      {"*.b", "a.b", "a.b"},
        {"a.b", "*.b", "a.b"}, {"*.b", "*.a.b", "*.a.b"}, {"*.a.b", "*.b", "*.a.b"},
        {"*.b", "b", NULL},    {"*.a.b", "*.c.b", NULL},  {"*.b", "*.b", "*.b"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *common = hostname_intersect(cases[i].a, cases[i].b);
        if (cases[i].common == NULL)
            assert_null(common);
        else
            assert_string_equal(common, cases[i].common);
    }
}

static void the_table_goes_from_the_most_to_the_least_specific(void **state)
{
    (void)state;
    struct host_entry entries[] = {
        {"", "any"}, {"*.c", "one"}, {"x.b.c", "exact"}, {"*.b.c", "two"}, {"*.d.c", "other"}};
    struct arena *arena = arena_new(0);
    struct host_table table;
    host_table_build(&table, arena, entries, ARRAY_LEN(entries));
    unsigned cursor = 0;
    assert_string_equal(host_table_next(&table, BYTES("x.b.c"), &cursor), "exact");
    assert_string_equal(host_table_next(&table, BYTES("x.b.c"), &cursor), "two");
    assert_string_equal(host_table_next(&table, BYTES("x.b.c"), &cursor), "one");
    assert_string_equal(host_table_next(&table, BYTES("x.b.c"), &cursor), "any");
    assert_null(host_table_next(&table, BYTES("x.b.c"), &cursor));
    assert_null(host_table_next(&table, BYTES("x.b.c"), &cursor));
    hashmap_free(table.exact);
    arena_free(arena);
}

static void an_empty_table_has_nothing(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct host_table table;
    host_table_build(&table, arena, NULL, 0);
    unsigned cursor = 0;
    assert_null(host_table_next(&table, BYTES("a.b"), &cursor));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wildcard_takes_one_or_more_labels_but_not_its_own_domain),
        cmocka_unit_test(the_intersection_is_the_narrower_pattern),
        cmocka_unit_test(the_table_goes_from_the_most_to_the_least_specific),
        cmocka_unit_test(an_empty_table_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
