/* SPDX-License-Identifier: Apache-2.0 */
/* test_canary.c: a Canary in full and in five lines, and what each bad one is told. */
#include "unit/kube/api/support.h"

#include "kube/api/canary.h"

#define HEAD MANIFEST_HEAD("serin.dev/v1alpha1", "Canary")

static const char spec_head[] = HEAD "spec:\n  targetRef: {kind: HTTPRoute, name: chat}\n  canary: green\n  ";
static const char bare[] = HEAD "spec:\n  ";
static const char step[] =
    HEAD "spec:\n  targetRef: {kind: HTTPRoute, name: chat}\n  canary: green\n  steps:\n  - {weight: 1}\n  - ";
static const char guard[] =
    HEAD "spec:\n  targetRef: {kind: HTTPRoute, name: chat}\n  canary: green\n  analysis:\n    guards:\n    - ";

static void five_lines_make_a_sensible_canary(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    const struct canary_spec *canary =
        fixture_spec(&fixture, "apiVersion: serin.dev/v1alpha1\nkind: Canary\nmetadata: {name: chat}\n"
                               "spec: {targetRef: {kind: InferenceModelRewrite, name: chat}, canary: chat-v2}\n");
    assert_int_equal(canary->target.kind, CANARY_MODEL_REWRITE);
    assert_string_equal(canary->target.group, "");
    assert_string_equal(canary->target.rule, "");
    assert_string_equal(canary->stable, "");
    assert_string_equal(canary->canary, "chat-v2");
    assert_int_equal(canary->step_count, 4);
    assert_int_equal(canary->steps[0].weight_bp, 100);
    assert_int_equal(canary->steps[3].weight_bp, 5000);
    assert_int_equal(canary->steps[3].hold, CANARY_HOLD_DURATION);
    assert_int_equal(canary->steps[3].hold_ms, 300000);
    assert_true(canary->analysis.is_enabled);
    assert_int_equal(canary->analysis.interval_ms, 10000);
    assert_int_equal(canary->analysis.window_ms, 300000);
    assert_int_equal(canary->analysis.min_samples, 50);
    assert_float_equal(canary->analysis.max_slack, 4, 0);
    assert_int_equal(canary->analysis.guard_count, 0);
    assert_true(canary->stickiness.default_keys);
    assert_false(canary->stickiness.user || canary->stickiness.api_key || canary->stickiness.derived_key);
    assert_false(canary->stickiness.new_conversations_only);
    assert_string_equal(canary->salt, "default/chat");
    assert_false(canary->stable_price.is_given || canary->canary_price.is_given);
    assert_string_equal(canary->pin.header, "");
    assert_int_equal(canary->warmup.endpoints, 0);
    assert_int_equal(canary->warmup.timeout_ms, 600000);
    assert_int_equal(canary->warmup.slow_start_ms, 30000);
    assert_string_equal(canary->warmup.adapter_path, "");
    assert_float_equal(canary->capacity.max_queue, 5, 0);
    assert_float_equal(canary->capacity.max_kv_cache, 0.9, 0);
    assert_false(canary->holds_on_failure || canary->is_suspended);
    fixture_close(&fixture);
}

static const char whole[] =
    "apiVersion: serin.dev/v1alpha1\nkind: Canary\nmetadata: {name: chat, namespace: models}\n"
    "spec:\n"
    "  targetRef: {group: gateway.networking.k8s.io, kind: HTTPRoute, name: chat, rule: 2}\n"
    "  stable: blue\n"
    "  canary: green\n"
    "  steps:\n"
    "  - {weight: 0.01, hold: 90s}\n"
    "  - {weight: 12.5, hold: {requests: 1000}}\n"
    "  - {weight: 99.99, hold: {approval: true}}\n"
    "  - {weight: 100, hold: {duration: 1h}}\n"
    "  analysis:\n"
    "    interval: 5s\n"
    "    window: 1m\n"
    "    minimumSamples: 200\n"
    "    maxSlack: 1.5\n"
    "    guards:\n"
    "    - {metric: errorRate, relative: {increase: 0.5%}, absolute: 2%, severity: hold}\n"
    "    - {metric: ttft, quantile: 0.95, relative: {ratio: 1.25, increase: 20ms}}\n"
    "    - {metric: cacheHitShare, relative: {ratio: 0.9, decrease: 5%}}\n"
    "    - {metric: outputTokens, direction: atLeast, absolute: 20.5}\n"
    "    - {metric: cost, absolute: 0.002}\n"
    "  prices:\n"
    "    stable: {inputPerMillion: 0.1, outputPerMillion: 1000000}\n"
    "    canary: {inputPerMillion: 2.5, cachedInputPerMillion: 0, outputPerMillion: 0.000001}\n"
    "  stickiness:\n"
    "    header: X-User\n    cookie: sid\n    defaultKeys: false\n    user: true\n    apiKey: true\n"
    "    derivedKey: true\n    newConversationsOnly: true\n    salt: ours\n"
    "    pin: {header: X-Pin, secretRef: {name: pins}}\n"
    "  warmup: {endpoints: 3, timeout: 1m, slowStart: 0s, adapter: {path: /adapters/x}}\n"
    "  capacity: {maxQueue: 0.5, maxKvCache: 0.8}\n"
    "  onFailure: hold\n"
    "  suspend: true\n"
    "status: {phase: anything}\n";

static void expect_steps(const struct canary_spec *canary)
{
    static const struct canary_step steps[] = {
        {.weight_bp = 1, .hold = CANARY_HOLD_DURATION, .hold_ms = 90000},
        {.weight_bp = 1250, .hold = CANARY_HOLD_REQUESTS, .hold_requests = 1000},
        {.weight_bp = 9999, .hold = CANARY_HOLD_APPROVAL},
        {.weight_bp = 10000, .hold = CANARY_HOLD_DURATION, .hold_ms = 3600000},
    };
    assert_int_equal(canary->step_count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(canary->steps[i].weight_bp, steps[i].weight_bp);
        assert_int_equal(canary->steps[i].hold, steps[i].hold);
        assert_int_equal(canary->steps[i].hold_requests, steps[i].hold_requests);
        if (steps[i].hold == CANARY_HOLD_DURATION)
            assert_int_equal(canary->steps[i].hold_ms, steps[i].hold_ms);
    }
}

static void expect_guards(const struct canary_analysis *analysis)
{
    const struct canary_guard *guards = analysis->guards;
    assert_int_equal(analysis->guard_count, 5);
    assert_string_equal(guards[0].metric, "errorRate");
    assert_true(guards[0].has_relative && guards[0].has_absolute && guards[0].holds && !guards[0].is_at_least);
    assert_float_equal(guards[0].ratio, 1, 0);
    assert_float_equal(guards[0].increase, 0.005, 1e-12);
    assert_float_equal(guards[0].absolute, 0.02, 1e-12);
    assert_float_equal(guards[0].quantile, 0, 0);
    assert_true(guards[1].has_relative && !guards[1].has_absolute && !guards[1].holds);
    assert_float_equal(guards[1].quantile, 0.95, 0);
    assert_float_equal(guards[1].ratio, 1.25, 0);
    assert_float_equal(guards[1].increase, 20000, 0);
    assert_true(guards[2].is_at_least);
    assert_float_equal(guards[2].increase, 0.05, 1e-12);
    assert_true(guards[3].is_at_least && !guards[3].has_relative);
    assert_float_equal(guards[3].absolute, 20.5, 0);
    assert_float_equal(guards[4].absolute, 2000, 1e-9);
}

static void expect_price(const struct canary_price *price, uint64_t input, uint64_t cached, uint64_t output)
{
    assert_true(price->is_given);
    assert_int_equal(price->input_micros, input);
    assert_int_equal(price->cached_micros, cached);
    assert_int_equal(price->output_micros, output);
}

static void a_canary_is_decoded_in_full(void **state)
{
    (void)state;
    struct reading_fixture fixture;
    fixture_open(&fixture);
    const struct canary_spec *canary = fixture_spec(&fixture, whole);
    assert_int_equal(canary->target.kind, CANARY_HTTP_ROUTE);
    assert_string_equal(canary->target.group, "gateway.networking.k8s.io");
    assert_string_equal(canary->target.name, "chat");
    assert_string_equal(canary->target.rule, "2");
    assert_string_equal(canary->stable, "blue");
    expect_steps(canary);
    assert_int_equal(canary->analysis.interval_ms, 5000);
    assert_int_equal(canary->analysis.window_ms, 60000);
    assert_int_equal(canary->analysis.min_samples, 200);
    assert_float_equal(canary->analysis.max_slack, 1.5, 0);
    expect_guards(&canary->analysis);
    expect_price(&canary->stable_price, 100000, 100000, 1000000000000);
    expect_price(&canary->canary_price, 2500000, 0, 1);
    assert_string_equal(canary->stickiness.header, "X-User");
    assert_string_equal(canary->stickiness.cookie, "sid");
    assert_false(canary->stickiness.default_keys);
    assert_true(canary->stickiness.user && canary->stickiness.api_key && canary->stickiness.derived_key);
    assert_true(canary->stickiness.new_conversations_only);
    assert_string_equal(canary->salt, "ours");
    assert_string_equal(canary->pin.header, "X-Pin");
    assert_string_equal(canary->pin.secret_name, "pins");
    assert_string_equal(canary->pin.secret_key, "token");
    assert_int_equal(canary->warmup.endpoints, 3);
    assert_int_equal(canary->warmup.timeout_ms, 60000);
    assert_int_equal(canary->warmup.slow_start_ms, 0);
    assert_string_equal(canary->warmup.adapter_path, "/adapters/x");
    assert_float_equal(canary->capacity.max_queue, 0.5, 0);
    assert_float_equal(canary->capacity.max_kv_cache, 0.8, 0);
    assert_true(canary->holds_on_failure && canary->is_suspended);
    fixture_close(&fixture);
}

static void a_step_without_hold_is_held_for_five_minutes(void **state)
{
    (void)state;
    static const char *const steps[] = {"[{weight: 5}]", "[{weight: 5, hold: null}]", "[{weight: 5, hold: 5m}]",
                                        "[{weight: 5, hold: {duration: 300s}}]"};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct reading_fixture fixture;
        fixture_open(&fixture);
        const struct canary_spec *canary =
            fixture_spec(&fixture, arena_printf(fixture.arena, "%ssteps: %s\n", spec_head, steps[i]));
        assert_int_equal(canary->steps[0].hold, CANARY_HOLD_DURATION);
        assert_int_equal(canary->steps[0].hold_ms, 300000);
        fixture_close(&fixture);
    }
}

/* Every weight with two decimals is exact, whatever the fraction looks like in binary. */
static void all_weights_with_two_decimals_are_taken_exactly(void **state)
{
    (void)state;
    for (unsigned bp = 1; bp <= 10000; bp++) {
        struct reading_fixture fixture;
        fixture_open(&fixture);
        const char *text = arena_printf(fixture.arena, "%ssteps: [{weight: %u.%02u}]\n", spec_head, bp / 100, bp % 100);
        const struct canary_spec *canary = fixture_spec(&fixture, text);
        assert_int_equal(canary->steps[0].weight_bp, bp);
        fixture_close(&fixture);
    }
}

static const struct bad_manifest bad_manifests[] = {
    {HEAD, "", "spec", "Required", "required"},
    {bare, "canary: green", "spec.targetRef", "Required", "required"},
    {bare, "targetRef: {kind: HTTPRoute, name: chat}", "spec.canary", "Required", "required"},
    {bare, "targetRef: {name: chat}", "spec.targetRef.kind", "Required", "required"},
    {bare, "targetRef: {kind: HTTPRoute}", "spec.targetRef.name", "Required", "required"},
    {bare, "targetRef: {kind: Service, name: chat}", "spec.targetRef.kind", "Invalid",
     "must be HTTPRoute, InferenceModel or InferenceModelRewrite"},
    {bare, "targetRef: {kind: HTTPRoute, group: apps, name: chat}", "spec.targetRef.group", "Invalid",
     "must be gateway.networking.k8s.io"},
    {bare, "targetRef: {kind: InferenceModelRewrite, group: apps, name: chat}", "spec.targetRef.group", "Invalid",
     "must be inference.networking.x-k8s.io or llm-d.ai"},
    {bare, "targetRef: {kind: InferenceModel, name: chat, rule: a}", "spec.targetRef.rule", "Invalid",
     "must not be given for kind InferenceModel"},
    {bare, "targetRef: {kind: HTTPRoute, name: chat, rule: 16}", "spec.targetRef.rule", "Invalid", "must be 0..15"},
    {bare, "targetRef: {kind: HTTPRoute, name: chat, namespace: other}", "spec.targetRef.namespace", "UnknownField",
     "unknown field"},
    {spec_head, "stable: green", "spec.canary", "Invalid", "must be another arm than stable"},
    {spec_head, "stable: ''", "spec.stable", "Invalid", "must not be empty"},
    {spec_head, "onFailure: panic", "spec.onFailure", "Invalid", "must be rollback or hold"},
    {spec_head, "suspend: 'yes'", "spec.suspend", "TypeMismatch", "must be true or false"},
    {spec_head, "step: []", "spec.step", "UnknownField", "unknown field; did you mean \"steps\"?"},
    /* steps */
    {spec_head, "steps: []", "spec.steps", "Invalid", "must have 1..32 items"},
    {step, "{}", "spec.steps[1].weight", "Required", "required"},
    {step, "{weight: 0}", "spec.steps[1].weight", "Invalid", "must be 0.01..100"},
    {step, "{weight: 100.01}", "spec.steps[1].weight", "Invalid", "must be 0.01..100"},
    {step, "{weight: 5%}", "spec.steps[1].weight", "TypeMismatch", "must be a number"},
    {step, "{weight: 5.125}", "spec.steps[1].weight", "Invalid", "must have at most two decimals"},
    {step, "{weight: 1}", "spec.steps[1].weight", "Invalid", "must be above 1, the weight of the step before"},
    {step, "{weight: 5, hold: 600}", "spec.steps[1].hold", "TypeMismatch", "must be a duration such as 10m, or"},
    {step, "{weight: 5, hold: 10 minutes}", "spec.steps[1].hold", "Invalid", "must be a duration"},
    {step, "{weight: 5, hold: {}}", "spec.steps[1].hold", "Required", "must have one of"},
    {step, "{weight: 5, hold: {duration: 1m, approval: true}}", "spec.steps[1].hold", "Invalid", "must have only one"},
    {step, "{weight: 5, hold: {approval: false}}", "spec.steps[1].hold.approval", "Invalid", "must be true"},
    {step, "{weight: 5, hold: {requests: 0}}", "spec.steps[1].hold.requests", "Invalid", "must be 1..1000000000"},
    {step, "{weight: 5, pause: 1m}", "spec.steps[1].pause", "UnknownField", "unknown field"},
    /* analysis */
    {spec_head, "analysis: {interval: 500ms}", "spec.analysis.interval", "Invalid", "must be 1s..600s"},
    {spec_head, "analysis: {interval: 1m, window: 10s}", "spec.analysis.window", "Invalid",
     "must not be shorter than interval"},
    {spec_head, "analysis: {minimumSamples: 0}", "spec.analysis.minimumSamples", "Invalid", "must be 1..1000000"},
    {spec_head, "analysis: {maxSlack: 0.5}", "spec.analysis.maxSlack", "Invalid", "must be 1..100"},
    {spec_head, "analysis: {guards: []}", "spec.analysis.guards", "Invalid", "must have 1..24 items"},
    {guard, "{absolute: 5%}", "spec.analysis.guards[0].metric", "Required", "required"},
    {guard, "{metric: latency, absolute: 5s}", "spec.analysis.guards[0].metric", "Invalid", "must be errorRate, "},
    {guard, "{metric: errorRate}", "spec.analysis.guards[0]", "Required", "must have a limit"},
    {guard, "{metric: errorRate, relative: {}}", "spec.analysis.guards[0].relative", "Required",
     "must have ratio or increase"},
    {guard, "{metric: errorRate, absolute: 0.02}", "spec.analysis.guards[0].absolute", "Invalid",
     "must be a percentage such as 0.5%"},
    {guard, "{metric: errorRate, absolute: 1.2.3%}", "spec.analysis.guards[0].absolute", "Invalid",
     "must be a percentage such as 0.5%"},
    {guard, "{metric: errorRate, absolute: 101%}", "spec.analysis.guards[0].absolute", "Invalid",
     "must be at most 100%"},
    {guard, "{metric: errorRate, absolute: 100%}", "spec.analysis.guards[0].absolute", "Invalid", "must be below 100%"},
    {guard, "{metric: errorRate, relative: {increase: 100%}}", "spec.analysis.guards[0].relative.increase", "Invalid",
     "must be below 100%"},
    {guard, "{metric: errorRate, quantile: 0.5, absolute: 1%}", "spec.analysis.guards[0].quantile", "Invalid",
     "must not be given for errorRate"},
    {guard, "{metric: ttft, quantile: 95, absolute: 1s}", "spec.analysis.guards[0].quantile", "Invalid",
     "must be 0.01"},
    {guard, "{metric: ttft, absolute: 400}", "spec.analysis.guards[0].absolute", "TypeMismatch", "must be a duration"},
    {guard, "{metric: ttft, absolute: 0s}", "spec.analysis.guards[0].absolute", "Invalid", "must be above 0"},
    {guard, "{metric: ttft, relative: {ratio: 0}}", "spec.analysis.guards[0].relative.ratio", "Invalid",
     "must be 0.01..100"},
    {guard, "{metric: ttft, relative: {ratio: 1.2, decrease: 1s}}", "spec.analysis.guards[0].relative.decrease",
     "Invalid", "must not be given with direction atMost; use increase"},
    {guard, "{metric: cacheHitShare, relative: {ratio: 1.1}}", "spec.analysis.guards[0].relative.ratio", "Invalid",
     "must be at most 1"},
    {guard, "{metric: outputTokens, absolute: many}", "spec.analysis.guards[0].absolute", "TypeMismatch",
     "must be a number"},
    {guard, "{metric: ttft, absolute: 1s, severity: page}", "spec.analysis.guards[0].severity", "Invalid",
     "must be rollback or hold"},
    {guard, "{metric: ttft, threshold: 1s, absolute: 1s}", "spec.analysis.guards[0].threshold", "UnknownField",
     "unknown field"},
    /* the rest */
    {spec_head, "stickiness: {header: X User}", "spec.stickiness.header", "Invalid", "must be an HTTP token"},
    {spec_head, "stickiness: {salt: ''}", "spec.stickiness.salt", "Invalid", "must not be empty"},
    {spec_head, "stickiness: {pin: {}}", "spec.stickiness.pin.secretRef", "Required", "required"},
    {spec_head, "stickiness: {pin: {secretRef: {}}}", "spec.stickiness.pin.secretRef.name", "Required", "required"},
    {spec_head, "prices: 3", "spec.prices", "TypeMismatch", "must be an object"},
    {spec_head, "prices: {canary: {outputPerMillion: 1}}", "spec.prices.canary.inputPerMillion", "Required",
     "required"},
    {spec_head, "prices: {stable: {inputPerMillion: 1}}", "spec.prices.stable.outputPerMillion", "Required",
     "required"},
    {spec_head, "prices: {stable: {inputPerMillion: -1, outputPerMillion: 1}}", "spec.prices.stable.inputPerMillion",
     "Invalid", "must be 0..1000000"},
    {spec_head, "prices: {stable: {inputPerMillion: 1, cachedInputPerMillion: free, outputPerMillion: 1}}",
     "spec.prices.stable.cachedInputPerMillion", "TypeMismatch", "must be a number"},
    {spec_head, "prices: {green: {inputPerMillion: 1}}", "spec.prices.green", "UnknownField", "unknown field"},
    {spec_head, "analysis: {guards: [{metric: cost, absolute: 1}]}", "spec.prices.canary", "Required",
     "must be given: a guard looks at cost"},
    {spec_head,
     "analysis: {guards: [{metric: cost, relative: {ratio: 2}}]}\n"
     "  prices: {canary: {inputPerMillion: 1, outputPerMillion: 1}}",
     "spec.prices.stable", "Required", "must be given: a guard looks at cost"},
    {spec_head, "warmup: {endpoints: 0}", "spec.warmup.endpoints", "Invalid", "must be 1..10000"},
    {spec_head, "warmup: {timeout: 10}", "spec.warmup.timeout", "TypeMismatch", "must be a duration"},
    {spec_head, "warmup: {adapter: {path: ''}}", "spec.warmup.adapter.path", "Invalid", "must not be empty"},
    {spec_head, "capacity: {maxKvCache: 90}", "spec.capacity.maxKvCache", "Invalid", "must be 0..1"},
    {spec_head, "capacity: {maxQueue: -1}", "spec.capacity.maxQueue", "Invalid", "must be 0..1000000"},
};

static void each_bad_canary_names_its_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_manifests); i++)
        check_bad_manifest(&bad_manifests[i]);
}

/* ---- the annotation ---- */

static void the_annotation_has_words_for_all_keys(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct canary_stickiness stickiness;
    assert_null(canary_stickiness_parse("", arena, &stickiness));
    assert_true(stickiness.default_keys && !stickiness.user);
    assert_null(canary_stickiness_parse("header=X-User, cookie=sid,user,api-key, derived-key,new-conversations,", arena,
                                        &stickiness));
    assert_string_equal(stickiness.header, "X-User");
    assert_string_equal(stickiness.cookie, "sid");
    assert_true(stickiness.default_keys && stickiness.user && stickiness.api_key && stickiness.derived_key);
    assert_true(stickiness.new_conversations_only);
    assert_null(canary_stickiness_parse("no-default-keys", arena, &stickiness));
    assert_false(stickiness.default_keys);
    assert_string_equal(stickiness.header, "");
    arena_free(arena);
}

static void a_wrong_word_of_the_annotation_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *answer;
    } bad[] = {{"user,usr", "unknown word \"usr\""},
               {"header", "unknown word \"header\""},
               {"header=", "header= needs a header name"},
               {"header=a b", "header= needs a header name"},
               {"cookie=a;b", "cookie= needs a cookie name"}};
    struct arena *arena = arena_new(0);
    struct canary_stickiness stickiness;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_string_equal(canary_stickiness_parse(bad[i].text, arena, &stickiness), bad[i].answer);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_lines_make_a_sensible_canary),
        cmocka_unit_test(a_canary_is_decoded_in_full),
        cmocka_unit_test(a_step_without_hold_is_held_for_five_minutes),
        cmocka_unit_test(all_weights_with_two_decimals_are_taken_exactly),
        cmocka_unit_test(each_bad_canary_names_its_field),
        cmocka_unit_test(the_annotation_has_words_for_all_keys),
        cmocka_unit_test(a_wrong_word_of_the_annotation_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
