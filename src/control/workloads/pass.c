/* SPDX-License-Identifier: Apache-2.0 */
/* pass.c: reads that outlive writes, writes that are counted. */
#include "control/workloads/pass.h"

#include <stdlib.h>

#include "control/workloads/metadata.h"

void pass_init(struct pass *pass, struct store *store, struct event_recorder *recorder, uint64_t now_wall_ms)
{
    *pass = (struct pass){.store = store,
                          .recorder = recorder,
                          .arena = arena_new(0),
                          .now_wall_ms = now_wall_ms,
                          .wake_wall_ms = UINT64_MAX};
}

void pass_deinit(struct pass *pass)
{
    for (struct heads *heads = pass->taken; heads != NULL; heads = heads->next)
        for (unsigned i = 0; i < heads->len; i++)
            stored_give_back(heads->items[i]);
    arena_free(pass->arena);
}

static struct heads *new_heads(struct pass *pass, size_t capacity)
{
    struct heads *heads = ARENA_NEW(pass->arena, struct heads);
    heads->items = ARENA_ARRAY(pass->arena, struct stored *, capacity > 0 ? capacity : 1);
    heads->next = pass->taken;
    pass->taken = heads;
    return heads;
}

const struct heads *pass_heads(struct pass *pass, enum kube_kind kind, const char *namespace_)
{
    size_t count = 0;
    const struct stored *stored;
    struct store_cursor counting = store_cursor_at(pass->store, kind, namespace_, "", "");
    while (store_next_head(pass->store, kind, &counting) != NULL)
        count++;
    struct heads *heads = new_heads(pass, count);
    struct store_cursor cursor = store_cursor_at(pass->store, kind, namespace_, "", "");
    while (heads->len < count && (stored = store_next_head(pass->store, kind, &cursor)) != NULL)
        heads->items[heads->len++] = stored_take(stored);
    return heads;
}

/* Keeps one more version until the end. */
static const struct stored *keep(struct pass *pass, struct stored *stored)
{
    if (stored == NULL)
        return NULL;
    struct heads *heads = new_heads(pass, 1);
    heads->items[heads->len++] = stored;
    return stored;
}

const struct stored *pass_head(struct pass *pass, enum kube_kind kind, const char *namespace_, const char *name,
                               const char *uid)
{
    const struct stored *head = store_head(pass->store, kind, namespace_, name);
    if (head == NULL || (uid != NULL && strcmp(head->object->uid, uid) != 0))
        return NULL;
    return keep(pass, stored_take(head));
}

void pass_wake_at(struct pass *pass, uint64_t wall_ms)
{
    if (wall_ms < pass->wake_wall_ms)
        pass->wake_wall_ms = wall_ms;
}

static void note_write(struct pass *pass, bool is_done)
{
    if (is_done)
        pass->writes++;
    else
        pass_wake_at(pass, pass->now_wall_ms + PASS_RETRY_MS);
}

const struct stored *pass_create(struct pass *pass, enum kube_kind kind, json_t *tree)
{
    struct stored *stored = object_create(pass->store, kind, tree, pass->now_wall_ms);
    note_write(pass, stored != NULL);
    return keep(pass, stored);
}

const struct stored *pass_update(struct pass *pass, const struct kube_object *object, json_t *tree)
{
    struct stored *stored =
        object_update(pass->store, object->kind, object->namespace_, object->name, tree, pass->now_wall_ms);
    note_write(pass, stored != NULL);
    return keep(pass, stored);
}

bool pass_set_status(struct pass *pass, const struct kube_object *object, json_t *status)
{
    bool is_written =
        object_set_status(pass->store, object->kind, object->namespace_, object->name, status, pass->now_wall_ms);
    pass->writes += is_written;
    return is_written;
}

bool pass_delete(struct pass *pass, const struct kube_object *object, const char *propagation, int64_t grace_s)
{
    bool is_done = object_delete(pass->store, object->kind, object->namespace_, object->name, propagation, grace_s,
                                 pass->now_wall_ms);
    note_write(pass, is_done);
    return is_done;
}

static int by_uid(const void *a, const void *b)
{
    const struct owned *left = a, *right = b;
    int order = strcmp(left->uid, right->uid);
    if (order == 0)
        order = strcmp(left->stored->object->name, right->stored->object->name);
    return order;
}

void owned_index_init(struct owned_index *index, struct pass *pass, enum kube_kind kind)
{
    const struct heads *heads = pass_heads(pass, kind, "");
    *index = (struct owned_index){.items = ARENA_ARRAY(pass->arena, struct owned, heads->len + 1)};
    for (unsigned i = 0; i < heads->len; i++) {
        const char *uid = metadata_controller_uid(heads->items[i]->object);
        if (uid[0] != '\0')
            index->items[index->len++] = (struct owned){uid, heads->items[i]};
    }
    if (index->len > 1)
        qsort(index->items, index->len, sizeof *index->items, by_uid);
}

struct owned_list owned_by(const struct owned_index *index, const char *uid)
{
    unsigned low = 0, high = index->len;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (strcmp(index->items[middle].uid, uid) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    struct owned_list list = {.items = &index->items[low]};
    while (low + list.len < index->len && strcmp(index->items[low + list.len].uid, uid) == 0)
        list.len++;
    return list;
}
