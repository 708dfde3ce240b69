/* SPDX-License-Identifier: Apache-2.0 */
/* test_compile_backends.c: pools of both group spellings, their models, and their statuses. */
#include "fixture.h"

#define REF(group, name) "{group: " group ", kind: InferencePool, name: " name "}"
#define V1               "inference.networking.k8s.io"
#define X                "inference.networking.x-k8s.io"
#define POOL_ROUTE(refs) ROUTE("r", "{parentRefs: [{name: g}], rules: [{backendRefs: [" refs "]}]}")

static const char *model(struct fixture *fixture, const char *name)
{
    return fixture_condition(fixture, KUBE_INFERENCE_MODEL, name, NULL, "Accepted");
}

static const struct route_rule *rule(struct fixture *fixture)
{
    struct route_match match = fixture_match(fixture, &(struct asked){.path = "/"});
    assert_int_equal(match.outcome, ROUTE_MATCHED);
    return match.rule;
}

static void each_spelling_of_a_pool_is_found_by_its_own_group(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY POOL_V1("one") POOL_X("two") POOL_ROUTE(REF(V1, "one") ", " REF(X, "two")));
    fixture_compile(fixture);
    assert_string_equal(fixture_condition(fixture, KUBE_HTTP_ROUTE, "r", "g", "ResolvedRefs"), "True/ResolvedRefs");
    assert_string_equal(rule(fixture)->arms[0].pool->key, "pool/default/one");
    assert_string_equal(rule(fixture)->arms[1].pool->key, "pool/default/two");
    assert_true(bytes_equal_str(rule(fixture)->arms[0].id, "pool/default/one"));
    assert_true(bytes_equal_str(rule(fixture)->arms[0].text, "one"));
}

static void both_spellings_of_one_name_share_a_pool(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY POOL_V1("p") POOL_X("p") POOL_ROUTE(REF(V1, "p") ", " REF(X, "p")));
    fixture_compile(fixture);
    assert_int_equal(rule(fixture)->arm_count, 1);
    assert_string_equal(fixture_condition(fixture, KUBE_INFERENCE_POOL, "p", "g", "Accepted"), "True/Accepted");
    assert_string_equal(fixture_condition(fixture, KUBE_INFERENCE_POOL_X, "p", "g", "Accepted"), "True/Accepted");
}

static void a_pool_names_the_gateways_through_which_it_is_reached(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY POOL_X("used") POOL_X("unused") POOL_ROUTE(REF(X, "used")));
    fixture_apply(
        fixture,
        GATEWAY_HEAD("second") "spec: {gatewayClassName: c, listeners: [{name: a, port: 81, protocol: "
                               "HTTP}]}\n---\n" ROUTE(
                                   "r2", "{parentRefs: [{name: g}, {name: second}], rules: [{backendRefs: [" REF(
                                             X, "used") "]}]}"));
    fixture_compile(fixture);
    const struct object_status *used = status_report_find(fixture->report, KUBE_INFERENCE_POOL_X, "default", "used");
    assert_int_equal(used->parent_count, 2);
    assert_true(used->parents[0].namespace_given);
    assert_string_equal(fixture_condition(fixture, KUBE_INFERENCE_POOL_X, "used", "second", "ResolvedRefs"),
                        "True/ResolvedRefs");
    const struct object_status *unused =
        status_report_find(fixture->report, KUBE_INFERENCE_POOL_X, "default", "unused");
    assert_int_equal(unused->parent_count, 0);
}

static void a_route_that_is_not_accepted_gives_its_pool_no_parent(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture,
                  CLASS GATEWAY POOL_X("p") ROUTE(
                      "r", "{parentRefs: [{name: g, sectionName: none}], rules: [{backendRefs: [" REF(X, "p") "]}]}"));
    fixture_compile(fixture);
    assert_int_equal(status_report_find(fixture->report, KUBE_INFERENCE_POOL_X, "default", "p")->parent_count, 0);
}

static const char *pool_message(struct fixture *fixture, const char *name)
{
    const struct object_status *status = status_report_find(fixture->report, KUBE_INFERENCE_POOL, "default", name);
    return object_status_condition(status, "g", "ResolvedRefs")->message;
}

static void a_missing_picker_matters_only_to_v1_pools_in_a_cluster(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY POOL_V1("one") POOL_X("two") POOL_ROUTE(REF(V1, "one") ", " REF(X, "two")));
    fixture_compile(fixture);
    assert_string_equal(fixture_condition(fixture, KUBE_INFERENCE_POOL, "one", "g", "ResolvedRefs"),
                        "True/ResolvedRefs");
    assert_string_equal(
        pool_message(fixture, "one"),
        "spec.endpointPickerRef: Service default/picker does not exist; the built-in picker chooses endpoints");
    fixture->controller_name = "example.com/any";
    fixture_compile(fixture);
    assert_string_equal(fixture_condition(fixture, KUBE_INFERENCE_POOL, "one", "g", "ResolvedRefs"),
                        "False/InvalidExtensionRef");
    assert_string_equal(fixture_condition(fixture, KUBE_INFERENCE_POOL_X, "two", "g", "ResolvedRefs"),
                        "True/ResolvedRefs");
    assert_int_equal(rule(fixture)->arms[0].kind, POOL_ARM_INVALID);
    fixture_apply(fixture, SERVICE("picker"));
    fixture_compile(fixture);
    assert_string_equal(fixture_condition(fixture, KUBE_INFERENCE_POOL, "one", "g", "ResolvedRefs"),
                        "True/ResolvedRefs");
    assert_string_equal(pool_message(fixture, "one"), "the built-in picker chooses endpoints");
    assert_int_equal(rule(fixture)->arms[0].kind, POOL_ARM_POOL);
}

static void the_older_model_keeps_a_name_within_its_pool(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY POOL_X("p") POOL_X("q") POOL_ROUTE(REF(X, "p"))
                               MODEL("z-old", "{modelName: m, poolRef: {name: p}, targetModels: [{name: old}]}"));
    fixture_apply(fixture, MODEL("a-new", "{modelName: m, poolRef: {name: p}, targetModels: [{name: new}]}")
                               MODEL("elsewhere", "{modelName: m, poolRef: {name: q}}"));
    fixture_compile(fixture);
    assert_string_equal(model(fixture, "z-old"), "True/Accepted");
    assert_string_equal(model(fixture, "a-new"), "False/ModelNameInUse");
    assert_string_equal(model(fixture, "elsewhere"), "True/Accepted");
    const struct model_rule *found = hashmap_get(rule(fixture)->arms[0].models, BYTES("m"));
    assert_string_equal(found->object, "InferenceModel default/z-old");
    assert_true(bytes_equal_str(found->targets[0].name, "old"));
    assert_true(bytes_equal_str(found->targets[0].arm_id, "model/default/p/old"));
    assert_true(bytes_equal_str(found->targets[0].arm_text, "p/old"));
    assert_true(bytes_equal_str(found->split.stickiness->salt, "default/z-old"));
    assert_null(hashmap_get(rule(fixture)->arms[0].targets, BYTES("new")));
}

static void a_model_finds_its_pool_by_either_spelling(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture,
                  CLASS GATEWAY POOL_V1("p") POOL_ROUTE(REF(V1, "p")) MODEL("m", "{modelName: m, poolRef: {name: p}}"));
    fixture_apply(fixture, MODEL("lost", "{modelName: m, poolRef: {name: missing}}")
                               MODEL("wrong", "{modelName: n, poolRef: {kind: Service, name: p}}"));
    fixture_compile(fixture);
    assert_string_equal(model(fixture, "m"), "True/Accepted");
    assert_string_equal(model(fixture, "lost"), "False/Pending");
    assert_string_equal(model(fixture, "wrong"), "False/Pending");
    assert_non_null(hashmap_get(rule(fixture)->arms[0].models, BYTES("m")));
}

static void targets_of_one_name_are_one_arm(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY POOL_X("p") POOL_ROUTE(REF(X, "p"))
                               MODEL("m", "{modelName: m, poolRef: {name: p}, targetModels: [{name: a, weight: 1}, "
                                          "{name: b, weight: 2}, {name: a, weight: 3}]}"));
    fixture_compile(fixture);
    const struct model_rule *found = hashmap_get(rule(fixture)->arms[0].models, BYTES("m"));
    assert_int_equal(found->target_count, 2);
    assert_int_equal(found->targets[0].weight, 4);
}

#define REWRITE(group, name, spec)                                                                                     \
    "apiVersion: " group "/v1alpha2\n"                                                                                 \
    "kind: InferenceModelRewrite\n"                                                                                    \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: " spec "\n"                                                                                                 \
    "---\n"
#define NAMED(model) "matches: [{model: {type: Exact, value: " model "}}]"

static const char *target_of(struct fixture *fixture, const char *model)
{
    struct split_choice choice = DRAW(fixture, rule(fixture), .model = model, .key = "k");
    return choice.target != NULL ? arena_strndup(fixture->arena, choice.target->name) : "unchanged";
}

static void a_rewrite_is_a_source_of_model_rules(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, CLASS GATEWAY POOL_X("p") POOL_ROUTE(REF(X, "p")));
    fixture_apply(fixture, REWRITE("llm-d.ai", "old",
                                   "{poolRef: {name: p}, rules: [{" NAMED(
                                       "a") ", targets: "
                                            "[{modelRewrite: a-1}]}, {targets: [{modelRewrite: rest-1}]}]}"));
    fixture_apply(fixture, REWRITE("llm-d.ai", "new",
                                   "{poolRef: {name: p}, rules: [{targets: [{modelRewrite: "
                                   "rest-2}]}, {" NAMED("a") ", targets: [{modelRewrite: a-2}]}, {" NAMED(
                                       "b") ", targets: [{modelRewrite: b-2, weight: 1}, "
                                            "{modelRewrite: b-3, weight: 9}]}]}"));
    fixture_compile(fixture);
    assert_string_equal(target_of(fixture, "a"), "a-1");
    assert_string_equal(target_of(fixture, "z"), "rest-1");
    const struct model_rule *found = hashmap_get(rule(fixture)->arms[0].models, BYTES("b"));
    assert_int_equal(found->target_count, 2);
    /* who asks for a target by name gets it */
    assert_string_equal(target_of(fixture, "b-3"), "unchanged");
    assert_string_equal(fixture_condition(fixture, KUBE_MODEL_REWRITE, "old", NULL, "Accepted"), "True/Accepted");
    assert_string_equal(fixture_condition(fixture, KUBE_MODEL_REWRITE, "new", NULL, "Accepted"),
                        "False/ModelNameInUse");
    /* an InferenceModel goes before Rewrites */
    fixture_apply(fixture, MODEL("m", "{modelName: a, poolRef: {name: p}, targetModels: [{name: a-3}]}"));
    fixture_compile(fixture);
    assert_string_equal(target_of(fixture, "a"), "a-3");
    assert_string_equal(fixture_condition(fixture, KUBE_MODEL_REWRITE, "old", NULL, "Accepted"),
                        "False/ModelNameInUse");
}

static void pools_and_counters_are_given_back_with_the_snapshot(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture,
                  CLASS GATEWAY POOL_X("p") POOL_ROUTE(REF(X, "p")) MODEL("m", "{modelName: m, poolRef: {name: p}}"));
    fixture_compile(fixture);
    size_t cursor = 0;
    struct pool *pool = pool_registry_next(fixture->pools, &cursor);
    assert_int_equal(atomic_load(&pool->users), 1);
    route_snapshot_take(fixture->snapshot);
    route_snapshot_give_back(fixture->snapshot);
    assert_int_equal(atomic_load(&pool->users), 1);
    fixture_drop_result(fixture);
    assert_int_equal(atomic_load(&pool->users), 0);
    pool_registry_sweep(fixture->pools);
    cursor = 0;
    assert_null(pool_registry_next(fixture->pools, &cursor));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(each_spelling_of_a_pool_is_found_by_its_own_group),
        FIXTURE_TEST(both_spellings_of_one_name_share_a_pool),
        FIXTURE_TEST(a_pool_names_the_gateways_through_which_it_is_reached),
        FIXTURE_TEST(a_route_that_is_not_accepted_gives_its_pool_no_parent),
        FIXTURE_TEST(a_missing_picker_matters_only_to_v1_pools_in_a_cluster),
        FIXTURE_TEST(the_older_model_keeps_a_name_within_its_pool),
        FIXTURE_TEST(a_model_finds_its_pool_by_either_spelling),
        FIXTURE_TEST(targets_of_one_name_are_one_arm),
        FIXTURE_TEST(a_rewrite_is_a_source_of_model_rules),
        FIXTURE_TEST(pools_and_counters_are_given_back_with_the_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
