/* SPDX-License-Identifier: Apache-2.0 */
/* test_pool_settings.c: annotations of an InferencePool and what becomes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "control/pool_settings.h"
#include "kube/api/manifest.h"

#define CONFIG                                                                                                         \
    "apiVersion: llm-d.ai/v1alpha1\\nkind: EndpointPickerConfig\\n"                                                    \
    "plugins: [{type: queue-scorer}, {type: random-picker}]\\n"

struct scene {
    struct arena *arena;
    struct object_cache *cache;
    struct problems problems;
    struct pool_settings settings;
    const struct kube_object *object;
    struct manifest manifest;
};

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.arena = arena_new(0), .cache = object_cache_new()};
    problems_init(&scene.problems, scene.arena);
    manifest_init(&scene.manifest);
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    object_cache_free(scene->cache);
    manifest_deinit(&scene->manifest);
    arena_free(scene->arena);
    return 0;
}

/* A pool with these annotations, as JSON members, and a ConfigMap "map" with this data. */
static void put(struct scene *scene, const char *annotations, const char *data)
{
    char text[4096];
    snprintf(text, sizeof text,
             "{\"apiVersion\": \"inference.networking.k8s.io/v1\", \"kind\": \"InferencePool\",\n"
             "\"metadata\": {\"name\": \"p\", \"annotations\": {%s}},\n"
             "\"spec\": {\"selector\": {\"matchLabels\": {\"a\": \"b\"}}, \"targetPorts\": [{\"number\": 8000}]}}\n"
             "---\n{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"map\"},\n"
             "\"data\": {%s}}\n",
             annotations, data);
    manifest_deinit(&scene->manifest);
    manifest_init(&scene->manifest);
    problems_init(&scene->problems, scene->arena);
    manifest_add(&scene->manifest, "test", bytes_of(text), &scene->problems);
    assert_int_equal(scene->problems.count, 0);
    for (unsigned i = 0; i < scene->manifest.len; i++)
        object_cache_put(scene->cache, kube_object_take(scene->manifest.objects[i]));
    scene->object = object_cache_get(scene->cache, KUBE_INFERENCE_POOL, "default", "p");
}

static bool reads(struct scene *scene, const char *annotations, const char *data)
{
    put(scene, annotations, data);
    bool is_good = pool_settings_read(scene->cache, scene->object, &scene->problems, &scene->settings);
    assert_true(is_good == (scene->problems.count == 0));
    return is_good;
}

static void without_annotations_the_defaults_hold(void **state)
{
    struct scene *scene = *state;
    assert_true(reads(scene, "", ""));
    assert_int_equal(scene->settings.profile.scorer_count, 1);
    assert_string_equal(scene->settings.profile.scorers[0].kind->type, "prompt-cost-scorer");
    assert_int_equal(scene->settings.stale.action, STALE_OWN_COUNTS);
    assert_int_equal(scene->settings.stale.after_ms, 2000);
    assert_string_equal(scene->settings.metric_names, "");
}

static void scorers_and_weights_stand_in_one_line(void **state)
{
    struct scene *scene = *state;
    assert_true(
        reads(scene, "\"serin.dev/scorers\": \"queue-scorer=2, prefix-cache-scorer = 0.5,no-hit-lru-scorer\"", ""));
    const struct profile *profile = &scene->settings.profile;
    assert_int_equal(profile->scorer_count, 3);
    assert_string_equal(profile->scorers[1].kind->type, "prefix-cache-scorer");
    assert_true(profile->scorers[0].weight == 2 && profile->scorers[1].weight == 0.5 &&
                profile->scorers[2].weight == 1);
    assert_string_equal(profile->picker.kind->type, "max-score-picker");
    static const char *const wrong[] = {
        "x=1", "queue-scorer=-1", "queue-scorer=", "queue-scorer=1e9", "random-picker", "queue-scorer,queue-scorer",
        ",",   "queue-scorer=1x"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char text[200];
        snprintf(text, sizeof text, "\"serin.dev/scorers\": \"%s\"", wrong[i]);
        if (reads(scene, text, ""))
            fail_msg("accepted: %s", wrong[i]);
    }
}

static void a_picker_configuration_stands_in_the_annotation_or_in_a_config_map(void **state)
{
    struct scene *scene = *state;
    static const char *const places[][2] = {
        {"\"serin.dev/picker\": \"" CONFIG "\"", ""},
        {"\"serin.dev/picker-config\": \"map\"", "\"one.yaml\": \"" CONFIG "\""},
        {"\"serin.dev/picker-config\": \"map/b.yaml\"", "\"a.yaml\": \"x\", \"b.yaml\": \"" CONFIG "\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        assert_true(reads(scene, places[i][0], places[i][1]));
        assert_string_equal(scene->settings.profile.scorers[0].kind->type, "queue-scorer");
        assert_string_equal(scene->settings.profile.picker.kind->type, "random-picker");
    }
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    struct scene *scene = *state;
    static const struct {
        const char *annotations, *data, *reason, *field;
    } rows[] = {
        {"\"serin.dev/picker\": \"kind: x\"", "", "Required", "serin.dev/picker]: apiVersion"},
        {"\"serin.dev/picker-config\": \"other\"", "", "ConfigMapNotFound", "serin.dev/picker-config]"},
        {"\"serin.dev/picker-config\": \"map/x\"", "\"a\": \"b\"", "Invalid", "serin.dev/picker-config]"},
        {"\"serin.dev/picker-config\": \"map\"", "\"a\": \"b\", \"c\": \"d\"", "Invalid", "serin.dev/picker-config]"},
        {"\"serin.dev/picker\": \"x\", \"serin.dev/scorers\": \"queue-scorer\"", "", "Invalid", "metadata.annotations"},
        {"\"serin.dev/metrics\": \"queue=x\"", "", "Invalid", "serin.dev/metrics]"},
        {"\"serin.dev/stale-metrics\": \"never\"", "", "Invalid", "serin.dev/stale-metrics]"},
        {"\"serin.dev/stale-metrics\": \"keep,2h\"", "", "Invalid", "serin.dev/stale-metrics]"},
        {"\"serin.dev/stale-metrics\": \"keep,\"", "", "Invalid", "serin.dev/stale-metrics]"},
        {"\"serin.dev/flow-control\": \"hold\"", "", "Invalid", "serin.dev/flow-control]"},
        {"\"serin.dev/flow-control\": \"queue,ttl=0s\"", "", "Invalid", "serin.dev/flow-control]"},
        {"\"serin.dev/flow-control\": \"queue,order=lifo\"", "", "Invalid", "serin.dev/flow-control]"},
        {"\"serin.dev/flow-control\": \"queue,full-cache=1.1\"", "", "Invalid", "serin.dev/flow-control]"},
        {"\"serin.dev/flow-control\": \"queue,requests\"", "", "Invalid", "serin.dev/flow-control]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_false(reads(scene, rows[i].annotations, rows[i].data));
        const struct problem *problem = scene->problems.first;
        if (strcmp(problem->reason, rows[i].reason) != 0 || strstr(problem->field, rows[i].field) == NULL)
            fail_msg("%s: %s %s", rows[i].annotations, problem->field, problem->reason);
    }
}

static void stale_metrics_have_a_policy(void **state)
{
    struct scene *scene = *state;
    assert_true(reads(scene, "\"serin.dev/stale-metrics\": \"exclude, 500ms\"", ""));
    assert_int_equal(scene->settings.stale.action, STALE_EXCLUDE);
    assert_int_equal(scene->settings.stale.after_ms, 500);
    assert_true(reads(scene, "\"serin.dev/stale-metrics\": \"keep\"", ""));
    assert_int_equal(scene->settings.stale.action, STALE_KEEP);
    assert_int_equal(scene->settings.stale.after_ms, 2000);
}

static void the_gate_is_set_by_annotation_or_picker_configuration(void **state)
{
    struct scene *scene = *state;
    const struct gate_settings *gate = &scene->settings.gate;
    assert_true(reads(scene, "", ""));
    assert_false(gate->has_queue);
    assert_true(reads(scene,
                      "\"serin.dev/flow-control\": \"queue, ttl=5s,order=deadline,requests=20,bytes=1Mi,"
                      "full-queue=2.5,full-cache=0.9\"",
                      ""));
    assert_true(gate->has_queue && gate->limits.order == FLOW_DEADLINE);
    assert_int_equal(gate->limits.ttl_ms, 5000);
    assert_int_equal(gate->limits.max_requests, 20);
    assert_int_equal(gate->limits.max_bytes, 1 << 20);
    assert_true(gate->queue_depth == 2.5 && gate->kv_usage == 0.9);
    assert_true(reads(scene, "\"serin.dev/picker\": \"" CONFIG "featureGates: [flowControl]\\n\"", ""));
    assert_true(gate->has_queue);
    assert_int_equal(gate->limits.max_requests, 5000);
}

static void on_score(void *context, const struct plugin *scorer, const struct candidate *candidate, double score)
{
    const char **type = context;
    (void)candidate, (void)score;
    if (scorer != NULL)
        *type = scorer->kind->type;
}

static const char *scorer_in_force(struct pool *pool)
{
    const char *type = "";
    schedule_explain(pool, &(struct pick_request){0}, &(struct profile_listener){on_score, &type});
    return type;
}

static void settings_are_followed_and_wrong_ones_change_nothing(void **state)
{
    struct scene *scene = *state;
    struct pool_registry *registry = pool_registry_new();
    struct pool *pool = pool_registry_take(registry, false, "default", "p", 0);
    pool_set_members(pool, &(struct pool_member){.ip = "127.0.0.1", .port = 1, .is_ready = true}, 1, NULL);
    assert_string_equal(scorer_in_force(pool), "prompt-cost-scorer");
    put(scene, "\"serin.dev/scorers\": \"queue-scorer\", \"serin.dev/metrics\": \"waiting=w\"", "");
    pool_settings_follow(scene->cache, scene->object, pool);
    assert_string_equal(scorer_in_force(pool), "queue-scorer");
    assert_string_equal(pool->members[0]->metric_names, "waiting=w");
    put(scene, "\"serin.dev/scorers\": \"nonsense\"", "");
    pool_settings_follow(scene->cache, scene->object, pool);
    assert_string_equal(scorer_in_force(pool), "queue-scorer");
    put(scene, "\"serin.dev/picker-config\": \"map\"", "\"x\": \"" CONFIG "\"");
    pool_settings_follow(scene->cache, scene->object, pool);
    assert_null(pool->members[0]->metric_names);
    put(scene, "", "");
    pool_settings_follow(scene->cache, scene->object, pool);
    assert_string_equal(scorer_in_force(pool), "prompt-cost-scorer");
    pool_give_back(pool);
    pool_registry_free(registry);
}

static void check_tells_the_object(void **state)
{
    struct scene *scene = *state;
    put(scene, "\"serin.dev/scorers\": \"nonsense\"", "");
    pool_settings_check(scene->cache, &scene->problems);
    assert_int_equal(scene->problems.count, 1);
    assert_string_equal(scene->problems.first->object, "InferencePool default/p");
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(without_annotations_the_defaults_hold),
        SCENE_TEST(scorers_and_weights_stand_in_one_line),
        SCENE_TEST(a_picker_configuration_stands_in_the_annotation_or_in_a_config_map),
        SCENE_TEST(what_is_wrong_is_told_with_its_place),
        SCENE_TEST(stale_metrics_have_a_policy),
        SCENE_TEST(the_gate_is_set_by_annotation_or_picker_configuration),
        SCENE_TEST(settings_are_followed_and_wrong_ones_change_nothing),
        SCENE_TEST(check_tells_the_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
