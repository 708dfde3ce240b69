/* SPDX-License-Identifier: Apache-2.0 */
/* list_index.c: a small array, or a hash map.  One owner, one thread. */
#include "kube/patch/list_index.h"

#include <assert.h>

#include "base/hashmap.h"

enum { SHORT_LIST = 16 };

struct list_index_entry {
    struct bytes key;
    void *value;
};

void list_index_init(struct list_index *index, struct arena *arena, size_t most)
{
    bool is_short = most <= SHORT_LIST;
    *index = (struct list_index){.map = is_short ? NULL : hashmap_new()};
    if (is_short && most > 0)
        index->entries = ARENA_ARRAY(arena, struct list_index_entry, most);
}

void list_index_deinit(struct list_index *index)
{
    hashmap_free(index->map);
    *index = (struct list_index){NULL, 0, NULL};
}

void *list_index_get(const struct list_index *index, struct bytes key)
{
    if (key.data == NULL)
        return NULL;
    if (index->map != NULL)
        return hashmap_get(index->map, key);
    for (size_t i = 0; i < index->len; i++) {
        if (bytes_equal(index->entries[i].key, key))
            return index->entries[i].value;
    }
    return NULL;
}

bool list_index_add(struct list_index *index, struct bytes key, void *value)
{
    if (list_index_get(index, key) != NULL)
        return false;
    if (index->map != NULL) {
        hashmap_put(index->map, key, value);
        return true;
    }
    assert(index->len < SHORT_LIST);
    index->entries[index->len++] = (struct list_index_entry){key, value};
    return true;
}
