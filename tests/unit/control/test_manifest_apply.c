/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of files in the store: whole or not at all, beside what others wrote, gone when they leave. */
#include "unit/control/world.h"

#include <errno.h>

#include "control/manifest_apply.h"

#define CONFIG_MAP(name, data)                                                                                         \
    "apiVersion: v1\n"                                                                                                 \
    "kind: ConfigMap\n"                                                                                                \
    "metadata: {name: " name "}\n"                                                                                     \
    "data: " data "\n"                                                                                                 \
    "---\n"
#define NAMESPACE(name)                                                                                                \
    "apiVersion: v1\n"                                                                                                 \
    "kind: Namespace\n"                                                                                                \
    "metadata: {name: " name "}\n"                                                                                     \
    "---\n"
#define IN_TEAM                                                                                                        \
    "apiVersion: v1\n"                                                                                                 \
    "kind: ConfigMap\n"                                                                                                \
    "metadata: {name: m, namespace: team}\n"                                                                           \
    "---\n"

struct scene {
    struct world world;
    struct manifest_apply *apply;
    unsigned settled, complete;
    const char *problem; /* of the last run; NULL: none */
};

static void on_settled(void *context, bool is_complete)
{
    struct scene *scene = context;
    scene->settled++;
    scene->complete += is_complete;
}

static int setup(void **state)
{
    struct scene *scene = must(calloc(1, sizeof *scene));
    world_open(&scene->world);
    scene->apply = manifest_apply_new(scene->world.store, on_settled, scene);
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    manifest_apply_free(scene->apply);
    world_close(&scene->world);
    free(scene);
    return 0;
}

static bool run(struct scene *scene, const char *yaml)
{
    struct world *world = &scene->world;
    struct manifest manifest;
    struct problems problems;
    problems_init(&problems, world->arena);
    world_read(world, yaml, &manifest);
    bool is_good = manifest_apply_run(scene->apply, &manifest, &problems, world->now_wall_ms);
    manifest_deinit(&manifest);
    assert_int_equal(is_good, problems.count == 0);
    scene->problem = problems.first != NULL ? problem_text(problems.first, world->arena) : NULL;
    return is_good;
}

/* Runs and waits for its end, which must be complete. */
static void apply(struct scene *scene, const char *yaml)
{
    unsigned settled = scene->settled, complete = scene->complete;
    if (!run(scene, yaml))
        fail_msg("%s", scene->problem);
    world_settle(&scene->world);
    assert_int_equal(scene->settled, settled + 1);
    assert_int_equal(scene->complete, complete + 1);
    assert_true(manifest_apply_is_settled(scene->apply));
}

/* The data of the ConfigMap as JSON; "null" when there is none. */
static const char *data_of(struct scene *scene, const char *name)
{
    const struct kube_object *object = world_head(&scene->world, KUBE_CONFIG_MAP, name);
    return world_text(&scene->world, object != NULL ? json_object_get(object->tree, "data") : NULL);
}

static void a_new_object_is_made_as_a_server_makes_it(void **state)
{
    struct scene *scene = *state;
    apply(scene, CONFIG_MAP("m", "{a: one}"));
    const struct kube_object *object = world_head(&scene->world, KUBE_CONFIG_MAP, "m");
    const json_t *metadata = json_object_get(object->tree, "metadata");
    assert_int_equal(strlen(object->uid), 36);
    assert_string_equal(json_string_value(json_object_get(metadata, "namespace")), "default");
    assert_string_equal(json_string_value(json_object_get(metadata, "creationTimestamp")), "1970-01-01T00:16:40Z");
    const json_t *manager = json_array_get(json_object_get(metadata, "managedFields"), 0);
    assert_string_equal(json_string_value(json_object_get(manager, "manager")), "serin-up");
    assert_string_equal(json_string_value(json_object_get(manager, "operation")), "Apply");
}

static void what_did_not_change_is_not_written(void **state)
{
    struct scene *scene = *state;
    apply(scene, CLASS GATEWAY CONFIG_MAP("m", "{a: one}"));
    uint64_t version = store_version(scene->world.store);
    scene->world.now_wall_ms += 60000;
    assert_true(run(scene, CLASS GATEWAY CONFIG_MAP("m", "{a: one}")));
    assert_int_equal(scene->complete, 2); /* from inside */
    world_settle(&scene->world);
    assert_int_equal(store_version(scene->world.store), version);
    apply(scene, CLASS GATEWAY CONFIG_MAP("m", "{a: two}"));
    assert_int_equal(store_version(scene->world.store), version + 1);
}

static void fields_of_others_stay_and_fields_that_left_the_file_go(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    apply(scene, CONFIG_MAP("m", "{a: one, b: two}"));
    json_t *tree = json_deep_copy(world_head(world, KUBE_CONFIG_MAP, "m")->tree);
    json_object_set_new(json_object_get(tree, "data"), "c", json_string("theirs"));
    stored_give_back(object_update(world->store, KUBE_CONFIG_MAP, "default", "m", tree, world->now_wall_ms));
    apply(scene, CONFIG_MAP("m", "{a: three}"));
    assert_string_equal(data_of(scene, "m"), "{\"a\":\"three\",\"c\":\"theirs\"}");
}

static void a_field_that_came_with_a_later_edit_goes_when_it_leaves(void **state)
{
    struct scene *scene = *state;
    apply(scene, CONFIG_MAP("m", "{a: one}"));
    apply(scene, CONFIG_MAP("m", "{a: one, b: two}"));
    apply(scene, CONFIG_MAP("m", "{a: one}"));
    assert_string_equal(data_of(scene, "m"), "{\"a\":\"one\"}");
}

static void the_file_wins_over_who_changed_its_field(void **state)
{
    struct scene *scene = *state;
    apply(scene, GATEWAY);
    world_put(&scene->world, GATEWAY_ON("g", "81"));
    apply(scene, GATEWAY);
    const json_t *spec = json_object_get(world_head(&scene->world, KUBE_GATEWAY, "g")->tree, "spec");
    const json_t *listener = json_array_get(json_object_get(spec, "listeners"), 0);
    assert_int_equal(json_integer_value(json_object_get(listener, "port")), 80);
    assert_int_equal(world_head(&scene->world, KUBE_GATEWAY, "g")->generation, 3);
}

#define SPLIT(old, new)                                                                                                \
    ROUTE("r", "{name: g}",                                                                                            \
          "{group: inference.networking.k8s.io, kind: InferencePool, name: old, weight: " old "}, "                    \
          "{group: inference.networking.k8s.io, kind: InferencePool, name: new, weight: " new "}")

/* As a Canary moves it: both weights, and the number of the move. */
static void move_weights(struct scene *scene, int old, int new)
{
    struct world *world = &scene->world;
    json_t *tree = json_deep_copy(world_head(world, KUBE_HTTP_ROUTE, "r")->tree);
    json_t *rule = json_array_get(json_object_get(json_object_get(tree, "spec"), "rules"), 0);
    json_t *refs = json_object_get(rule, "backendRefs");
    json_object_set_new(json_array_get(refs, 0), "weight", json_integer(old));
    json_object_set_new(json_array_get(refs, 1), "weight", json_integer(new));
    json_object_set_new(json_object_get(tree, "metadata"), "annotations",
                        json_pack("{s:s}", "serin.dev/canary-move", "c/1/2500"));
    stored_give_back(must(object_update(world->store, KUBE_HTTP_ROUTE, "default", "r", tree, world->now_wall_ms)));
    world_settle(world);
}

static int weight_of_new(struct scene *scene)
{
    const json_t *spec = json_object_get(world_head(&scene->world, KUBE_HTTP_ROUTE, "r")->tree, "spec");
    const json_t *rule = json_array_get(json_object_get(spec, "rules"), 0);
    return (int)json_integer_value(json_object_get(json_array_get(json_object_get(rule, "backendRefs"), 1), "weight"));
}

static void weights_that_a_canary_moved_stay_until_the_file_says_others(void **state)
{
    struct scene *scene = *state;
    apply(scene, SPLIT("100", "0"));
    move_weights(scene, 75, 25);
    apply(scene, SPLIT("100", "0") CONFIG_MAP("m", "{a: b}")); /* an edit of something else */
    assert_int_equal(weight_of_new(scene), 25);
    /* Another process: it has not seen the move. */
    manifest_apply_free(scene->apply);
    scene->apply = manifest_apply_new(scene->world.store, on_settled, scene);
    apply(scene, SPLIT("100", "0"));
    assert_int_equal(weight_of_new(scene), 25);
    apply(scene, SPLIT("60", "40"));
    assert_int_equal(weight_of_new(scene), 40);
}

static void an_object_that_somebody_made_is_taken_over(void **state)
{
    struct scene *scene = *state;
    world_put(&scene->world, CONFIG_MAP("m", "{a: theirs}"));
    const char *uid = arena_strdup(scene->world.arena, world_head(&scene->world, KUBE_CONFIG_MAP, "m")->uid);
    apply(scene, CONFIG_MAP("m", "{b: ours}"));
    assert_string_equal(world_head(&scene->world, KUBE_CONFIG_MAP, "m")->uid, uid);
    assert_string_equal(data_of(scene, "m"), "{\"a\":\"theirs\",\"b\":\"ours\"}");
}

static void what_only_servers_set_is_not_taken_from_files(void **state)
{
    struct scene *scene = *state;
    apply(scene, "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"
                 "metadata: {name: g, uid: mine, resourceVersion: \"7\", generation: 9, creationTimestamp: "
                 "\"2001-01-01T00:00:00Z\", managedFields: [{manager: kubectl}]}\n"
                 "spec: {gatewayClassName: c, listeners: [{name: http, port: 80, protocol: HTTP}]}\n"
                 "status: {conditions: []}\n");
    const struct kube_object *object = world_head(&scene->world, KUBE_GATEWAY, "g");
    assert_string_not_equal(object->uid, "mine");
    assert_int_equal(object->generation, 1);
    assert_int_equal(object->created_ms, 1000000);
    assert_null(json_object_get(object->tree, "status"));
    uint64_t version = store_version(scene->world.store);
    apply(scene, GATEWAY);
    assert_int_equal(store_version(scene->world.store), version);
}

static void objects_that_leave_the_files_are_deleted_and_those_of_others_stay(void **state)
{
    struct scene *scene = *state;
    world_put(&scene->world, CONFIG_MAP("theirs", "{}"));
    apply(scene, CONFIG_MAP("m", "{}") CONFIG_MAP("n", "{}") CLASS);
    apply(scene, CONFIG_MAP("n", "{}"));
    assert_null(world_head(&scene->world, KUBE_CONFIG_MAP, "m"));
    assert_null(world_head(&scene->world, KUBE_GATEWAY_CLASS, "c"));
    assert_non_null(world_head(&scene->world, KUBE_CONFIG_MAP, "n"));
    assert_non_null(world_head(&scene->world, KUBE_CONFIG_MAP, "theirs"));
    /* Whoever makes it now has it for himself. */
    world_put(&scene->world, CONFIG_MAP("m", "{}"));
    apply(scene, "");
    assert_non_null(world_head(&scene->world, KUBE_CONFIG_MAP, "m"));
    assert_null(world_head(&scene->world, KUBE_CONFIG_MAP, "n"));
}

static void pools_of_one_name_in_both_groups_are_two_objects(void **state)
{
    struct scene *scene = *state;
    apply(scene, POOL("p") POOL_V1("p"));
    apply(scene, POOL("p"));
    assert_non_null(world_head(&scene->world, KUBE_INFERENCE_POOL_X, "p"));
    assert_null(world_head(&scene->world, KUBE_INFERENCE_POOL, "p"));
}

static void one_problem_keeps_everything_out(void **state)
{
    struct scene *scene = *state;
    apply(scene, CONFIG_MAP("m", "{a: one}") CONFIG_MAP("n", "{}"));
    uint64_t version = store_version(scene->world.store);
    assert_false(run(scene, CONFIG_MAP("m", "{a: two}") IN_TEAM));
    assert_string_equal(scene->problem, "ConfigMap team/m: metadata.namespace: namespace \"team\" does not exist");
    assert_int_equal(scene->settled, 1);
    world_settle(&scene->world);
    assert_int_equal(store_version(scene->world.store), version);
    assert_string_equal(data_of(scene, "m"), "{\"a\":\"one\"}");
    assert_non_null(world_head(&scene->world, KUBE_CONFIG_MAP, "n"));
}

static void an_object_that_is_only_bad_together_with_what_others_wrote_is_a_problem(void **state)
{
    struct scene *scene = *state;
    /* Ports of a Service are one list of all writers; more than one, and each needs a name. */
    world_put(&scene->world, "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80}]}\n");
    world_settle(&scene->world);
    uint64_t version = store_version(scene->world.store);
    assert_false(run(scene, CONFIG_MAP("m", "{}") "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
                                                  "spec: {ports: [{port: 81}]}\n"));
    assert_non_null(strstr(scene->problem, "Service default/s: spec.ports["));
    world_settle(&scene->world);
    assert_int_equal(store_version(scene->world.store), version);
}

static void a_namespace_of_the_files_comes_before_what_is_in_it(void **state)
{
    struct scene *scene = *state;
    apply(scene, IN_TEAM NAMESPACE("team"));
    assert_non_null(store_get(scene->world.store, KUBE_CONFIG_MAP, "team", "m"));
    assert_false(run(scene, IN_TEAM)); /* it would go with its namespace */
    assert_non_null(strstr(scene->problem, "namespace \"team\" does not exist"));
    assert_non_null(store_get(scene->world.store, KUBE_CONFIG_MAP, "team", "m"));
    apply(scene, "");
    assert_null(store_get(scene->world.store, KUBE_CONFIG_MAP, "team", "m"));
    const struct stored *namespace_ = store_get(scene->world.store, KUBE_NAMESPACE, "", "team");
    const json_t *metadata = json_object_get(namespace_->object->tree, "metadata");
    assert_non_null(json_object_get(metadata, "deletionTimestamp")); /* its controller does the rest */
}

static void the_default_namespace_stays_when_a_file_does_not_name_it_any_more(void **state)
{
    struct scene *scene = *state;
    apply(scene, NAMESPACE("default") CONFIG_MAP("m", "{}"));
    apply(scene, CONFIG_MAP("m", "{}"));
    assert_non_null(world_head(&scene->world, KUBE_NAMESPACE, "default"));
}

static void an_edit_is_settled_when_its_last_write_is_durable(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    unsigned entered = world->disk.entered;
    memory_disk_hold(&world->disk);
    assert_true(run(scene, CONFIG_MAP("m", "{}")));
    memory_disk_await_commit(&world->disk, entered + 1);
    assert_true(run(scene, CONFIG_MAP("m", "{}") CONFIG_MAP("n", "{}")));
    memory_disk_let_go(&world->disk, 0);
    while (scene->settled == 0)
        reactor_turn(world->reactor, -1);
    assert_int_equal(scene->settled, 1);
    assert_false(manifest_apply_is_settled(scene->apply));
    memory_disk_release(&world->disk, 0);
    world_settle(world);
    assert_int_equal(scene->complete, 2);
    assert_true(manifest_apply_is_settled(scene->apply));
}

static void what_the_disk_refused_is_tried_again_by_the_next_edit(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    apply(scene, CONFIG_MAP("n", "{}"));
    memory_disk_release(&world->disk, -ENOSPC);
    assert_true(run(scene, CONFIG_MAP("m", "{a: one}"))); /* makes m, deletes n */
    world_settle(world);
    assert_int_equal(scene->settled, 2);
    assert_int_equal(scene->complete, 1);
    assert_null(world_head(world, KUBE_CONFIG_MAP, "m"));
    assert_non_null(world_head(world, KUBE_CONFIG_MAP, "n"));
    memory_disk_release(&world->disk, 0);
    apply(scene, CONFIG_MAP("m", "{a: one}"));
    assert_string_equal(data_of(scene, "m"), "{\"a\":\"one\"}");
    assert_null(world_head(world, KUBE_CONFIG_MAP, "n"));
}

static void an_object_that_comes_back_while_it_is_being_deleted_is_still_ours(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    apply(scene, CONFIG_MAP("m", "{}"));
    memory_disk_hold(&world->disk);
    assert_true(run(scene, ""));
    assert_true(run(scene, CONFIG_MAP("m", "{a: one}")));
    assert_true(run(scene, ""));
    assert_true(run(scene, CONFIG_MAP("m", "{a: two}")));
    memory_disk_release(&world->disk, 0);
    world_settle(world);
    assert_int_equal(scene->complete, 5);
    assert_string_equal(data_of(scene, "m"), "{\"a\":\"two\"}");
    apply(scene, "");
    assert_null(world_head(world, KUBE_CONFIG_MAP, "m"));
}

static void ending_while_writes_are_under_way_forgets_them(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    apply(scene, CONFIG_MAP("n", "{}"));
    memory_disk_hold(&world->disk);
    assert_true(run(scene, CONFIG_MAP("m", "{}")));
    manifest_apply_free(scene->apply);
    scene->apply = NULL;
    memory_disk_release(&world->disk, 0);
    world_settle(world);
    assert_int_equal(scene->settled, 1);
    assert_non_null(store_get(world->store, KUBE_CONFIG_MAP, "default", "m"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_object_is_made_as_a_server_makes_it),
        TEST(what_did_not_change_is_not_written),
        TEST(fields_of_others_stay_and_fields_that_left_the_file_go),
        TEST(a_field_that_came_with_a_later_edit_goes_when_it_leaves),
        TEST(the_file_wins_over_who_changed_its_field),
        TEST(weights_that_a_canary_moved_stay_until_the_file_says_others),
        TEST(an_object_that_somebody_made_is_taken_over),
        TEST(what_only_servers_set_is_not_taken_from_files),
        TEST(objects_that_leave_the_files_are_deleted_and_those_of_others_stay),
        TEST(pools_of_one_name_in_both_groups_are_two_objects),
        TEST(one_problem_keeps_everything_out),
        TEST(an_object_that_is_only_bad_together_with_what_others_wrote_is_a_problem),
        TEST(a_namespace_of_the_files_comes_before_what_is_in_it),
        TEST(the_default_namespace_stays_when_a_file_does_not_name_it_any_more),
        TEST(an_edit_is_settled_when_its_last_write_is_durable),
        TEST(what_the_disk_refused_is_tried_again_by_the_next_edit),
        TEST(an_object_that_comes_back_while_it_is_being_deleted_is_still_ours),
        TEST(ending_while_writes_are_under_way_forgets_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
