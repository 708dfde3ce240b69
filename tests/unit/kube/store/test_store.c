/* SPDX-License-Identifier: Apache-2.0 */
/* test_store.c: what readers see, how they walk, and what a restart keeps. */
#include "unit/kube/store/fixture.h"

#include "base/clock.h"

static void readers_see_a_write_once_it_is_durable(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer writer = WRITER;
    fixture_open(&fixture);
    uint64_t before = store_version(fixture.store);
    memory_disk_hold(&fixture.disk);
    put(&fixture, "a", "1", &writer);
    assert_string_equal(head_value(&fixture, "a"), "1");
    assert_null(durable_value(&fixture, "a"));
    assert_int_equal(store_count(fixture.store, KUBE_CONFIG_MAP), 0);
    assert_int_equal(store_version(fixture.store), before);
    assert_events(&fixture, before, "");
    assert_false(writer.is_done);

    memory_disk_release(&fixture.disk, 0);
    assert_int_equal(await(&fixture, &writer), 0);
    assert_string_equal(durable_value(&fixture, "a"), "1");
    assert_int_equal(store_count(fixture.store, KUBE_CONFIG_MAP), 1);
    assert_int_equal(store_version(fixture.store), before + 1);
    assert_events(&fixture, before, "ADDED a");
    assert_null(store_get(fixture.store, KUBE_SECRET, "default", "a"));
    assert_null(store_get(fixture.store, KUBE_CONFIG_MAP, "other", "a"));
    fixture_close(&fixture);
}

static void every_write_has_a_version_of_its_own_which_the_object_shows(void **state)
{
    (void)state;
    struct fixture fixture;
    struct stored *first, *second, *gone;
    fixture_open(&fixture);
    assert_int_equal(store_put(fixture.store, config_of("a", "1"), NULL, &first), 0);
    assert_int_equal(store_put(fixture.store, config_of("a", "2"), NULL, &second), 0);
    assert_int_equal(store_delete(fixture.store, KUBE_CONFIG_MAP, "default", "a", NULL, &gone), 0);
    assert_int_equal(second->version, first->version + 1);
    assert_int_equal(gone->version, second->version + 1);

    struct stored *const all[] = {first, second, gone};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        char digits[32], member[64];
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)all[i]->version);
        snprintf(member, sizeof member, "\"resourceVersion\":\"%s\"", digits);
        const json_t *metadata = json_object_get(all[i]->object->tree, "metadata");
        assert_string_equal(json_string_value(json_object_get(metadata, "resourceVersion")), digits);
        assert_non_null(memmem(all[i]->text.data, all[i]->text.len, member, strlen(member)));
        stored_give_back(all[i]);
    }
    fixture_close(&fixture);
}

static void a_new_store_counts_from_the_clock_and_stays_exact_in_a_double(void **state)
{
    (void)state;
    struct fixture fixture;
    uint64_t seconds_before = clock_wall_ms() / 1000;
    fixture_open(&fixture);
    uint64_t since_2020 = (store_version(fixture.store) >> 20) + 1577836800;
    assert_true(since_2020 >= seconds_before && since_2020 <= clock_wall_ms() / 1000);
    assert_true(store_version(fixture.store) < (uint64_t)1 << 52);
    assert_true(store_can_resume(fixture.store, store_version(fixture.store)));
    assert_false(store_can_resume(fixture.store, store_version(fixture.store) - 1));
    assert_false(store_can_resume(fixture.store, 0));
    fixture_close(&fixture);
}

static void a_restart_keeps_objects_and_only_raises_versions(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    put_durably(&fixture, "a", "1");
    put_durably(&fixture, "b", "2");
    struct stored *before = stored_take(store_get(fixture.store, KUBE_CONFIG_MAP, "default", "a"));
    struct writer writer = WRITER;
    erase(&fixture, "b", &writer);
    assert_int_equal(await(&fixture, &writer), 0);
    uint64_t end = store_version(fixture.store);

    fixture_reopen(&fixture);
    const struct stored *after = store_get(fixture.store, KUBE_CONFIG_MAP, "default", "a");
    assert_true(bytes_equal(after->text, before->text));
    assert_int_equal(after->version, before->version);
    assert_null(durable_value(&fixture, "b"));
    assert_true(store_version(fixture.store) >= end);
    assert_true(store_can_resume(fixture.store, end));
    assert_false(store_can_resume(fixture.store, end - 1));
    put_durably(&fixture, "c", "3");
    assert_true(store_version(fixture.store) > end);
    assert_events(&fixture, end, "ADDED c");
    stored_give_back(before);
    fixture_close(&fixture);
}

static void a_disk_that_ran_ahead_of_the_clock_is_followed(void **state)
{
    (void)state;
    const uint64_t far = (uint64_t)1 << 52;
    struct fixture fixture;
    fixture_open(&fixture);
    store_close(fixture.store);
    fixture.disk.version = far;
    fixture.store = store_open(fixture.reactor, &fixture.disk.disk, NULL, fixture.error);
    assert_int_equal(store_version(fixture.store), far);
    put_durably(&fixture, "a", "1");
    assert_int_equal(store_version(fixture.store), far + 1);
    fixture_close(&fixture);
}

static void what_does_not_decode_stays_on_disk_and_out_of_sight(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"no-json", "{"},
        {"no-kind", "{\"apiVersion\":\"v9\",\"kind\":\"Oracle\",\"metadata\":{\"name\":\"x\"}}"},
        {"no-version", "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\"}}"},
        {"bad-version", "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\","
                        "\"resourceVersion\":\"12x\"}}"},
        {"twin", "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"namespace\":"
                 "\"default\",\"resourceVersion\":\"7\"}}"},
    };
    struct fixture fixture;
    fixture_open(&fixture);
    put_durably(&fixture, "a", "1");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        memory_disk_put(&fixture.disk, bad[i][0], bytes_of(bad[i][1]));
    fixture_reopen(&fixture);
    assert_int_equal(store_count(fixture.store, KUBE_CONFIG_MAP), 1);
    assert_string_equal(durable_value(&fixture, "a"), "1");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(memory_disk_find(&fixture.disk, bad[i][0]));
    fixture_close(&fixture);
}

static void a_disk_that_cannot_be_read_is_said_and_closed(void **state)
{
    (void)state;
    struct memory_disk disk;
    char error[300] = "";
    struct reactor *reactor = reactor_new("test");
    memory_disk_init(&disk);
    disk.load_error = -EIO;
    assert_null(store_open(reactor, &disk.disk, NULL, error));
    assert_string_equal(error, "the memory is damaged");
    assert_true(disk.is_closed);
    memory_disk_deinit(&disk);
    reactor_free(reactor);
}

typedef const struct stored *(*walk_fn)(const struct store *store, enum kube_kind kind, struct store_cursor *cursor);

/* "namespace/name namespace/name" */
static void walk(const struct fixture *fixture, walk_fn next, struct store_cursor cursor, char text[256])
{
    size_t len = 0;
    text[0] = '\0';
    const struct stored *stored;
    while ((stored = next(fixture->store, KUBE_CONFIG_MAP, &cursor)) != NULL)
        len += (size_t)snprintf(text + len, 256 - len, "%s%s/%s", len > 0 ? " " : "", stored->object->namespace_,
                                stored->object->name);
}

static void assert_walk(const struct fixture *fixture, walk_fn next, const char *namespace_,
                        const char *after_namespace, const char *after_name, const char *expected)
{
    char text[256];
    walk(fixture, next, store_cursor_at(fixture->store, KUBE_CONFIG_MAP, namespace_, after_namespace, after_name),
         text);
    assert_string_equal(text, expected);
}

static void walks_are_in_order_and_start_after_a_key(void **state)
{
    (void)state;
    static const char *const keys[][2] = {{"m", "b"}, {"a", "z"}, {"m", "a"}, {"z", "a"}, {"a", "b"}, {"m", "c"}};
    struct fixture fixture;
    fixture_open(&fixture);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_int_equal(store_put(fixture.store, config_in(keys[i][0], keys[i][1], "1"), NULL, NULL), 0);
    settle(&fixture);
    assert_walk(&fixture, store_next, "", "", "", "a/b a/z m/a m/b m/c z/a");
    assert_walk(&fixture, store_next, "m", "", "", "m/a m/b m/c");
    assert_walk(&fixture, store_next, "m", "m", "a", "m/b m/c");
    assert_walk(&fixture, store_next, "m", "m", "c", "");
    assert_walk(&fixture, store_next, "m", "a", "b", "m/a m/b m/c");
    assert_walk(&fixture, store_next, "m", "z", "a", "");
    assert_walk(&fixture, store_next, "", "a", "c", "a/z m/a m/b m/c z/a");
    assert_walk(&fixture, store_next, "", "z", "a", "");
    assert_walk(&fixture, store_next, "l", "", "", "");
    fixture_close(&fixture);
}

static void a_walk_of_heads_sees_what_is_under_way(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    put_durably(&fixture, "a", "1");
    put_durably(&fixture, "b", "1");
    memory_disk_hold(&fixture.disk);
    put(&fixture, "c", "1", NULL);
    erase(&fixture, "a", NULL);
    assert_walk(&fixture, store_next, "", "", "", "default/a default/b");
    assert_walk(&fixture, store_next_head, "", "", "", "default/b default/c");
    memory_disk_release(&fixture.disk, 0);
    settle(&fixture);
    assert_walk(&fixture, store_next, "", "", "", "default/b default/c");
    fixture_close(&fixture);
}

static void a_walk_survives_the_deletion_of_what_it_walks_over(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture);
    static const char *const names[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        put_durably(&fixture, names[i], "1");
    struct store_cursor cursor = store_cursor_at(fixture.store, KUBE_CONFIG_MAP, "default", "", "");
    const struct stored *head;
    for (size_t i = 0; (head = store_next_head(fixture.store, KUBE_CONFIG_MAP, &cursor)) != NULL; i++) {
        assert_string_equal(head->object->name, names[i]);
        erase(&fixture, names[i], NULL);
    }
    settle(&fixture);
    assert_int_equal(store_count(fixture.store, KUBE_CONFIG_MAP), 0);
    fixture_close(&fixture);
}

static void many_objects_are_found_and_walked_in_order(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    struct fixture fixture;
    char name[32], last[32] = "";
    fixture_open(&fixture);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "c%u", i * 7919 % COUNT);
        put(&fixture, name, name, NULL);
    }
    settle(&fixture);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "c%u", i);
        assert_string_equal(durable_value(&fixture, name), name);
    }
    assert_int_equal(store_count(fixture.store, KUBE_CONFIG_MAP), COUNT);
    struct store_cursor cursor = store_cursor_at(fixture.store, KUBE_CONFIG_MAP, "", "", "");
    const struct stored *stored;
    unsigned walked = 0;
    for (; (stored = store_next(fixture.store, KUBE_CONFIG_MAP, &cursor)) != NULL; walked++) {
        assert_true(strcmp(last, stored->object->name) < 0);
        snprintf(last, sizeof last, "%s", stored->object->name);
    }
    assert_int_equal(walked, COUNT);
    fixture_close(&fixture);
}

static void cluster_scoped_objects_have_no_namespace(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer writer = WRITER;
    fixture_open(&fixture);
    struct kube_object *object =
        object_of("{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"a\"}}");
    assert_int_equal(store_put(fixture.store, object, &writer.write, NULL), 0);
    await(&fixture, &writer);
    assert_non_null(store_get(fixture.store, KUBE_NAMESPACE, "", "a"));
    struct store_cursor cursor = store_cursor_at(fixture.store, KUBE_NAMESPACE, "", "", "");
    assert_non_null(store_next(fixture.store, KUBE_NAMESPACE, &cursor));
    cursor = store_cursor_at(fixture.store, KUBE_NAMESPACE, "", "", "a");
    assert_null(store_next(fixture.store, KUBE_NAMESPACE, &cursor));
    assert_non_null(memory_disk_find(&fixture.disk, "namespaces//a"));
    fixture_close(&fixture);
}

static void a_version_outlives_the_store_for_who_holds_it(void **state)
{
    (void)state;
    struct fixture fixture;
    struct stored *held;
    fixture_open(&fixture);
    assert_int_equal(store_put(fixture.store, config_of("a", "1"), NULL, &held), 0);
    fixture_close(&fixture);
    assert_string_equal(value_of(held), "1");
    assert_int_equal(held->users, 1);
    stored_give_back(held);
}

static void who_waits_for_the_writes_of_others_is_told_with_them(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer first = WRITER, barrier = WRITER, forgotten = WRITER, late = WRITER;
    fixture_open(&fixture);
    assert_false(store_barrier(fixture.store, &late.write));
    put(&fixture, "a", "1", &first);
    assert_true(store_barrier(fixture.store, &barrier.write));
    assert_true(store_barrier(fixture.store, &forgotten.write));
    store_write_forget(fixture.store, &forgotten.write);
    assert_int_equal(await(&fixture, &barrier), 0);
    assert_true(first.is_done);
    assert_false(forgotten.is_done);
    assert_false(store_barrier(fixture.store, &late.write));
    fixture_close(&fixture);
}

static void figures_count_what_happened(void **state)
{
    (void)state;
    struct fixture fixture;
    struct store_figures figures;
    fixture_open(&fixture);
    put_durably(&fixture, "a", "1");
    put_durably(&fixture, "a", "2");
    memory_disk_release(&fixture.disk, -ENOSPC);
    put(&fixture, "b", "1", NULL);
    store_figures(fixture.store, &figures);
    assert_int_equal(figures.pending, 1);
    settle(&fixture);
    store_figures(fixture.store, &figures);
    assert_int_equal(figures.commits, 2);
    assert_int_equal(figures.commit_errors, 1);
    assert_int_equal(figures.writes, 2);
    assert_int_equal(figures.last_error, -ENOSPC);
    assert_int_equal(figures.objects, 1);
    assert_int_equal(figures.log_events, 2);
    assert_int_equal(figures.pending, 0);
    assert_true(figures.commit_us_sum >= figures.commit_us_max);
    assert_int_equal(figures.disk_bytes, strlen(fixture.disk.rows[0].text));
    size_t text_len = store_get(fixture.store, KUBE_CONFIG_MAP, "default", "a")->text.len;
    assert_int_equal(figures.log_bytes, 3 * text_len); /* one alone, and one with what was before it */
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_a_write_once_it_is_durable),
        cmocka_unit_test(every_write_has_a_version_of_its_own_which_the_object_shows),
        cmocka_unit_test(a_new_store_counts_from_the_clock_and_stays_exact_in_a_double),
        cmocka_unit_test(a_restart_keeps_objects_and_only_raises_versions),
        cmocka_unit_test(a_disk_that_ran_ahead_of_the_clock_is_followed),
        cmocka_unit_test(what_does_not_decode_stays_on_disk_and_out_of_sight),
        cmocka_unit_test(a_disk_that_cannot_be_read_is_said_and_closed),
        cmocka_unit_test(walks_are_in_order_and_start_after_a_key),
        cmocka_unit_test(a_walk_of_heads_sees_what_is_under_way),
        cmocka_unit_test(a_walk_survives_the_deletion_of_what_it_walks_over),
        cmocka_unit_test(many_objects_are_found_and_walked_in_order),
        cmocka_unit_test(cluster_scoped_objects_have_no_namespace),
        cmocka_unit_test(a_version_outlives_the_store_for_who_holds_it),
        cmocka_unit_test(who_waits_for_the_writes_of_others_is_told_with_them),
        cmocka_unit_test(figures_count_what_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
