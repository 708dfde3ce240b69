/* SPDX-License-Identifier: Apache-2.0 */
/* Each kind of target has its arms where the table says, whatever else the tree looks like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube/api/canary_arms.h"

static json_t *tree_of(const char *text)
{
    json_t *tree = json_loads(text, 0, NULL);
    assert_non_null(tree);
    return tree;
}

static void every_kind_of_target_has_a_shape(void **state)
{
    (void)state;
    for (unsigned kind = CANARY_HTTP_ROUTE; kind <= CANARY_MODEL_REWRITE; kind++) {
        const enum kube_kind *kinds = canary_target_kinds((enum canary_target_kind)kind);
        assert_int_not_equal(kinds[0], KUBE_KIND_COUNT);
        for (; *kinds != KUBE_KIND_COUNT; kinds++)
            assert_non_null(arm_shape_of(*kinds));
    }
    assert_null(arm_shape_of(KUBE_POD));
}

static void rules_are_found_by_name_first_then_by_index(void **state)
{
    (void)state;
    const struct arm_shape *shape = arm_shape_of(KUBE_HTTP_ROUTE);
    json_t *tree = tree_of("{\"spec\":{\"rules\":[{\"name\":\"a\"},{\"name\":\"0\"},{}]}}");
    size_t rule;
    assert_int_equal(arm_rule_find(shape, tree, "a", &rule), ARM_RULE_FOUND);
    assert_int_equal(rule, 0);
    assert_int_equal(arm_rule_find(shape, tree, "0", &rule), ARM_RULE_FOUND);
    assert_int_equal(rule, 1);
    assert_int_equal(arm_rule_find(shape, tree, "2", &rule), ARM_RULE_FOUND);
    assert_int_equal(rule, 2);
    assert_int_equal(arm_rule_find(shape, tree, "3", &rule), ARM_RULE_UNKNOWN);
    assert_int_equal(arm_rule_find(shape, tree, "b", &rule), ARM_RULE_UNKNOWN);
    assert_int_equal(arm_rule_find(shape, tree, "", &rule), ARM_RULE_UNCLEAR);
    assert_int_equal(arm_rule_count(shape, tree), 3);
    json_decref(tree);
}

static void a_model_has_one_list_in_its_spec(void **state)
{
    (void)state;
    const struct arm_shape *shape = arm_shape_of(KUBE_INFERENCE_MODEL);
    json_t *tree = tree_of("{\"spec\":{\"targetModels\":[{\"name\":\"v1\",\"weight\":7},{\"name\":\"v2\"}]}}");
    size_t rule;
    assert_int_equal(arm_rule_find(shape, tree, "", &rule), ARM_RULE_FOUND);
    const json_t *arms = arm_list(shape, tree, rule);
    assert_int_equal(arm_weight(arm_find(shape, arms, "v1")), 7);
    assert_int_equal(arm_weight(arm_find(shape, arms, "v2")), 1);
    assert_null(arm_find(shape, arms, "v3"));
    json_decref(tree);
}

static void trees_of_any_shape_have_nothing(void **state)
{
    (void)state;
    const struct arm_shape *shape = arm_shape_of(KUBE_MODEL_REWRITE);
    json_t *tree = tree_of("{\"spec\":{\"rules\":{\"targets\":7}}}"), *odd = tree_of("{\"weight\":-3}");
    size_t rule;
    assert_int_equal(arm_rule_find(shape, tree, "", &rule), ARM_RULE_UNCLEAR);
    assert_null(arm_list(shape, tree, 0));
    assert_string_equal(arm_name(shape, odd), "");
    assert_int_equal(arm_weight(odd), 0);
    json_decref(tree);
    json_decref(odd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_target_has_a_shape),
        cmocka_unit_test(rules_are_found_by_name_first_then_by_index),
        cmocka_unit_test(a_model_has_one_list_in_its_spec),
        cmocka_unit_test(trees_of_any_shape_have_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
