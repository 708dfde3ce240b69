/* SPDX-License-Identifier: Apache-2.0 */
/* heap.c: binary min-heap of pointers to nodes that know their place.  One owner, one thread.  Equal keys come out in
 * no promised order. */
#include "base/heap.h"

#include <assert.h>
#include <stdlib.h>

void heap_init(struct heap *heap)
{
    *heap = (struct heap){0};
}

void heap_deinit(struct heap *heap)
{
    free(heap->nodes);
    heap_init(heap);
}

static void place(struct heap *heap, size_t at, struct heap_node *node)
{
    heap->nodes[at] = node;
    node->index = at + 1;
}

static void sift_up(struct heap *heap, size_t at, struct heap_node *node)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (heap->nodes[parent]->key <= node->key)
            break;
        place(heap, at, heap->nodes[parent]);
        at = parent;
    }
    place(heap, at, node);
}

static void sift_down(struct heap *heap, size_t at, struct heap_node *node)
{
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= heap->len)
            break;
        if (child + 1 < heap->len && heap->nodes[child + 1]->key < heap->nodes[child]->key)
            child++;
        if (heap->nodes[child]->key >= node->key)
            break;
        place(heap, at, heap->nodes[child]);
        at = child;
    }
    place(heap, at, node);
}

void heap_push(struct heap *heap, struct heap_node *node, uint64_t key)
{
    assert(node->index == 0);
    if (heap->len == heap->capacity) {
        heap->capacity = heap->capacity > 0 ? heap->capacity * 2 : 16;
        heap->nodes = reallocarray(heap->nodes, heap->capacity, sizeof(*heap->nodes));
        if (heap->nodes == NULL)
            abort();
    }
    node->key = key;
    sift_up(heap, heap->len++, node);
}

struct heap_node *heap_peek(const struct heap *heap)
{
    return heap->len > 0 ? heap->nodes[0] : NULL;
}

struct heap_node *heap_pop(struct heap *heap)
{
    struct heap_node *first = heap_peek(heap);
    if (first != NULL)
        heap_remove(heap, first);
    return first;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (node->index == 0)
        return;
    size_t at = node->index - 1;
    assert(at < heap->len && heap->nodes[at] == node);
    struct heap_node *last = heap->nodes[--heap->len];
    node->index = 0;
    if (last == node)
        return;
    if (at > 0 && heap->nodes[(at - 1) / 2]->key > last->key)
        sift_up(heap, at, last);
    else
        sift_down(heap, at, last);
}
