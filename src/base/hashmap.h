/* SPDX-License-Identifier: Apache-2.0 */
/* hashmap.h: bytes -> pointer, open addressing, hashed by XXH3 with a random seed per map (a peer cannot aim for
 * collisions).  Keys are borrowed: they must live as long as their entry. */
#ifndef BASE_HASHMAP_H
#define BASE_HASHMAP_H

#include "base/bytes.h"
#include "base/compiler.h"

struct hashmap;

struct hashmap *hashmap_new(void);
/* Accepts NULL.  Does not touch keys and values. */
void hashmap_free(struct hashmap *map);
size_t hashmap_len(const struct hashmap *map);
/* NULL when absent. */
void *hashmap_get(const struct hashmap *map, struct bytes key);
/* Adds or replaces; returns the old value or NULL.  The stored key is the new one.  value must not be NULL. */
void *hashmap_put(struct hashmap *map, struct bytes key, void *value);
/* Returns what was removed, or NULL. */
void *hashmap_remove(struct hashmap *map, struct bytes key);
/* Walks in no order: start with *cursor = 0; false at the end.  The map must not change during the walk.
 * ret_key may be NULL. */
bool hashmap_next(const struct hashmap *map, size_t *cursor, struct bytes *ret_key, void **ret_value);

#endif
