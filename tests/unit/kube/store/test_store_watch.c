/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_watch.c: who is told of what became durable, and from how far back a watch can resume. */
#include "unit/kube/store/fixture.h"

struct follower {
    struct store_watcher watcher;
    struct fixture *fixture;
    uint64_t version; /* read up to here */
    unsigned calls;
    unsigned events;
    void (*then)(struct follower *follower);
    struct follower *other;
};

static void read_all(struct store_watcher *watcher)
{
    struct follower *follower = container_of(watcher, struct follower, watcher);
    const struct store_event *event;
    follower->calls++;
    for (; (event = store_event_after(follower->fixture->store, follower->version)) != NULL; follower->events++)
        follower->version = event->version;
    if (follower->then != NULL)
        follower->then(follower);
}

static void follow(struct follower *follower, struct fixture *fixture)
{
    *follower = (struct follower){.watcher.on_events = read_all, .fixture = fixture};
    follower->version = store_version(fixture->store);
    store_watch(fixture->store, &follower->watcher);
}

static void watchers_are_told_once_per_batch(void **state)
{
    (void)state;
    struct fixture fixture;
    struct follower follower;
    struct writer last = WRITER;
    fixture_open(&fixture);
    follow(&follower, &fixture);
    memory_disk_hold(&fixture.disk);
    put(&fixture, "a", "1", NULL);
    memory_disk_await_commit(&fixture.disk, 1);
    put(&fixture, "b", "1", NULL);
    put(&fixture, "c", "1", NULL);
    put(&fixture, "d", "1", &last);
    memory_disk_let_go(&fixture.disk, 0);
    while (follower.calls == 0)
        reactor_turn(fixture.reactor, -1);
    assert_int_equal(follower.events, 1);
    memory_disk_release(&fixture.disk, 0);
    await(&fixture, &last);
    assert_int_equal(follower.calls, 2);
    assert_int_equal(follower.events, 4);
    fixture_close(&fixture);
}

static void watchers_hear_nothing_of_what_failed(void **state)
{
    (void)state;
    struct fixture fixture;
    struct follower follower;
    struct writer writer = WRITER;
    fixture_open(&fixture);
    follow(&follower, &fixture);
    memory_disk_release(&fixture.disk, -ENOSPC);
    put(&fixture, "a", "1", &writer);
    await(&fixture, &writer);
    assert_int_equal(follower.calls, 0);
    fixture_close(&fixture);
}

static void leave(struct follower *follower)
{
    store_unwatch(&follower->watcher);
}

static void make_other_leave(struct follower *follower)
{
    store_unwatch(&follower->other->watcher);
}

static void bring_other(struct follower *follower)
{
    follow(follower->other, follower->fixture);
    follower->then = NULL;
}

static void a_watcher_may_leave_while_it_is_told(void **state)
{
    (void)state;
    struct fixture fixture;
    struct follower first, leaver, last;
    fixture_open(&fixture);
    follow(&first, &fixture);
    follow(&leaver, &fixture);
    follow(&last, &fixture);
    leaver.then = leave;
    put_durably(&fixture, "a", "1");
    put_durably(&fixture, "b", "1");
    assert_int_equal(first.calls, 2);
    assert_int_equal(leaver.calls, 1);
    assert_int_equal(last.calls, 2);
    store_unwatch(&leaver.watcher);
    fixture_close(&fixture);
}

static void a_watcher_may_make_others_leave_told_or_not(void **state)
{
    (void)state;
    struct fixture fixture;
    struct follower before, leaver, after;
    fixture_open(&fixture);
    follow(&before, &fixture);
    follow(&leaver, &fixture);
    follow(&after, &fixture);
    leaver.then = make_other_leave;
    leaver.other = &after;
    put_durably(&fixture, "a", "1");
    assert_int_equal(after.calls, 0);
    leaver.other = &before;
    put_durably(&fixture, "b", "1");
    put_durably(&fixture, "c", "1");
    assert_int_equal(before.calls, 2);
    assert_int_equal(leaver.calls, 3);
    fixture_close(&fixture);
}

static void who_comes_while_others_are_told_hears_of_the_next_batch(void **state)
{
    (void)state;
    struct fixture fixture;
    struct follower host, guest = {0};
    fixture_open(&fixture);
    follow(&host, &fixture);
    host.then = bring_other;
    host.other = &guest;
    put_durably(&fixture, "a", "1");
    assert_int_equal(guest.calls, 0);
    put_durably(&fixture, "b", "1");
    assert_int_equal(guest.calls, 1);
    assert_int_equal(guest.events, 1);
    fixture_close(&fixture);
}

static void leaving_is_harmless_at_any_time(void **state)
{
    (void)state;
    struct fixture fixture;
    struct follower never = {0}, left_over;
    fixture_open(&fixture);
    store_unwatch(&never.watcher);
    follow(&left_over, &fixture);
    fixture_close(&fixture);
    store_unwatch(&left_over.watcher);
}

static void a_watch_resumes_only_where_nothing_is_missing(void **state)
{
    (void)state;
    struct fixture fixture;
    const struct store_limits limits = {
        .log_events = 3, .log_bytes = 100000, .log_ms = 60000, .max_objects = 10, .pending_writes = 10};
    fixture_open_with(&fixture, &limits);
    uint64_t start = store_version(fixture.store);
    for (unsigned i = 0; i < 5; i++)
        put_durably(&fixture, "a", "1");
    assert_false(store_can_resume(fixture.store, start));
    assert_false(store_can_resume(fixture.store, start + 1));
    assert_true(store_can_resume(fixture.store, start + 2));
    assert_events(&fixture, start + 2, "MODIFIED a, MODIFIED a, MODIFIED a");
    assert_true(store_can_resume(fixture.store, start + 5));
    assert_null(store_event_after(fixture.store, start + 5));
    fixture_close(&fixture);
}

static void the_log_is_bounded_by_bytes_too(void **state)
{
    (void)state;
    struct fixture fixture;
    struct store_figures figures;
    const struct store_limits limits = {
        .log_events = 100, .log_bytes = 2000, .log_ms = 60000, .max_objects = 10, .pending_writes = 10};
    fixture_open_with(&fixture, &limits);
    for (unsigned i = 0; i < 50; i++)
        put_durably(&fixture, "a", "1");
    store_figures(fixture.store, &figures);
    size_t text_len = store_get(fixture.store, KUBE_CONFIG_MAP, "default", "a")->text.len;
    assert_int_equal(figures.log_events, 2000 / (2 * text_len));
    assert_int_equal(figures.log_bytes, figures.log_events * 2 * text_len);
    fixture_close(&fixture);
}

static void the_end_of_the_last_run_is_forgotten_with_the_first_event_lost(void **state)
{
    (void)state;
    struct fixture fixture;
    const struct store_limits limits = {
        .log_events = 1, .log_bytes = 100000, .log_ms = 60000, .max_objects = 10, .pending_writes = 10};
    fixture_open(&fixture);
    put_durably(&fixture, "a", "1");
    uint64_t end = store_version(fixture.store);
    store_close(fixture.store);
    fixture.store = store_open(fixture.reactor, &fixture.disk.disk, &limits, fixture.error);
    put_durably(&fixture, "b", "1");
    assert_true(store_can_resume(fixture.store, end));
    put_durably(&fixture, "c", "1");
    assert_false(store_can_resume(fixture.store, end));
    fixture_close(&fixture);
}

struct borrower {
    struct follower follower;
    uint64_t start;
    const struct stored *removed;      /* borrowed before its removal became durable */
    const struct store_event *removal; /* the log is too small for it */
    struct reactor_task task;
    bool has_looked;
};

/* Runs after the mail of the turn, before what is reclaimed. */
static void look(struct reactor_task *task)
{
    struct borrower *borrower = container_of(task, struct borrower, task);
    assert_string_equal(value_of(borrower->removed), "1");
    assert_int_equal(borrower->removal->type, STORE_DELETED);
    assert_string_equal(value_of(borrower->removal->now), "1");
    assert_true(store_can_resume(borrower->follower.fixture->store, borrower->start));
    borrower->has_looked = true;
}

static void look_later(struct follower *follower)
{
    struct borrower *borrower = container_of(follower, struct borrower, follower);
    borrower->removal = store_event_after(follower->fixture->store, borrower->start);
    reactor_task_schedule(follower->fixture->reactor, &borrower->task);
}

static void what_was_borrowed_lives_until_the_turn_ends(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer first = WRITER;
    const struct store_limits limits = {
        .log_events = 1, .log_bytes = 100000, .log_ms = 60000, .max_objects = 10, .pending_writes = 10};
    fixture_open_with(&fixture, &limits);
    put_durably(&fixture, "a", "1");
    memory_disk_hold(&fixture.disk);
    put(&fixture, "first", "1", &first);
    memory_disk_await_commit(&fixture.disk, 2);
    erase(&fixture, "a", NULL);
    put(&fixture, "b", "1", NULL);
    put(&fixture, "b", "2", NULL);
    memory_disk_let_go(&fixture.disk, 0);
    await(&fixture, &first);

    struct borrower borrower = {.start = store_version(fixture.store)};
    reactor_task_init(&borrower.task, look);
    follow(&borrower.follower, &fixture);
    borrower.follower.then = look_later;
    borrower.removed = store_get(fixture.store, KUBE_CONFIG_MAP, "default", "a");
    memory_disk_release(&fixture.disk, 0);
    while (!borrower.has_looked)
        reactor_turn(fixture.reactor, -1);
    assert_int_equal(borrower.follower.events, 3);
    assert_false(store_can_resume(fixture.store, borrower.start));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watchers_are_told_once_per_batch),
        cmocka_unit_test(watchers_hear_nothing_of_what_failed),
        cmocka_unit_test(a_watcher_may_leave_while_it_is_told),
        cmocka_unit_test(a_watcher_may_make_others_leave_told_or_not),
        cmocka_unit_test(who_comes_while_others_are_told_hears_of_the_next_batch),
        cmocka_unit_test(leaving_is_harmless_at_any_time),
        cmocka_unit_test(a_watch_resumes_only_where_nothing_is_missing),
        cmocka_unit_test(the_log_is_bounded_by_bytes_too),
        cmocka_unit_test(the_end_of_the_last_run_is_forgotten_with_the_first_event_lost),
        cmocka_unit_test(what_was_borrowed_lives_until_the_turn_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
