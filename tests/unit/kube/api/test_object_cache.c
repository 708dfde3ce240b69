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

static void a_new_object_is_added_with_its_creation_time(void **state)
{
    (void)state;
    struct object_cache *cache = object_cache_new();
    assert_int_equal(object_cache_put(cache, service_of("a", "", 1), 5000), OBJECT_ADDED);
    assert_int_equal(object_cache_put(cache, service_of("b", ", creationTimestamp: \"1970-01-01T00:00:01Z\"", 1), 5000),
                     OBJECT_ADDED);
    assert_int_equal(object_cache_get(cache, KUBE_SERVICE, "default", "a")->created_ms, 5000);
    assert_int_equal(object_cache_get(cache, KUBE_SERVICE, "default", "a")->generation, 1);
    assert_int_equal(object_cache_get(cache, KUBE_SERVICE, "default", "b")->created_ms, 1000);
    assert_null(object_cache_get(cache, KUBE_SERVICE, "other", "a"));
    assert_null(object_cache_get(cache, KUBE_POD, "default", "a"));
    object_cache_free(cache);
}

static void the_generation_rises_with_the_spec_only(void **state)
{
    (void)state;
    struct object_cache *cache = object_cache_new();
    (void)object_cache_put(cache, service_of("a", "", 1), 5000);
    const struct kube_object *first = object_cache_get(cache, KUBE_SERVICE, "default", "a");
    assert_int_equal(object_cache_put(cache, service_of("a", "", 1), 6000), OBJECT_UNCHANGED);
    assert_ptr_equal(object_cache_get(cache, KUBE_SERVICE, "default", "a"), first);
    assert_int_equal(object_cache_put(cache, service_of("a", ", labels: {x: y}", 1), 7000), OBJECT_META_CHANGED);
    assert_int_equal(object_cache_get(cache, KUBE_SERVICE, "default", "a")->generation, 1);
    assert_int_equal(object_cache_put(cache, service_of("a", "", 2), 8000), OBJECT_SPEC_CHANGED);
    assert_int_equal(object_cache_get(cache, KUBE_SERVICE, "default", "a")->generation, 2);
    assert_int_equal(object_cache_put(cache, service_of("a", ", generation: 9", 3), 9000), OBJECT_SPEC_CHANGED);
    assert_int_equal(object_cache_get(cache, KUBE_SERVICE, "default", "a")->generation, 9);
    assert_int_equal(object_cache_get(cache, KUBE_SERVICE, "default", "a")->created_ms, 5000);
    assert_int_equal(object_cache_count(cache, KUBE_SERVICE), 1);
    object_cache_free(cache);
}

static void a_field_beside_spec_counts_as_spec(void **state)
{
    (void)state;
    struct object_cache *cache = object_cache_new();
    const char *head = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s}\naddressType: IPv4\n";
    char text[512];
    (void)object_cache_put(cache, object_of(head), 1);
    snprintf(text, sizeof text, "%sendpoints: [{addresses: [127.0.0.2]}]\n", head);
    assert_int_equal(object_cache_put(cache, object_of(text), 2), OBJECT_SPEC_CHANGED);
    assert_int_equal(object_cache_put(cache, object_of(head), 3), OBJECT_SPEC_CHANGED);
    snprintf(text, sizeof text, "%sstatus: {x: y}\n", head);
    assert_int_equal(object_cache_put(cache, object_of(text), 4), OBJECT_META_CHANGED);
    assert_int_equal(object_cache_get(cache, KUBE_ENDPOINT_SLICE, "default", "s")->generation, 3);
    object_cache_free(cache);
}

static void the_uid_stays_with_the_object(void **state)
{
    (void)state;
    struct object_cache *cache = object_cache_new();
    (void)object_cache_put(cache, service_of("a", ", uid: first", 1), 1000);
    (void)object_cache_put(cache, service_of("a", "", 2), 2000);
    assert_string_equal(object_cache_get(cache, KUBE_SERVICE, "default", "a")->uid, "first");
    (void)object_cache_put(cache, service_of("a", ", uid: second", 2), 3000);
    const struct kube_object *reborn = object_cache_get(cache, KUBE_SERVICE, "default", "a");
    assert_string_equal(reborn->uid, "second");
    assert_int_equal(reborn->created_ms, 3000);
    assert_int_equal(reborn->generation, 1);
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
        (void)object_cache_put(cache, service_of(metadata[i][0], metadata[i][1], 1), 1);
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
    (void)object_cache_put(cache, service_of("a", "", 1), 1);
    (void)object_cache_put(cache, service_of("b", "", 1), 1);
    struct kube_object *held = kube_object_take(object_cache_get(cache, KUBE_SERVICE, "default", "a"));
    assert_int_equal(object_cache_remove(cache, KUBE_SERVICE, "default", "a"), OBJECT_REMOVED);
    assert_int_equal(object_cache_remove(cache, KUBE_SERVICE, "default", "a"), OBJECT_UNCHANGED);
    assert_null(object_cache_get(cache, KUBE_SERVICE, "default", "a"));
    assert_int_equal(object_cache_count(cache, KUBE_SERVICE), 1);
    assert_string_equal(held->name, "a");
    kube_object_give_back(held);
    assert_int_equal(object_cache_put(cache, service_of("a", "", 2), 9), OBJECT_ADDED);
    assert_int_equal(object_cache_get(cache, KUBE_SERVICE, "default", "a")->generation, 1);
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
        assert_int_equal(object_cache_put(cache, service_of(name, "", 1), 1), OBJECT_ADDED);
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
        cmocka_unit_test(a_new_object_is_added_with_its_creation_time),
        cmocka_unit_test(the_generation_rises_with_the_spec_only),
        cmocka_unit_test(a_field_beside_spec_counts_as_spec),
        cmocka_unit_test(the_uid_stays_with_the_object),
        cmocka_unit_test(objects_come_in_order_of_namespace_and_name),
        cmocka_unit_test(a_removed_object_lives_on_for_who_holds_it),
        cmocka_unit_test(many_objects_are_all_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
