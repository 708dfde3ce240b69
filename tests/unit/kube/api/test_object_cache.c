/* SPDX-License-Identifier: Apache-2.0 */
/* test_object_cache.c: what changes when objects are put, replaced and removed. */
#include "unit/kube/api/support.h"

#include "kube/api/object_cache.h"

static struct kube_object *object_of(const char *text)
{
    struct reading_fixture fixture;
    fixture_open(&fixture);
    fixture_read(&fixture, text);
    fixture_expect_clean(&fixture);
    assert_int_equal(fixture.manifest.len, 1);
    struct kube_object *object = kube_object_take(fixture.manifest.objects[0]);
    fixture_close(&fixture);
    return object;
}

/* A Service with one port; metadata is written inside the braces after the name. */
static struct kube_object *service_of(const char *name, const char *metadata, int port)
{
    char text[512];
    snprintf(text, sizeof text, "{apiVersion: v1, kind: Service, metadata: {name: %s%s}, spec: {ports: [{port: %d}]}}",
             name, metadata, port);
    return object_of(text);
}

static void an_object_is_kept_as_it_came(void **state)
{
    (void)state;
    struct object_cache *cache = object_cache_new();
    const char *metadata = ", uid: u, generation: 7, creationTimestamp: \"1970-01-01T00:00:01Z\"";
    assert_int_equal(object_cache_put(cache, service_of("a", metadata, 1)), OBJECT_ADDED);
    assert_int_equal(object_cache_put(cache, service_of("b", "", 1)), OBJECT_ADDED);
    const struct kube_object *found = object_cache_get(cache, KUBE_SERVICE, "default", "a");
    assert_int_equal(found->created_ms, 1000);
    assert_int_equal(found->generation, 7);
    assert_string_equal(found->uid, "u");
    (void)object_cache_put(cache, service_of("a", ", uid: v, generation: 3", 2));
    found = object_cache_get(cache, KUBE_SERVICE, "default", "a");
    assert_int_equal(found->generation, 3);
    assert_string_equal(found->uid, "v");
    assert_null(object_cache_get(cache, KUBE_SERVICE, "other", "a"));
    assert_null(object_cache_get(cache, KUBE_POD, "default", "a"));
    object_cache_free(cache);
}

static void spec_labels_annotations_generation_and_uid_are_changes(void **state)
{
    (void)state;
    static const struct {
        const char *metadata;
        int port;
    } versions[] = {
        {"", 1},
        {"", 2},
        {", labels: {x: y}", 2},
        {", labels: {x: z}", 2},
        {", labels: {x: z, a: b}", 2},
        {", annotations: {x: z}, labels: {x: z, a: b}", 2},
        {", annotations: {y: z}, labels: {x: z, a: b}", 2},
        {", generation: 2", 2},
        {", uid: u, generation: 2", 2},
    };
    struct object_cache *cache = object_cache_new();
    (void)object_cache_put(cache, service_of("a", versions[0].metadata, versions[0].port));
    for (size_t i = 1; i < ARRAY_LEN(versions); i++) {
        assert_int_equal(object_cache_put(cache, service_of("a", versions[i].metadata, versions[i].port)),
                         OBJECT_CHANGED);
        assert_int_equal(object_cache_put(cache, service_of("a", versions[i].metadata, versions[i].port)),
                         OBJECT_UNCHANGED);
    }
    assert_int_equal(object_cache_count(cache, KUBE_SERVICE), 1);
    object_cache_free(cache);
}

static void a_status_or_what_the_server_keeps_is_no_change_of_the_object(void **state)
{
    (void)state;
    struct object_cache *cache = object_cache_new();
    const char *head = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n";
    char text[512];
    snprintf(text, sizeof text, "%smetadata: {name: s, resourceVersion: \"1\"}\n", head);
    (void)object_cache_put(cache, object_of(text));
    snprintf(text, sizeof text, "%smetadata: {name: s, resourceVersion: \"2\", managedFields: []}\n", head);
    assert_int_equal(object_cache_put(cache, object_of(text)), OBJECT_STATUS_CHANGED);
    snprintf(text, sizeof text, "%smetadata: {name: s}\nstatus: {x: y}\n", head);
    assert_int_equal(object_cache_put(cache, object_of(text)), OBJECT_STATUS_CHANGED);
    assert_non_null(json_object_get(object_cache_get(cache, KUBE_ENDPOINT_SLICE, "default", "s")->tree, "status"));
    snprintf(text, sizeof text, "%smetadata: {name: s}\nendpoints: [{addresses: [127.0.0.2]}]\n", head);
    assert_int_equal(object_cache_put(cache, object_of(text)), OBJECT_CHANGED);
    object_cache_free(cache);
}

static void objects_come_in_order_of_namespace_and_name(void **state)
{
    (void)state;
    static const char *const metadata[][2] = {
        {"c", ", namespace: b"}, {"a", ", namespace: b"}, {"z", ", namespace: a"}, {"m", ""}, {"b", ", namespace: b"}};
    static const char *const order[] = {"z", "a", "b", "c", "m"};
    struct object_cache *cache = object_cache_new();
    for (size_t i = 0; i < ARRAY_LEN(metadata); i++)
        (void)object_cache_put(cache, service_of(metadata[i][0], metadata[i][1], 1));
    size_t cursor = 0;
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        assert_string_equal(object_cache_next(cache, KUBE_SERVICE, &cursor)->name, order[i]);
    assert_null(object_cache_next(cache, KUBE_SERVICE, &cursor));
    cursor = 0;
    assert_null(object_cache_next(cache, KUBE_POD, &cursor));
    object_cache_free(cache);
}

static void a_removed_object_lives_on_for_who_holds_it(void **state)
{
    (void)state;
    struct object_cache *cache = object_cache_new();
    (void)object_cache_put(cache, service_of("a", "", 1));
    (void)object_cache_put(cache, service_of("b", "", 1));
    struct kube_object *held = kube_object_take(object_cache_get(cache, KUBE_SERVICE, "default", "a"));
    assert_int_equal(object_cache_remove(cache, KUBE_SERVICE, "default", "a"), OBJECT_REMOVED);
    assert_int_equal(object_cache_remove(cache, KUBE_SERVICE, "default", "a"), OBJECT_UNCHANGED);
    assert_null(object_cache_get(cache, KUBE_SERVICE, "default", "a"));
    assert_int_equal(object_cache_count(cache, KUBE_SERVICE), 1);
    assert_string_equal(held->name, "a");
    kube_object_give_back(held);
    assert_int_equal(object_cache_put(cache, service_of("a", "", 2)), OBJECT_ADDED);
    object_cache_free(cache);
}

static void many_objects_are_all_found(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    struct object_cache *cache = object_cache_new();
    char name[32];
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "s%d", (i * 7919) % COUNT);
        assert_int_equal(object_cache_put(cache, service_of(name, "", 1)), OBJECT_ADDED);
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "s%d", i);
        assert_non_null(object_cache_get(cache, KUBE_SERVICE, "default", name));
    }
    assert_int_equal(object_cache_count(cache, KUBE_SERVICE), COUNT);
    object_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_kept_as_it_came),
        cmocka_unit_test(spec_labels_annotations_generation_and_uid_are_changes),
        cmocka_unit_test(a_status_or_what_the_server_keeps_is_no_change_of_the_object),
        cmocka_unit_test(objects_come_in_order_of_namespace_and_name),
        cmocka_unit_test(a_removed_object_lives_on_for_who_holds_it),
        cmocka_unit_test(many_objects_are_all_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
