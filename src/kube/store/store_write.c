/* SPDX-License-Identifier: Apache-2.0 */
/* store_write.c: a change from the call that makes it to the disk's answer.
 *
 * A change moves the head at once.  When it is durable it becomes an event of the log; when it failed, the head falls
 * back to the durable version, together with those of all changes behind it. */
#include "kube/store/store_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "kube/store/stored.h"

struct change {
    struct commit_item item;
    struct list pending_link;
    struct entry *entry;
    struct stored *now; /* counted; of a removal: the last state */
    struct store_write *write;
    struct list barriers; /* of store_write: who waits for this one without having written it */
    bool is_removal;
};

void store_set_head(struct store *store, struct entry *entry, const struct stored *stored)
{
    if (entry->head != NULL)
        store->heads--;
    if (stored != NULL)
        store->heads++;
    entry->head = stored;
}

/* 0, or why nothing (more) can be written. */
static int check_limits(const struct store *store, bool is_creation)
{
    if (store->committer == NULL || store->pending_len >= store->limits.pending_writes)
        return -EBUSY;
    return is_creation && store->heads >= store->limits.max_objects ? -ENOSPC : 0;
}

/* Takes over the caller's count of now. */
static void add_change(struct store *store, struct entry *entry, struct stored *now, bool is_removal,
                       struct store_write *write)
{
    struct change *change = must(calloc(1, sizeof *change));
    change->item.change = (struct disk_change){.kind = store->kind_names[entry->kind],
                                               .namespace_ = entry->namespace_,
                                               .name = entry->name,
                                               .version = now->version,
                                               .text = is_removal ? BYTES("") : stored_whole(now)};
    change->entry = entry;
    change->now = now;
    change->write = write;
    change->is_removal = is_removal;
    list_init(&change->barriers);
    entry->pending++;
    store->pending_len++;
    store_set_head(store, entry, is_removal ? NULL : now);
    list_push(&store->pending, &change->pending_link);
    committer_add(store->committer, &change->item);
}

static struct entry *find_or_add_entry(struct store *store, const struct kube_object *object)
{
    struct entries *entries = &store->kinds[object->kind];
    size_t position;
    if (entries_find(entries, object->namespace_, object->name, &position))
        return entries->items[position];
    return entries_add(entries, position, object->kind, object->namespace_, object->name);
}

int store_put(struct store *store, struct kube_object *object, struct store_write *write, struct stored **ret_stored)
{
    bool is_creation = store_head(store, object->kind, object->namespace_, object->name) == NULL;
    int error = check_limits(store, is_creation);
    if (error != 0) {
        kube_object_give_back(object);
        return error;
    }
    struct entry *entry = find_or_add_entry(store, object);
    struct stored *now = stored_new(object, ++store->head_version);
    if (ret_stored != NULL)
        *ret_stored = stored_take(now);
    add_change(store, entry, now, false, write);
    return 0;
}

int store_delete(struct store *store, enum kube_kind kind, const char *namespace_, const char *name,
                 struct store_write *write, struct stored **ret_stored)
{
    struct entry *entry = entries_get(&store->kinds[kind], namespace_, name);
    if (entry == NULL || entry->head == NULL)
        return -ENOENT;
    int error = check_limits(store, false);
    if (error != 0)
        return error;
    struct stored *now = stored_new_removed(entry->head, ++store->head_version);
    if (ret_stored != NULL)
        *ret_stored = stored_take(now);
    add_change(store, entry, now, true, write);
    return 0;
}

bool store_barrier(struct store *store, struct store_write *write)
{
    if (store->pending_len == 0)
        return false;
    struct change *newest = LIST_ENTRY(store->pending.prev, struct change, pending_link);
    list_push(&newest->barriers, &write->link);
    return true;
}

void store_write_forget(struct store *store, struct store_write *write)
{
    LIST_FOR_EACH (node, &store->pending) {
        struct change *change = LIST_ENTRY(node, struct change, pending_link);
        if (change->write == write)
            change->write = NULL;
        LIST_FOR_EACH_SAFE (barrier, &change->barriers) {
            if (LIST_ENTRY(barrier, struct store_write, link) == write)
                list_remove(barrier);
        }
    }
}

static struct change *change_at(struct list *node)
{
    return LIST_ENTRY(node, struct change, item.link);
}

/* Of the log: who borrowed an older version in this turn finds it there until its end. */
static void end_turn_later(struct store *store)
{
    if (list_is_empty(&store->turn_end.link))
        reactor_reclaim_later(store->reactor, &store->turn_end);
}

static enum store_event_type event_type(const struct change *change)
{
    if (change->is_removal)
        return STORE_DELETED;
    return change->entry->durable == NULL ? STORE_ADDED : STORE_MODIFIED;
}

static void leave_entry(struct store *store, struct change *change)
{
    struct entry *entry = change->entry;
    change->entry = NULL;
    entry->pending--;
    store->pending_len--;
    entries_drop_if_empty(&store->kinds[entry->kind], entry);
}

/* Its count of now goes to the log, as the entry's count of what was durable before. */
static void land(struct store *store, struct change *change)
{
    struct entry *entry = change->entry;
    struct stored *now = change->now;
    assert(!change->is_removal || entry->durable != NULL);
    watch_log_add(&store->log, event_type(change), now, entry->durable, reactor_now_ms(store->reactor));
    entries_set_durable(&store->kinds[entry->kind], entry, change->is_removal ? NULL : stored_take(now));
    store->durable_version = now->version;
    store->writes++;
    change->now = NULL;
    leave_entry(store, change);
}

static void fall_back(struct store *store, struct change *change)
{
    store_set_head(store, change->entry, change->entry->durable);
    leave_entry(store, change);
}

/* Tells who waits; a writer may write again, or make others forget, from inside. */
static void finish(struct store *store, struct list *changes, int error)
{
    while (!list_is_empty(changes)) {
        struct change *change = change_at(list_pop(changes));
        struct store_write *write = change->write;
        change->write = NULL;
        if (write != NULL)
            write->on_done(write, error);
        while (!list_is_empty(&change->barriers)) {
            write = LIST_ENTRY(list_pop(&change->barriers), struct store_write, link);
            write->on_done(write, error);
        }
        list_remove(&change->pending_link);
        list_push(&store->spent, &change->item.link);
    }
}

/* A line when writes begin to fail, and one when they work again. */
static void report_failing(struct store *store, int error)
{
    if ((error != 0) == store->is_failing)
        return;
    store->is_failing = error != 0;
    struct log_limit *limit = &store->failing_limit;
    if (error == -ENOSPC)
        log_limited(limit, LOG_LEVEL_ERROR, "store", "the disk is full: changes are refused until there is room");
    else if (error != 0)
        log_limited(limit, LOG_LEVEL_ERROR, "store", "the disk fails (%s): changes are refused until it works",
                    strerror(-error));
    else
        log_limited(limit, LOG_LEVEL_INFO, "store", "the disk takes changes again");
}

void store_take_outcome(void *context, struct commit_outcome *outcome)
{
    struct store *store = context;
    bool has_events = !list_is_empty(&outcome->durable);
    if (has_events)
        report_failing(store, 0);
    if (outcome->error != 0)
        report_failing(store, outcome->error);
    LIST_FOR_EACH (node, &outcome->durable)
        land(store, change_at(node));
    LIST_FOR_EACH (node, &outcome->failed)
        fall_back(store, change_at(node));
    end_turn_later(store);
    finish(store, &outcome->durable, 0);
    finish(store, &outcome->failed, outcome->error);
    if (has_events)
        store_tell_watchers(store);
}

void store_end_turn(struct store *store)
{
    while (!list_is_empty(&store->spent)) {
        struct change *change = change_at(list_pop(&store->spent));
        stored_give_back(change->now);
        free(change);
    }
    watch_log_trim(&store->log, &store->limits, reactor_now_ms(store->reactor));
}
