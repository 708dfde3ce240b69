/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_write.c: what is under way: several changes of one object, a disk that refuses, writers that leave, limits
 * and the end. */
#include "unit/kube/store/fixture.h"

#include "base/random.h"

static void writes_that_wait_share_one_transaction(void **state)
{
    (void)state;
    enum { COUNT = 20 };
    struct fixture fixture;
    struct writer writers[COUNT];
    char name[16];
    fixture_open(&fixture);
    memory_disk_hold(&fixture.disk);
    put(&fixture, "first", "1", NULL);
    assert_int_equal(memory_disk_await_commit(&fixture.disk, 1), 1);
    for (unsigned i = 0; i < COUNT; i++) {
        writers[i] = WRITER;
        snprintf(name, sizeof name, "c%u", i);
        put(&fixture, name, "1", &writers[i]);
    }
    memory_disk_let_go(&fixture.disk, 0);
    assert_int_equal(memory_disk_await_commit(&fixture.disk, 2), COUNT);
    memory_disk_release(&fixture.disk, 0);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(await(&fixture, &writers[i]), 0);
    struct store_figures figures;
    store_figures(fixture.store, &figures);
    assert_int_equal(figures.commits, 2);
    fixture_close(&fixture);
}

static void several_changes_of_one_object_become_durable_one_by_one(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer last = WRITER;
    fixture_open(&fixture);
    uint64_t start = store_version(fixture.store);
    memory_disk_hold(&fixture.disk);
    put(&fixture, "a", "1", NULL);
    memory_disk_await_commit(&fixture.disk, 1);
    put(&fixture, "a", "2", NULL);
    put(&fixture, "a", "3", &last);
    assert_string_equal(head_value(&fixture, "a"), "3");
    assert_null(durable_value(&fixture, "a"));
    memory_disk_let_go(&fixture.disk, 0);
    while (durable_value(&fixture, "a") == NULL)
        reactor_turn(fixture.reactor, -1);
    assert_string_equal(durable_value(&fixture, "a"), "1");
    assert_string_equal(head_value(&fixture, "a"), "3");
    memory_disk_release(&fixture.disk, 0);
    await(&fixture, &last);
    assert_string_equal(durable_value(&fixture, "a"), "3");
    assert_events(&fixture, start, "ADDED a, MODIFIED a, MODIFIED a");
    const struct store_event *event = store_event_after(fixture.store, start + 1);
    assert_string_equal(value_of(event->before), "1");
    assert_string_equal(value_of(event->now), "2");
    fixture_close(&fixture);
}

static void a_creation_and_a_deletion_under_way_leave_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer creator = WRITER, remover = WRITER;
    fixture_open(&fixture);
    uint64_t start = store_version(fixture.store);
    memory_disk_hold(&fixture.disk);
    put(&fixture, "a", "1", &creator);
    erase(&fixture, "a", &remover);
    assert_null(head_value(&fixture, "a"));
    assert_int_equal(store_delete(fixture.store, KUBE_CONFIG_MAP, "default", "a", NULL, NULL), -ENOENT);
    memory_disk_release(&fixture.disk, 0);
    assert_int_equal(await(&fixture, &creator), 0);
    assert_int_equal(await(&fixture, &remover), 0);
    assert_null(durable_value(&fixture, "a"));
    assert_int_equal(store_count(fixture.store, KUBE_CONFIG_MAP), 0);
    assert_int_equal(fixture.disk.row_count, 0);
    assert_events(&fixture, start, "ADDED a, DELETED a");
    fixture_close(&fixture);
}

static void an_object_can_be_made_anew_while_its_deletion_is_under_way(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer remover = WRITER, creator = WRITER;
    fixture_open(&fixture);
    put_durably(&fixture, "a", "old");
    uint64_t start = store_version(fixture.store);
    memory_disk_hold(&fixture.disk);
    erase(&fixture, "a", &remover);
    memory_disk_await_commit(&fixture.disk, 2);
    put(&fixture, "a", "new", &creator);
    assert_string_equal(head_value(&fixture, "a"), "new");
    assert_string_equal(durable_value(&fixture, "a"), "old");
    memory_disk_let_go(&fixture.disk, 0);
    await(&fixture, &remover);
    assert_null(durable_value(&fixture, "a"));
    assert_string_equal(head_value(&fixture, "a"), "new");
    memory_disk_release(&fixture.disk, 0);
    await(&fixture, &creator);
    assert_string_equal(durable_value(&fixture, "a"), "new");
    assert_int_equal(store_count(fixture.store, KUBE_CONFIG_MAP), 1);
    assert_events(&fixture, start, "DELETED a, ADDED a");
    const struct store_event *deleted = store_event_after(fixture.store, start);
    assert_string_equal(value_of(deleted->now), "old");
    assert_int_equal(deleted->now->version, deleted->version);
    assert_int_equal(deleted->before->version, start);
    assert_null(store_event_after(fixture.store, deleted->version)->before);
    fixture_close(&fixture);
}

static void what_fails_never_was(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer writers[3] = {WRITER, WRITER, WRITER};
    fixture_open(&fixture);
    put_durably(&fixture, "changed", "old");
    put_durably(&fixture, "removed", "old");
    uint64_t start = store_version(fixture.store);
    memory_disk_hold(&fixture.disk);
    put(&fixture, "made", "new", &writers[0]);
    put(&fixture, "changed", "new", &writers[1]);
    erase(&fixture, "removed", &writers[2]);
    memory_disk_release(&fixture.disk, -ENOSPC);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(await(&fixture, &writers[i]), -ENOSPC);
    assert_null(head_value(&fixture, "made"));
    assert_string_equal(head_value(&fixture, "changed"), "old");
    assert_string_equal(head_value(&fixture, "removed"), "old");
    assert_int_equal(store_version(fixture.store), start);
    assert_events(&fixture, start, "");
    assert_int_equal(store_count(fixture.store, KUBE_CONFIG_MAP), 2);

    memory_disk_release(&fixture.disk, 0);
    put_durably(&fixture, "changed", "newer");
    assert_true(store_version(fixture.store) > start + 3); /* versions of failed writes are not used again */
    assert_string_equal(durable_value(&fixture, "changed"), "newer");
    assert_events(&fixture, start, "MODIFIED changed");
    fixture_close(&fixture);
}

static void what_was_built_on_a_failed_write_fails_with_it(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer writers[4] = {WRITER, WRITER, WRITER, WRITER};
    fixture_open(&fixture);
    put_durably(&fixture, "a", "0");
    memory_disk_hold(&fixture.disk);
    put(&fixture, "a", "1", &writers[0]);
    memory_disk_await_commit(&fixture.disk, 2);
    put(&fixture, "a", "2", &writers[1]); /* waits behind the transaction that will fail */
    put(&fixture, "b", "1", &writers[2]);
    memory_disk_let_go(&fixture.disk, -EIO);
    memory_disk_release(&fixture.disk, 0);
    put(&fixture, "a", "3", &writers[3]); /* it failed, but nobody here knows yet */
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(await(&fixture, &writers[i]), -EIO);
    assert_int_equal(fixture.disk.entered, 2);
    assert_string_equal(durable_value(&fixture, "a"), "0");
    assert_string_equal(head_value(&fixture, "a"), "0");
    assert_null(head_value(&fixture, "b"));
    put_durably(&fixture, "a", "4");
    assert_string_equal(durable_value(&fixture, "a"), "4");
    fixture_close(&fixture);
}

static void what_became_durable_before_a_failure_stays(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer first = WRITER, second = WRITER;
    fixture_open(&fixture);
    uint64_t start = store_version(fixture.store);
    memory_disk_hold(&fixture.disk);
    put(&fixture, "a", "1", &first);
    memory_disk_await_commit(&fixture.disk, 1);
    put(&fixture, "a", "2", &second);
    memory_disk_let_go(&fixture.disk, 0);
    memory_disk_await_commit(&fixture.disk, 2);
    memory_disk_let_go(&fixture.disk, -EIO); /* both are reported by one letter */
    assert_int_equal(await(&fixture, &second), -EIO);
    assert_true(first.is_done);
    assert_int_equal(first.error, 0);
    assert_string_equal(head_value(&fixture, "a"), "1");
    assert_string_equal(durable_value(&fixture, "a"), "1");
    assert_events(&fixture, start, "ADDED a");
    memory_disk_release(&fixture.disk, 0);
    fixture_close(&fixture);
}

struct again {
    struct fixture *fixture;
    struct writer writer;
};

static void put_again(struct writer *writer)
{
    struct again *again = writer->context;
    put(again->fixture, "a", "again", &again->writer);
    assert_false(again->writer.is_done);
}

static void a_writer_may_write_again_from_inside_on_done(void **state)
{
    (void)state;
    static const int results[] = {0, -ENOSPC};
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        struct fixture fixture;
        struct again again = {.fixture = &fixture, .writer = WRITER};
        struct writer writer = WRITER;
        writer.then = put_again;
        writer.context = &again;
        fixture_open(&fixture);
        memory_disk_hold(&fixture.disk);
        put(&fixture, "a", "1", &writer);
        memory_disk_await_commit(&fixture.disk, 1);
        memory_disk_let_go(&fixture.disk, results[i]);
        memory_disk_release(&fixture.disk, 0);
        assert_int_equal(await(&fixture, &writer), results[i]);
        assert_int_equal(await(&fixture, &again.writer), 0);
        assert_string_equal(durable_value(&fixture, "a"), "again");
        fixture_close(&fixture);
    }
}

static void a_writer_that_left_is_not_told(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer gone = WRITER, other = WRITER;
    fixture_open(&fixture);
    memory_disk_hold(&fixture.disk);
    put(&fixture, "a", "1", &gone);
    put(&fixture, "b", "1", &other);
    store_write_forget(fixture.store, &gone.write);
    store_write_forget(fixture.store, &gone.write);
    memory_disk_release(&fixture.disk, 0);
    await(&fixture, &other);
    settle(&fixture);
    assert_false(gone.is_done);
    assert_string_equal(durable_value(&fixture, "a"), "1");
    fixture_close(&fixture);
}

struct leaving {
    struct store *store;
    struct writer *other;
};

static void make_other_leave(struct writer *writer)
{
    struct leaving *leaving = writer->context;
    store_write_forget(leaving->store, &leaving->other->write);
    store_write_forget(leaving->store, &writer->write); /* already told: harmless */
}

static void a_writer_may_make_another_of_its_batch_leave(void **state)
{
    (void)state;
    static const int results[] = {0, -EIO};
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        struct fixture fixture;
        struct writer before = WRITER, first = WRITER, second = WRITER, last = WRITER;
        fixture_open(&fixture);
        struct leaving leaving = {.store = fixture.store, .other = &second};
        first.then = make_other_leave;
        first.context = &leaving;
        memory_disk_hold(&fixture.disk);
        put(&fixture, "before", "1", &before);
        memory_disk_await_commit(&fixture.disk, 1);
        put(&fixture, "first", "1", &first);
        put(&fixture, "second", "1", &second);
        put(&fixture, "last", "1", &last);
        memory_disk_let_go(&fixture.disk, 0);
        memory_disk_release(&fixture.disk, results[i]);
        assert_int_equal(await(&fixture, &last), results[i]);
        assert_true(first.is_done);
        assert_false(second.is_done);
        fixture_close(&fixture);
    }
}

static void beyond_the_limits_nothing_happens(void **state)
{
    (void)state;
    struct fixture fixture;
    const struct store_limits limits = {
        .log_events = 100, .log_bytes = 100000, .log_ms = 60000, .max_objects = 2, .pending_writes = 3};
    fixture_open_with(&fixture, &limits);
    memory_disk_hold(&fixture.disk);
    put(&fixture, "a", "1", NULL);
    put(&fixture, "b", "1", NULL);
    assert_int_equal(store_put(fixture.store, config_of("c", "1"), NULL, NULL), -ENOSPC);
    assert_null(head_value(&fixture, "c"));
    put(&fixture, "a", "2", NULL); /* not a creation */
    assert_int_equal(store_put(fixture.store, config_of("a", "3"), NULL, NULL), -EBUSY);
    assert_string_equal(head_value(&fixture, "a"), "2");
    assert_int_equal(store_delete(fixture.store, KUBE_CONFIG_MAP, "default", "a", NULL, NULL), -EBUSY);
    memory_disk_release(&fixture.disk, 0);
    settle(&fixture);
    erase(&fixture, "a", NULL);
    put(&fixture, "c", "1", NULL);
    assert_int_equal(store_put(fixture.store, config_of("a", "1"), NULL, NULL), -ENOSPC);
    settle(&fixture);
    assert_string_equal(durable_value(&fixture, "c"), "1");
    fixture_close(&fixture);
}

static void closing_commits_what_waits_and_tells_its_writers(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer writers[2] = {WRITER, WRITER};
    fixture_open(&fixture);
    put(&fixture, "a", "1", &writers[0]);
    put(&fixture, "b", "1", &writers[1]);
    store_close(fixture.store);
    assert_true(writers[0].is_done && writers[1].is_done);
    assert_int_equal(writers[0].error | writers[1].error, 0);
    assert_int_equal(fixture.disk.row_count, 2);
    reactor_turn(fixture.reactor, 0); /* the letter that was under way finds nobody */
    fixture.store = NULL;
    fixture_close(&fixture);
}

static void closing_over_a_disk_that_refuses_fails_what_waits(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer writers[2] = {WRITER, WRITER};
    fixture_open(&fixture);
    memory_disk_hold(&fixture.disk);
    put(&fixture, "a", "1", &writers[0]);
    memory_disk_await_commit(&fixture.disk, 1);
    put(&fixture, "b", "1", &writers[1]);
    memory_disk_let_go(&fixture.disk, -ENOSPC);
    memory_disk_release(&fixture.disk, 0);
    store_close(fixture.store);
    assert_int_equal(writers[0].error, -ENOSPC);
    assert_int_equal(writers[1].error, -ENOSPC);
    assert_int_equal(fixture.disk.row_count, 0);
    fixture.store = NULL;
    fixture_close(&fixture);
}

static void write_too_late(struct writer *writer)
{
    struct fixture *fixture = writer->context;
    assert_int_equal(store_put(fixture->store, config_of("late", "1"), NULL, NULL), -EBUSY);
}

static void a_write_from_inside_the_closing_is_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer writer = WRITER;
    fixture_open(&fixture);
    writer.then = write_too_late;
    writer.context = &fixture;
    put(&fixture, "a", "1", &writer);
    store_close(fixture.store);
    assert_true(writer.is_done);
    fixture.store = NULL;
    fixture_close(&fixture);
}

/* What the disk holds is what readers are shown, and what the heads are, whenever nothing is under way. */
static void assert_agreement(struct fixture *fixture, unsigned names)
{
    size_t rows = 0;
    for (unsigned i = 0; i < names; i++) {
        char name[16], key[64];
        snprintf(name, sizeof name, "c%u", i);
        snprintf(key, sizeof key, "configmaps/default/%s", name);
        const struct stored *durable = store_get(fixture->store, KUBE_CONFIG_MAP, "default", name);
        const struct memory_row *row = memory_disk_find(&fixture->disk, key);
        assert_ptr_equal(durable, store_head(fixture->store, KUBE_CONFIG_MAP, "default", name));
        assert_int_equal(durable != NULL, row != NULL);
        if (row == NULL)
            continue;
        rows++;
        assert_true(bytes_ends_with(bytes_of(row->text), durable->text));
    }
    assert_int_equal(rows, fixture->disk.row_count);
    assert_int_equal(rows, store_count(fixture->store, KUBE_CONFIG_MAP));
}

static void change_at_random(struct fixture *fixture, struct random_state *random, unsigned names, unsigned step)
{
    char name[16], value[16];
    snprintf(name, sizeof name, "c%u", (unsigned)random_below(random, names));
    snprintf(value, sizeof value, "%u", step);
    bool is_there = head_value(fixture, name) != NULL;
    if (is_there && random_below(random, 3) == 0)
        erase(fixture, name, NULL);
    else
        put(fixture, name, value, NULL);
}

/* Follows the log as a watch does: what it says must lead from each state to the next. */
static uint64_t follow(const struct fixture *fixture, uint64_t version, uint64_t known[], unsigned names)
{
    const struct store_event *event;
    for (; (event = store_event_after(fixture->store, version)) != NULL; version = event->version) {
        unsigned i = (unsigned)strtoul(event->now->object->name + 1, NULL, 10);
        assert_true(i < names && event->version > version);
        assert_int_equal(event->before != NULL ? event->before->version : 0, known[i]);
        assert_int_equal(event->type == STORE_ADDED, known[i] == 0);
        known[i] = event->type == STORE_DELETED ? 0 : event->version;
    }
    return version;
}

static void readers_and_disk_agree_whatever_fails(void **state)
{
    (void)state;
    enum { NAMES = 8, ROUNDS = 400 };
    struct fixture fixture;
    struct random_state random;
    uint64_t known[NAMES] = {0};
    random_seed(&random, 7);
    fixture_open(&fixture);
    uint64_t seen = store_version(fixture.store);
    for (unsigned round = 0; round < ROUNDS; round++) {
        memory_disk_release(&fixture.disk, random_below(&random, 4) == 0 ? -EIO : 0);
        unsigned changes = 1 + (unsigned)random_below(&random, 6);
        for (unsigned i = 0; i < changes; i++)
            change_at_random(&fixture, &random, NAMES, round);
        if (random_below(&random, 2) == 0)
            reactor_turn(fixture.reactor, 0);
        if (random_below(&random, 3) == 0) {
            settle(&fixture);
            assert_agreement(&fixture, NAMES);
        }
        seen = follow(&fixture, seen, known, NAMES);
    }
    settle(&fixture);
    assert_agreement(&fixture, NAMES);
    seen = follow(&fixture, seen, known, NAMES);
    for (unsigned i = 0; i < NAMES; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%u", i);
        const struct stored *durable = store_get(fixture.store, KUBE_CONFIG_MAP, "default", name);
        assert_int_equal(durable != NULL ? durable->version : 0, known[i]);
    }
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_that_wait_share_one_transaction),
        cmocka_unit_test(several_changes_of_one_object_become_durable_one_by_one),
        cmocka_unit_test(a_creation_and_a_deletion_under_way_leave_nothing),
        cmocka_unit_test(an_object_can_be_made_anew_while_its_deletion_is_under_way),
        cmocka_unit_test(what_fails_never_was),
        cmocka_unit_test(what_was_built_on_a_failed_write_fails_with_it),
        cmocka_unit_test(what_became_durable_before_a_failure_stays),
        cmocka_unit_test(a_writer_may_write_again_from_inside_on_done),
        cmocka_unit_test(a_writer_that_left_is_not_told),
        cmocka_unit_test(a_writer_may_make_another_of_its_batch_leave),
        cmocka_unit_test(beyond_the_limits_nothing_happens),
        cmocka_unit_test(closing_commits_what_waits_and_tells_its_writers),
        cmocka_unit_test(closing_over_a_disk_that_refuses_fails_what_waits),
        cmocka_unit_test(a_write_from_inside_the_closing_is_refused),
        cmocka_unit_test(readers_and_disk_agree_whatever_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
