/* SPDX-License-Identifier: Apache-2.0 */
/* test_change.c: what happens to an object on its way into the store. */
#include "unit/kube/store/fixture.h"

#include "kube/apiserver/change.h"

#define NOW_MS 1780000000000ull

struct world {
    struct fixture fixture;
    struct arena *arena;
    struct change change;
};

static void begin(struct world *world)
{
    change_deinit(&world->change);
    change_init(&world->change, world->fixture.store, world->arena, NOW_MS);
    world->change.validation = FIELDS_STRICT;
}

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    fixture_open(&world->fixture);
    world->arena = arena_new(0);
    begin(world);
    assert_true(change_create(&world->change, KUBE_NAMESPACE, json_pack("{s:{s:s}}", "metadata", "name", "default")));
    begin(world);
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    change_deinit(&world->change);
    fixture_close(&world->fixture);
    arena_free(world->arena);
    free(world);
    return 0;
}

static json_t *tree_of(const char *text)
{
    json_error_t error;
    json_t *tree = json_loads(text, 0, &error);
    if (tree == NULL)
        fail_msg("%s", error.text);
    return tree;
}

static const json_t *metadata_of(const struct stored *stored)
{
    return json_object_get(stored->object->tree, "metadata");
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static json_int_t generation_of(const struct stored *stored)
{
    return json_integer_value(json_object_get(metadata_of(stored), "generation"));
}

static const char gateway_class[] = "{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"GatewayClass\","
                                    "\"metadata\":{\"name\":\"c\"},\"spec\":{\"controllerName\":\"example.com/x\"}}";

static const struct stored *create_class(struct world *world)
{
    begin(world);
    assert_true(change_create(&world->change, KUBE_GATEWAY_CLASS, tree_of(gateway_class)));
    const struct stored *stored = store_head(world->fixture.store, KUBE_GATEWAY_CLASS, "", "c");
    begin(world);
    return stored;
}

static bool update_class(struct world *world, const char *text)
{
    begin(world);
    return change_update(&world->change, KUBE_GATEWAY_CLASS, "", "c", tree_of(text));
}

static void a_new_object_gets_what_only_the_server_sets(void **state)
{
    struct world *world = *state;
    json_t *tree = tree_of(gateway_class);
    json_t *metadata = json_object_get(tree, "metadata");
    json_object_set_new(metadata, "uid", json_string("mine"));
    json_object_set_new(metadata, "generation", json_integer(77));
    json_object_set_new(metadata, "labels", json_object());
    json_object_set_new(tree, "status", json_pack("{s:s}", "forged", "yes"));
    assert_true(change_create(&world->change, KUBE_GATEWAY_CLASS, tree));
    const struct stored *stored = world->change.stored;
    assert_int_equal(strlen(text_at(metadata_of(stored), "uid")), 36);
    assert_string_equal(text_at(metadata_of(stored), "creationTimestamp"), "2026-05-28T20:26:40Z");
    assert_int_equal(generation_of(stored), 1);
    assert_null(json_object_get(metadata_of(stored), "labels"));
    assert_null(json_object_get(stored->object->tree, "status"));
    assert_string_equal(stored->object->uid, text_at(metadata_of(stored), "uid"));
}

static void a_name_is_made_from_generateName(void **state)
{
    struct world *world = *state;
    assert_true(change_create(&world->change, KUBE_CONFIG_MAP,
                              json_pack("{s:{s:s, s:s}}", "metadata", "generateName", "x-", "namespace", "default")));
    assert_int_equal(strlen(world->change.stored->object->name), 7);
    assert_memory_equal(world->change.stored->object->name, "x-", 2);
}

static void what_exists_is_not_created_again(void **state)
{
    struct world *world = *state;
    (void)create_class(world);
    assert_false(change_create(&world->change, KUBE_GATEWAY_CLASS, tree_of(gateway_class)));
    assert_int_equal(failure_status(&world->change.failure), 409);
    assert_string_equal(world->change.failure.message, "gatewayclasses.gateway.networking.k8s.io \"c\" already exists");
}

static void a_namespace_must_be_there(void **state)
{
    struct world *world = *state;
    assert_false(change_create(&world->change, KUBE_CONFIG_MAP,
                               json_pack("{s:{s:s, s:s}}", "metadata", "name", "x", "namespace", "nope")));
    assert_int_equal(failure_status(&world->change.failure), 404);
    assert_string_equal(world->change.failure.message, "namespaces \"nope\" not found");
}

static void generation_counts_changes_of_the_spec_alone(void **state)
{
    struct world *world = *state;
    (void)create_class(world);
    assert_true(update_class(
        world, "{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"controllerName\":\"example.com/x\"}}"));
    assert_int_equal(generation_of(world->change.stored), 1);
    assert_true(update_class(world, "{\"metadata\":{},\"spec\":{\"controllerName\":\"example.com/y\"}}"));
    assert_int_equal(generation_of(world->change.stored), 2);
}

static void a_write_that_changes_nothing_is_none(void **state)
{
    struct world *world = *state;
    uint64_t version = create_class(world)->version;
    assert_true(update_class(world,
                             "{\"metadata\":{\"annotations\":{}},\"spec\":{\"controllerName\":\"example.com/x\"},"
                             "\"status\":{\"ignored\":1}}"));
    assert_true(world->change.is_unchanged);
    assert_int_equal(world->change.stored->version, version);
}

static void status_and_the_rest_are_written_apart(void **state)
{
    struct world *world = *state;
    (void)create_class(world);
    world->change.part = CHANGE_STATUS;
    assert_true(change_update(
        &world->change, KUBE_GATEWAY_CLASS, "", "c",
        tree_of("{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"controllerName\":\"example.com/z\"},"
                "\"status\":{\"conditions\":[]}}")));
    const json_t *tree = world->change.stored->object->tree;
    assert_non_null(json_object_get(json_object_get(tree, "status"), "conditions"));
    assert_string_equal(text_at(json_object_get(tree, "spec"), "controllerName"), "example.com/x");
    assert_null(json_object_get(metadata_of(world->change.stored), "labels"));
    assert_int_equal(generation_of(world->change.stored), 1);
}

static void a_stale_version_or_another_uid_is_a_conflict(void **state)
{
    struct world *world = *state;
    (void)create_class(world);
    assert_false(update_class(
        world, "{\"metadata\":{\"resourceVersion\":\"1\"},\"spec\":{\"controllerName\":\"example.com/y\"}}"));
    assert_int_equal(failure_status(&world->change.failure), 409);
    assert_false(
        update_class(world, "{\"metadata\":{\"uid\":\"other\"},\"spec\":{\"controllerName\":\"example.com/y\"}}"));
    assert_string_equal(
        world->change.failure.message,
        "Operation cannot be fulfilled on gatewayclasses.gateway.networking.k8s.io \"c\": the object has "
        "been modified; please apply your changes to the latest version and try again");
}

static void unknown_fields_are_refused_dropped_or_told(void **state)
{
    struct world *world = *state;
    static const char text[] = "{\"metadata\":{},\"spec\":{\"controllerName\":\"example.com/y\",\"bo.gus\":1}}";
    (void)create_class(world);
    assert_false(update_class(world, text));
    assert_int_equal(failure_status(&world->change.failure), 400);
    assert_non_null(strstr(world->change.failure.message, "strict decoding error: unknown field \"spec[bo.gus]\""));
    begin(world);
    world->change.validation = FIELDS_WARN;
    assert_true(change_update(&world->change, KUBE_GATEWAY_CLASS, "", "c", tree_of(text)));
    assert_int_equal(world->change.warning_count, 1);
    assert_string_equal(world->change.warnings[0], "unknown field \"spec[bo.gus]\"");
    assert_null(json_object_get(json_object_get(world->change.stored->object->tree, "spec"), "bo.gus"));
}

static void what_is_invalid_is_told_with_every_field(void **state)
{
    struct world *world = *state;
    assert_false(change_create(&world->change, KUBE_GATEWAY_CLASS,
                               tree_of("{\"metadata\":{\"name\":\"C\"},\"spec\":{\"controllerName\":\"no slash\"}}")));
    const struct failure *failure = &world->change.failure;
    assert_int_equal(failure_status(failure), 422);
    assert_int_equal(failure->cause_count, 2);
    assert_string_equal(failure->causes[0].field, "metadata.name");
    assert_string_equal(failure->causes[1].field, "spec.controllerName");
    assert_string_equal(failure->kind, "GatewayClass");
    assert_null(store_head(world->fixture.store, KUBE_GATEWAY_CLASS, "", "C"));
}

static void a_dry_run_leaves_no_trace(void **state)
{
    struct world *world = *state;
    world->change.is_dry_run = true;
    assert_true(change_create(&world->change, KUBE_GATEWAY_CLASS, tree_of(gateway_class)));
    assert_non_null(world->change.dry);
    assert_null(store_head(world->fixture.store, KUBE_GATEWAY_CLASS, "", "c"));
}

static bool delete_class(struct world *world, const struct deletion *deletion)
{
    begin(world);
    return change_delete(&world->change, KUBE_GATEWAY_CLASS, "", "c", deletion);
}

static void an_object_goes_when_its_last_finalizer_does(void **state)
{
    struct world *world = *state;
    static const struct deletion plain = {.grace_s = -1};
    (void)create_class(world);
    assert_true(update_class(
        world, "{\"metadata\":{\"finalizers\":[\"a.b/c\"]},\"spec\":{\"controllerName\":\"example.com/x\"}}"));
    assert_true(delete_class(world, &plain));
    assert_false(world->change.is_gone);
    assert_int_equal(generation_of(world->change.stored), 2);
    assert_string_not_equal(text_at(metadata_of(world->change.stored), "deletionTimestamp"), "");
    assert_true(delete_class(world, &plain));
    assert_true(world->change.is_unchanged); /* it is going already */
    assert_true(update_class(world, "{\"metadata\":{},\"spec\":{\"controllerName\":\"example.com/x\"}}"));
    assert_true(world->change.is_gone);
    assert_null(store_head(world->fixture.store, KUBE_GATEWAY_CLASS, "", "c"));
}

static void nobody_new_holds_an_object_that_is_going(void **state)
{
    struct world *world = *state;
    static const char first[] = "{\"metadata\":{\"finalizers\":[\"a.b/c\"]},\"spec\":{\"controllerName\":\"e.f/x\"}}";
    static const char second[] = "{\"metadata\":{\"finalizers\":[\"a.b/c\",\"a.b/d\"]},"
                                 "\"spec\":{\"controllerName\":\"e.f/x\"}}";
    (void)create_class(world);
    assert_true(update_class(world, first));
    assert_true(delete_class(world, &(struct deletion){.grace_s = -1}));
    assert_false(update_class(world, second));
    assert_int_equal(world->change.failure.reason, FAILURE_INVALID);
    assert_string_equal(world->change.failure.causes[0].field, "metadata.finalizers");
    assert_true(update_class(world, first));
}

static void preconditions_protect_against_deleting_another(void **state)
{
    struct world *world = *state;
    const char *uid = arena_strdup(world->arena, create_class(world)->object->uid);
    assert_false(delete_class(world, &(struct deletion){.uid = "other", .grace_s = -1}));
    assert_int_equal(failure_status(&world->change.failure), 409);
    assert_false(delete_class(world, &(struct deletion){.resource_version = "1", .grace_s = -1}));
    assert_true(delete_class(world, &(struct deletion){.uid = uid, .grace_s = -1}));
    assert_true(world->change.is_gone);
    assert_false(delete_class(world, &(struct deletion){.grace_s = -1}));
    assert_int_equal(failure_status(&world->change.failure), 404);
}

static void foreground_and_orphan_hold_the_object_for_the_garbage_collector(void **state)
{
    struct world *world = *state;
    (void)create_class(world);
    assert_true(delete_class(world, &(struct deletion){.propagation = "Foreground", .grace_s = -1}));
    assert_false(world->change.is_gone);
    const json_t *finalizers = json_object_get(metadata_of(world->change.stored), "finalizers");
    assert_string_equal(json_string_value(json_array_get(finalizers, 0)), FINALIZER_FOREGROUND);
}

static void the_namespaces_that_always_are_cannot_go(void **state)
{
    struct world *world = *state;
    struct deletion deletion = {.grace_s = -1};
    assert_false(change_delete(&world->change, KUBE_NAMESPACE, "", "default", &deletion));
    assert_int_equal(failure_status(&world->change.failure), 403);
}

static void a_pod_on_a_node_has_its_grace_period(void **state)
{
    struct world *world = *state;
    struct deletion deletion = {.grace_s = -1};
    assert_true(
        change_create(&world->change, KUBE_POD,
                      tree_of("{\"metadata\":{\"name\":\"p\",\"namespace\":\"default\"},\"spec\":{\"nodeName\":\"n\","
                              "\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}")));
    begin(world);
    assert_true(change_delete(&world->change, KUBE_POD, "default", "p", &deletion));
    assert_false(world->change.is_gone);
    assert_string_equal(text_at(metadata_of(world->change.stored), "deletionTimestamp"), "2026-05-28T20:27:10Z");
    deletion.grace_s = 0;
    begin(world);
    assert_true(change_delete(&world->change, KUBE_POD, "default", "p", &deletion));
    assert_true(world->change.is_gone);
}

static void defaults_stand_beside_what_the_user_wrote(void **state)
{
    struct world *world = *state;
    assert_true(
        change_create(&world->change, KUBE_SECRET,
                      tree_of("{\"metadata\":{\"name\":\"s\",\"namespace\":\"default\"},\"stringData\":{\"a\":\"x\","
                              "\"b\":\"xy\",\"c\":\"xyz\"}}")));
    const json_t *tree = world->change.stored->object->tree, *data = json_object_get(tree, "data");
    assert_string_equal(text_at(tree, "type"), "Opaque");
    assert_string_equal(text_at(data, "a"), "eA==");
    assert_string_equal(text_at(data, "b"), "eHk=");
    assert_string_equal(text_at(data, "c"), "eHl6");
    assert_null(json_object_get(tree, "stringData"));
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_new_object_gets_what_only_the_server_sets),
        WORLD_TEST(a_name_is_made_from_generateName),
        WORLD_TEST(what_exists_is_not_created_again),
        WORLD_TEST(a_namespace_must_be_there),
        WORLD_TEST(generation_counts_changes_of_the_spec_alone),
        WORLD_TEST(a_write_that_changes_nothing_is_none),
        WORLD_TEST(status_and_the_rest_are_written_apart),
        WORLD_TEST(a_stale_version_or_another_uid_is_a_conflict),
        WORLD_TEST(unknown_fields_are_refused_dropped_or_told),
        WORLD_TEST(what_is_invalid_is_told_with_every_field),
        WORLD_TEST(a_dry_run_leaves_no_trace),
        WORLD_TEST(an_object_goes_when_its_last_finalizer_does),
        WORLD_TEST(nobody_new_holds_an_object_that_is_going),
        WORLD_TEST(preconditions_protect_against_deleting_another),
        WORLD_TEST(foreground_and_orphan_hold_the_object_for_the_garbage_collector),
        WORLD_TEST(the_namespaces_that_always_are_cannot_go),
        WORLD_TEST(a_pod_on_a_node_has_its_grace_period),
        WORLD_TEST(defaults_stand_beside_what_the_user_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
