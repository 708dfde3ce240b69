/* SPDX-License-Identifier: Apache-2.0 */
/* Where weights stand in routes and models, and what the next object says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "control/canaries/target.h"

static struct kube_object *object_of(const char *text)
{
    json_t *tree = json_loads(text, 0, NULL);
    assert_non_null(tree);
    struct arena *arena = arena_new(0);
    struct problems problems;
    problems_init(&problems, arena);
    struct kube_object *object = kube_object_decode(tree, &problems);
    if (object == NULL)
        fail_msg("%s", problem_text(problems.first, arena));
    arena_free(arena);
    json_decref(tree);
    return object;
}

#define POOL_REF(name, weight)                                                                                         \
    "{\"group\":\"inference.networking.k8s.io\",\"kind\":\"InferencePool\",\"name\":\"" name "\",\"weight\":" weight "}"
#define ROUTE(annotations, rules)                                                                                      \
    "{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"HTTPRoute\",\"metadata\":{\"name\":\"r\","            \
    "\"annotations\":{" annotations "}},\"spec\":{\"parentRefs\":[{\"name\":\"g\"}],\"rules\":[" rules "]}}"
#define RULE(name, refs) "{\"name\":\"" name "\",\"backendRefs\":[" refs "]}"
#define MODEL(targets)                                                                                                 \
    "{\"apiVersion\":\"inference.networking.x-k8s.io/v1alpha2\",\"kind\":\"InferenceModel\",\"metadata\":{\"name\":"   \
    "\"m\"},\"spec\":{\"modelName\":\"chat\",\"criticality\":\"Standard\",\"poolRef\":{\"name\":\"p\"}" targets "}}"

static struct target_wish wish_of(enum kube_kind kind, const char *stable, const char *canary)
{
    return (struct target_wish){.kind = kind,
                                .canary_object = "c",
                                .uid = "1a2b3c4d-5e6f",
                                .rule = "",
                                .stable = stable,
                                .canary = canary,
                                .known_stable = ""};
}

static struct target_view view_of(struct kube_object *object, const struct target_wish *wish)
{
    struct target_view view;
    target_read(object, wish, &view);
    return view;
}

/* The list of arms as text: "a=90 b=10". */
static void arms_are(const json_t *list, const char *name_key, const char *expected)
{
    char text[200] = "";
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *arm = json_array_get(list, i);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s=%lld", i > 0 ? " " : "",
                 json_string_value(json_object_get(arm, name_key)),
                 (long long)json_integer_value(json_object_get(arm, "weight")));
    }
    assert_string_equal(text, expected);
}

static const json_t *backends(const json_t *tree, size_t rule)
{
    const json_t *rules = json_object_get(json_object_get(tree, "spec"), "rules");
    return json_object_get(json_array_get(rules, rule), "backendRefs");
}

static void the_other_backend_is_stable(void **state)
{
    (void)state;
    struct kube_object *route = object_of(ROUTE("", RULE("a", POOL_REF("old", "90") "," POOL_REF("new", "10"))));
    struct target_wish wish = wish_of(KUBE_HTTP_ROUTE, "", "new");
    struct target_view view = view_of(route, &wish);
    assert_true(view.is_usable);
    assert_string_equal(view.stable, "old");
    assert_int_equal(view.weight_bp, 1000);
    assert_true(view.is_pool);
    assert_string_equal(view.pool_namespace, "default");
    kube_object_give_back(route);
}

static void a_canary_that_is_absent_has_no_share_and_is_added_like_stable(void **state)
{
    (void)state;
    struct kube_object *route = object_of(ROUTE("", RULE("a", POOL_REF("old", "1"))));
    struct target_wish wish = wish_of(KUBE_HTTP_ROUTE, "", "new");
    struct target_view view = view_of(route, &wish);
    assert_true(view.is_usable);
    assert_int_equal(view.weight_bp, 0);
    json_t *next = target_write(route, &wish, &view, 500, 3);
    arms_are(backends(next, 0), "name", "old=95 new=5");
    assert_string_equal(json_string_value(json_object_get(json_array_get(backends(next, 0), 1), "kind")),
                        "InferencePool");
    json_decref(next);
    kube_object_give_back(route);
}

static void a_third_arm_with_traffic_is_a_problem_and_one_without_is_not(void **state)
{
    (void)state;
    struct kube_object *three =
        object_of(ROUTE("", RULE("a", POOL_REF("old", "80") "," POOL_REF("new", "10") "," POOL_REF("other", "10"))));
    struct target_wish wish = wish_of(KUBE_HTTP_ROUTE, "old", "new");
    struct target_view view = view_of(three, &wish);
    assert_false(view.is_usable);
    assert_non_null(strstr(view.problem, "\"old\" and \"new\""));
    kube_object_give_back(three);
    struct kube_object *two =
        object_of(ROUTE("", RULE("a", POOL_REF("old", "80") "," POOL_REF("new", "10") "," POOL_REF("other", "0"))));
    view = view_of(two, &wish);
    assert_true(view.is_usable);
    kube_object_give_back(two);
}

static void one_of_several_rules_must_be_named(void **state)
{
    (void)state;
    struct kube_object *route =
        object_of(ROUTE("", RULE("first", POOL_REF("old", "1") "," POOL_REF("new", "0")) "," RULE(
                                "second", POOL_REF("old", "7") "," POOL_REF("new", "3"))));
    struct target_wish wish = wish_of(KUBE_HTTP_ROUTE, "", "new");
    struct target_view view = view_of(route, &wish);
    assert_false(view.is_usable);
    assert_non_null(strstr(view.problem, "it has 2 rules"));
    wish.rule = "second";
    view = view_of(route, &wish);
    assert_true(view.is_usable);
    assert_int_equal(view.rule, 1);
    assert_int_equal(view.weight_bp, 3000);
    wish.rule = "0";
    view = view_of(route, &wish);
    assert_int_equal(view.rule, 0);
    wish.rule = "third";
    view = view_of(route, &wish);
    assert_string_equal(view.problem, "it has no rule \"third\"");
    kube_object_give_back(route);
}

static void moves_of_several_canaries_stand_side_by_side(void **state)
{
    (void)state;
    struct kube_object *route = object_of(ROUTE("\"serin.dev/canary-move\":\"other/7/100/99 c/4/500/1a2b3c4d\"",
                                                RULE("a", POOL_REF("old", "95") "," POOL_REF("new", "5"))));
    struct target_wish wish = wish_of(KUBE_HTTP_ROUTE, "", "new");
    struct target_view view = view_of(route, &wish);
    assert_int_equal(view.applied_move, 4);
    json_t *next = target_write(route, &wish, &view, 2500, 5);
    const json_t *annotations = json_object_get(json_object_get(next, "metadata"), "annotations");
    assert_string_equal(json_string_value(json_object_get(annotations, CANARY_MOVE_ANNOTATION)),
                        "other/7/100/99 c/5/2500/1a2b3c4d");
    arms_are(backends(next, 0), "name", "old=75 new=25");
    json_decref(next);
    kube_object_give_back(route);
}

/* It counted its own moves: taken for ours, its last one would be a weight that somebody changed. */
static void a_move_of_a_former_canary_of_the_same_name_is_not_ours(void **state)
{
    (void)state;
    struct kube_object *route = object_of(ROUTE("\"serin.dev/canary-move\":\"c/4/500/00000000\"",
                                                RULE("a", POOL_REF("old", "95") "," POOL_REF("new", "5"))));
    struct target_wish wish = wish_of(KUBE_HTTP_ROUTE, "", "new");
    struct target_view view = view_of(route, &wish);
    assert_int_equal(view.applied_move, 0);
    json_t *next = target_write(route, &wish, &view, 100, 1);
    const json_t *annotations = json_object_get(json_object_get(next, "metadata"), "annotations");
    assert_string_equal(json_string_value(json_object_get(annotations, CANARY_MOVE_ANNOTATION)), "c/1/100/1a2b3c4d");
    json_decref(next);
    kube_object_give_back(route);
}

static void a_route_keeps_an_arm_of_weight_zero(void **state)
{
    (void)state;
    struct kube_object *route = object_of(ROUTE("", RULE("a", POOL_REF("old", "95") "," POOL_REF("new", "5"))));
    struct target_wish wish = wish_of(KUBE_HTTP_ROUTE, "", "new");
    struct target_view view = view_of(route, &wish);
    json_t *next = target_write(route, &wish, &view, 0, 1);
    arms_are(backends(next, 0), "name", "old=100 new=0");
    json_decref(next);
    next = target_write(route, &wish, &view, 10000, 1);
    arms_are(backends(next, 0), "name", "old=0 new=100");
    json_decref(next);
    kube_object_give_back(route);
}

static const json_t *targets(const json_t *tree)
{
    return json_object_get(json_object_get(tree, "spec"), "targetModels");
}

static void a_model_without_targets_is_its_own_stable_arm(void **state)
{
    (void)state;
    struct kube_object *model = object_of(MODEL(""));
    struct target_wish wish = wish_of(KUBE_INFERENCE_MODEL, "", "chat-v2");
    struct target_view view = view_of(model, &wish);
    assert_true(view.is_usable);
    assert_string_equal(view.stable, "chat");
    assert_string_equal(view.pool, "p");
    assert_int_equal(view.weight_bp, 0);
    json_t *next = target_write(model, &wish, &view, 150, 1);
    arms_are(targets(next), "name", "chat-v2=150 chat=9850");
    json_decref(next);
    kube_object_give_back(model);
}

static void share_zero_of_a_model_arm_is_its_absence(void **state)
{
    (void)state;
    struct kube_object *model =
        object_of(MODEL(",\"targetModels\":[{\"name\":\"v1\",\"weight\":90},{\"name\":\"v2\",\"weight\":10}]"));
    struct target_wish wish = wish_of(KUBE_INFERENCE_MODEL, "", "v2");
    struct target_view view = view_of(model, &wish);
    json_t *next = target_write(model, &wish, &view, 0, 1);
    arms_are(targets(next), "name", "v1=100");
    json_decref(next);
    next = target_write(model, &wish, &view, 10000, 1);
    arms_are(targets(next), "name", "v2=100");
    json_decref(next);
    kube_object_give_back(model);
}

static void stable_that_has_left_is_known_from_before(void **state)
{
    (void)state;
    struct kube_object *model = object_of(MODEL(",\"targetModels\":[{\"name\":\"v2\",\"weight\":100}]"));
    struct target_wish wish = wish_of(KUBE_INFERENCE_MODEL, "", "v2");
    struct target_view view = view_of(model, &wish);
    assert_false(view.is_usable);
    wish.known_stable = "v1";
    view = view_of(model, &wish);
    assert_true(view.is_usable);
    assert_int_equal(view.weight_bp, 10000);
    json_t *next = target_write(model, &wish, &view, 0, 2);
    arms_are(targets(next), "name", "v1=100");
    json_decref(next);
    kube_object_give_back(model);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    struct kube_object *route = object_of(ROUTE("", RULE("a", POOL_REF("old", "1"))));
    struct target_wish wish = wish_of(KUBE_HTTP_ROUTE, "old", "new");
    struct target_view view = view_of(route, &wish);
    for (unsigned bp = 0; bp <= 10000; bp += 37) {
        json_t *tree = target_write(route, &wish, &view, bp, bp + 1);
        struct problems problems;
        struct arena *arena = arena_new(0);
        problems_init(&problems, arena);
        struct kube_object *next = kube_object_decode(tree, &problems);
        assert_non_null(next);
        struct target_view after = view_of(next, &wish);
        assert_int_equal(after.weight_bp, bp);
        assert_int_equal(after.applied_move, bp + 1);
        kube_object_give_back(next);
        arena_free(arena);
        json_decref(tree);
    }
    kube_object_give_back(route);
}

static void a_target_that_is_not_there_says_so(void **state)
{
    (void)state;
    struct target_wish wish = wish_of(KUBE_HTTP_ROUTE, "", "new");
    struct target_view view = view_of(NULL, &wish);
    assert_false(view.is_usable);
    assert_string_equal(view.problem, "it does not exist");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_other_backend_is_stable),
        cmocka_unit_test(a_canary_that_is_absent_has_no_share_and_is_added_like_stable),
        cmocka_unit_test(a_third_arm_with_traffic_is_a_problem_and_one_without_is_not),
        cmocka_unit_test(one_of_several_rules_must_be_named),
        cmocka_unit_test(moves_of_several_canaries_stand_side_by_side),
        cmocka_unit_test(a_move_of_a_former_canary_of_the_same_name_is_not_ours),
        cmocka_unit_test(a_route_keeps_an_arm_of_weight_zero),
        cmocka_unit_test(a_model_without_targets_is_its_own_stable_arm),
        cmocka_unit_test(share_zero_of_a_model_arm_is_its_absence),
        cmocka_unit_test(stable_that_has_left_is_known_from_before),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_target_that_is_not_there_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
