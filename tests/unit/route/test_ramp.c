/* SPDX-License-Identifier: Apache-2.0 */
/* test_ramp.c: 100,000 keys while a canary goes from 1 to 100 % in ten steps, drawn from compiled routes. */
#include "fixture.h"

#include "base/compiler.h"

enum { KEYS = 100000 };

static const unsigned steps[] = {1, 2, 5, 10, 20, 30, 50, 70, 90, 100};

#define POOL_REF "{group: inference.networking.x-k8s.io, kind: InferencePool, name: "

/* Either the pool arms or, behind one pool, the model arms. */
static void set_weights(struct fixture *fixture, bool by_model, unsigned canary)
{
    char route[1000], model[1000], targets[300];
    snprintf(route, sizeof route,
             ROUTE("r", "{parentRefs: [{name: g}], rules: [{backendRefs: [" POOL_REF "v1, weight: %u}, " POOL_REF
                        "v2, weight: %u}]}]}"),
             by_model ? 1 : 100 - canary, by_model ? 0 : canary);
    /* share 0 of a model arm is its absence */
    if (canary < 100)
        snprintf(targets, sizeof targets, "{name: m-1, weight: %u}, {name: m-2, weight: %u}", 100 - canary, canary);
    else
        snprintf(targets, sizeof targets, "{name: m-2, weight: 1}");
    snprintf(model, sizeof model, MODEL("lora", "{modelName: m, poolRef: {name: %s}, targetModels: [%s]}"), "v1",
             targets);
    fixture_apply(fixture, route);
    fixture_apply(fixture, model);
    fixture_compile(fixture);
}

/* Whether each key is in the canary. */
static void draw_all(struct fixture *fixture, bool by_model, unsigned char *in_canary)
{
    const struct route_rule *rule = fixture_match(fixture, &(struct asked){.path = "/"}).rule;
    struct split_request request = fixture_turn(fixture, &(struct turn){.model = by_model ? "m" : ""});
    const char *headers[4] = {NULL};
    char header[64];
    request.facts.context = headers;
    headers[0] = header;
    for (unsigned i = 0; i < KEYS; i++) {
        struct split_choice choice;
        snprintf(header, sizeof header, "x-session-id=key-%u", i);
        route_split(rule, &request, &choice);
        in_canary[i] = by_model ? bytes_equal_str(choice.target->name, "m-2") : bytes_equal_str(choice.arm->text, "v2");
    }
}

static void expect_share(const unsigned char *in_canary, unsigned percent)
{
    unsigned count = 0;
    for (unsigned i = 0; i < KEYS; i++)
        count += in_canary[i];
    double share = 100.0 * count / KEYS;
    if (share < percent - 0.5 || share > percent + 0.5)
        fail_msg("%.2f %% of the keys at weight %u", share, percent);
}

static void ramp(struct fixture *fixture, bool by_model)
{
    unsigned char *before = must(calloc(KEYS, 1)), *now = must(calloc(KEYS, 1));
    fixture_apply(fixture, CLASS GATEWAY POOL_X("v1") POOL_X("v2"));
    for (unsigned step = 0; step < ARRAY_LEN(steps); step++) {
        set_weights(fixture, by_model, steps[step]);
        draw_all(fixture, by_model, now);
        expect_share(now, steps[step]);
        /* Into the canary and never back: at most one change of arm in the whole ramp. */
        for (unsigned i = 0; i < KEYS; i++)
            assert_true(now[i] >= before[i]);
        memcpy(before, now, KEYS);
    }
    /* And the way down takes out first who came in last. */
    set_weights(fixture, by_model, 10);
    draw_all(fixture, by_model, now);
    expect_share(now, 10);
    for (unsigned i = 0; i < KEYS; i++)
        assert_true(now[i] <= before[i]);
    free(before);
    free(now);
}

static void a_key_changes_its_pool_at_most_once(void **state)
{
    ramp(*state, false);
}

static void a_key_changes_its_model_at_most_once(void **state)
{
    ramp(*state, true);
}

static void two_gateways_agree(void **state)
{
    struct fixture *one = *state, *other = fixture_new();
    unsigned char *first = must(calloc(KEYS, 1)), *second = must(calloc(KEYS, 1));
    fixture_apply(one, CLASS GATEWAY POOL_X("v1") POOL_X("v2"));
    fixture_apply(other, POOL_X("v2") POOL_X("v1") GATEWAY CLASS); /* other ages, other order */
    for (unsigned by_model = 0; by_model < 2; by_model++) {
        set_weights(one, by_model, 30);
        set_weights(other, by_model, 80);
        set_weights(other, by_model, 30);
        draw_all(one, by_model, first);
        draw_all(other, by_model, second);
        assert_memory_equal(first, second, KEYS);
    }
    free(first);
    free(second);
    fixture_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_key_changes_its_pool_at_most_once),
        FIXTURE_TEST(a_key_changes_its_model_at_most_once),
        FIXTURE_TEST(two_gateways_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
