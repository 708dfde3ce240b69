/* SPDX-License-Identifier: Apache-2.0 */
/* Which endpoints pools and Services have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/members.h"
#include "kube/api/manifest.h"

static const char objects[] =
    "apiVersion: inference.networking.k8s.io/v1\n"
    "kind: InferencePool\n"
    "metadata: {name: p}\n"
    "spec: {selector: {matchLabels: {app: a}}, targetPorts: [{number: 8000}, {number: 8001}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata: {name: ready, labels: {app: a, more: x, pod-template-hash: 7d4b9c}}\n"
    "spec: {containers: [{name: c, image: i, ports: [{name: http, containerPort: 7000}]}]}\n"
    "status: {podIP: 127.1.0.1, conditions: [{type: Ready, status: \"True\"}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata: {name: leaving, labels: {app: a}, deletionTimestamp: \"2026-01-01T00:00:00Z\"}\n"
    "spec: {containers: [{name: c, image: i}]}\n"
    "status: {podIP: 127.1.0.2, conditions: [{type: Ready, status: \"True\"}]}\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata: {name: other, labels: {app: b}}\n"
    "spec: {containers: [{name: c, image: i}]}\n"
    "status: {podIP: 127.1.0.3, conditions: [{type: Ready, status: \"True\"}]}\n"
    "---\n"
    "apiVersion: discovery.k8s.io/v1\n"
    "kind: EndpointSlice\n"
    "metadata: {name: hosts, labels: {app: a, kubernetes.io/service-name: s}}\n"
    "addressType: IPv4\n"
    "endpoints: [{addresses: [127.1.0.9]}, {addresses: [127.1.0.1]}]\n"
    "ports: [{name: web, port: 9000}]\n"
    "---\n"
    "apiVersion: discovery.k8s.io/v1\n"
    "kind: EndpointSlice\n"
    "metadata:\n"
    "  name: mirror-that-still-has-the-leaving-pod\n"
    "  labels:\n"
    "    app: a\n"
    "    kubernetes.io/service-name: s\n"
    "    endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io\n"
    "addressType: IPv4\n"
    "endpoints: [{addresses: [127.1.0.2]}]\n"
    "ports: [{name: web, port: 7000}]\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: Service\n"
    "metadata: {name: s}\n"
    "spec: {selector: {app: a}, ports: [{name: web, port: 80, targetPort: http}]}\n";

static struct object_cache *load(struct arena *arena)
{
    struct object_cache *cache = object_cache_new();
    struct problems problems;
    struct manifest manifest;
    problems_init(&problems, arena);
    manifest_init(&manifest);
    manifest_add(&manifest, "test", BYTES(objects), &problems);
    if (problems.count > 0)
        fail_msg("%s", problem_text(problems.first, arena));
    for (unsigned i = 0; i < manifest.len; i++)
        object_cache_put(cache, kube_object_take(manifest.objects[i]));
    manifest_deinit(&manifest);
    return cache;
}

static bool has(const struct member_list *list, const char *ip, uint16_t port, bool is_checked)
{
    for (unsigned i = 0; i < list->len; i++)
        if (strcmp(list->items[i].ip, ip) == 0 && list->items[i].port == port)
            return list->items[i].is_checked == is_checked;
    return false;
}

static void a_pool_has_its_pods_and_labelled_slices_at_each_port(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct object_cache *cache = load(arena);
    struct member_list list;
    members_of_pool(cache, object_cache_get(cache, KUBE_INFERENCE_POOL, "default", "p"), arena, &list);
    assert_int_equal(list.len, 4);
    assert_true(has(&list, "127.1.0.1", 8000, false)); /* once, though the slice names it too */
    assert_true(has(&list, "127.1.0.1", 8001, false));
    assert_true(has(&list, "127.1.0.9", 8000, true));
    assert_true(has(&list, "127.1.0.9", 8001, true));
    object_cache_free(cache);
    arena_free(arena);
}

static const char *revision(const struct member_list *list, const char *ip)
{
    for (unsigned i = 0; i < list->len; i++)
        if (strcmp(list->items[i].ip, ip) == 0)
            return list->items[i].revision;
    return "no such member";
}

static void the_revision_is_the_pod_template_s(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct object_cache *cache = load(arena);
    struct member_list list;
    members_of_pool(cache, object_cache_get(cache, KUBE_INFERENCE_POOL, "default", "p"), arena, &list);
    assert_string_equal(revision(&list, "127.1.0.1"), "7d4b9c");
    assert_null(revision(&list, "127.1.0.9"));
    object_cache_free(cache);
    arena_free(arena);
}

static void members_have_the_labels_of_their_pod_or_slice(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct object_cache *cache = load(arena);
    struct member_list list;
    members_of_pool(cache, object_cache_get(cache, KUBE_INFERENCE_POOL, "default", "p"), arena, &list);
    for (unsigned i = 0; i < list.len; i++)
        assert_string_equal(list.items[i].labels, strcmp(list.items[i].ip, "127.1.0.1") == 0
                                                      ? "\napp=a\nmore=x\npod-template-hash=7d4b9c\n"
                                                      : "\napp=a\nkubernetes.io/service-name=s\n");
    object_cache_free(cache);
    arena_free(arena);
}

static void a_service_has_pods_by_named_target_port_and_slices_by_port_name(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct object_cache *cache = load(arena);
    struct member_list list;
    const struct kube_object *service = object_cache_get(cache, KUBE_SERVICE, "default", "s");
    members_of_service(cache, service, 80, arena, &list);
    assert_int_equal(list.len, 3);
    assert_true(has(&list, "127.1.0.1", 7000, false));
    assert_true(has(&list, "127.1.0.9", 9000, false));
    assert_true(has(&list, "127.1.0.1", 9000, false));
    members_of_service(cache, service, 81, arena, &list);
    assert_int_equal(list.len, 0);
    object_cache_free(cache);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_has_its_pods_and_labelled_slices_at_each_port),
        cmocka_unit_test(the_revision_is_the_pod_template_s),
        cmocka_unit_test(members_have_the_labels_of_their_pod_or_slice),
        cmocka_unit_test(a_service_has_pods_by_named_target_port_and_slices_by_port_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
