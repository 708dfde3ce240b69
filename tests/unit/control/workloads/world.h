/* SPDX-License-Identifier: Apache-2.0 */
/* world.h: a store in memory that controllers work on, pass by pass, at times that the test chooses. */
#ifndef TESTS_UNIT_CONTROL_WORKLOADS_WORLD_H
#define TESTS_UNIT_CONTROL_WORKLOADS_WORLD_H

#include "unit/kube/store/fixture.h"

#include "base/clock.h"
#include "control/workloads/conditions.h"
#include "control/workloads/controllers.h"
#include "control/workloads/metadata.h"
#include "control/workloads/pod_facts.h"
#include "kube/api/manifest.h"

struct world {
    struct fixture fixture;
    struct store *store;
    struct event_recorder *recorder;
    uint64_t now_ms;  /* wall clock of the passes */
    uint64_t wake_ms; /* what the last pass asked for */
    unsigned writes;  /* of the last pass */
};

static inline void world_open(struct world *world)
{
    *world = (struct world){.now_ms = 1700000000000};
    fixture_open(&world->fixture);
    world->store = world->fixture.store;
    world->recorder = event_recorder_new(world->fixture.reactor, world->store, 1000);
    struct pass pass;
    pass_init(&pass, world->store, NULL, world->now_ms);
    namespaces_make(&pass);
    pass_deinit(&pass);
}

static inline void world_close(struct world *world)
{
    event_recorder_free(world->recorder);
    fixture_close(&world->fixture);
}

/* What a kill -9 and a start leave: what was durable. */
static inline void world_restart(struct world *world)
{
    event_recorder_free(world->recorder);
    settle(&world->fixture);
    fixture_reopen(&world->fixture);
    world->store = world->fixture.store;
    world->recorder = event_recorder_new(world->fixture.reactor, world->store, 1000);
}

static inline void world_pass(struct world *world, void (*sync)(struct pass *pass))
{
    struct pass pass;
    pass_init(&pass, world->store, world->recorder, world->now_ms);
    sync(&pass);
    world->writes = pass.writes;
    world->wake_ms = pass.wake_wall_ms;
    pass_deinit(&pass);
}

/* Creates the objects of a manifest, or updates those that are there. */
static inline void world_apply(struct world *world, const char *text)
{
    struct arena *arena = arena_new(0);
    struct problems problems;
    struct manifest manifest;
    problems_init(&problems, arena);
    manifest_init(&manifest);
    manifest_add(&manifest, "test", bytes_of(text), &problems);
    if (problems.count > 0)
        fail_msg("%s", problem_text(problems.first, arena));
    for (unsigned i = 0; i < manifest.len; i++) {
        const struct kube_object *object = manifest.objects[i];
        json_t *tree = json_deep_copy(object->tree);
        struct stored *stored;
        if (store_head(world->store, object->kind, object->namespace_, object->name) == NULL)
            stored = object_create(world->store, object->kind, tree, world->now_ms);
        else
            stored = object_update(world->store, object->kind, object->namespace_, object->name, tree, world->now_ms);
        assert_non_null(stored);
        stored_give_back(stored);
    }
    manifest_deinit(&manifest);
    arena_free(arena);
}

static inline const struct kube_object *world_get(const struct world *world, enum kube_kind kind, const char *name)
{
    const char *namespace_ = kube_kind_info(kind)->is_namespaced ? "default" : "";
    const struct stored *stored = store_head(world->store, kind, namespace_, name);
    return stored != NULL ? stored->object : NULL;
}

static inline void world_delete(struct world *world, enum kube_kind kind, const char *name, const char *propagation)
{
    const char *namespace_ = kube_kind_info(kind)->is_namespaced ? "default" : "";
    assert_true(object_delete(world->store, kind, namespace_, name, propagation, -1, world->now_ms));
}

static inline unsigned world_count(const struct world *world, enum kube_kind kind)
{
    unsigned count = 0;
    struct store_cursor cursor = store_cursor_at(world->store, kind, "", "", "");
    while (store_next_head(world->store, kind, &cursor) != NULL)
        count++;
    return count;
}

/* The position-th object of a kind, in order of namespace and name. */
static inline const struct kube_object *world_nth(const struct world *world, enum kube_kind kind, unsigned position)
{
    const struct stored *stored;
    struct store_cursor cursor = store_cursor_at(world->store, kind, "", "", "");
    while ((stored = store_next_head(world->store, kind, &cursor)) != NULL)
        if (position-- == 0)
            return stored->object;
    return NULL;
}

static inline unsigned world_events(const struct world *world, const char *reason)
{
    unsigned count = 0;
    const struct kube_object *event;
    for (unsigned i = 0; (event = world_nth(world, KUBE_EVENT, i)) != NULL; i++)
        count += strcmp(json_text(event->tree, "reason"), reason) == 0;
    return count;
}

/* The part of an object at a path of member names, "status.replicas". */
static inline const json_t *world_at(const struct kube_object *object, const char *path)
{
    const json_t *value = object->tree;
    while (value != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");
        value = json_object_getn(value, path, len);
        path += len + (path[len] == '.');
    }
    return value;
}

static inline int world_int(const struct kube_object *object, const char *path)
{
    return (int)json_integer_value(world_at(object, path));
}

static inline void world_set_status(struct world *world, const struct kube_object *object, json_t *status)
{
    object_set_status(world->store, object->kind, object->namespace_, object->name, status, world->now_ms);
}

/* A kubelet's word on a Pod. */
static inline void world_run_pod(struct world *world, const struct kube_object *pod, const char *ip, bool is_ready)
{
    char now[21];
    clock_rfc3339(world->now_ms, now);
    world_set_status(world, pod,
                     json_pack("{s:s, s:s, s:[{s:s, s:s, s:s}]}", "phase", "Running", "podIP", ip, "conditions", "type",
                               "Ready", "status", is_ready ? "True" : "False", "lastTransitionTime", now));
}

/* Every Pod that is not being deleted becomes ready; those that are go. */
static inline void world_run_pods(struct world *world)
{
    const struct kube_object *pod;
    for (unsigned i = 0; (pod = world_nth(world, KUBE_POD, i)) != NULL;) {
        if (metadata_is_deleting(pod)) {
            assert_true(object_delete(world->store, KUBE_POD, pod->namespace_, pod->name, NULL, 0, world->now_ms));
            continue;
        }
        if (!((const struct pod_spec *)pod->spec)->is_ready)
            world_run_pod(world, pod, "127.1.0.1", true);
        i++;
    }
}

#define WORLD_TEST(name)                                                                                               \
    static void name##_in(struct world *world);                                                                        \
    static void name(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        struct world world;                                                                                            \
        world_open(&world);                                                                                            \
        name##_in(&world);                                                                                             \
        world_close(&world);                                                                                           \
    }                                                                                                                  \
    static void name##_in(struct world *world)

#endif
