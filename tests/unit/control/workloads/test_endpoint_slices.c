/* SPDX-License-Identifier: Apache-2.0 */
/* What EndpointSlices a Service gets, and when they are written. */
#include "unit/control/workloads/world.h"

static void service_of(struct world *world, const char *spec)
{
    char text[600];
    snprintf(text, sizeof text,
             "apiVersion: v1\nkind: Service\nmetadata: {name: s, labels: {app: a, arm: blue}}\nspec: %s\n", spec);
    world_apply(world, text);
}

static void pod_of(struct world *world, const char *name, const char *app, unsigned port, const char *ip, bool is_ready)
{
    char text[600];
    snprintf(text, sizeof text,
             "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, labels: {app: %s}}\nspec:\n  nodeName: serin\n"
             "  containers: [{name: c, image: i, ports: [{name: web, containerPort: %u}]}]\n",
             name, app, port);
    world_apply(world, text);
    if (ip[0] != '\0')
        world_run_pod(world, world_get(world, KUBE_POD, name), ip, is_ready);
}

static const struct kube_object *slice(const struct world *world, unsigned position)
{
    return world_nth(world, KUBE_ENDPOINT_SLICE, position);
}

static const struct endpoint_slice_spec *slice_spec(const struct world *world, unsigned position)
{
    assert_non_null(slice(world, position));
    return slice(world, position)->spec;
}

static const struct slice_endpoint *endpoint_at(const struct world *world, const char *ip)
{
    for (unsigned s = 0; slice(world, s) != NULL; s++)
        for (unsigned i = 0; i < slice_spec(world, s)->endpoint_count; i++)
            if (strcmp(slice_spec(world, s)->endpoints[i].addresses[0], ip) == 0)
                return &slice_spec(world, s)->endpoints[i];
    return NULL;
}

WORLD_TEST(a_service_gets_a_slice_of_the_pods_that_it_selects)
{
    service_of(world, "{selector: {app: a}, ports: [{name: http, port: 80, targetPort: web, appProtocol: http}]}");
    pod_of(world, "p1", "a", 8000, "127.1.0.1", true);
    pod_of(world, "p2", "a", 8000, "127.1.0.2", false);
    pod_of(world, "p3", "b", 8000, "127.1.0.3", true);
    pod_of(world, "p4", "a", 8000, "", false);
    world_pass(world, endpoint_slices_sync);
    assert_int_equal(world_count(world, KUBE_ENDPOINT_SLICE), 1);
    const struct kube_object *object = slice(world, 0);
    const struct endpoint_slice_spec *spec = object->spec;
    assert_string_equal(spec->service_name, "s");
    assert_string_equal(spec->address_type, "IPv4");
    assert_string_equal(metadata_controller_uid(object), world_get(world, KUBE_SERVICE, "s")->uid);
    assert_memory_equal(object->name, "s-", 2);
    /* not the Service's own labels: a pool would take the slice for a host */
    assert_null(kube_labels_get(&object->labels, "app"));
    assert_null(kube_labels_get(&object->labels, "arm"));
    assert_int_equal(spec->endpoint_count, 2);
    assert_true(endpoint_at(world, "127.1.0.1")->is_ready);
    assert_false(endpoint_at(world, "127.1.0.2")->is_ready);
    assert_int_equal(spec->port_count, 1);
    assert_string_equal(spec->ports[0].name, "http");
    assert_int_equal(spec->ports[0].port, 8000);
    const json_t *first = json_array_get(json_object_get(object->tree, "endpoints"), 0);
    assert_string_equal(json_text(json_object_get(first, "targetRef"), "name"), "p1");
    assert_string_equal(json_text(json_array_get(json_object_get(object->tree, "ports"), 0), "appProtocol"), "http");
}

WORLD_TEST(a_slice_is_written_only_when_something_in_it_changes)
{
    service_of(world, "{selector: {app: a}, ports: [{port: 80, targetPort: 8000}]}");
    pod_of(world, "p1", "a", 8000, "127.1.0.1", true);
    world_pass(world, endpoint_slices_sync);
    const char *uid = slice(world, 0)->uid;
    world_pass(world, endpoint_slices_sync);
    assert_int_equal(world->writes, 0);
    world_run_pod(world, world_get(world, KUBE_POD, "p1"), "127.1.0.1", false);
    world_pass(world, endpoint_slices_sync);
    assert_int_equal(world->writes, 1);
    assert_string_equal(slice(world, 0)->uid, uid);
    assert_false(endpoint_at(world, "127.1.0.1")->is_ready);
}

WORLD_TEST(a_pod_that_is_leaving_serves_but_is_not_ready)
{
    service_of(world, "{selector: {app: a}, ports: [{port: 80, targetPort: 8000}]}");
    pod_of(world, "p1", "a", 8000, "127.1.0.1", true);
    world_delete(world, KUBE_POD, "p1", NULL);
    world_pass(world, endpoint_slices_sync);
    const struct slice_endpoint *endpoint = endpoint_at(world, "127.1.0.1");
    assert_non_null(endpoint);
    assert_false(endpoint->is_ready);
    assert_true(endpoint->is_serving);
    assert_true(endpoint->is_terminating);
}

WORLD_TEST(pods_whose_named_port_differs_are_in_slices_of_their_own)
{
    service_of(world, "{selector: {app: a}, ports: [{name: w, port: 80, targetPort: web}, {name: m, port: 90}]}");
    pod_of(world, "p1", "a", 8000, "127.1.0.1", true);
    pod_of(world, "p2", "a", 9000, "127.1.0.2", true);
    world_apply(world, "apiVersion: v1\nkind: Pod\nmetadata: {name: p3, labels: {app: a}}\n"
                       "spec: {containers: [{name: c, image: i}]}\n");
    world_run_pod(world, world_get(world, KUBE_POD, "p3"), "::1", true);
    world_pass(world, endpoint_slices_sync);
    assert_int_equal(world_count(world, KUBE_ENDPOINT_SLICE), 3);
    for (unsigned i = 0; i < 3; i++) {
        const struct endpoint_slice_spec *spec = slice_spec(world, i);
        const char *ip = spec->endpoints[0].addresses[0];
        bool is_v6 = strcmp(ip, "::1") == 0;
        assert_string_equal(spec->address_type, is_v6 ? "IPv6" : "IPv4");
        assert_int_equal(spec->port_count, is_v6 ? 1 : 2); /* p3 has no port of that name */
        assert_int_equal(spec->ports[0].port, is_v6 ? 90 : strcmp(ip, "127.1.0.1") == 0 ? 8000 : 9000);
    }
}

WORLD_TEST(a_slice_holds_a_hundred_endpoints)
{
    service_of(world, "{clusterIP: None, selector: {app: a}, ports: [{port: 80, targetPort: 8000}]}");
    for (unsigned i = 0; i < 205; i++) {
        char name[16], ip[16];
        snprintf(name, sizeof name, "p%03u", i);
        snprintf(ip, sizeof ip, "127.1.1.%u", i + 1);
        pod_of(world, name, "a", 8000, ip, true);
    }
    world_pass(world, endpoint_slices_sync);
    assert_int_equal(world_count(world, KUBE_ENDPOINT_SLICE), 3);
    unsigned total = 0;
    for (unsigned i = 0; i < 3; i++) {
        assert_in_range(slice_spec(world, i)->endpoint_count, 5, 100);
        total += slice_spec(world, i)->endpoint_count;
        assert_non_null(kube_labels_get(&slice(world, i)->labels, "service.kubernetes.io/headless"));
    }
    assert_int_equal(total, 205);
    for (unsigned i = 0; i < 150; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%03u", i);
        assert_true(object_delete(world->store, KUBE_POD, "default", name, NULL, 0, world->now_ms));
    }
    world_pass(world, endpoint_slices_sync);
    assert_int_equal(world_count(world, KUBE_ENDPOINT_SLICE), 1);
    assert_int_equal(slice_spec(world, 0)->endpoint_count, 55);
}

WORLD_TEST(a_selector_that_matches_nothing_leaves_an_empty_slice)
{
    service_of(world, "{selector: {app: a}, ports: [{port: 80, targetPort: 8000}]}");
    pod_of(world, "p1", "a", 8000, "127.1.0.1", true);
    world_pass(world, endpoint_slices_sync);
    service_of(world, "{selector: {app: nobody}, ports: [{port: 80, targetPort: 8000}]}");
    world_pass(world, endpoint_slices_sync);
    assert_int_equal(world_count(world, KUBE_ENDPOINT_SLICE), 1);
    assert_int_equal(slice_spec(world, 0)->endpoint_count, 0);
    service_of(world, "{selector: {app: a}, ports: [{port: 80, targetPort: 8000}]}");
    world_pass(world, endpoint_slices_sync);
    assert_int_equal(slice_spec(world, 0)->endpoint_count, 1);
}

WORLD_TEST(slices_of_others_are_left_alone_and_a_service_without_a_selector_gets_none)
{
    world_apply(world, "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                       "metadata: {name: hand-made, labels: {kubernetes.io/service-name: s}}\n"
                       "addressType: IPv4\nendpoints: [{addresses: [10.0.0.1]}]\nports: [{port: 1}]\n");
    service_of(world, "{ports: [{port: 80}]}");
    world_pass(world, endpoint_slices_sync);
    assert_int_equal(world_count(world, KUBE_ENDPOINT_SLICE), 1);
    service_of(world, "{selector: {app: a}, ports: [{port: 80}]}");
    world_pass(world, endpoint_slices_sync);
    assert_int_equal(world_count(world, KUBE_ENDPOINT_SLICE), 2);
    service_of(world, "{ports: [{port: 80}]}");
    world_pass(world, endpoint_slices_sync);
    assert_int_equal(world_count(world, KUBE_ENDPOINT_SLICE), 1);
    assert_string_equal(slice(world, 0)->name, "hand-made");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_gets_a_slice_of_the_pods_that_it_selects),
        cmocka_unit_test(a_slice_is_written_only_when_something_in_it_changes),
        cmocka_unit_test(a_pod_that_is_leaving_serves_but_is_not_ready),
        cmocka_unit_test(pods_whose_named_port_differs_are_in_slices_of_their_own),
        cmocka_unit_test(a_slice_holds_a_hundred_endpoints),
        cmocka_unit_test(a_selector_that_matches_nothing_leaves_an_empty_slice),
        cmocka_unit_test(slices_of_others_are_left_alone_and_a_service_without_a_selector_gets_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
