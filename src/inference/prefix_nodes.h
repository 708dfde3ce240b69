/* SPDX-License-Identifier: Apache-2.0 */
/* prefix_nodes.h: the table behind prefix_index: blocks by hash, each with the set of its owners and a mark per owner.
 *
 * Internal to the prefix index.  One writer at a time (the index's lock); prefix_nodes_read.h may run beside it, on any
 * thread. A node is 20 bytes: a tag (the hash's high half), the next one of its bucket, and up to six owners of 16 bits
 * with their marks; with a seventh the set moves into two bitmaps. */
#ifndef INFERENCE_PREFIX_NODES_H
#define INFERENCE_PREFIX_NODES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODE_NONE UINT32_MAX
#define NODE_END  0x80000000u

enum { NODE_WORDS = 3, NODE_INLINE = NODE_WORDS * 2, NODE_BITMAP_WORDS = 64 /* at most */ };
/* Of the places for owners in a node: an empty one; in the first one, that the owners are in the bitmaps whose number
 * the second word holds. */
enum { NODE_EMPTY = 0xfffe, NODE_WIDE = 0xffff };

struct node {
    atomic_uint tag;  /* 0: free */
    atomic_uint next; /* in the bucket, or among the free ones: + 1; of the last one NODE_END | bucket */
    atomic_uint owners[NODE_WORDS];
};

struct prefix_nodes {
    unsigned words; /* of a bitmap */
    uint32_t mask;  /* of buckets; also the number of nodes - 1 */
    uint32_t wide_max;
    atomic_uint *buckets; /* node + 1; 0 or NODE_END | its number: empty */
    struct node *nodes;
    atomic_ullong *wides;           /* each: words of owners and of marks in turns: few owners are one cache line */
    uint32_t nodes_used, free_node; /* ever; the first free one + 1 */
    uint32_t wides_used, free_wide;
};

/* size: a power of two. */
void nodes_init(struct prefix_nodes *nodes, unsigned owners, uint32_t size);
void nodes_deinit(struct prefix_nodes *nodes);
bool nodes_is_full(const struct prefix_nodes *nodes);
size_t nodes_bytes(const struct prefix_nodes *nodes);

/* The writer's.  NODE_NONE: no such block. */
uint32_t nodes_find(const struct prefix_nodes *nodes, uint64_t hash);
/* With one owner; there must be room. */
uint32_t nodes_add(struct prefix_nodes *nodes, uint64_t hash, uint16_t owner);
/* Marks the owner; false when it is none. */
bool nodes_mark(struct prefix_nodes *nodes, uint32_t id, uint16_t owner);
/* One that it does not have yet. */
void nodes_add_owner(struct prefix_nodes *nodes, uint32_t id, uint16_t owner);
/* Tells whether the owner was marked; it no longer is. */
bool nodes_unmark(struct prefix_nodes *nodes, uint32_t id, uint16_t owner);
/* A node without owners is freed. */
void nodes_remove_owner(struct prefix_nodes *nodes, uint32_t id, uint16_t owner);

/* For nodes that will lose an owner: what comes soon is fetched from memory, first the node, later what it hangs on. */
void nodes_prefetch_id(const struct prefix_nodes *nodes, uint32_t id);
void nodes_prefetch_link(const struct prefix_nodes *nodes, uint32_t id);
void nodes_prefetch_end(const struct prefix_nodes *nodes, uint32_t id);

#endif
