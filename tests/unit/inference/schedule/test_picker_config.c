/* SPDX-License-Identifier: Apache-2.0 */
/* test_picker_config.c: configurations that are accepted and what comes of them; problems with their field paths. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inference/schedule/picker_config.h"

#define HEAD "apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\n"

static bool parse(const char *text, struct arena *arena, struct problems *ret_problems,
                  struct picker_config *ret_config)
{
    problems_init(ret_problems, arena);
    return picker_config_parse(bytes_of(text), ret_problems, ret_config);
}

static struct picker_config must_parse(const char *text)
{
    struct arena *arena = arena_new(0);
    struct problems problems;
    struct picker_config config;
    if (!parse(text, arena, &problems, &config))
        fail_msg("%s", problem_text(problems.first, arena));
    assert_int_equal(problems.count, 0);
    arena_free(arena);
    return config;
}

/* One problem: its path, and a piece of its message. */
static void must_fail(const char *text, const char *field, const char *message)
{
    struct arena *arena = arena_new(0);
    struct problems problems;
    struct picker_config config, untouched;
    memset(&config, 0xa5, sizeof config);
    memcpy(&untouched, &config, sizeof config);
    assert_false(parse(text, arena, &problems, &config));
    assert_memory_equal(&config, &untouched, sizeof config);
    assert_non_null(problems.first);
    assert_string_equal(problems.first->field, field);
    if (strstr(problems.first->message, message) == NULL)
        fail_msg("%s", problems.first->message);
    if (problems.count != 1)
        fail_msg("a second problem: %s", problem_text(problems.first->next, arena));
    arena_free(arena);
}

static void the_reference_default_is_accepted_and_scores_as_computed_by_hand(void **state)
{
    (void)state;
    struct picker_config config = must_parse(HEAD "plugins:\n"
                                                  "- {type: queue-scorer}\n"
                                                  "- {type: kv-cache-utilization-scorer}\n"
                                                  "- {type: prefix-cache-scorer}\n"
                                                  "- {type: max-score-picker}\n"
                                                  "- {type: single-profile-handler}\n"
                                                  "schedulingProfiles:\n"
                                                  "- name: default\n"
                                                  "  plugins:\n"
                                                  "  - {pluginRef: queue-scorer, weight: 2}\n"
                                                  "  - {pluginRef: kv-cache-utilization-scorer, weight: 2}\n"
                                                  "  - {pluginRef: prefix-cache-scorer, weight: 3}\n"
                                                  "  - {pluginRef: max-score-picker}\n");
    struct pick_scratch scratch = {0};
    struct request_facts request = {.hashed_tokens = 1024};
    struct candidate candidates[] = {{.waiting = 0, .kv_usage = 0.2},
                                     {.waiting = 4, .kv_usage = 0.5, .matched_tokens = 512},
                                     {.waiting = 8, .kv_usage = 0.9, .matched_tokens = 1024}};
    uint64_t random = 1;
    assert_int_equal(profile_choose(&config.profile, &request, candidates, 3, &scratch, &random, NULL), 0);
    static const double sums[] = {3.6, 3.5, 3.2};
    for (unsigned i = 0; i < 3; i++)
        assert_true(fabs(scratch.totals[i] - sums[i]) < 1e-9);
    candidates[1].matched_tokens = 768;
    assert_int_equal(profile_choose(&config.profile, &request, candidates, 3, &scratch, &random, NULL), 1);
    assert_true(fabs(scratch.totals[1] - 4.25) < 1e-9);
    pick_scratch_deinit(&scratch);
}

static void names_parameters_and_weights_are_taken(void **state)
{
    (void)state;
    struct picker_config config = must_parse(
        "apiVersion: inference.networking.x-k8s.io/v1alpha1\n"
        "kind: EndpointPickerConfig\n"
        "plugins:\n"
        "- {name: near, type: prefix-cache-scorer, parameters: {matchLengthWeight: 0.25}}\n"
        "- {name: far, type: prefix-cache-scorer, parameters: {matchLengthScaleTokens: 100}}\n"
        "- {type: utilization-detector, parameters: {queueDepthThreshold: 7, metricsStalenessThreshold: 2s}}\n"
        "- {type: power-of-two-picker}\n"
        "- {type: approx-prefix-cache-producer, parameters: {autoTune: false, lruCapacityPerServer: 31250}}\n"
        "schedulingProfiles:\n"
        "- name: default\n"
        "  plugins:\n"
        "  - {pluginRef: far}\n"
        "  - {pluginRef: utilization-detector}\n"
        "  - {pluginRef: near, weight: 0.5}\n"
        "  - {pluginRef: power-of-two-picker}\n");
    const struct profile *profile = &config.profile;
    assert_int_equal(profile->scorer_count, 2);
    assert_string_equal(profile->scorers[0].name, "far");
    assert_true(profile->scorers[0].values[0] == 0 && profile->scorers[0].values[1] == 100);
    assert_true(profile->scorers[1].values[0] == 0.25 && profile->scorers[1].values[1] == 8192);
    assert_true(profile->scorers[0].weight == 1 && profile->scorers[1].weight == 0.5);
    assert_int_equal(profile->filter_count, 1);
    assert_true(profile->filters[0].values[0] == 7);
    assert_string_equal(profile->picker.kind->type, "power-of-two-picker");
    assert_int_equal(config.prefix_tokens, 31250 * 64);
}

static void without_profiles_all_plugins_make_one(void **state)
{
    (void)state;
    struct picker_config config =
        must_parse(HEAD "plugins:\n- type: queue-scorer\n- type: concurrency-detector\n- type: lora-affinity-scorer\n");
    assert_int_equal(config.profile.scorer_count, 2);
    assert_int_equal(config.profile.filter_count, 1);
    assert_string_equal(config.profile.picker.kind->type, "max-score-picker");
}

static void nothing_configured_is_the_default(void **state)
{
    (void)state;
    struct picker_config config = must_parse(HEAD);
    assert_int_equal(config.profile.scorer_count, 1);
    assert_string_equal(config.profile.scorers[0].kind->type, "prompt-cost-scorer");
    assert_true(config.profile.scorers[0].weight == 1);
}

static void json_is_read_too(void **state)
{
    (void)state;
    struct picker_config config =
        must_parse("{\"apiVersion\": \"llm-d.ai/v1alpha1\", \"kind\": \"EndpointPickerConfig\","
                   "\"plugins\": [{\"type\": \"random-picker\"}]}");
    assert_string_equal(config.profile.picker.kind->type, "random-picker");
    assert_int_equal(config.profile.scorer_count, 0);
}

static void what_runs_in_any_case_may_be_listed(void **state)
{
    (void)state;
    must_parse(HEAD "featureGates: [flowControl=false]\n"
                    "plugins:\n"
                    "- {type: token-producer, parameters: {anything: {goes: here}}}\n"
                    "- {type: metrics-data-source, parameters: {path: /metrics}}\n"
                    "- {type: openai-parser}\n"
                    "dataLayer: {injectDefaults: true}\n"
                    "requestHandler: {parsers: [{pluginRef: openai-parser}]}\n");
}

static void filters_by_label_and_header_are_taken(void **state)
{
    (void)state;
    struct picker_config config =
        must_parse(HEAD "plugins:\n"
                        "- {type: by-label, parameters: {label: llm-d.ai/role, validValues: [decode, both], "
                        "allowsNoLabel: true}}\n"
                        "- type: label-selector-filter\n"
                        "  parameters:\n"
                        "    matchLabels: {gpu: h100}\n"
                        "    matchExpressions:\n"
                        "    - {key: zone, operator: NotIn, values: [a, b]}\n"
                        "    - {key: canary, operator: DoesNotExist}\n"
                        "- {type: header-based-testing-filter}\n"
                        "- {type: subset-filter, parameters: {headerName: x-only}}\n"
                        "- {type: header-label-affinity-scorer, parameters: {headerName: x-zone, labelKey: zone}}\n");
    const struct plugin *filters = config.profile.filters;
    assert_int_equal(config.profile.filter_count, 4);
    assert_string_equal(plugin_text(&filters[0], 0), "llm-d.ai/role");
    assert_string_equal(plugin_text(&filters[0], 1), " decode both ");
    assert_true(filters[0].values[2] == 1);
    assert_string_equal(plugin_text(&filters[1], 0), "=gpu h100 \n");
    assert_string_equal(plugin_text(&filters[1], 1), "!zone a b \n-canary \n");
    assert_string_equal(plugin_text(&filters[2], 0), "test-epp-endpoint-selection");
    assert_string_equal(plugin_text(&filters[3], 0), "x-only");
    assert_string_equal(plugin_text(&config.profile.scorers[0], 1), "zone");
}

#define TEN  "0123456789"
#define LONG TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void problems_name_their_field(void **state)
{
    (void)state;
    static const struct {
        const char *text, *field, *message;
    } cases[] = {
        {"kind: EndpointPickerConfig\n", "apiVersion", "must be given"},
        {"apiVersion: v1\nkind: EndpointPickerConfig\n", "apiVersion", "llm-d.ai/v1alpha1"},
        {"apiVersion: llm-d.ai/v1alpha1\nkind: Pod\n", "kind", "EndpointPickerConfig"},
        {HEAD "plugin: []\n", "plugin", "no field"},
        {HEAD "plugins: {}\n", "plugins", "list"},
        {HEAD "plugins: [7]\n", "plugins[0]", "object"},
        {HEAD "plugins: [{name: a}]\n", "plugins[0].type", "must be given"},
        {HEAD "plugins: [{type: queue-scorer}, {type: quue-scorer}]\n", "plugins[1].type", "\"quue-scorer\""},
        {HEAD "plugins: [{type: queue-scorer}, {type: queue-scorer}]\n", "plugins[1].name", "another"},
        {HEAD "plugins: [{type: queue-scorer, weight: 2}]\n", "plugins[0].weight", "no field"},
        {HEAD "plugins: [{type: precise-prefix-cache-scorer}]\n", "plugins[0].type", "prefix-cache-scorer"},
        {HEAD "plugins: [{type: queue-scorer, parameters: {x: 1}}]\n", "plugins[0].parameters.x", "no parameter"},
        {HEAD "plugins: [{type: queue-scorer, parameters: []}]\n", "plugins[0].parameters", "object"},
        {HEAD "plugins: [{type: load-aware-scorer, parameters: {threshold: 0}}]\n", "plugins[0].parameters.threshold",
         "number from 1"},
        {HEAD "plugins: [{type: max-score-picker, parameters: {maxNumOfEndpoints: 2}}]\n",
         "plugins[0].parameters.maxNumOfEndpoints", "integer from 1 to 1"},
        {HEAD "plugins: [{type: active-request-scorer, parameters: {idleThreshold: x}}]\n",
         "plugins[0].parameters.idleThreshold", "integer"},
        {HEAD "plugins: [{type: by-label}]\n", "plugins[0].parameters.label", "must be given"},
        {HEAD "plugins: [{type: by-label, parameters: {label: a b}}]\n", "plugins[0].parameters.label", "blanks"},
        {HEAD "plugins: [{type: by-label, parameters: {label: a, validValues: b}}]\n",
         "plugins[0].parameters.validValues", "a list"},
        {HEAD "plugins: [{type: label-selector-filter, parameters: {matchLabels: {a: 1}}}]\n",
         "plugins[0].parameters.matchLabels", "labels"},
        {HEAD "plugins: [{type: label-selector-filter, parameters: {matchExpressions: [{key: a, operator: in}]}}]\n",
         "plugins[0].parameters.matchExpressions", "In|NotIn"},
        {HEAD "plugins: [{type: label-selector-filter, parameters: {matchExpressions: [{key: a, operator: In}]}}]\n",
         "plugins[0].parameters.matchExpressions", "values"},
        {HEAD "plugins: [{type: subset-filter, parameters: {headerName: \"" LONG "\"}}]\n",
         "plugins[0].parameters.headerName", "too long"},
        {HEAD "plugins: [{type: max-score-picker}, {type: random-picker}]\n", "", "one picker"},
        {HEAD "schedulingProfiles: [{name: a}, {name: b}]\n", "schedulingProfiles", "one item"},
        {HEAD "schedulingProfiles: [{plugins: []}]\n", "schedulingProfiles[0].name", "must be given"},
        {HEAD "schedulingProfiles: [{name: a, plugins: [{}]}]\n", "schedulingProfiles[0].plugins[0].pluginRef",
         "must be given"},
        {HEAD "schedulingProfiles: [{name: a, plugins: [{pluginRef: queue-scorer}]}]\n",
         "schedulingProfiles[0].plugins[0].pluginRef", "under plugins"},
        {HEAD "plugins: [{type: queue-scorer}]\nschedulingProfiles: [{name: a, plugins: [{pluginRef: queue-scorer, "
              "weight: -1}]}]\n",
         "schedulingProfiles[0].plugins[0].weight", "from 0"},
        {HEAD "plugins: [{type: random-picker}]\nschedulingProfiles: [{name: a, plugins: [{pluginRef: random-picker, "
              "weight: 1}]}]\n",
         "schedulingProfiles[0].plugins[0].weight", "only scorers"},
        {HEAD "featureGates: [flowControl=maybe]\n", "featureGates[0]", "no such gate"},
        {HEAD "flowControl: {maxRequests: 0}\n", "flowControl.maxRequests", "integer from 1"},
        {HEAD "flowControl: {priorityBands: []}\n", "flowControl.priorityBands", "no field"},
        {HEAD "flowControl: {defaultRequestTTL: 60}\n", "flowControl.defaultRequestTTL", "must be"},
        {HEAD "flowControl: {defaultRequestTTL: 0s}\n", "flowControl.defaultRequestTTL", "a time like"},
        {"a: [\n", "", "line "},
        {"", "", "one document"},
        {HEAD "---\n" HEAD, "", "one document"},
        {"[]\n", "", "object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        must_fail(cases[i].text, cases[i].field, cases[i].message);
}

static void the_queue_is_a_gate_and_a_section(void **state)
{
    (void)state;
    struct picker_config config =
        must_parse(HEAD "featureGates: [flowControl]\n"
                        "flowControl: {maxRequests: 7, maxBytes: 1000, defaultRequestTTL: 5m}\n");
    assert_true(config.has_queue);
    assert_int_equal(config.queue_max_requests, 7);
    assert_int_equal(config.queue_max_bytes, 1000);
    assert_int_equal(config.queue_ttl_ms, 300000);
    assert_false(must_parse(HEAD "flowControl: {}\n").has_queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_default_is_accepted_and_scores_as_computed_by_hand),
        cmocka_unit_test(names_parameters_and_weights_are_taken),
        cmocka_unit_test(without_profiles_all_plugins_make_one),
        cmocka_unit_test(nothing_configured_is_the_default),
        cmocka_unit_test(json_is_read_too),
        cmocka_unit_test(what_runs_in_any_case_may_be_listed),
        cmocka_unit_test(filters_by_label_and_header_are_taken),
        cmocka_unit_test(problems_name_their_field),
        cmocka_unit_test(the_queue_is_a_gate_and_a_section),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
