/* SPDX-License-Identifier: Apache-2.0 */
/* prefix_hash.c: cuts pieces into blocks.  Pure. */
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

static size_t block_bytes(const struct prefix_hasher *hasher)
{
    return (size_t)prefix_block_units(hasher->count) * PREFIX_SMALL_BYTES;
}

static uint64_t hash_blocks(const char *data, size_t len, unsigned count, uint64_t before, uint64_t *ret_hashes)
{
#ifdef __x86_64__
    /* Processors that have VBMI2 do not slow down for vectors of 512 bits, as the first ones with AVX-512 do. */
    if (__builtin_cpu_supports("avx512vbmi2"))
        return block_hashes_avx512(data, len, count, before, ret_hashes);
    if (__builtin_cpu_supports("avx2"))
        return block_hashes_avx2(data, len, count, before, ret_hashes);
#endif
    for (unsigned i = 0; i < count; i++)
        before = ret_hashes[i] = block_chain(before, XXH3_64bits(data + i * len, len));
    return before;
}

/* Of the size that comes next. */
static void add_blocks(struct prefix_hasher *hasher, const char *data, unsigned count)
{
    hasher->chain = hash_blocks(data, block_bytes(hasher), count, hasher->chain, hasher->hashes + hasher->count);
    hasher->count += count;
}

/* How many blocks of the size that comes next so many bytes hold, as far as they are wanted. */
static unsigned whole_blocks(const struct prefix_hasher *hasher, size_t len)
{
    unsigned wanted = hasher->capacity - hasher->count;
    if (hasher->count < PREFIX_SMALL_BLOCKS && wanted > PREFIX_SMALL_BLOCKS - hasher->count)
        wanted = PREFIX_SMALL_BLOCKS - hasher->count;
    size_t there = len / block_bytes(hasher);
    return there < wanted ? (unsigned)there : wanted;
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
        add_blocks(hasher, hasher->partial, 1);
        hasher->partial_len = 0;
    }
    return bytes_skip(piece, take);
}

void prefix_hasher_feed(struct prefix_hasher *hasher, struct bytes piece)
{
    while (piece.len > 0 && hasher->count < hasher->capacity) {
        unsigned blocks = hasher->partial_len > 0 ? 0 : whole_blocks(hasher, piece.len);
        if (blocks == 0) {
            piece = fill_partial(hasher, piece);
            continue;
        }
        size_t len = blocks * block_bytes(hasher);
        add_blocks(hasher, piece.data, blocks);
        piece = bytes_skip(piece, len);
    }
}
