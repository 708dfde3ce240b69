/* SPDX-License-Identifier: Apache-2.0 */
/* prefix_hash.h: the chained hashes of a prompt's blocks, computed as its bytes arrive.
 *
 * hash[i] stands for everything up to the end of block i, and for the target model, because two models (or adapters)
 * never share a cached block.  What does not fill a block is not hashed.  The first blocks are small, so that short
 * prompts are told apart, the later ones large, so that a long prompt has few: an error of one block is always a small
 * share of what comes before it.  Pure; one owner. */
#ifndef INFERENCE_PREFIX_HASH_H
#define INFERENCE_PREFIX_HASH_H

#include <stdint.h>

#include "base/bytes.h"

/* 64 blocks of 256 bytes, then blocks of 2,048.  A unit is a small block: 64 tokens of 4 characters. */
enum { PREFIX_SMALL_BLOCKS = 64, PREFIX_SMALL_BYTES = 256, PREFIX_LARGE_UNITS = 8, PREFIX_UNIT_TOKENS = 64 };

static inline unsigned prefix_block_units(unsigned index)
{
    return index < PREFIX_SMALL_BLOCKS ? 1 : PREFIX_LARGE_UNITS;
}

/* Of the first `count` blocks together. */
static inline uint32_t prefix_units(unsigned count)
{
    return count <= PREFIX_SMALL_BLOCKS
               ? count
               : PREFIX_SMALL_BLOCKS + (uint32_t)(count - PREFIX_SMALL_BLOCKS) * PREFIX_LARGE_UNITS;
}

/* How many whole blocks so many units hold. */
static inline unsigned prefix_blocks(uint32_t units)
{
    return units <= PREFIX_SMALL_BLOCKS ? units
                                        : PREFIX_SMALL_BLOCKS + (units - PREFIX_SMALL_BLOCKS) / PREFIX_LARGE_UNITS;
}

struct prefix_hasher {
    uint64_t chain;
    unsigned count, capacity;
    uint64_t *hashes;
    unsigned partial_len;
    char partial[PREFIX_SMALL_BYTES * PREFIX_LARGE_UNITS];
};

/* hashes: room for `capacity` of them, which stays the caller's; of a longer prompt only its head is hashed.  salt
 * separates what must not share (a tenant's cache salt, a process); 0: nothing. */
void prefix_hasher_init(struct prefix_hasher *hasher, struct bytes target_model, uint64_t salt, uint64_t *hashes,
                        unsigned capacity);
void prefix_hasher_feed(struct prefix_hasher *hasher, struct bytes piece);

#endif
