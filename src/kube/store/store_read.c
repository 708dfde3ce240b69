/* SPDX-License-Identifier: Apache-2.0 */
/* store_read.c: looking at objects and at the log of changes.  Nothing here changes the store; what is returned is
 * borrowed as store.h says. */
#include "kube/store/store_internal.h"

#include <assert.h>

const struct stored *store_head(const struct store *store, enum kube_kind kind, const char *namespace_,
                                const char *name)
{
    const struct entry *entry = entries_get(&store->kinds[kind], namespace_, name);
    return entry != NULL ? entry->head : NULL;
}

const struct stored *store_get(const struct store *store, enum kube_kind kind, const char *namespace_, const char *name)
{
    const struct entry *entry = entries_get(&store->kinds[kind], namespace_, name);
    return entry != NULL ? entry->durable : NULL;
}

struct store_cursor store_cursor_at(const struct store *store, enum kube_kind kind, const char *namespace_,
                                    const char *after_namespace, const char *after_name)
{
    const struct entries *entries = &store->kinds[kind];
    struct store_cursor cursor = {.namespace_ = namespace_};
    size_t after;
    (void)entries_find(entries, namespace_, "", &cursor.position);
    if (entries_find(entries, after_namespace, after_name, &after))
        after++;
    if (after > cursor.position)
        cursor.position = after;
    return cursor;
}

/* The entry at the cursor, which moves on; NULL at the end. */
static const struct entry *next_entry(const struct entries *entries, struct store_cursor *cursor)
{
    if (cursor->position >= entries->len)
        return NULL;
    const struct entry *entry = entries->items[cursor->position];
    if (cursor->namespace_[0] != '\0' && strcmp(entry->namespace_, cursor->namespace_) != 0)
        return NULL;
    cursor->position++;
    return entry;
}

const struct stored *store_next(const struct store *store, enum kube_kind kind, struct store_cursor *cursor)
{
    const struct entry *entry;
    while ((entry = next_entry(&store->kinds[kind], cursor)) != NULL) {
        if (entry->durable != NULL)
            return entry->durable;
    }
    return NULL;
}

const struct stored *store_next_head(const struct store *store, enum kube_kind kind, struct store_cursor *cursor)
{
    const struct entry *entry;
    while ((entry = next_entry(&store->kinds[kind], cursor)) != NULL) {
        if (entry->head != NULL)
            return entry->head;
    }
    return NULL;
}

size_t store_count(const struct store *store, enum kube_kind kind)
{
    return store->kinds[kind].durable_len;
}

uint64_t store_version(const struct store *store)
{
    return store->durable_version;
}

/* Nothing happened between the last run's end and this one's start.  Other versions before the start are refused, even
 * if they lie above the last run's: the disk may hold an older state that somebody brought back. */
static bool is_end_of_last_run(const struct store *store, uint64_t version)
{
    return version != 0 && version == store->loaded_version && store->log.floor == store->start_version;
}

bool store_can_resume(const struct store *store, uint64_t version)
{
    return version >= store->log.floor || is_end_of_last_run(store, version);
}

const struct store_event *store_event_after(const struct store *store, uint64_t version)
{
    assert(store_can_resume(store, version));
    return watch_log_after(&store->log, version);
}
