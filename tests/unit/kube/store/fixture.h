/* SPDX-License-Identifier: Apache-2.0 */
/* fixture.h: a store over a disk in memory, with a reactor that is turned by hand, and writers that remember. */
#ifndef TESTS_UNIT_KUBE_STORE_FIXTURE_H
#define TESTS_UNIT_KUBE_STORE_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kube/store/store.h"
#include "unit/kube/store/memory_disk.h"

struct fixture {
    struct reactor *reactor;
    struct memory_disk disk;
    struct store *store;
    char error[300];
};

static inline void fixture_open_with(struct fixture *fixture, const struct store_limits *limits)
{
    fixture->reactor = reactor_new("test");
    assert_non_null(fixture->reactor);
    memory_disk_init(&fixture->disk);
    fixture->store = store_open(fixture->reactor, &fixture->disk.disk, limits, fixture->error);
    assert_non_null(fixture->store);
}

static inline void fixture_open(struct fixture *fixture)
{
    fixture_open_with(fixture, NULL);
}

static inline void fixture_close(struct fixture *fixture)
{
    store_close(fixture->store);
    assert_true(fixture->disk.is_closed);
    reactor_free(fixture->reactor);
    memory_disk_deinit(&fixture->disk);
}

static inline void fixture_reopen(struct fixture *fixture)
{
    store_close(fixture->store);
    fixture->disk.is_closed = false;
    fixture->store = store_open(fixture->reactor, &fixture->disk.disk, NULL, fixture->error);
    assert_non_null(fixture->store);
}

struct writer {
    struct store_write write;
    bool is_done;
    int error;
    void (*then)(struct writer *writer); /* from inside on_done */
    void *context;
};

static inline void writer_done(struct store_write *write, int error)
{
    struct writer *writer = container_of(write, struct writer, write);
    assert_false(writer->is_done);
    writer->is_done = true;
    writer->error = error;
    if (writer->then != NULL)
        writer->then(writer);
}

#define WRITER ((struct writer){.write.on_done = writer_done})

/* Blocks for mail only; a writer that is never told ends in the time limit of the test program. */
static inline int await(struct fixture *fixture, const struct writer *writer)
{
    while (!writer->is_done)
        reactor_turn(fixture->reactor, -1);
    return writer->error;
}

static inline struct kube_object *object_of_tree(json_t *tree)
{
    struct arena *arena = arena_new(0);
    struct problems problems;
    problems_init(&problems, arena);
    struct kube_object *object = kube_object_decode(tree, &problems);
    if (object == NULL)
        print_error("%s\n", problem_text(problems.first, arena));
    arena_free(arena);
    json_decref(tree);
    assert_non_null(object);
    return object;
}

static inline struct kube_object *object_of(const char *text)
{
    json_t *tree = json_loads(text, 0, NULL);
    assert_non_null(tree);
    return object_of_tree(tree);
}

static inline struct kube_object *config_in(const char *namespace_, const char *name, const char *value)
{
    return object_of_tree(json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap",
                                    "metadata", "name", name, "namespace", namespace_, "data", "key", value));
}

static inline struct kube_object *config_of(const char *name, const char *value)
{
    return config_in("default", name, value);
}

/* What a ConfigMap of config_of() holds; NULL when there is none. */
static inline const char *value_of(const struct stored *stored)
{
    if (stored == NULL)
        return NULL;
    return json_string_value(json_object_get(json_object_get(stored->object->tree, "data"), "key"));
}

static inline const char *head_value(const struct fixture *fixture, const char *name)
{
    return value_of(store_head(fixture->store, KUBE_CONFIG_MAP, "default", name));
}

static inline const char *durable_value(const struct fixture *fixture, const char *name)
{
    return value_of(store_get(fixture->store, KUBE_CONFIG_MAP, "default", name));
}

static inline void put(struct fixture *fixture, const char *name, const char *value, struct writer *writer)
{
    struct store_write *write = writer != NULL ? &writer->write : NULL;
    assert_int_equal(store_put(fixture->store, config_of(name, value), write, NULL), 0);
}

static inline void put_durably(struct fixture *fixture, const char *name, const char *value)
{
    struct writer writer = WRITER;
    put(fixture, name, value, &writer);
    assert_int_equal(await(fixture, &writer), 0);
}

static inline void erase(struct fixture *fixture, const char *name, struct writer *writer)
{
    struct store_write *write = writer != NULL ? &writer->write : NULL;
    assert_int_equal(store_delete(fixture->store, KUBE_CONFIG_MAP, "default", name, write, NULL), 0);
}

/* Everything that was written so far is durable, or failed. */
static inline void settle(struct fixture *fixture)
{
    struct store_figures figures;
    for (store_figures(fixture->store, &figures); figures.pending > 0; store_figures(fixture->store, &figures))
        reactor_turn(fixture->reactor, -1);
}

/* The events after version, as "ADDED a, DELETED b"; names only. */
static inline void events_text(const struct fixture *fixture, uint64_t version, char text[512])
{
    static const char *const types[] = {"ADDED", "MODIFIED", "DELETED"};
    size_t len = 0;
    text[0] = '\0';
    const struct store_event *event;
    for (; (event = store_event_after(fixture->store, version)) != NULL; version = event->version)
        len += (size_t)snprintf(text + len, 512 - len, "%s%s %s", len > 0 ? ", " : "", types[event->type],
                                event->now->object->name);
}

static inline void assert_events(const struct fixture *fixture, uint64_t version, const char *expected)
{
    char text[512];
    events_text(fixture, version, text);
    assert_string_equal(text, expected);
}

#endif
