/* SPDX-License-Identifier: Apache-2.0 */
/* Weights by hand: the target's list of arms before and after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/canary_weight.h"

static json_t *tree_of(const char *text)
{
    char copy[2048];
    assert_true(strlen(text) < sizeof copy);
    strcpy(copy, text);
    for (char *c = copy; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *tree = json_loads(copy, 0, NULL);
    assert_non_null(tree);
    return tree;
}

struct weighing {
    enum canary_target_kind kind;
    const char *stable;
    const char *rule;
    unsigned bp;
    const char *before; /* the spec */
    const char *after;  /* the same; or the beginning of what is wrong */
};

static void check(const struct weighing *weighing, bool is_good)
{
    char error[CANARY_WEIGHT_ERROR_SIZE] = "";
    struct canary_spec spec = {.target = {.kind = weighing->kind, .name = "chat", .rule = weighing->rule},
                               .stable = weighing->stable,
                               .canary = "green"};
    json_t *target = json_object();
    json_object_set_new(target, "spec", tree_of(weighing->before));
    bool is_set = canary_weight_set(target, &spec, weighing->bp, error);
    char *text = json_dumps(json_object_get(target, "spec"), JSON_COMPACT | JSON_SORT_KEYS);
    if (is_set != is_good)
        print_error("%s\n%s\n%s\n", weighing->before, text, error);
    assert_true(is_set == is_good);
    if (is_good) {
        json_t *expected = tree_of(weighing->after);
        if (!json_equal(expected, json_object_get(target, "spec")))
            print_error("got %s\nnot %s\n", text, weighing->after);
        assert_true(json_equal(expected, json_object_get(target, "spec")));
        json_decref(expected);
    } else if (strncmp(error, weighing->after, strlen(weighing->after)) != 0) {
        fail_msg("\"%s\" instead of \"%s\"", error, weighing->after);
    }
    free(text);
    json_decref(target);
}

#define ROUTE(blue, green)                                                                                             \
    "{'rules':[{'backendRefs':[{'name':'blue','weight':" #blue "},{'name':'green','weight':" #green "}]}]}"

static void a_route_gets_percents_or_basis_points(void **state)
{
    (void)state;
    static const struct weighing weighings[] = {
        {CANARY_HTTP_ROUTE, "blue", "", 2500, ROUTE(9, 1), ROUTE(75, 25)},
        {CANARY_HTTP_ROUTE, "blue", "", 1250, ROUTE(9, 1), ROUTE(8750, 1250)},
        {CANARY_HTTP_ROUTE, "blue", "", 0, ROUTE(9, 1), ROUTE(100, 0)},
        {CANARY_HTTP_ROUTE, "blue", "", 10000, ROUTE(100, 0), ROUTE(0, 100)},
        {CANARY_HTTP_ROUTE, "", "", 5000, ROUTE(0, 0), ROUTE(50, 50)},
        {CANARY_HTTP_ROUTE, "", "", 5000, "{'rules':[{'backendRefs':[{'name':'blue'},{'name':'green'}]}]}",
         ROUTE(50, 50)},
    };
    for (size_t i = 0; i < ARRAY_LEN(weighings); i++)
        check(&weighings[i], true);
}

#define THREE(blue, green, red)                                                                                        \
    "{'rules':[{'backendRefs':[{'name':'blue','weight':" #blue "},{'name':'green','weight':" #green                    \
    "},{'name':'red','weight':" #red "}]}]}"

static void other_arms_keep_their_share_exactly(void **state)
{
    (void)state;
    static const struct weighing weighings[] = {
        {CANARY_HTTP_ROUTE, "blue", "", 2500, THREE(40, 40, 20), THREE(60, 20, 20)},
        {CANARY_HTTP_ROUTE, "blue", "", 2500, THREE(2, 0, 1), THREE(3, 1, 2)},
        {CANARY_HTTP_ROUTE, "blue", "", 1, THREE(1, 0, 1), THREE(9999, 1, 10000)},
        {CANARY_HTTP_ROUTE, "blue", "", 0, THREE(3, 4, 1), THREE(7, 0, 1)},
    };
    for (size_t i = 0; i < ARRAY_LEN(weighings); i++)
        check(&weighings[i], true);
}

#define MODEL(targets) "{'modelName':'blue','targetModels':[" targets "]}"

static void an_arm_of_a_model_without_share_is_not_listed(void **state)
{
    (void)state;
    static const struct weighing weighings[] = {
        {CANARY_INFERENCE_MODEL, "blue", "", 1000, "{'modelName':'blue'}",
         MODEL("{'name':'blue','weight':90},{'name':'green','weight':10}")},
        {CANARY_INFERENCE_MODEL, "", "", 1000, "{'modelName':'blue'}",
         MODEL("{'name':'blue','weight':90},{'name':'green','weight':10}")},
        {CANARY_INFERENCE_MODEL, "blue", "", 0, MODEL("{'name':'blue','weight':90},{'name':'green','weight':10}"),
         MODEL("{'name':'blue','weight':100}")},
        {CANARY_INFERENCE_MODEL, "blue", "", 10000, MODEL("{'name':'blue'},{'name':'green'}"),
         MODEL("{'name':'green','weight':100}")},
        {CANARY_INFERENCE_MODEL, "blue", "", 5000, MODEL("{'name':'green'}"),
         MODEL("{'name':'green','weight':50},{'name':'blue','weight':50}")},
        {CANARY_MODEL_REWRITE, "blue", "1", 2000,
         "{'rules':[{'targets':[{'modelRewrite':'green'}]},{'targets':[{'modelRewrite':'blue','weight':7}]}]}",
         "{'rules':[{'targets':[{'modelRewrite':'green'}]},"
         "{'targets':[{'modelRewrite':'blue','weight':80},{'modelRewrite':'green','weight':20}]}]}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(weighings); i++)
        check(&weighings[i], true);
}

static void a_rule_is_found_by_name_or_index(void **state)
{
    (void)state;
    static const char before[] = "{'rules':[{'name':'a','backendRefs':[{'name':'x'}]},"
                                 "{'name':'b','backendRefs':[{'name':'blue'},{'name':'green'}]}]}";
    static const char after[] =
        "{'rules':[{'name':'a','backendRefs':[{'name':'x'}]},"
        "{'name':'b','backendRefs':[{'name':'blue','weight':99},{'name':'green','weight':1}]}]}";
    check(&(struct weighing){CANARY_HTTP_ROUTE, "blue", "b", 100, before, after}, true);
    check(&(struct weighing){CANARY_HTTP_ROUTE, "blue", "1", 100, before, after}, true);
}

static void what_cannot_be_done_is_said(void **state)
{
    (void)state;
    static const struct weighing weighings[] = {
        {CANARY_HTTP_ROUTE, "blue", "", 100, "{}", "chat has no backendRefs"},
        {CANARY_HTTP_ROUTE, "blue", "", 100, "{'rules':[{},{}]}", "chat has 2 rules, and the Canary's"},
        {CANARY_HTTP_ROUTE, "blue", "c", 100, "{'rules':[{}]}", "chat has no rule c"},
        {CANARY_HTTP_ROUTE, "blue", "9", 100, "{'rules':[{}]}", "chat has no rule 9"},
        {CANARY_HTTP_ROUTE, "blue", "", 100, "{'rules':[{'backendRefs':[{'name':'blue'}]}]}", "chat has no arm green"},
        {CANARY_HTTP_ROUTE, "", "", 100, THREE(1, 1, 1), "the Canary names no stable arm, and chat has 2 arms"},
        {CANARY_HTTP_ROUTE, "blue", "", 100, THREE(0, 0, 1), "neither blue nor green has any share"},
        {CANARY_HTTP_ROUTE, "blue", "", 1, THREE(999998, 1, 1), "the weights of chat are too large"},
        {CANARY_HTTP_ROUTE, "blue", "", 100,
         "{'rules':[{'backendRefs':[{'name':'blue'},{'name':'blue'},{'name':'green'}]}]}",
         "chat has 2 arms named blue"},
        {CANARY_MODEL_REWRITE, "", "", 100, "{'rules':[{'targets':[{'modelRewrite':'green'}]}]}",
         "the Canary names no stable arm, and chat has 0 arms"},
    };
    for (size_t i = 0; i < ARRAY_LEN(weighings); i++)
        check(&weighings[i], false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_gets_percents_or_basis_points),
        cmocka_unit_test(other_arms_keep_their_share_exactly),
        cmocka_unit_test(an_arm_of_a_model_without_share_is_not_listed),
        cmocka_unit_test(a_rule_is_found_by_name_or_index),
        cmocka_unit_test(what_cannot_be_done_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
