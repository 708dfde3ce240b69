/* SPDX-License-Identifier: Apache-2.0 */
/* store.c: the life of a store, from what the disk holds to its end; and who is told of changes.
 *
 * Owned by one thread, with a reactor; the committer brings outcomes to it by mail.  Reading is store_read.c's, writing
 * store_write.c's. */
#include "kube/store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "kube/store/store_internal.h"
#include "kube/store/stored.h"

const struct store_limits store_limits_default = {
    .log_events = 4096,
    .log_bytes = (size_t)4 * 1024 * 1024,
    .log_ms = (uint64_t)5 * 60 * 1000,
    .max_objects = 100000,
    .pending_writes = 10000,
};

/* Versions of a new store start above those of any that was thrown away before: seconds since 2020 with room for a
 * million writes in each.  Far below 2^53, so that clients that know numbers only as doubles keep them exact. */
static uint64_t clock_version(void)
{
    const uint64_t seconds_to_2020 = 1577836800;
    uint64_t seconds = clock_wall_ms() / 1000;
    return seconds > seconds_to_2020 ? (seconds - seconds_to_2020) << 20 : 1;
}

static void end_turn(struct reactor_reclaim *node)
{
    store_end_turn(container_of(node, struct store, turn_end));
}

static void name_kinds(struct store *store)
{
    for (unsigned i = 0; i < KUBE_KIND_COUNT; i++) {
        const struct kube_kind_info *info = kube_kind_info((enum kube_kind)i);
        snprintf(store->kind_names[i], KIND_NAME_SIZE, "%s%s%s", info->plural, info->group[0] == '\0' ? "" : ".",
                 info->group);
    }
}

static struct store *store_new(struct reactor *reactor, struct store_disk *disk, const struct store_limits *limits)
{
    struct store *store = must(calloc(1, sizeof *store));
    store->reactor = reactor;
    store->disk = disk;
    store->limits = limits != NULL ? *limits : store_limits_default;
    store->turn_end.reclaim = end_turn;
    list_init(&store->turn_end.link);
    list_init(&store->watchers);
    list_init(&store->pending);
    list_init(&store->spent);
    name_kinds(store);
    return store;
}

static void forget_watchers(struct store *store)
{
    while (!list_is_empty(&store->watchers))
        (void)list_pop(&store->watchers);
}

/* Nothing is pending any more. */
static void store_free(struct store *store)
{
    store_end_turn(store);
    list_remove(&store->turn_end.link);
    forget_watchers(store);
    watch_log_deinit(&store->log);
    for (unsigned i = 0; i < KUBE_KIND_COUNT; i++)
        entries_deinit(&store->kinds[i]);
    store->disk->ops->close(store->disk);
    free(store);
}

enum { UNREADABLE_SHOWN = 10 };

struct loading {
    struct store *store;
    struct arena *arena; /* reset by each object */
    uint64_t newest;
    unsigned unreadable;
};

static void report_unreadable(struct loading *loading, const char *reason)
{
    if (++loading->unreadable <= UNREADABLE_SHOWN)
        log_warn("store", "an object is left out, but kept on disk: %s", reason);
}

/* The problem names the object only when its kind is known. */
static void report_problem(struct loading *loading, const json_t *tree, const struct problem *problem)
{
    const json_t *metadata = json_object_get(tree, "metadata");
    const char *namespace_ = json_string_value(json_object_get(metadata, "namespace"));
    const char *name = json_string_value(json_object_get(metadata, "name"));
    const char *text = problem_text(problem, loading->arena);
    if (problem->object == NULL && name != NULL)
        text = arena_printf(loading->arena, "%s%s%s: %s", namespace_ != NULL ? namespace_ : "",
                            namespace_ != NULL ? "/" : "", name, text);
    report_unreadable(loading, text);
}

static bool read_version(const json_t *tree, uint64_t *ret_version)
{
    const json_t *text = json_object_get(json_object_get(tree, "metadata"), "resourceVersion");
    unsigned long long version;
    if (!bytes_to_u64(bytes_make(json_string_value(text), json_string_length(text)), INT64_MAX, &version))
        return false;
    *ret_version = version;
    return true;
}

static void add_loaded(struct loading *loading, struct kube_object *object, uint64_t version)
{
    struct store *store = loading->store;
    struct entries *entries = &store->kinds[object->kind];
    size_t position;
    if (entries_find(entries, object->namespace_, object->name, &position)) {
        report_unreadable(loading,
                          arena_printf(loading->arena, "%s is there twice", kube_object_text(object, loading->arena)));
        kube_object_give_back(object);
        return;
    }
    struct entry *entry = entries_add(entries, position, object->kind, object->namespace_, object->name);
    entries_set_durable(entries, entry, stored_new(object, version));
    store_set_head(store, entry, entry->durable);
    if (version > loading->newest)
        loading->newest = version;
}

static void load_tree(struct loading *loading, json_t *tree)
{
    struct problems problems;
    problems_init(&problems, loading->arena);
    struct kube_object *object = kube_object_decode(tree, &problems);
    uint64_t version;
    if (object == NULL) {
        report_problem(loading, tree, problems.first);
    } else if (!read_version(tree, &version)) {
        report_unreadable(loading, arena_printf(loading->arena, "%s has no resourceVersion",
                                                kube_object_text(object, loading->arena)));
        kube_object_give_back(object);
    } else {
        add_loaded(loading, object, version);
    }
}

static void load_object(void *context, struct bytes text)
{
    struct loading *loading = context;
    json_error_t error;
    json_t *tree = json_loadb(text.data, text.len, 0, &error);
    if (tree == NULL)
        report_unreadable(loading, arena_printf(loading->arena, "no JSON: %s", error.text));
    else
        load_tree(loading, tree);
    json_decref(tree);
    arena_reset(loading->arena);
}

static int load(struct store *store, char error[300])
{
    struct loading loading = {.store = store, .arena = arena_new(0)};
    uint64_t version = 0;
    int result = store->disk->ops->load(store->disk, load_object, &loading, &version, error);
    arena_free(loading.arena);
    if (result != 0)
        return result;
    if (loading.unreadable > UNREADABLE_SHOWN)
        log_warn("store", "%u objects in all are left out", loading.unreadable);
    store->loaded_version = version > loading.newest ? version : loading.newest;
    uint64_t by_clock = clock_version();
    store->start_version = store->loaded_version > by_clock ? store->loaded_version : by_clock;
    store->head_version = store->durable_version = store->start_version;
    watch_log_init(&store->log, store->start_version);
    return 0;
}

struct store *store_open(struct reactor *reactor, struct store_disk *disk, const struct store_limits *limits,
                         char error[300])
{
    struct store *store = store_new(reactor, disk, limits);
    if (load(store, error) != 0)
        goto fail;
    store->committer = committer_start(reactor, disk, store_take_outcome, store);
    if (store->committer != NULL)
        return store;
    snprintf(error, 300, "the store's thread cannot be started: %s", strerror(errno));
fail:
    store_free(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    struct committer *committer = store->committer;
    store->committer = NULL; /* on_done may want to write again */
    committer_stop(committer);
    store_free(store);
}

void store_watch(struct store *store, struct store_watcher *watcher)
{
    list_push(&store->watchers, &watcher->link);
}

void store_unwatch(struct store_watcher *watcher)
{
    if (watcher->link.next != NULL) /* zeroed: never watched */
        list_remove(&watcher->link);
}

/* Each watcher is put back before it is called: it may leave, or make another leave.  Who comes meanwhile has read up
 * to the present. */
void store_tell_watchers(struct store *store)
{
    struct list untold;
    list_init(&untold);
    while (!list_is_empty(&store->watchers))
        list_push(&untold, list_pop(&store->watchers));
    while (!list_is_empty(&untold)) {
        struct store_watcher *watcher = LIST_ENTRY(list_pop(&untold), struct store_watcher, link);
        list_push(&store->watchers, &watcher->link);
        watcher->on_events(watcher);
    }
}

void store_figures(const struct store *store, struct store_figures *ret_figures)
{
    struct commit_figures commits;
    committer_figures(store->committer, &commits);
    *ret_figures = (struct store_figures){
        .commits = commits.commits,
        .commit_errors = commits.errors,
        .writes = store->writes,
        .commit_us_sum = commits.us_sum,
        .commit_us_max = commits.us_max,
        .disk_bytes = store->disk->ops->size_bytes(store->disk),
        .log_events = store->log.len,
        .log_bytes = store->log.bytes,
        .pending = store->pending_len,
        .last_error = commits.last_error,
    };
    for (unsigned i = 0; i < KUBE_KIND_COUNT; i++)
        ret_figures->objects += store->kinds[i].durable_len;
}
