/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of any shape can be looked into: what is not there is absent, never a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_tree.h"

static json_t *tree_of(const char *text)
{
    json_t *tree = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(tree);
    return tree;
}

static void a_path_goes_down_by_its_dots(void **state)
{
    (void)state;
    json_t *tree = tree_of("{\"spec\":{\"a\":{\"b\":\"deep\"},\"n\":7,\"nothing\":null}}");
    assert_string_equal(tree_text(tree, "spec.a.b"), "deep");
    assert_int_equal(json_integer_value(tree_at(tree, "spec.n")), 7);
    assert_null(tree_at(tree, "spec.nothing"));
    assert_null(tree_at(tree, "spec.n.deeper"));
    assert_null(tree_at(tree, "status"));
    assert_string_equal(tree_text(tree, "spec.n"), "");
    assert_null(tree_at(NULL, "spec"));
    json_decref(tree);
}

static void a_member_may_have_dots_in_its_key(void **state)
{
    (void)state;
    json_t *tree = tree_of("{\"serin.dev/revision\":\"2\",\"n\":1}");
    assert_string_equal(tree_member_text(tree, "serin.dev/revision"), "2");
    assert_string_equal(tree_text(tree, "serin.dev/revision"), "");
    assert_string_equal(tree_member_text(tree, "n"), "");
    assert_string_equal(tree_member_text(NULL, "n"), "");
    json_decref(tree);
}

static void depth_counts_containers(void **state)
{
    (void)state;
    json_t *flat = tree_of("{\"a\":1}"), *deep = tree_of("[{\"a\":[{}]}]"), *scalar = tree_of("1");
    assert_false(tree_is_deeper(scalar, 0));
    assert_true(tree_is_deeper(flat, 0));
    assert_false(tree_is_deeper(flat, 1));
    assert_true(tree_is_deeper(deep, 3));
    assert_false(tree_is_deeper(deep, 4));
    json_decref(flat);
    json_decref(deep);
    json_decref(scalar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_goes_down_by_its_dots),
        cmocka_unit_test(a_member_may_have_dots_in_its_key),
        cmocka_unit_test(depth_counts_containers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
