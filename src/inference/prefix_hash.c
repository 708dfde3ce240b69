/* SPDX-License-Identifier: Apache-2.0 */
/* prefix_hash.c: XXH3 of each block, chained by a multiplication and a fold, so that blocks are hashed independently of
 * each other.  Pure. */
#include "inference/prefix_hash.h"

#include <xxhash.h>

#include "inference/block_hash.h"

void prefix_hasher_init(struct prefix_hasher *hasher, struct bytes target_model, uint64_t salt, uint64_t *hashes,
                        unsigned capacity)
{
    hasher->chain = XXH3_64bits_withSeed(target_model.data, target_model.len, salt);
    hasher->count = 0;
    hasher->capacity = capacity;
    hasher->hashes = hashes;
    hasher->partial_len = 0;
}

static uint64_t chain(uint64_t before, uint64_t block)
{
    unsigned __int128 product = (unsigned __int128)(before ^ 0x9e3779b97f4a7c15u) * (block | 1);
    return (uint64_t)product ^ (uint64_t)(product >> 64) ^ block;
}

static size_t block_bytes(const struct prefix_hasher *hasher)
{
    return (size_t)prefix_block_units(hasher->count) * PREFIX_SMALL_BYTES;
}

static uint64_t hash_block(const char *block, size_t len)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        return block_hash_avx2(block, len);
#endif
    return XXH3_64bits(block, len);
}

static void add_block(struct prefix_hasher *hasher, const char *block, size_t len)
{
    hasher->chain = chain(hasher->chain, hash_block(block, len));
    hasher->hashes[hasher->count++] = hasher->chain;
}

/* Keeps what does not fill a block yet, completes a block begun by earlier pieces; returns the rest of the piece. */
static struct bytes fill_partial(struct prefix_hasher *hasher, struct bytes piece)
{
    size_t whole = block_bytes(hasher), take = whole - hasher->partial_len;
    if (take > piece.len)
        take = piece.len;
    memcpy(hasher->partial + hasher->partial_len, piece.data, take);
    hasher->partial_len += (unsigned)take;
    if (hasher->partial_len == whole) {
        add_block(hasher, hasher->partial, whole);
        hasher->partial_len = 0;
    }
    return bytes_skip(piece, take);
}

void prefix_hasher_feed(struct prefix_hasher *hasher, struct bytes piece)
{
    while (piece.len > 0 && hasher->count < hasher->capacity) {
        size_t whole = block_bytes(hasher);
        if (hasher->partial_len > 0 || piece.len < whole) {
            piece = fill_partial(hasher, piece);
            continue;
        }
        add_block(hasher, piece.data, whole);
        piece = bytes_skip(piece, whole);
    }
}
