/* SPDX-License-Identifier: Apache-2.0 */
/* test_split.c: the two draws on compiled routes: model-aware arms, model targets, keys, and the arm text. */
#include "fixture.h"

#define POOL_REF(name, weight)                                                                                         \
    "{group: inference.networking.x-k8s.io, kind: InferencePool, name: " name ", weight: " weight "}"
#define CANARY                                                                                                         \
    ROUTE("r",                                                                                                         \
          "{parentRefs: [{name: g}], rules: [{backendRefs: [" POOL_REF("v1", "90") ", " POOL_REF("v2", "10") "]}]}")
#define BASE_MODELS                                                                                                    \
    MODEL("base-v1", "{modelName: base, poolRef: {name: v1}}")                                                         \
    MODEL("base-v2", "{modelName: base, poolRef: {name: v2}}")
#define LORA                                                                                                           \
    MODEL("lora", "{modelName: helper, poolRef: {name: v1}, targetModels: [{name: helper-1, weight: 90}, {name: "      \
                  "helper-2, weight: 10}]}")

static const struct route_rule *canary(struct fixture *fixture, const char *more)
{
    fixture_apply(fixture, CLASS GATEWAY POOL_X("v1") POOL_X("v2") BASE_MODELS LORA);
    fixture_apply(fixture, more);
    fixture_compile(fixture);
    return fixture_match(fixture, &(struct asked){.path = "/"}).rule;
}

static struct split_choice draw(struct fixture *fixture, const struct route_rule *rule, const char *model,
                                const char *key)
{
    return DRAW(fixture, rule, .model = model, .key = key);
}

static unsigned count_text(struct fixture *fixture, const struct route_rule *rule, const char *model, unsigned draws,
                           const char *text)
{
    unsigned count = 0;
    for (unsigned i = 0; i < draws; i++) {
        struct split_choice choice = draw(fixture, rule, model, "");
        count += bytes_equal_str(choice.arm_text, text);
    }
    return count;
}

static void a_model_that_both_pools_know_is_split_by_weight(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = canary(fixture, CANARY);
    assert_int_equal(route_eligible_arms(rule, BYTES("base")), 3);
    assert_int_equal(count_text(fixture, rule, "base", 100, "v2/base"), 10);
}

static void a_model_that_one_pool_knows_goes_there_alone(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = canary(fixture, CANARY);
    assert_int_equal(route_eligible_arms(rule, BYTES("helper")), 1);
    assert_int_equal(count_text(fixture, rule, "helper", 100, "v1/helper-2"), 10);
    assert_int_equal(count_text(fixture, rule, "helper", 100, "v1/helper-1"), 90);
}

static void a_target_asked_for_by_name_is_known_and_passes_unchanged(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = canary(fixture, CANARY);
    assert_int_equal(route_eligible_arms(rule, BYTES("helper-2")), 1);
    struct split_choice choice = draw(fixture, rule, "helper-2", "");
    assert_null(choice.model);
    assert_null(choice.target);
    assert_true(bytes_equal_str(choice.arm_text, "v1/helper-2"));
}

static void a_model_that_nobody_knows_is_split_and_passes_unchanged(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = canary(fixture, CANARY);
    assert_int_equal(route_eligible_arms(rule, BYTES("mystery")), 3);
    assert_int_equal(count_text(fixture, rule, "mystery", 100, "v2/mystery"), 10);
}

static void a_request_without_a_model_is_split_by_weight(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = canary(fixture, CANARY);
    assert_int_equal(route_eligible_arms(rule, BYTES("")), 3);
    assert_int_equal(count_text(fixture, rule, "", 100, "v2"), 10);
    assert_null(draw(fixture, rule, "", "").model);
}

static void a_model_listed_by_an_endpoint_makes_its_pool_know_it(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = canary(fixture, CANARY);
    const struct pool_member member = {.ip = "127.0.0.5", .port = 8000, .pod = "default/p", .is_ready = true};
    const struct pool_change change = {0};
    struct pool *pool = rule->arms[1].pool;
    pool_set_members(pool, &member, 1, &change);
    assert_int_equal(route_eligible_arms(rule, BYTES("loaded")), 3);
    endpoint_set_models(pool->members[0], &BYTES("loaded"), 1);
    assert_true(pool_arm_knows_model(&rule->arms[1], BYTES("loaded")));
    assert_false(pool_arm_knows_model(&rule->arms[0], BYTES("loaded")));
    assert_int_equal(route_eligible_arms(rule, BYTES("loaded")), 2);
}

static void an_arm_without_weight_does_not_make_others_unknowing(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule =
        canary(fixture, ROUTE("r", "{parentRefs: [{name: g}], rules: [{backendRefs: [" POOL_REF(
                                       "v1", "0") ", " POOL_REF("v2", "1") "]}]}"));
    assert_int_equal(route_eligible_arms(rule, BYTES("helper")), 2);
}

static void services_and_broken_references_keep_their_share(void **state)
{
    struct fixture *fixture = *state;
    fixture_apply(fixture, SERVICE("s"));
    const struct route_rule *rule = canary(
        fixture, ROUTE("r", "{parentRefs: [{name: g}], rules: [{backendRefs: [" POOL_REF("v1", "1") ", " POOL_REF(
                                "v2", "7") ", {name: s, port: 80, weight: 1}, " POOL_REF("missing", "1") "]}]}"));
    assert_int_equal(route_eligible_arms(rule, BYTES("helper")), 1 | 4 | 8);
    unsigned invalid = 0, service = 0;
    for (unsigned i = 0; i < 12; i++) {
        struct split_choice choice = draw(fixture, rule, "helper", "");
        invalid += choice.outcome == SPLIT_INVALID && strcmp(choice.arm->invalid_reason, "BackendNotFound") == 0;
        service += bytes_equal_str(choice.arm_text, "s");
    }
    assert_int_equal(invalid, 4);
    assert_int_equal(service, 4);
}

static void weights_of_zero_leave_no_arm(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule =
        canary(fixture, ROUTE("r", "{parentRefs: [{name: g}], rules: [{backendRefs: [" POOL_REF("v1", "0") "]}]}"));
    assert_int_equal(draw(fixture, rule, "base", "").outcome, SPLIT_NO_ARM);
    assert_int_equal(draw(fixture, rule, "base", "key").outcome, SPLIT_NO_ARM);
}

static void a_key_always_gets_the_same_arms_in_the_same_shares(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule = canary(fixture, CANARY);
    unsigned second_pool = 0, second_target = 0;
    for (unsigned i = 0; i < 10000; i++) {
        char key[16];
        snprintf(key, sizeof key, "user-%u", i);
        struct split_choice pool = draw(fixture, rule, "base", key), target = draw(fixture, rule, "helper", key);
        assert_ptr_equal(pool.arm, draw(fixture, rule, "base", key).arm);
        assert_ptr_equal(target.target, draw(fixture, rule, "helper", key).target);
        second_pool += bytes_equal_str(pool.arm_text, "v2/base");
        second_target += bytes_equal_str(target.arm_text, "v1/helper-2");
    }
    assert_in_range(second_pool, 880, 1120);
    assert_in_range(second_target, 880, 1120);
}

static void counters_survive_a_recompile_and_start_anew_with_other_weights(void **state)
{
    struct fixture *fixture = *state;
    const struct split_counters *before = canary(fixture, CANARY)->split.counters;
    fixture_apply(fixture, ROUTE("other", "{parentRefs: [{name: g}], rules: [{}]}"));
    fixture_compile(fixture);
    const struct route_rule *rule = fixture_match(fixture, &(struct asked){.path = "/"}).rule;
    assert_ptr_equal(rule->split.counters, before);
    fixture_apply(fixture, ROUTE("r", "{parentRefs: [{name: g}], rules: [{backendRefs: [" POOL_REF(
                                          "v1", "80") ", " POOL_REF("v2", "20") "]}]}"));
    fixture_compile(fixture);
    rule = fixture_match(fixture, &(struct asked){.path = "/"}).rule;
    assert_ptr_not_equal(rule->split.counters, before);
    assert_int_equal(count_text(fixture, rule, "base", 10, "v2/base"), 2);
    split_registry_sweep(fixture->splits);
    pool_registry_sweep(fixture->pools);
    assert_int_equal(count_text(fixture, rule, "base", 10, "v2/base"), 2);
}

static void a_model_name_from_a_client_cannot_break_the_arm_text(void **state)
{
    struct fixture *fixture = *state;
    const struct route_rule *rule =
        canary(fixture, ROUTE("r", "{parentRefs: [{name: g}], rules: [{backendRefs: [" POOL_REF("v1", "1") "]}]}"));
    assert_true(bytes_equal_str(draw(fixture, rule, "a\r\nSet-Cookie: x", "").arm_text, "v1/a??Set-Cookie:?x"));
    char name[1000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(draw(fixture, rule, name, "").arm_text.len, 3 + 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_model_that_both_pools_know_is_split_by_weight),
        FIXTURE_TEST(a_model_that_one_pool_knows_goes_there_alone),
        FIXTURE_TEST(a_target_asked_for_by_name_is_known_and_passes_unchanged),
        FIXTURE_TEST(a_model_that_nobody_knows_is_split_and_passes_unchanged),
        FIXTURE_TEST(a_request_without_a_model_is_split_by_weight),
        FIXTURE_TEST(a_model_listed_by_an_endpoint_makes_its_pool_know_it),
        FIXTURE_TEST(an_arm_without_weight_does_not_make_others_unknowing),
        FIXTURE_TEST(services_and_broken_references_keep_their_share),
        FIXTURE_TEST(weights_of_zero_leave_no_arm),
        FIXTURE_TEST(a_key_always_gets_the_same_arms_in_the_same_shares),
        FIXTURE_TEST(counters_survive_a_recompile_and_start_anew_with_other_weights),
        FIXTURE_TEST(a_model_name_from_a_client_cannot_break_the_arm_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
