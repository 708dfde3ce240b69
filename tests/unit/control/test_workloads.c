/* SPDX-License-Identifier: Apache-2.0 */
/* Which pods Deployments get.  The commands cannot be simulated, so that no process starts: such pods stay Pending. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/workloads.h"
#include "kube/api/core.h"
#include "kube/api/manifest.h"

struct world {
    struct reactor *reactor;
    struct metrics *metrics;
    struct object_cache *cache;
    struct workloads *workloads;
    unsigned changes;
    unsigned stops;
};

static void on_pods_changed(void *context)
{
    ((struct world *)context)->changes++;
}

static void on_stopped(void *context)
{
    ((struct world *)context)->stops++;
}

static void world_start(struct world *world)
{
    *world = (struct world){0};
    world->reactor = reactor_new("test");
    world->metrics = metrics_new(1, 10);
    world->cache = object_cache_new();
    struct workloads_config config = {.program = "/nonexistent",
                                      .log_dir = "/nonexistent",
                                      .speed = 1,
                                      .on_pods_changed = on_pods_changed,
                                      .context = world,
                                      .metrics = world->metrics};
    world->workloads = workloads_new(world->reactor, world->cache, &config);
}

static void world_stop(struct world *world)
{
    workloads_free(world->workloads);
    object_cache_free(world->cache);
    metrics_free(world->metrics);
    reactor_free(world->reactor);
}

static void deploy(struct world *world, const char *name, unsigned replicas, const char *image)
{
    struct arena *arena = arena_new(0);
    struct problems problems;
    struct manifest manifest;
    const char *text = arena_printf(arena,
                                    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s}\n"
                                    "spec:\n  replicas: %u\n  selector: {matchLabels: {app: %s}}\n"
                                    "  template:\n    metadata: {labels: {app: %s}}\n"
                                    "    spec: {containers: [{name: c, image: %s, command: [sleep, \"1\"]}]}\n",
                                    name, replicas, name, name, image);
    problems_init(&problems, arena);
    manifest_init(&manifest);
    manifest_add(&manifest, "test", bytes_of(text), &problems);
    if (problems.count > 0)
        fail_msg("%s", problem_text(problems.first, arena));
    object_cache_put(world->cache, kube_object_take(manifest.objects[0]), 1);
    manifest_deinit(&manifest);
    arena_free(arena);
}

static unsigned pods_of(const struct world *world, const char *app)
{
    unsigned count = 0;
    const struct kube_object *pod;
    for (size_t cursor = 0; (pod = object_cache_next(world->cache, KUBE_POD, &cursor)) != NULL;)
        count += strcmp(kube_labels_get(&pod->labels, "app"), app) == 0;
    return count;
}

static void pods_follow_the_replicas_and_each_has_a_name_of_its_own(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    deploy(&world, "a", 3, "i");
    deploy(&world, "b", 1, "i");
    workloads_sync(world.workloads);
    assert_int_equal(object_cache_count(world.cache, KUBE_POD), 4); /* four names */
    assert_int_equal(pods_of(&world, "a"), 3);
    assert_true(world.changes >= 4);
    unsigned changes = world.changes;
    workloads_sync(world.workloads);
    assert_int_equal(world.changes, changes);
    deploy(&world, "a", 1, "i");
    workloads_sync(world.workloads);
    assert_int_equal(pods_of(&world, "a"), 1);
    assert_int_equal(pods_of(&world, "b"), 1);
    deploy(&world, "a", 0, "i");
    workloads_sync(world.workloads);
    assert_int_equal(pods_of(&world, "a"), 0);
    world_stop(&world);
}

static void a_mistyped_number_of_replicas_does_not_fill_the_machine(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    deploy(&world, "a", 1000000000, "i");
    workloads_sync(world.workloads);
    assert_int_equal(pods_of(&world, "a"), 256);
    world_stop(&world);
}

static void a_pod_that_cannot_be_simulated_is_pending_without_an_address_and_holds_nothing_up(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    deploy(&world, "a", 1, "i");
    workloads_sync(world.workloads);
    size_t cursor = 0;
    const struct kube_object *pod = object_cache_next(world.cache, KUBE_POD, &cursor);
    const struct pod_spec *spec = pod->spec;
    assert_string_equal(spec->pod_ip, "");
    assert_false(spec->is_ready);
    assert_memory_equal(pod->name, "a-", 2);
    assert_string_equal(pod->namespace_, "default");
    assert_true(workloads_are_ready(world.workloads));
    world_stop(&world);
}

static void the_pods_of_a_deployment_that_went_go_too(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    deploy(&world, "a", 2, "i");
    deploy(&world, "b", 2, "i");
    workloads_sync(world.workloads);
    object_cache_remove(world.cache, KUBE_DEPLOYMENT, "default", "a");
    workloads_sync(world.workloads);
    assert_int_equal(pods_of(&world, "a"), 0);
    assert_int_equal(pods_of(&world, "b"), 2);
    world_stop(&world);
}

static void former_pods_stay_until_the_new_ones_are_ready(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    deploy(&world, "a", 2, "old");
    workloads_sync(world.workloads);
    deploy(&world, "a", 2, "new");
    workloads_sync(world.workloads);
    assert_int_equal(pods_of(&world, "a"), 4); /* the new ones never become Ready here */
    deploy(&world, "a", 2, "old");
    workloads_sync(world.workloads);
    assert_int_equal(pods_of(&world, "a"), 4);
    deploy(&world, "a", 0, "old");
    workloads_sync(world.workloads);
    assert_int_equal(pods_of(&world, "a"), 0);
    world_stop(&world);
}

static void stopping_is_told_once_and_nothing_starts_afterwards(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    deploy(&world, "a", 2, "i");
    workloads_sync(world.workloads);
    workloads_stop(world.workloads, 1000, on_stopped);
    assert_int_equal(world.stops, 1);
    assert_int_equal(object_cache_count(world.cache, KUBE_POD), 0);
    workloads_sync(world.workloads);
    assert_int_equal(object_cache_count(world.cache, KUBE_POD), 0);
    world_stop(&world);

    world_start(&world);
    workloads_stop(world.workloads, 1000, on_stopped);
    assert_int_equal(world.stops, 1);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pods_follow_the_replicas_and_each_has_a_name_of_its_own),
        cmocka_unit_test(a_mistyped_number_of_replicas_does_not_fill_the_machine),
        cmocka_unit_test(a_pod_that_cannot_be_simulated_is_pending_without_an_address_and_holds_nothing_up),
        cmocka_unit_test(the_pods_of_a_deployment_that_went_go_too),
        cmocka_unit_test(former_pods_stay_until_the_new_ones_are_ready),
        cmocka_unit_test(stopping_is_told_once_and_nothing_starts_afterwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
