/* SPDX-License-Identifier: Apache-2.0 */
/* Deployments and their ReplicaSets as one: what pods there are, what the statuses say, at each step of a rollout. */
#include "unit/control/workloads/world.h"

static const char template_[] = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web%s}\n"
                                "spec:\n  replicas: %u\n%s  selector: {matchLabels: {app: web}}\n"
                                "  template:\n    metadata: {labels: {app: web}, annotations: {note: n}}\n"
                                "    spec: {containers: [{name: c, image: \"%s\"}]}\n";

static void deploy_with(struct world *world, unsigned replicas, const char *image, const char *more)
{
    char text[1000];
    snprintf(text, sizeof text, template_, "", replicas, more, image);
    world_apply(world, text);
}

static void deploy(struct world *world, unsigned replicas, const char *image)
{
    deploy_with(world, replicas, image, "");
}

/* As the facade runs them. */
static void step(struct world *world)
{
    world_pass(world, replica_sets_sync);
    world_pass(world, deployments_sync);
    uint64_t wake_ms = world->wake_ms;
    unsigned writes = world->writes;
    world_pass(world, replica_sets_sync);
    world->wake_ms = wake_ms < world->wake_ms ? wake_ms : world->wake_ms;
    world->writes += writes;
}

/* Pods become ready and go as they are told, until nothing changes. */
static void settle_rollout(struct world *world)
{
    for (unsigned i = 0; i < 100; i++) {
        step(world);
        world_run_pods(world);
        step(world);
        if (world->writes == 0)
            return;
    }
    fail_msg("the rollout does not end");
}

static const struct kube_object *web(const struct world *world)
{
    return world_get(world, KUBE_DEPLOYMENT, "web");
}

static const struct kube_object *set_with_image(const struct world *world, const char *image)
{
    const struct kube_object *set;
    for (unsigned i = 0; (set = world_nth(world, KUBE_REPLICA_SET, i)) != NULL; i++)
        if (strcmp(((const struct deployment_spec *)set->spec)->pod.containers[0].image, image) == 0)
            return set;
    return NULL;
}

static unsigned pods_with_image(const struct world *world, const char *image)
{
    unsigned count = 0;
    const struct kube_object *pod;
    for (unsigned i = 0; (pod = world_nth(world, KUBE_POD, i)) != NULL; i++)
        count += !metadata_is_deleting(pod) &&
                 strcmp(((const struct pod_spec *)pod->spec)->pod.containers[0].image, image) == 0;
    return count;
}

static const char *condition_text(const struct kube_object *object, const char *type, const char *member)
{
    const json_t *condition = condition_find(json_object_get(status_of(object), "conditions"), type);
    return json_text(condition, member);
}

static const char *revision_of(const struct kube_object *object)
{
    const char *revision = kube_labels_get(&object->annotations, "deployment.kubernetes.io/revision");
    return revision != NULL ? revision : "";
}

WORLD_TEST(a_deployment_gets_a_set_and_its_pods_with_their_owners_and_labels)
{
    deploy(world, 2, "one");
    step(world);
    assert_int_equal(world_count(world, KUBE_REPLICA_SET), 1);
    const struct kube_object *set = world_nth(world, KUBE_REPLICA_SET, 0);
    const char *hash = kube_labels_get(&set->labels, "pod-template-hash");
    assert_non_null(hash);
    assert_int_equal(strlen(set->name), strlen("web-") + strlen(hash));
    assert_string_equal(set->name + 4, hash);
    assert_string_equal(metadata_controller_uid(set), web(world)->uid);
    assert_string_equal(revision_of(set), "1");
    assert_string_equal(revision_of(web(world)), "1");
    assert_int_equal(world_count(world, KUBE_POD), 2);
    const struct kube_object *pod = world_nth(world, KUBE_POD, 0);
    assert_string_equal(metadata_controller_uid(pod), set->uid);
    assert_string_equal(kube_labels_get(&pod->labels, "pod-template-hash"), hash);
    assert_string_equal(kube_labels_get(&pod->annotations, "note"), "n");
    assert_memory_equal(pod->name, set->name, strlen(set->name));
    assert_int_equal(strlen(pod->name), strlen(set->name) + 6);
    assert_int_equal(world_events(world, "ScalingReplicaSet"), 1);
    assert_int_equal(world_events(world, "SuccessfulCreate"), 2);
}

WORLD_TEST(a_pass_that_changes_nothing_writes_nothing)
{
    deploy(world, 3, "one");
    settle_rollout(world);
    uint64_t version = store_head(world->store, KUBE_DEPLOYMENT, "default", "web")->version;
    for (unsigned i = 0; i < 3; i++) {
        world->now_ms += 100000;
        step(world);
        assert_int_equal(world->writes, 0);
    }
    assert_int_equal(store_head(world->store, KUBE_DEPLOYMENT, "default", "web")->version, version);
}

WORLD_TEST(the_status_tells_what_rollout_status_waits_for)
{
    deploy(world, 2, "one");
    step(world);
    assert_int_equal(world_int(web(world), "status.observedGeneration"), 1);
    assert_string_equal(condition_text(web(world), "Progressing", "reason"), "NewReplicaSetCreated");
    assert_string_equal(condition_text(web(world), "Available", "status"), "False");
    assert_string_equal(condition_text(web(world), "Available", "reason"), "MinimumReplicasUnavailable");
    assert_int_equal(world_int(web(world), "status.unavailableReplicas"), 2);
    step(world);
    assert_int_equal(world_int(web(world), "status.replicas"), 2);
    assert_int_equal(world_int(web(world), "status.updatedReplicas"), 2);
    assert_string_equal(condition_text(web(world), "Progressing", "reason"), "ReplicaSetUpdated");
    assert_null(world_at(web(world), "status.readyReplicas"));
    settle_rollout(world);
    assert_int_equal(world_int(web(world), "status.readyReplicas"), 2);
    assert_int_equal(world_int(web(world), "status.availableReplicas"), 2);
    assert_null(world_at(web(world), "status.unavailableReplicas"));
    assert_string_equal(condition_text(web(world), "Available", "status"), "True");
    assert_string_equal(condition_text(web(world), "Progressing", "reason"), "NewReplicaSetAvailable");
    assert_int_equal(world_int(web(world), "metadata.generation"), 1); /* ours are no changes of the spec */
}

WORLD_TEST(scaling_changes_the_number_of_pods_of_the_same_set)
{
    static const unsigned sizes[] = {1, 3, 2, 0, 1};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        deploy(world, sizes[i], "one");
        settle_rollout(world);
        assert_int_equal(world_count(world, KUBE_REPLICA_SET), 1);
        assert_int_equal(world_count(world, KUBE_POD), sizes[i]);
        assert_int_equal(world_int(web(world), "status.availableReplicas"), sizes[i]);
        assert_string_equal(condition_text(web(world), "Progressing", "reason"), "NewReplicaSetAvailable");
        assert_string_equal(revision_of(web(world)), "1");
    }
}

WORLD_TEST(a_new_template_is_rolled_out_within_its_limits)
{
    deploy(world, 4, "one");
    settle_rollout(world);
    deploy(world, 4, "two");
    for (unsigned i = 0; i < 40 && pods_with_image(world, "one") > 0; i++) {
        step(world);
        unsigned pods = pods_with_image(world, "one") + pods_with_image(world, "two"), ready = 0;
        for (unsigned p = 0; p < world_count(world, KUBE_POD); p++) {
            const struct kube_object *pod = world_nth(world, KUBE_POD, p);
            ready += pod_is_active(pod) && ((const struct pod_spec *)pod->spec)->is_ready;
        }
        assert_in_range(pods, 3, 5);
        assert_in_range(ready, 3, 5);
        /* only one more pod gets ready in each step */
        for (unsigned p = 0; p < world_count(world, KUBE_POD); p++) {
            const struct kube_object *pod = world_nth(world, KUBE_POD, p);
            if (pod_is_active(pod) && !((const struct pod_spec *)pod->spec)->is_ready) {
                world_run_pod(world, pod, "127.1.0.1", true);
                break;
            }
        }
    }
    settle_rollout(world);
    assert_int_equal(pods_with_image(world, "one"), 0);
    assert_int_equal(pods_with_image(world, "two"), 4);
    assert_int_equal(world_count(world, KUBE_REPLICA_SET), 2);
    assert_string_equal(revision_of(web(world)), "2");
    assert_string_equal(revision_of(set_with_image(world, "one")), "1");
    assert_int_equal(world_int(web(world), "status.updatedReplicas"), 4);
    assert_int_equal(world_int(web(world), "status.replicas"), 4);
}

WORLD_TEST(a_new_template_that_never_gets_ready_leaves_the_old_pods_serving)
{
    deploy(world, 2, "one");
    settle_rollout(world);
    deploy(world, 2, "bad");
    for (unsigned i = 0; i < 10; i++)
        step(world);
    assert_int_equal(pods_with_image(world, "one"), 2);
    assert_int_equal(pods_with_image(world, "bad"), 1);
    assert_string_equal(condition_text(web(world), "Available", "status"), "True");
    assert_string_equal(condition_text(web(world), "Progressing", "status"), "True");
}

WORLD_TEST(an_undo_finds_the_set_it_had_and_gives_it_the_newest_revision)
{
    deploy(world, 2, "one");
    settle_rollout(world);
    const char *uid = set_with_image(world, "one")->uid;
    deploy(world, 2, "two");
    settle_rollout(world);
    deploy(world, 2, "one"); /* what `kubectl rollout undo` sends comes down to the old template */
    settle_rollout(world);
    assert_int_equal(world_count(world, KUBE_REPLICA_SET), 2);
    assert_string_equal(set_with_image(world, "one")->uid, uid);
    assert_string_equal(revision_of(set_with_image(world, "one")), "3");
    assert_string_equal(revision_of(set_with_image(world, "two")), "2");
    assert_string_equal(revision_of(web(world)), "3");
    assert_int_equal(pods_with_image(world, "one"), 2);
    assert_int_equal(pods_with_image(world, "two"), 0);
    assert_string_equal(condition_text(web(world), "Progressing", "reason"), "NewReplicaSetAvailable");
}

WORLD_TEST(a_template_taken_from_a_set_with_its_hash_label_is_the_same_template)
{
    deploy(world, 1, "one");
    settle_rollout(world);
    json_t *tree = json_deep_copy(web(world)->tree);
    json_object_set_new(json_object_get(tree, "spec"), "template",
                        json_deep_copy(json_object_get(spec_of(set_with_image(world, "one")), "template")));
    stored_give_back(object_update(world->store, KUBE_DEPLOYMENT, "default", "web", tree, world->now_ms));
    settle_rollout(world);
    assert_int_equal(world_count(world, KUBE_REPLICA_SET), 1);
}

WORLD_TEST(a_paused_deployment_scales_but_does_not_roll_out)
{
    deploy(world, 2, "one");
    settle_rollout(world);
    deploy_with(world, 2, "two", "  paused: true\n");
    settle_rollout(world);
    assert_int_equal(world_count(world, KUBE_REPLICA_SET), 1);
    assert_string_equal(condition_text(web(world), "Progressing", "reason"), "DeploymentPaused");
    assert_string_equal(condition_text(web(world), "Progressing", "status"), "Unknown");
    assert_int_equal(world_int(web(world), "status.observedGeneration"), 2);
    deploy_with(world, 3, "two", "  paused: true\n");
    settle_rollout(world);
    assert_int_equal(pods_with_image(world, "one"), 3);
    world->now_ms += 3600 * 1000;
    step(world);
    assert_string_equal(condition_text(web(world), "Progressing", "reason"), "DeploymentPaused");
    deploy_with(world, 3, "two", "  paused: false\n");
    settle_rollout(world);
    assert_int_equal(pods_with_image(world, "two"), 3);
    assert_int_equal(pods_with_image(world, "one"), 0);
    assert_string_equal(condition_text(web(world), "Progressing", "reason"), "NewReplicaSetAvailable");
}

WORLD_TEST(a_rollout_without_progress_fails_at_its_deadline_and_recovers)
{
    deploy_with(world, 1, "one", "  progressDeadlineSeconds: 60\n");
    step(world);
    step(world);
    assert_int_equal(world->wake_ms, world->now_ms + 60000);
    world->now_ms += 59000;
    step(world);
    assert_string_equal(condition_text(web(world), "Progressing", "status"), "True");
    assert_int_equal(world->wake_ms, world->now_ms + 1000);
    world->now_ms += 1000;
    step(world);
    assert_string_equal(condition_text(web(world), "Progressing", "status"), "False");
    assert_string_equal(condition_text(web(world), "Progressing", "reason"), "ProgressDeadlineExceeded");
    world->now_ms += 100000;
    step(world);
    assert_int_equal(world->writes, 0);
    settle_rollout(world);
    assert_string_equal(condition_text(web(world), "Progressing", "reason"), "NewReplicaSetAvailable");
    /* a pod that is lost later is no rollout */
    world_run_pod(world, world_nth(world, KUBE_POD, 0), "127.1.0.1", false);
    step(world);
    world->now_ms += 100000;
    step(world);
    assert_string_equal(condition_text(web(world), "Progressing", "reason"), "NewReplicaSetAvailable");
    assert_string_equal(condition_text(web(world), "Available", "status"), "False");
}

WORLD_TEST(a_new_template_and_a_new_size_at_once_are_judged_as_a_rollout)
{
    deploy(world, 2, "one");
    settle_rollout(world);
    deploy(world, 3, "two");
    step(world);
    step(world);
    assert_string_not_equal(condition_text(web(world), "Progressing", "reason"), "NewReplicaSetAvailable");
    settle_rollout(world);
    assert_int_equal(pods_with_image(world, "two"), 3);
    assert_int_equal(world_int(web(world), "status.observedGeneration"), 2);
}

WORLD_TEST(available_means_ready_for_min_ready_seconds)
{
    deploy_with(world, 1, "one", "  minReadySeconds: 30\n");
    step(world);
    world_run_pods(world);
    step(world);
    assert_int_equal(world_int(web(world), "status.readyReplicas"), 1);
    assert_null(world_at(web(world), "status.availableReplicas"));
    assert_int_equal(world->wake_ms, world->now_ms + 30000);
    world->now_ms += 30000;
    step(world);
    step(world);
    assert_int_equal(world_int(web(world), "status.availableReplicas"), 1);
}

WORLD_TEST(recreate_starts_nothing_before_the_old_pods_are_gone)
{
    deploy_with(world, 2, "one", "  strategy: {type: Recreate}\n");
    settle_rollout(world);
    const struct kube_object *pod;
    for (unsigned i = 0; (pod = world_nth(world, KUBE_POD, i)) != NULL; i++) { /* given to a node: they have grace */
        json_t *tree = json_deep_copy(pod->tree);
        json_object_set_new(json_object_get(tree, "spec"), "nodeName", json_string("serin"));
        stored_give_back(object_update(world->store, KUBE_POD, "default", pod->name, tree, world->now_ms));
    }
    deploy_with(world, 2, "two", "  strategy: {type: Recreate}\n");
    for (unsigned i = 0; i < 4; i++)
        step(world);
    assert_int_equal(world_count(world, KUBE_POD), 2); /* terminating */
    assert_int_equal(pods_with_image(world, "one"), 0);
    assert_int_equal(pods_with_image(world, "two"), 0);
    world_run_pods(world);
    step(world);
    assert_int_equal(pods_with_image(world, "two"), 2);
}

WORLD_TEST(only_so_many_former_sets_are_kept)
{
    static const char *const images[] = {"one", "two", "three", "four", "five"};
    for (size_t i = 0; i < ARRAY_LEN(images); i++) {
        deploy_with(world, 1, images[i], "  revisionHistoryLimit: 2\n");
        settle_rollout(world);
    }
    assert_int_equal(world_count(world, KUBE_REPLICA_SET), 3);
    assert_null(set_with_image(world, "one"));
    assert_null(set_with_image(world, "two"));
    assert_string_equal(revision_of(set_with_image(world, "three")), "3");
    assert_string_equal(revision_of(web(world)), "5");
}

WORLD_TEST(a_rollout_goes_on_where_a_kill_left_it)
{
    deploy(world, 4, "one");
    settle_rollout(world);
    deploy(world, 4, "two");
    step(world);
    step(world);
    world_restart(world);
    assert_true(pods_with_image(world, "one") > 0 && pods_with_image(world, "two") > 0);
    settle_rollout(world);
    assert_int_equal(pods_with_image(world, "two"), 4);
    assert_int_equal(world_count(world, KUBE_POD), 4);
    assert_int_equal(world_count(world, KUBE_REPLICA_SET), 2);
    assert_string_equal(revision_of(web(world)), "2");
}

WORLD_TEST(a_mistyped_number_of_replicas_does_not_fill_the_machine)
{
    deploy(world, 1000000000, "one");
    step(world);
    step(world);
    assert_int_equal(world_count(world, KUBE_POD), MAX_REPLICAS);
    assert_int_equal(world_events(world, "TooManyReplicas"), 1);
    world_run_pods(world);
    step(world);
    step(world);
    assert_string_not_equal(condition_text(web(world), "Progressing", "reason"), "NewReplicaSetAvailable");
}

WORLD_TEST(a_deployment_that_is_being_deleted_makes_nothing_new)
{
    deploy(world, 1, "one");
    settle_rollout(world);
    world_delete(world, KUBE_DEPLOYMENT, "web", "Foreground");
    world_delete(world, KUBE_REPLICA_SET, world_nth(world, KUBE_REPLICA_SET, 0)->name, NULL);
    step(world);
    assert_int_equal(world_count(world, KUBE_REPLICA_SET), 0);
    assert_int_equal(world_int(web(world), "status.observedGeneration"), 2);
}

WORLD_TEST(a_set_that_merely_has_the_name_is_left_alone)
{
    deploy(world, 1, "one");
    step(world);
    const struct kube_object *set = world_nth(world, KUBE_REPLICA_SET, 0);
    char *name = must(strdup(set->name));
    json_t *tree = json_deep_copy(set->tree);
    json_object_del(json_object_get(tree, "metadata"), "ownerReferences");
    stored_give_back(object_update(world->store, KUBE_REPLICA_SET, "default", name, tree, world->now_ms));
    step(world);
    step(world);
    assert_int_equal(world_count(world, KUBE_REPLICA_SET), 2);
    assert_string_equal(metadata_controller_uid(world_get(world, KUBE_REPLICA_SET, name)), "");
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deployment_gets_a_set_and_its_pods_with_their_owners_and_labels),
        cmocka_unit_test(a_pass_that_changes_nothing_writes_nothing),
        cmocka_unit_test(the_status_tells_what_rollout_status_waits_for),
        cmocka_unit_test(scaling_changes_the_number_of_pods_of_the_same_set),
        cmocka_unit_test(a_new_template_is_rolled_out_within_its_limits),
        cmocka_unit_test(a_new_template_that_never_gets_ready_leaves_the_old_pods_serving),
        cmocka_unit_test(an_undo_finds_the_set_it_had_and_gives_it_the_newest_revision),
        cmocka_unit_test(a_template_taken_from_a_set_with_its_hash_label_is_the_same_template),
        cmocka_unit_test(a_paused_deployment_scales_but_does_not_roll_out),
        cmocka_unit_test(a_rollout_without_progress_fails_at_its_deadline_and_recovers),
        cmocka_unit_test(a_new_template_and_a_new_size_at_once_are_judged_as_a_rollout),
        cmocka_unit_test(available_means_ready_for_min_ready_seconds),
        cmocka_unit_test(recreate_starts_nothing_before_the_old_pods_are_gone),
        cmocka_unit_test(only_so_many_former_sets_are_kept),
        cmocka_unit_test(a_rollout_goes_on_where_a_kill_left_it),
        cmocka_unit_test(a_mistyped_number_of_replicas_does_not_fill_the_machine),
        cmocka_unit_test(a_deployment_that_is_being_deleted_makes_nothing_new),
        cmocka_unit_test(a_set_that_merely_has_the_name_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
