/* SPDX-License-Identifier: Apache-2.0 */
/* kv_blocks.h: the paged KV cache of a simulated engine, with its prefix cache.
 *
 * A block holds the keys and values of a fixed number of tokens.  A sequence leases blocks: at first anonymous ones;
 * once a block is whole it gets the chained hash of all tokens up to its end as its name, and other sequences share it.
 * Named blocks that nobody leases keep their contents until they are taken for something else, the longest unused
 * first.  One owner, one thread; contents are hashes only. */
#ifndef SIM_MODEL_KV_BLOCKS_H
#define SIM_MODEL_KV_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

struct kv_blocks;

/* What a sequence has: a chain of `named` blocks that ends with the run `tail`, and `anonymous` more.  Zeroed: nothing.
 */
struct kv_lease {
    uint32_t tail;
    uint32_t named;
    uint32_t anonymous;
};

struct kv_blocks *kv_blocks_new(uint32_t count);
/* Accepts NULL. */
void kv_blocks_free(struct kv_blocks *blocks);
uint32_t kv_blocks_count(const struct kv_blocks *blocks);
uint32_t kv_blocks_unused(const struct kv_blocks *blocks);

/* Leases `total` blocks: of the chain of hashes what is cached, the rest anonymous; lease->named tells how far the
 * cache went.  False, and nothing is leased: too few are unused.  The lease must be zeroed. */
bool kv_blocks_take(struct kv_blocks *blocks, struct kv_lease *lease, const uint64_t *hashes, uint32_t hash_count,
                    uint32_t total);
/* One more anonymous block. */
bool kv_blocks_extend(struct kv_blocks *blocks, struct kv_lease *lease);
/* The first `count` anonymous blocks are whole: they are found by their hashes from now on.  If another block has a
 * hash already, that one is leased in its place. */
void kv_blocks_name(struct kv_blocks *blocks, struct kv_lease *lease, const uint64_t *hashes, uint32_t count);
/* Leaves the lease zeroed.  The tail becomes unused before what it hangs on, so that a chain dies from its end. */
void kv_blocks_give_back(struct kv_blocks *blocks, struct kv_lease *lease);

#endif
