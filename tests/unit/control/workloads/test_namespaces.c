/* SPDX-License-Identifier: Apache-2.0 */
/* How Namespaces begin and end. */
#include "unit/control/workloads/world.h"

static const char contents[] =
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n---\n"
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: team}\n---\n"
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: team}\n"
    "spec: {nodeName: serin, containers: [{name: c, image: i}]}\n---\n"
    "apiVersion: inference.networking.k8s.io/v1\nkind: InferencePool\nmetadata: {name: p, namespace: team}\n"
    "spec: {selector: {matchLabels: {app: a}}, targetPorts: [{number: 8000}]}\n---\n"
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: default}\n";

static const struct stored *in_team(const struct world *world, enum kube_kind kind, const char *name)
{
    return store_head(world->store, kind, "team", name);
}

WORLD_TEST(default_and_kube_system_are_made_once_and_have_accounts)
{
    assert_non_null(world_get(world, KUBE_NAMESPACE, "default"));
    assert_non_null(world_get(world, KUBE_NAMESPACE, "kube-system"));
    const struct kube_object *namespace_ = world_get(world, KUBE_NAMESPACE, "default");
    assert_string_equal(kube_labels_get(&namespace_->labels, "kubernetes.io/metadata.name"), "default");
    assert_string_equal(json_text(status_of(namespace_), "phase"), "Active");
    world_pass(world, namespaces_make);
    assert_int_equal(world->writes, 0);
    world_pass(world, namespaces_sync);
    assert_int_equal(world_count(world, KUBE_SERVICE_ACCOUNT), 2);
    assert_non_null(world_get(world, KUBE_SERVICE_ACCOUNT, "default"));
    world_delete(world, KUBE_SERVICE_ACCOUNT, "default", NULL);
    world_pass(world, namespaces_sync);
    assert_non_null(world_get(world, KUBE_SERVICE_ACCOUNT, "default"));
}

WORLD_TEST(a_deleted_namespace_is_emptied_and_goes_when_its_last_pod_has_ended)
{
    world_apply(world, contents);
    world_pass(world, namespaces_sync);
    assert_non_null(in_team(world, KUBE_SERVICE_ACCOUNT, "default"));
    world_delete(world, KUBE_NAMESPACE, "team", NULL);
    assert_string_equal(json_text(status_of(world_get(world, KUBE_NAMESPACE, "team")), "phase"), "Terminating");
    world_pass(world, namespaces_sync);
    assert_null(in_team(world, KUBE_CONFIG_MAP, "c"));
    assert_null(in_team(world, KUBE_INFERENCE_POOL, "p"));
    assert_null(in_team(world, KUBE_SERVICE_ACCOUNT, "default"));
    assert_true(metadata_is_deleting(in_team(world, KUBE_POD, "p")->object)); /* it has its grace */
    assert_non_null(world_get(world, KUBE_CONFIG_MAP, "c"));
    world_pass(world, namespaces_sync);
    assert_int_equal(world->writes, 0);
    assert_non_null(world_get(world, KUBE_NAMESPACE, "team"));
    assert_true(object_delete(world->store, KUBE_POD, "team", "p", NULL, 0, world->now_ms));
    world_pass(world, namespaces_sync);
    assert_null(world_get(world, KUBE_NAMESPACE, "team"));
}

WORLD_TEST(emptying_goes_on_after_a_restart)
{
    world_apply(world, contents);
    world_delete(world, KUBE_NAMESPACE, "team", NULL);
    world_restart(world);
    assert_true(object_delete(world->store, KUBE_POD, "team", "p", NULL, 0, world->now_ms));
    world_pass(world, namespaces_sync);
    assert_null(world_get(world, KUBE_NAMESPACE, "team"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_and_kube_system_are_made_once_and_have_accounts),
        cmocka_unit_test(a_deleted_namespace_is_emptied_and_goes_when_its_last_pod_has_ended),
        cmocka_unit_test(emptying_goes_on_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
