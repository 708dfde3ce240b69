/* SPDX-License-Identifier: Apache-2.0 */
/* test_model_rewrite.c: InferenceModelRewrite and InferenceObjective, the same in both of their groups. */
#include "unit/kube/api/support.h"

#include "kube/api/inference.h"

#define X_GROUP   "inference.networking.x-k8s.io/v1alpha2"
#define NEW_GROUP "llm-d.ai/v1alpha2"

static const char rewrite[] = MANIFEST_HEAD(NEW_GROUP, "InferenceModelRewrite") "spec: ";
static const char rule[] =
    MANIFEST_HEAD(X_GROUP, "InferenceModelRewrite") "spec:\n  poolRef: {name: base}\n  rules:\n  - ";
static const char objective[] = MANIFEST_HEAD(NEW_GROUP, "InferenceObjective") "spec: ";

static void expect_rewrite(const char *api_version, enum kube_kind kind)
{
    struct reading_fixture fixture;
    fixture_open(&fixture);
    const struct model_rewrite_spec *decoded = fixture_spec(
        &fixture, arena_printf(fixture.arena,
                               "apiVersion: %s\nkind: InferenceModelRewrite\nmetadata: {name: x}\n"
                               "spec:\n"
                               "  poolRef: {name: base}\n"
                               "  rules:\n"
                               "  - matches: [{model: {value: food}}, {model: {type: Exact, value: drinks}}]\n"
                               "    targets: [{modelRewrite: v1, weight: 90}, {modelRewrite: v2, weight: 10}]\n"
                               "  - targets: [{modelRewrite: a}, {modelRewrite: b}]\n",
                               api_version));
    assert_int_equal(fixture.manifest.objects[0]->kind, kind);
    assert_string_equal(decoded->pool.group, "inference.networking.k8s.io");
    assert_string_equal(decoded->pool.kind, "InferencePool");
    assert_string_equal(decoded->pool.name, "base");
    assert_int_equal(decoded->rule_count, 2);
    assert_int_equal(decoded->rules[0].model_count, 2);
    assert_string_equal(decoded->rules[0].models[0], "food");
    assert_string_equal(decoded->rules[0].models[1], "drinks");
    assert_int_equal(decoded->rules[0].target_count, 2);
    assert_string_equal(decoded->rules[0].targets[1].name, "v2");
    assert_int_equal(decoded->rules[0].targets[1].weight, 10);
    assert_int_equal(decoded->rules[1].model_count, 0);
    assert_string_equal(decoded->rules[1].targets[0].name, "a");
    assert_int_equal(decoded->rules[1].targets[0].weight, decoded->rules[1].targets[1].weight);
    fixture_close(&fixture);
}

static void a_rewrite_is_the_same_in_both_groups(void **state)
{
    (void)state;
    expect_rewrite(X_GROUP, KUBE_MODEL_REWRITE_X);
    expect_rewrite(NEW_GROUP, KUBE_MODEL_REWRITE);
}

static void expect_objective(const char *api_version, enum kube_kind kind, const char *priority, int32_t expected)
{
    struct reading_fixture fixture;
    fixture_open(&fixture);
    const struct inference_objective_spec *decoded = fixture_spec(
        &fixture,
        arena_printf(fixture.arena,
                     "apiVersion: %s\nkind: InferenceObjective\nmetadata: {name: x}\nspec: {poolRef: {name: base}%s}\n",
                     api_version, priority));
    assert_int_equal(fixture.manifest.objects[0]->kind, kind);
    assert_int_equal(decoded->priority, expected);
    assert_string_equal(decoded->pool.name, "base");
    fixture_close(&fixture);
}

static void an_objective_is_the_same_in_both_groups(void **state)
{
    (void)state;
    expect_objective(X_GROUP, KUBE_OBJECTIVE_X, "", 0);
    expect_objective(NEW_GROUP, KUBE_OBJECTIVE, ", priority: -7", -7);
}

static const struct bad_manifest bad_manifests[] = {
    {rewrite, "{rules: [{targets: [{modelRewrite: a}]}]}", "spec.poolRef", "Required", "required"},
    {rewrite, "{poolRef: {name: base}}", "spec.rules", "Required", "required"},
    {rewrite, "{poolRef: {name: base}, rules: []}", "spec.rules", "Invalid", "must have 1..64 items"},
    {rewrite, "{poolRef: {}, rules: [{targets: [{modelRewrite: a}]}]}", "spec.poolRef.name", "Required", "required"},
    {rule, "{}", "spec.rules[0].targets", "Required", "required"},
    {rule, "{targets: []}", "spec.rules[0].targets", "Invalid", "must have 1..32 items"},
    {rule, "{targets: [{weight: 1}]}", "spec.rules[0].targets[0].modelRewrite", "Required", "required"},
    {rule, "{targets: [{modelRewrite: a, weight: 0}]}", "spec.rules[0].targets[0].weight", "Invalid",
     "must be 1..1000000"},
    {rule, "{targets: [{modelRewrite: a, weight: 5}, {modelRewrite: b}]}", "spec.rules[0].targets", "Invalid",
     "must have a weight on all items or on none"},
    {rule, "{matches: [{}], targets: [{modelRewrite: a}]}", "spec.rules[0].matches[0].model", "Required", "required"},
    {rule, "{matches: [{model: {value: ''}}], targets: [{modelRewrite: a}]}", "spec.rules[0].matches[0].model.value",
     "Invalid", "must not be empty"},
    {rule, "{matches: [{model: {type: Prefix, value: a}}], targets: [{modelRewrite: a}]}",
     "spec.rules[0].matches[0].model.type", "Invalid", "must be Exact"},
    {rule, "{target: []}", "spec.rules[0].target", "UnknownField", "unknown field; did you mean \"targets\"?"},
    {objective, "{priority: 1}", "spec.poolRef", "Required", "required"},
    {objective, "{priority: high, poolRef: {name: a}}", "spec.priority", "TypeMismatch", "must be an integer"},
    {objective, "{priority: 2147483648, poolRef: {name: a}}", "spec.priority", "Invalid", "must be"},
    {objective, "{modelName: a, poolRef: {name: a}}", "spec.modelName", "UnknownField", "unknown field"},
};

static void each_bad_one_names_its_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_manifests); i++)
        check_bad_manifest(&bad_manifests[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rewrite_is_the_same_in_both_groups),
        cmocka_unit_test(an_objective_is_the_same_in_both_groups),
        cmocka_unit_test(each_bad_one_names_its_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
