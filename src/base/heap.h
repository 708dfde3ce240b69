/* SPDX-License-Identifier: Apache-2.0 */
/* heap.h: intrusive binary min-heap ordered by a 64-bit key (a due time, a score).  Owns its array, not its nodes. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdint.h>

#include "base/compiler.h"

struct heap_node {
    uint64_t key;
    size_t index; /* position + 1; 0 = in no heap */
};

struct heap {
    struct heap_node **nodes;
    size_t len;
    size_t capacity;
};

void heap_init(struct heap *heap);
void heap_deinit(struct heap *heap);
void heap_push(struct heap *heap, struct heap_node *node, uint64_t key);
/* NULL when empty. */
struct heap_node *heap_peek(const struct heap *heap);
struct heap_node *heap_pop(struct heap *heap);
/* Harmless for a node that is in no heap. */
void heap_remove(struct heap *heap, struct heap_node *node);

#endif
