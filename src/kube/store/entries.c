/* SPDX-License-Identifier: Apache-2.0 */
/* entries.c: a sorted array of pointers to entries.  Owns the entries and a count of each durable version; used by the
 * store's callers' thread (the store's thread reads the key of an entry that has pending changes). */
#include "kube/store/entries.h"

#include <assert.h>
#include <stdlib.h>

static void entry_free(struct entry *entry)
{
    stored_give_back(entry->durable);
    free(entry);
}

void entries_deinit(struct entries *entries)
{
    for (size_t i = 0; i < entries->len; i++)
        entry_free(entries->items[i]);
    free(entries->items);
    *entries = (struct entries){0};
}

bool entries_find(const struct entries *entries, const char *namespace_, const char *name, size_t *ret_position)
{
    size_t low = 0, high = entries->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(entries->items[middle]->namespace_, namespace_);
        if (order == 0)
            order = strcmp(entries->items[middle]->name, name);
        if (order == 0) {
            *ret_position = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_position = low;
    return false;
}

struct entry *entries_get(const struct entries *entries, const char *namespace_, const char *name)
{
    size_t position;
    return entries_find(entries, namespace_, name, &position) ? entries->items[position] : NULL;
}

static struct entry *entry_new(enum kube_kind kind, const char *namespace_, const char *name)
{
    size_t namespace_size = strlen(namespace_) + 1, name_size = strlen(name) + 1;
    struct entry *entry = must(malloc(sizeof *entry + namespace_size + name_size));
    *entry = (struct entry){.kind = kind, .namespace_ = entry->texts, .name = entry->texts + namespace_size};
    memcpy(entry->texts, namespace_, namespace_size);
    memcpy(entry->texts + namespace_size, name, name_size);
    return entry;
}

struct entry *entries_add(struct entries *entries, size_t position, enum kube_kind kind, const char *namespace_,
                          const char *name)
{
    if (entries->len == entries->capacity) {
        entries->capacity = entries->capacity > 0 ? entries->capacity * 2 : 16;
        entries->items = must(realloc(entries->items, entries->capacity * sizeof(struct entry *)));
    }
    memmove(&entries->items[position + 1], &entries->items[position],
            (entries->len - position) * sizeof(struct entry *));
    entries->len++;
    return entries->items[position] = entry_new(kind, namespace_, name);
}

void entries_set_durable(struct entries *entries, struct entry *entry, struct stored *durable)
{
    if (entry->durable != NULL)
        entries->durable_len--;
    if (durable != NULL)
        entries->durable_len++;
    entry->durable = durable;
}

void entries_drop_if_empty(struct entries *entries, struct entry *entry)
{
    if (entry->head != NULL || entry->durable != NULL || entry->pending > 0)
        return;
    size_t position;
    bool is_found = entries_find(entries, entry->namespace_, entry->name, &position);
    assert(is_found && entries->items[position] == entry);
    (void)is_found;
    entries->len--;
    memmove(&entries->items[position], &entries->items[position + 1],
            (entries->len - position) * sizeof(struct entry *));
    entry_free(entry);
}
