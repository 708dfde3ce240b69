/* SPDX-License-Identifier: Apache-2.0 */
/* hashmap.c: linear probing in a power-of-two table, at most three quarters full.  One owner, one thread.
 *
 * A removal shifts the entries behind it back instead of leaving a tombstone, so lookups stay short in a map that lives
 * for the life of the process. */
#include "base/hashmap.h"

#include <stdint.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/random.h"

enum { SMALLEST = 16 };

struct slot {
    uint64_t hash;
    struct bytes key;
    void *value; /* NULL: the slot is free */
};

struct hashmap {
    struct slot *slots; /* NULL until the first put */
    size_t capacity;    /* 0 or a power of two */
    size_t len;
    uint64_t seed;
};

struct hashmap *hashmap_new(void)
{
    struct hashmap *map = calloc(1, sizeof(*map));
    if (map == NULL)
        abort();
    random_fill(&map->seed, sizeof(map->seed));
    return map;
}

void hashmap_free(struct hashmap *map)
{
    if (map == NULL)
        return;
    free(map->slots);
    free(map);
}

size_t hashmap_len(const struct hashmap *map)
{
    return map->len;
}

static uint64_t hash_of(const struct hashmap *map, struct bytes key)
{
    return XXH3_64bits_withSeed(key.len > 0 ? key.data : "", key.len, map->seed);
}

/* The slot that holds the key, or the free one where it would go.  The table is never full. */
static struct slot *find_slot(const struct hashmap *map, uint64_t hash, struct bytes key)
{
    size_t mask = map->capacity - 1;
    size_t at = (size_t)hash & mask;
    while (map->slots[at].value != NULL && (map->slots[at].hash != hash || !bytes_equal(map->slots[at].key, key)))
        at = (at + 1) & mask;
    return &map->slots[at];
}

void *hashmap_get(const struct hashmap *map, struct bytes key)
{
    if (map->len == 0)
        return NULL;
    return find_slot(map, hash_of(map, key), key)->value;
}

static void grow(struct hashmap *map)
{
    struct slot *old = map->slots;
    size_t old_capacity = map->capacity;
    map->capacity = old_capacity > 0 ? old_capacity * 2 : SMALLEST;
    map->slots = calloc(map->capacity, sizeof(*map->slots));
    if (map->slots == NULL)
        abort();
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].value != NULL)
            *find_slot(map, old[i].hash, old[i].key) = old[i];
    }
    free(old);
}

void *hashmap_put(struct hashmap *map, struct bytes key, void *value)
{
    if (map->len >= map->capacity - map->capacity / 4)
        grow(map);
    uint64_t hash = hash_of(map, key);
    struct slot *slot = find_slot(map, hash, key);
    void *old = slot->value;
    *slot = (struct slot){.hash = hash, .key = key, .value = value};
    if (old == NULL)
        map->len++;
    return old;
}

/* Fills the hole with the next entry of the run that may stand there, and so on to the end of the run. */
static void close_hole(struct hashmap *map, size_t hole)
{
    size_t mask = map->capacity - 1;
    for (size_t at = (hole + 1) & mask; map->slots[at].value != NULL; at = (at + 1) & mask) {
        size_t home = (size_t)map->slots[at].hash & mask;
        /* An entry may move back only if its home is not behind the hole. */
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole] = (struct slot){0};
}

void *hashmap_remove(struct hashmap *map, struct bytes key)
{
    if (map->len == 0)
        return NULL;
    struct slot *slot = find_slot(map, hash_of(map, key), key);
    void *old = slot->value;
    if (old == NULL)
        return NULL;
    map->len--;
    close_hole(map, (size_t)(slot - map->slots));
    return old;
}

bool hashmap_next(const struct hashmap *map, size_t *cursor, struct bytes *ret_key, void **ret_value)
{
    while (*cursor < map->capacity) {
        const struct slot *slot = &map->slots[(*cursor)++];
        if (slot->value == NULL)
            continue;
        if (ret_key != NULL)
            *ret_key = slot->key;
        *ret_value = slot->value;
        return true;
    }
    return false;
}
