/* SPDX-License-Identifier: Apache-2.0 */
/* world.h: a store over a disk in memory, with the namespaces that always exist; objects go in as YAML, and their
 * statuses and Events come out as short texts.  For the tests of control/. */
#ifndef TESTS_UNIT_CONTROL_WORLD_H
#define TESTS_UNIT_CONTROL_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kube/api/manifest.h"
#include "kube/apiserver/change.h"
#include "kube/apiserver/event_recorder.h"
#include "unit/kube/store/memory_disk.h"

#define CLASS                                                                                                          \
    "apiVersion: gateway.networking.k8s.io/v1\n"                                                                       \
    "kind: GatewayClass\n"                                                                                             \
    "metadata: {name: c}\n"                                                                                            \
    "spec: {controllerName: example.com/any}\n"                                                                        \
    "---\n"
#define GATEWAY_ON(name, port)                                                                                         \
    "apiVersion: gateway.networking.k8s.io/v1\n"                                                                       \
    "kind: Gateway\n"                                                                                                  \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: {gatewayClassName: c, listeners: [{name: http, port: " port ", protocol: HTTP}]}\n"                         \
    "---\n"
#define GATEWAY GATEWAY_ON("g", "80")
#define POOL(name)                                                                                                     \
    "apiVersion: inference.networking.x-k8s.io/v1alpha2\n"                                                             \
    "kind: InferencePool\n"                                                                                            \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: {selector: {app: x}, targetPortNumber: 8000, extensionRef: {name: picker}}\n"                               \
    "---\n"
#define POOL_V1(name)                                                                                                  \
    "apiVersion: inference.networking.k8s.io/v1\n"                                                                     \
    "kind: InferencePool\n"                                                                                            \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: {selector: {matchLabels: {app: x}}, targetPorts: [{number: 8000}],\n"                                       \
    "  endpointPickerRef: {name: picker, port: {number: 9002}}}\n"                                                     \
    "---\n"
#define SERVICE(name)                                                                                                  \
    "apiVersion: v1\n"                                                                                                 \
    "kind: Service\n"                                                                                                  \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: {ports: [{port: 9002}]}\n"                                                                                  \
    "---\n"
#define ROUTE(name, parents, backends)                                                                                 \
    "apiVersion: gateway.networking.k8s.io/v1\n"                                                                       \
    "kind: HTTPRoute\n"                                                                                                \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: {parentRefs: [" parents "], rules: [{backendRefs: [" backends "]}]}\n"                                      \
    "---\n"
#define REF(name)    "{group: inference.networking.x-k8s.io, kind: InferencePool, name: " name "}"
#define REF_V1(name) "{group: inference.networking.k8s.io, kind: InferencePool, name: " name "}"

struct world {
    struct reactor *reactor;
    struct memory_disk disk;
    struct store *store;
    struct event_recorder *recorder;
    struct arena *arena; /* of texts */
    uint64_t now_wall_ms;
};

static inline void world_make_namespace(struct world *world, const char *name)
{
    json_t *tree = json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "Namespace", "metadata", "name", name);
    struct stored *stored = object_create(world->store, KUBE_NAMESPACE, tree, world->now_wall_ms);
    assert_non_null(stored);
    stored_give_back(stored);
}

static inline struct store_figures world_figures(const struct world *world)
{
    struct store_figures figures;
    store_figures(world->store, &figures);
    return figures;
}

/* Everything that was written is durable, or failed, and those who wait were told. */
static inline void world_settle(struct world *world)
{
    reactor_turn(world->reactor, 0);
    while (world_figures(world).pending > 0)
        reactor_turn(world->reactor, -1);
    reactor_turn(world->reactor, 0);
}

static inline void world_open(struct world *world)
{
    char error[300];
    *world = (struct world){.now_wall_ms = 1000000, .arena = arena_new(0)};
    world->reactor = reactor_new("test");
    memory_disk_init(&world->disk);
    world->store = store_open(world->reactor, &world->disk.disk, NULL, error);
    assert_non_null(world->store);
    world->recorder = event_recorder_new(world->reactor, world->store, 100);
    world_make_namespace(world, "default");
    world_settle(world);
}

static inline void world_close(struct world *world)
{
    event_recorder_free(world->recorder);
    store_close(world->store);
    reactor_free(world->reactor);
    memory_disk_deinit(&world->disk);
    arena_free(world->arena);
}

static inline void world_read(struct world *world, const char *yaml, struct manifest *manifest)
{
    struct problems problems;
    problems_init(&problems, world->arena);
    manifest_init(manifest);
    manifest_add(manifest, "test.yaml", bytes_of(yaml), &problems);
    if (problems.first != NULL)
        fail_msg("%s", problem_text(problems.first, world->arena));
}

static inline const struct kube_object *world_head(const struct world *world, enum kube_kind kind, const char *name)
{
    const char *namespace_ = kube_kind_info(kind)->is_namespaced ? "default" : "";
    const struct stored *head = store_head(world->store, kind, namespace_, name);
    return head != NULL ? head->object : NULL;
}

/* As another writer would, through the API. */
static inline void world_put(struct world *world, const char *yaml)
{
    struct manifest manifest;
    world_read(world, yaml, &manifest);
    for (unsigned i = 0; i < manifest.len; i++) {
        const struct kube_object *object = manifest.objects[i];
        json_t *tree = json_deep_copy(object->tree);
        struct stored *stored;
        if (kube_kind_info(object->kind)->is_namespaced)
            json_object_set_new(json_object_get(tree, "metadata"), "namespace", json_string(object->namespace_));
        if (store_head(world->store, object->kind, object->namespace_, object->name) == NULL)
            stored = object_create(world->store, object->kind, tree, world->now_wall_ms);
        else
            stored =
                object_update(world->store, object->kind, object->namespace_, object->name, tree, world->now_wall_ms);
        assert_non_null(stored);
        stored_give_back(stored);
    }
    manifest_deinit(&manifest);
}

static inline void world_delete(struct world *world, enum kube_kind kind, const char *name)
{
    const char *namespace_ = kube_kind_info(kind)->is_namespaced ? "default" : "";
    assert_true(object_delete(world->store, kind, namespace_, name, NULL, 0, world->now_wall_ms));
}

static inline json_t *world_status(const struct world *world, enum kube_kind kind, const char *name)
{
    const struct kube_object *object = world_head(world, kind, name);
    return object != NULL ? json_object_get(object->tree, "status") : NULL;
}

/* JSON text of any value, keys in order; "null" for NULL. */
static inline const char *world_text(struct world *world, const json_t *value)
{
    char *text = value != NULL ? json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    const char *kept = arena_strdup(world->arena, text != NULL ? text : "null");
    free(text);
    return kept;
}

/* "Warning NotReconciled: GatewayClass c does not exist; ..." about the object, in order of the Events' making. */
static inline const char *world_events(struct world *world, const char *about)
{
    const char *list = "";
    const struct stored *stored;
    struct store_cursor cursor = store_cursor_at(world->store, KUBE_EVENT, "", "", "");
    while ((stored = store_next_head(world->store, KUBE_EVENT, &cursor)) != NULL) {
        const json_t *tree = stored->object->tree;
        const char *name = json_string_value(json_object_get(json_object_get(tree, "involvedObject"), "name"));
        if (strcmp(name, about) != 0)
            continue;
        list = arena_printf(world->arena, "%s%s%s %s x%d: %s", list, list[0] != '\0' ? "; " : "",
                            json_string_value(json_object_get(tree, "type")),
                            json_string_value(json_object_get(tree, "reason")),
                            (int)json_integer_value(json_object_get(tree, "count")),
                            json_string_value(json_object_get(tree, "message")));
    }
    return list;
}

#endif
