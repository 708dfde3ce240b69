/* SPDX-License-Identifier: Apache-2.0 */
/* list_index.h: keys of list items -> items.  Most lists have a handful of items, where looking at each is quicker than
 * hashing; a long one, which a peer may send, is hashed. */
#ifndef KUBE_PATCH_LIST_INDEX_H
#define KUBE_PATCH_LIST_INDEX_H

#include "base/arena.h"
#include "base/bytes.h"

struct hashmap;

struct list_index {
    struct list_index_entry *entries; /* in the arena; unused when there is a map */
    size_t len;
    struct hashmap *map; /* NULL: a short list */
};

/* For at most `most` keys. */
void list_index_init(struct list_index *index, struct arena *arena, size_t most);
void list_index_deinit(struct list_index *index);
/* Keeps the first value of a key: false when it had one.  key is borrowed; value must not be NULL. */
bool list_index_add(struct list_index *index, struct bytes key, void *value);
/* NULL when absent, also for the key that an item without one has (data NULL). */
void *list_index_get(const struct list_index *index, struct bytes key);

#endif
