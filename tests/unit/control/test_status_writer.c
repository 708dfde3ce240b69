/* SPDX-License-Identifier: Apache-2.0 */
/* What a compile says about objects, written into the store: once, whole, and beside what others wrote. */
#include "unit/control/world.h"

#include "control/status_writer.h"
#include "control/store_feed.h"
#include "route/compile.h"

#define FIRST_TIME  "1970-01-01T00:16:40Z"
#define SECOND_TIME "1970-01-01T00:33:20Z"
#define OURS        "serin.dev/gateway-controller"

struct scene {
    struct world world;
    struct store_feed feed;
    struct pool_registry *pools;
    struct split_registry *splits;
    unsigned config_changes;
    struct route_snapshot *snapshot;
    struct status_report *report;
    struct arena *report_arena;
};

static void on_news(void *context, struct store_news news)
{
    ((struct scene *)context)->config_changes += news.is_config;
}

static void drop_report(struct scene *scene)
{
    if (scene->report == NULL)
        return;
    status_report_deinit(scene->report);
    route_snapshot_give_back(scene->snapshot);
    arena_free(scene->report_arena);
    scene->report = NULL;
}

static int setup(void **state)
{
    struct scene *scene = must(calloc(1, sizeof *scene));
    world_open(&scene->world);
    store_feed_init(&scene->feed, scene->world.store, on_news, scene);
    scene->pools = pool_registry_new();
    scene->splits = split_registry_new();
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    drop_report(scene);
    store_feed_deinit(&scene->feed);
    split_registry_free(scene->splits);
    pool_registry_free(scene->pools);
    world_close(&scene->world);
    free(scene);
    return 0;
}

static int bind_nothing(void *context, const char *ip, uint16_t port)
{
    (void)context, (void)ip;
    return port;
}

static void compile(struct scene *scene)
{
    static const char *const addresses[] = {"127.0.0.1"};
    struct compile_input input = {
        .cache = scene->feed.cache,
        .pools = scene->pools,
        .splits = scene->splits,
        .addresses = addresses,
        .address_count = 1,
        .bind = bind_nothing,
        .default_buffer_limit_bytes = 1,
        .generation = 1,
    };
    drop_report(scene);
    scene->report_arena = arena_new(0);
    scene->snapshot = route_compile(&input, scene->report_arena, &scene->report);
}

static unsigned write_statuses(struct scene *scene)
{
    struct world *world = &scene->world;
    unsigned count = status_writer_write(world->store, world->recorder, scene->report, world->now_wall_ms);
    world_settle(world);
    return count;
}

/* Objects in, compiled, statuses out: how many were written. */
static unsigned apply(struct scene *scene, const char *yaml)
{
    world_put(&scene->world, yaml);
    world_settle(&scene->world);
    compile(scene);
    return write_statuses(scene);
}

static json_t *find_condition(const json_t *owner, const char *type)
{
    json_t *list = json_object_get(owner, "conditions");
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_object_get(json_array_get(list, i), "type")), type) == 0)
            return json_array_get(list, i);
    }
    return NULL;
}

static const char *member(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "";
}

/* "True Accepted @2 since 1970-01-01T00:16:40Z" */
static const char *said(struct scene *scene, const json_t *owner, const char *type)
{
    const json_t *condition = find_condition(owner, type);
    if (condition == NULL)
        return "absent";
    return arena_printf(scene->world.arena, "%s %s @%d since %s", member(condition, "status"),
                        member(condition, "reason"),
                        (int)json_integer_value(json_object_get(condition, "observedGeneration")),
                        member(condition, "lastTransitionTime"));
}

static json_t *item(const json_t *status, const char *list, size_t index)
{
    return json_array_get(json_object_get(status, list), index);
}

static void every_kind_gets_its_status_in_one_write(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    assert_int_equal(apply(scene, CLASS GATEWAY POOL("p") POOL_V1("q")
                                      ROUTE("r", "{name: g, sectionName: http}", REF("p") ", " REF_V1("q"))),
                     5);
    assert_string_equal(said(scene, world_status(world, KUBE_GATEWAY_CLASS, "c"), "Accepted"),
                        "True Accepted @1 since " FIRST_TIME);
    const json_t *gateway = world_status(world, KUBE_GATEWAY, "g");
    assert_string_equal(said(scene, gateway, "Programmed"), "True Programmed @1 since " FIRST_TIME);
    assert_string_equal(world_text(world, json_object_get(gateway, "addresses")),
                        "[{\"type\":\"IPAddress\",\"value\":\"127.0.0.1\"}]");
    const json_t *listener = item(gateway, "listeners", 0);
    assert_int_equal(json_integer_value(json_object_get(listener, "attachedRoutes")), 1);
    assert_string_equal(world_text(world, json_object_get(listener, "supportedKinds")),
                        "[{\"group\":\"gateway.networking.k8s.io\",\"kind\":\"HTTPRoute\"}]");
    assert_string_equal(said(scene, listener, "Conflicted"), "False NoConflicts @1 since " FIRST_TIME);
    const json_t *parent = item(world_status(world, KUBE_HTTP_ROUTE, "r"), "parents", 0);
    assert_string_equal(member(parent, "controllerName"), OURS);
    assert_string_equal(member(json_object_get(parent, "parentRef"), "sectionName"), "http");
    assert_string_equal(said(scene, parent, "ResolvedRefs"), "True ResolvedRefs @1 since " FIRST_TIME);
    parent = item(world_status(world, KUBE_INFERENCE_POOL, "q"), "parents", 0);
    assert_string_equal(member(json_object_get(parent, "parentRef"), "namespace"), "default");
    parent = item(world_status(world, KUBE_INFERENCE_POOL_X, "p"), "parent", 0);
    assert_string_equal(said(scene, parent, "Accepted"), "True Accepted @1 since " FIRST_TIME);
}

static void what_would_not_change_is_not_written_and_wakes_nobody(void **state)
{
    struct scene *scene = *state;
    apply(scene, CLASS GATEWAY POOL("p") ROUTE("r", "{name: g}", REF("p")));
    unsigned changes = scene->config_changes;
    uint64_t version = store_version(scene->world.store);
    scene->world.now_wall_ms += 1000000;
    assert_int_equal(write_statuses(scene), 0);
    compile(scene);
    assert_int_equal(write_statuses(scene), 0);
    assert_int_equal(store_version(scene->world.store), version);
    assert_int_equal(scene->config_changes, changes);
}

static void a_written_status_is_no_change_of_configuration(void **state)
{
    struct scene *scene = *state;
    world_put(&scene->world, CLASS GATEWAY);
    world_settle(&scene->world);
    compile(scene);
    unsigned changes = scene->config_changes;
    assert_int_equal(write_statuses(scene), 2);
    assert_int_equal(scene->config_changes, changes);
}

static void a_condition_is_dated_anew_only_when_its_status_turns(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    apply(scene, CLASS GATEWAY ROUTE("r", "{name: g}", "{name: none, port: 80}"));
    const json_t *parent = item(world_status(world, KUBE_HTTP_ROUTE, "r"), "parents", 0);
    assert_string_equal(said(scene, parent, "ResolvedRefs"), "False BackendNotFound @1 since " FIRST_TIME);
    world->now_wall_ms += 1000000;
    /* Another reason, another generation, the same status. */
    apply(scene, ROUTE("r", "{name: g}", "{name: x, kind: Pod, port: 80}"));
    parent = item(world_status(world, KUBE_HTTP_ROUTE, "r"), "parents", 0);
    assert_string_equal(said(scene, parent, "ResolvedRefs"), "False InvalidKind @2 since " FIRST_TIME);
    assert_string_equal(said(scene, parent, "Accepted"), "True Accepted @2 since " FIRST_TIME);
    apply(scene, POOL("p") ROUTE("r", "{name: g}", REF("p")));
    parent = item(world_status(world, KUBE_HTTP_ROUTE, "r"), "parents", 0);
    assert_string_equal(said(scene, parent, "ResolvedRefs"), "True ResolvedRefs @3 since " SECOND_TIME);
}

static void an_object_that_changed_since_the_compile_gets_the_generation_that_was_compiled(void **state)
{
    struct scene *scene = *state;
    world_put(&scene->world, CLASS GATEWAY);
    world_settle(&scene->world);
    compile(scene);
    world_put(&scene->world, GATEWAY_ON("g", "81"));
    assert_int_equal(world_head(&scene->world, KUBE_GATEWAY, "g")->generation, 2);
    assert_int_equal(write_statuses(scene), 2);
    assert_string_equal(said(scene, world_status(&scene->world, KUBE_GATEWAY, "g"), "Programmed"),
                        "True Programmed @1 since " FIRST_TIME);
    compile(scene);
    assert_int_equal(write_statuses(scene), 1);
    assert_string_equal(said(scene, world_status(&scene->world, KUBE_GATEWAY, "g"), "Programmed"),
                        "True Programmed @2 since " FIRST_TIME);
}

static void an_object_of_another_life_is_left_alone(void **state)
{
    struct scene *scene = *state;
    world_put(&scene->world, CLASS GATEWAY);
    world_settle(&scene->world);
    compile(scene);
    world_delete(&scene->world, KUBE_GATEWAY, "g");
    assert_int_equal(write_statuses(scene), 1); /* the class */
    world_put(&scene->world, GATEWAY);
    assert_int_equal(write_statuses(scene), 0);
    assert_null(world_status(&scene->world, KUBE_GATEWAY, "g"));
}

static void set_status(struct scene *scene, enum kube_kind kind, const char *name, const char *text)
{
    json_t *status = json_loads(text, 0, NULL);
    assert_non_null(status);
    assert_true(object_set_status(scene->world.store, kind, "default", name, status, scene->world.now_wall_ms));
}

#define FOREIGN_PARENT "{\"conditions\":[],\"controllerName\":\"example.com/other\",\"parentRef\":{\"name\":\"else\"}}"

static void entries_of_other_controllers_stay_and_ours_go_with_their_references(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    world_put(world, CLASS GATEWAY GATEWAY_ON("h", "81") ROUTE("r", "{name: g}, {name: h}", ""));
    set_status(scene, KUBE_HTTP_ROUTE, "r", "{\"parents\": [" FOREIGN_PARENT "]}");
    world_settle(world);
    compile(scene);
    write_statuses(scene);
    const json_t *status = world_status(world, KUBE_HTTP_ROUTE, "r");
    assert_int_equal(json_array_size(json_object_get(status, "parents")), 3);
    assert_string_equal(world_text(world, item(status, "parents", 0)), FOREIGN_PARENT);
    apply(scene, ROUTE("r", "{name: h}", ""));
    status = world_status(world, KUBE_HTTP_ROUTE, "r");
    assert_int_equal(json_array_size(json_object_get(status, "parents")), 2);
    assert_string_equal(member(json_object_get(item(status, "parents", 1), "parentRef"), "name"), "h");
    assert_string_equal(world_text(world, item(status, "parents", 0)), FOREIGN_PARENT);
}

static void a_pool_that_no_route_refers_to_any_more_has_no_parent(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    apply(scene, CLASS GATEWAY POOL_V1("p") POOL_V1("never") ROUTE("r", "{name: g}", REF_V1("p")));
    assert_int_equal(json_array_size(json_object_get(world_status(world, KUBE_INFERENCE_POOL, "p"), "parents")), 1);
    assert_null(world_status(world, KUBE_INFERENCE_POOL, "never"));
    world_delete(world, KUBE_HTTP_ROUTE, "r");
    world_settle(world);
    compile(scene);
    assert_int_equal(write_statuses(scene), 2); /* the pool, and the listener's count of routes */
    assert_string_equal(world_text(world, world_status(world, KUBE_INFERENCE_POOL, "p")), "{\"parents\":[]}");
}

static void conditions_of_other_writers_stay_beside_ours(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    world_put(world, CLASS GATEWAY);
    set_status(scene, KUBE_GATEWAY, "g",
               "{\"attachedListenerSets\": 3, \"conditions\": [{\"type\": \"Ready\", \"status\": \"Unknown\"}, "
               "{\"type\": \"Accepted\", \"status\": \"Unknown\", \"reason\": \"Pending\", "
               "\"lastTransitionTime\": \"1970-01-01T00:00:00Z\"}]}");
    world_settle(world);
    compile(scene);
    write_statuses(scene);
    const json_t *status = world_status(world, KUBE_GATEWAY, "g");
    assert_int_equal(json_array_size(json_object_get(status, "conditions")), 3);
    assert_string_equal(said(scene, status, "Accepted"), "True Accepted @1 since " FIRST_TIME);
    assert_string_equal(member(find_condition(status, "Ready"), "status"), "Unknown");
    assert_int_equal(json_integer_value(json_object_get(status, "attachedListenerSets")), 3);
    assert_int_equal(write_statuses(scene), 0);
}

static void a_gateway_that_lost_its_address_shows_none(void **state)
{
    struct scene *scene = *state;
    apply(scene, CLASS GATEWAY);
    world_delete(&scene->world, KUBE_GATEWAY_CLASS, "c");
    world_settle(&scene->world);
    compile(scene);
    assert_int_equal(write_statuses(scene), 1);
    const json_t *status = world_status(&scene->world, KUBE_GATEWAY, "g");
    assert_null(json_object_get(status, "addresses"));
    assert_string_equal(said(scene, status, "Accepted"), "False NotReconciled @1 since " FIRST_TIME);
}

#define POLICY(targets)                                                                                                \
    "apiVersion: gateway.envoyproxy.io/v1alpha1\n"                                                                     \
    "kind: BackendTrafficPolicy\n"                                                                                     \
    "metadata: {name: b}\n"                                                                                            \
    "spec: {targetRefs: [" targets "], timeout: {http: {requestTimeout: 1s}}}\n"                                       \
    "---\n"
#define TARGET(kind, name) "{group: gateway.networking.k8s.io, kind: " kind ", name: " name "}"

static void targets_with_one_ancestor_share_its_entry_which_says_no_when_one_does(void **state)
{
    struct scene *scene = *state;
    apply(scene, CLASS GATEWAY ROUTE("r", "{name: g}", "") ROUTE("s", "{name: g}", "")
                     POLICY(TARGET("HTTPRoute", "r") ", {group: gateway.networking.k8s.io, kind: HTTPRoute, name: s, "
                                                     "sectionName: none}"));
    const json_t *status = world_status(&scene->world, KUBE_BACKEND_TRAFFIC_POLICY, "b");
    assert_int_equal(json_array_size(json_object_get(status, "ancestors")), 1);
    assert_string_equal(said(scene, item(status, "ancestors", 0), "Accepted"),
                        "False TargetNotFound @1 since " FIRST_TIME);
    assert_int_equal(write_statuses(scene), 0);
}

static void at_most_16_ancestors_are_listed(void **state)
{
    struct scene *scene = *state;
    struct buffer yaml = {0};
    buffer_append_str(&yaml, CLASS POLICY(TARGET("HTTPRoute", "r")));
    buffer_append_str(&yaml, "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\n"
                             "spec:\n  parentRefs:\n");
    for (int i = 0; i < 20; i++)
        buffer_printf(&yaml, "  - name: g%d\n", i);
    for (int i = 0; i < 20; i++)
        buffer_printf(&yaml,
                      "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g%d}\n"
                      "spec: {gatewayClassName: c, listeners: [{name: http, port: %d, protocol: HTTP}]}\n",
                      i, 100 + i);
    buffer_append_char(&yaml, '\0');
    apply(scene, buffer_bytes(&yaml).data);
    buffer_deinit(&yaml);
    const json_t *status = world_status(&scene->world, KUBE_BACKEND_TRAFFIC_POLICY, "b");
    assert_int_equal(json_array_size(json_object_get(status, "ancestors")), 16);
    assert_int_equal(write_statuses(scene), 0);
}

static void a_refusal_is_an_event_once_and_again_when_it_says_something_else(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    apply(scene, CLASS GATEWAY ROUTE("r", "{name: g}", "{name: none, port: 80}"));
    assert_string_equal(
        world_events(world, "r"),
        "Warning BackendNotFound x1: spec.rules[0].backendRefs[0]: Service default/none does not exist");
    assert_string_equal(world_events(world, "g"), "");
    compile(scene);
    write_statuses(scene);
    apply(scene, POOL("unrelated"));
    assert_non_null(strstr(world_events(world, "r"), " x1: "));
    apply(scene, ROUTE("r", "{name: g}", "{name: neither, port: 80}"));
    assert_non_null(strstr(world_events(world, "r"), "Service default/neither does not exist"));
    apply(scene, SERVICE("neither") ROUTE("r", "{name: g}", "{name: neither, port: 9002}"));
    apply(scene, ROUTE("r", "{name: g}", "{name: none, port: 80}"));
    assert_non_null(strstr(world_events(world, "r"), " x2: spec.rules[0].backendRefs[0]: Service default/none"));
}

static void one_fault_is_told_once_however_many_conditions_it_turns(void **state)
{
    struct scene *scene = *state;
    apply(scene, GATEWAY);
    assert_string_equal(world_events(&scene->world, "g"), "Warning NotReconciled x1: GatewayClass c does not exist");
}

static void a_pool_without_its_picker_is_served_and_an_event_says_by_whom(void **state)
{
    struct scene *scene = *state;
    struct world *world = &scene->world;
    apply(scene, CLASS GATEWAY POOL("p") ROUTE("r", "{name: g}", REF("p")));
    const json_t *parent = item(world_status(world, KUBE_INFERENCE_POOL_X, "p"), "parent", 0);
    assert_string_equal(said(scene, parent, "ResolvedRefs"), "True ResolvedRefs @1 since " FIRST_TIME);
    const char *events = "Normal BuiltInPicker x1: spec.extensionRef: Service default/picker does not exist; "
                         "the built-in picker chooses endpoints";
    assert_string_equal(world_events(world, "p"), events);
    apply(scene, SERVICE("picker"));
    parent = item(world_status(world, KUBE_INFERENCE_POOL_X, "p"), "parent", 0);
    assert_string_equal(member(find_condition(parent, "ResolvedRefs"), "message"),
                        "the built-in picker chooses endpoints");
    assert_string_equal(world_events(world, "p"), events);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_kind_gets_its_status_in_one_write),
        TEST(what_would_not_change_is_not_written_and_wakes_nobody),
        TEST(a_written_status_is_no_change_of_configuration),
        TEST(a_condition_is_dated_anew_only_when_its_status_turns),
        TEST(an_object_that_changed_since_the_compile_gets_the_generation_that_was_compiled),
        TEST(an_object_of_another_life_is_left_alone),
        TEST(entries_of_other_controllers_stay_and_ours_go_with_their_references),
        TEST(a_pool_that_no_route_refers_to_any_more_has_no_parent),
        TEST(conditions_of_other_writers_stay_beside_ours),
        TEST(a_gateway_that_lost_its_address_shows_none),
        TEST(targets_with_one_ancestor_share_its_entry_which_says_no_when_one_does),
        TEST(at_most_16_ancestors_are_listed),
        TEST(a_refusal_is_an_event_once_and_again_when_it_says_something_else),
        TEST(one_fault_is_told_once_however_many_conditions_it_turns),
        TEST(a_pool_without_its_picker_is_served_and_an_event_says_by_whom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
