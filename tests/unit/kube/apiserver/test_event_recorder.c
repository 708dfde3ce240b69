/* SPDX-License-Identifier: Apache-2.0 */
/* test_event_recorder.c: what becomes of things that are told again and again. */
#include "unit/kube/store/fixture.h"

#include "kube/apiserver/change.h"
#include "kube/apiserver/event_recorder.h"

enum { MAX_EVENTS = 5 };

struct world {
    struct fixture fixture;
    struct event_recorder *recorder;
    struct kube_object *about;
};

static void open_with(struct world *world, const struct store_limits *limits)
{
    fixture_open_with(&world->fixture, limits);
    stored_give_back(object_create(world->fixture.store, KUBE_NAMESPACE,
                                   json_pack("{s:{s:s}}", "metadata", "name", "default"), 1780000000000ull));
    settle(&world->fixture);
    world->recorder = event_recorder_new(world->fixture.reactor, world->fixture.store, MAX_EVENTS);
    world->about = config_of("thing", "x");
}

static void close_world(struct world *world)
{
    kube_object_give_back(world->about);
    event_recorder_free(world->recorder);
    fixture_close(&world->fixture);
}

static size_t count(const struct world *world)
{
    size_t found = 0;
    struct store_cursor cursor = store_cursor_at(world->fixture.store, KUBE_EVENT, "", "", "");
    while (store_next_head(world->fixture.store, KUBE_EVENT, &cursor) != NULL)
        found++;
    return found;
}

static const json_t *first_tree(const struct world *world)
{
    struct store_cursor cursor = store_cursor_at(world->fixture.store, KUBE_EVENT, "", "", "");
    return store_next_head(world->fixture.store, KUBE_EVENT, &cursor)->object->tree;
}

static void what_is_told_again_raises_the_count(void **state)
{
    struct world world;
    (void)state;
    open_with(&world, NULL);
    for (int i = 0; i < 3; i++)
        event_record(world.recorder, world.about, true, "test", "Broken", "it is %s", "broken");
    assert_int_equal(count(&world), 1);
    const json_t *tree = first_tree(&world);
    assert_int_equal(json_integer_value(json_object_get(tree, "count")), 3);
    assert_string_equal(json_string_value(json_object_get(tree, "type")), "Warning");
    assert_string_equal(json_string_value(json_object_get(tree, "message")), "it is broken");
    assert_string_equal(json_string_value(json_object_get(json_object_get(tree, "involvedObject"), "name")), "thing");
    close_world(&world);
}

static void the_oldest_go_when_there_are_too_many(void **state)
{
    struct world world;
    (void)state;
    open_with(&world, NULL);
    for (int i = 0; i < MAX_EVENTS + 3; i++)
        event_record(world.recorder, world.about, false, "test", "Told", "number %d", i);
    assert_int_equal(count(&world), MAX_EVENTS);
    close_world(&world);
}

static void an_object_that_floods_is_held_back(void **state)
{
    struct world world;
    uint64_t version;
    (void)state;
    open_with(&world, NULL);
    for (int i = 0; i < 25; i++)
        event_record(world.recorder, world.about, false, "test", "Told", "again");
    settle(&world.fixture);
    version = store_version(world.fixture.store);
    event_record(world.recorder, world.about, false, "test", "Told", "again");
    settle(&world.fixture);
    assert_int_equal(store_version(world.fixture.store), version);
    close_world(&world);
}

/* A store that is busy refuses the deletion of what is too old: trimming gives up instead of trying for ever. */
static void a_busy_store_does_not_hold_the_recorder(void **state)
{
    struct world world;
    struct store_limits limits = store_limits_default;
    (void)state;
    limits.pending_writes = MAX_EVENTS;
    open_with(&world, &limits);
    memory_disk_hold(&world.fixture.disk);
    for (int i = 0; i < MAX_EVENTS + 3; i++)
        event_record(world.recorder, world.about, false, "test", "Told", "number %d", i);
    assert_int_equal(count(&world), MAX_EVENTS);
    memory_disk_release(&world.fixture.disk, 0);
    settle(&world.fixture);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_again_raises_the_count),
        cmocka_unit_test(the_oldest_go_when_there_are_too_many),
        cmocka_unit_test(an_object_that_floods_is_held_back),
        cmocka_unit_test(a_busy_store_does_not_hold_the_recorder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
