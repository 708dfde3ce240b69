/* SPDX-License-Identifier: Apache-2.0 */
/* ReplicaSets without a Deployment: which pods are theirs, and which are lost first. */
#include "unit/control/workloads/world.h"

static void set_of(struct world *world, unsigned replicas)
{
    char text[600];
    snprintf(text, sizeof text,
             "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: set}\n"
             "spec:\n  replicas: %u\n  selector: {matchLabels: {app: a}}\n"
             "  template: {metadata: {labels: {app: a, more: m}}, spec: {containers: [{name: c, image: i}]}}\n",
             replicas);
    world_apply(world, text);
}

static const struct kube_object *set_in(const struct world *world)
{
    return world_get(world, KUBE_REPLICA_SET, "set");
}

/* A pod of the set with this name and state. */
static void pod_of(struct world *world, const char *name, const char *node, const char *phase, uint64_t ready_at_ms,
                   unsigned restarts)
{
    json_t *tree = json_pack("{s:{s:s, s:s, s:{s:s}, s:[o]}, s:{s:[{s:s, s:s}]}}", "metadata", "name", name,
                             "namespace", "default", "labels", "app", "a", "ownerReferences",
                             metadata_owner_reference(set_in(world)), "spec", "containers", "name", "c", "image", "i");
    if (node[0] != '\0')
        json_object_set_new(json_object_get(tree, "spec"), "nodeName", json_string(node));
    stored_give_back(object_create(world->store, KUBE_POD, tree, world->now_ms));
    char since[21];
    clock_rfc3339(ready_at_ms, since);
    world_set_status(world, world_get(world, KUBE_POD, name),
                     json_pack("{s:s, s:[{s:s, s:s, s:s}], s:[{s:s, s:i}]}", "phase", phase, "conditions", "type",
                               "Ready", "status", ready_at_ms > 0 ? "True" : "False", "lastTransitionTime", since,
                               "containerStatuses", "name", "c", "restartCount", (int)restarts));
}

WORLD_TEST(a_set_counts_only_active_pods_that_name_it_as_their_controller)
{
    world_apply(world, "apiVersion: v1\nkind: Pod\nmetadata: {name: stranger, labels: {app: a}}\n"
                       "spec: {containers: [{name: c, image: i}]}\n");
    set_of(world, 2);
    pod_of(world, "over", "serin", "Succeeded", 0, 0);
    world_pass(world, replica_sets_sync);
    assert_int_equal(world_count(world, KUBE_POD), 4);
    assert_int_equal(world_int(set_in(world), "status.replicas"), 2);
    assert_int_equal(world_int(set_in(world), "status.fullyLabeledReplicas"), 2);
    assert_int_equal(world_int(set_in(world), "status.observedGeneration"), 1);
    set_of(world, 0);
    world_pass(world, replica_sets_sync);
    assert_non_null(world_get(world, KUBE_POD, "stranger"));
    assert_non_null(world_get(world, KUBE_POD, "over"));
    assert_int_equal(world_count(world, KUBE_POD), 2);
    assert_int_equal(world_int(set_in(world), "status.replicas"), 0);
    assert_int_equal(world_events(world, "SuccessfulDelete"), 2);
}

WORLD_TEST(surplus_pods_are_lost_in_the_order_of_their_worth)
{
    /* the first is lost first */
    static const struct {
        const char *name, *node, *phase;
        uint64_t ready_at_ms;
        unsigned restarts;
    } pods[] = {
        {"e-not-placed", "", "Pending", 0, 0},
        {"d-pending", "serin", "Pending", 0, 0},
        {"c-unready-crashing", "serin", "Running", 0, 5},
        {"b-unready", "serin", "Running", 0, 0},
        {"z-young", "serin", "Running", 9000000, 0},
        {"y-crashed", "serin", "Running", 5000000, 3},
        {"a-old", "serin", "Running", 5000000, 0},
    };
    set_of(world, 0);
    for (size_t i = 0; i < ARRAY_LEN(pods); i++)
        pod_of(world, pods[i].name, pods[i].node, pods[i].phase, pods[i].ready_at_ms, pods[i].restarts);
    for (size_t i = 0; i < ARRAY_LEN(pods); i++) {
        set_of(world, (unsigned)(ARRAY_LEN(pods) - i - 1));
        world_pass(world, replica_sets_sync);
        const struct kube_object *pod = world_get(world, KUBE_POD, pods[i].name);
        if (pod != NULL && !metadata_is_deleting(pod))
            fail_msg("%s was kept", pods[i].name);
    }
}

WORLD_TEST(nothing_is_made_in_a_namespace_that_is_going)
{
    world_apply(world, "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n---\n"
                       "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: set, namespace: n}\n"
                       "spec:\n  selector: {matchLabels: {app: a}}\n"
                       "  template: {metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: i}]}}\n");
    world_delete(world, KUBE_NAMESPACE, "n", NULL);
    world_pass(world, replica_sets_sync);
    assert_int_equal(world_count(world, KUBE_POD), 0);
    assert_int_equal(world_events(world, "FailedCreate"), 0);
}

WORLD_TEST(a_set_that_is_being_deleted_makes_nothing_new)
{
    set_of(world, 2);
    world_delete(world, KUBE_REPLICA_SET, "set", "Foreground");
    world_pass(world, replica_sets_sync);
    assert_int_equal(world_count(world, KUBE_POD), 0);
    assert_int_equal(world_int(set_in(world), "status.observedGeneration"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_counts_only_active_pods_that_name_it_as_their_controller),
        cmocka_unit_test(surplus_pods_are_lost_in_the_order_of_their_worth),
        cmocka_unit_test(nothing_is_made_in_a_namespace_that_is_going),
        cmocka_unit_test(a_set_that_is_being_deleted_makes_nothing_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
