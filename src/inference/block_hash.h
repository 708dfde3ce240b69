/* SPDX-License-Identifier: Apache-2.0 */
/* block_hash.h: chained XXH3 of blocks of a prompt, by AVX2 or AVX-512: two thirds and less than half of what the
 * library's SSE2 takes.
 *
 * Compiled here instead of taken from the library, which chooses by processor too: its AVX-512 code leaves the upper
 * halves of the vector registers in use (libxxhash 0.8.1), and until they are cleared all SSE code of the request is
 * slower: 1.5 us per request, ten times the hashing of 1 KB.  Pure. */
#ifndef INFERENCE_BLOCK_HASH_H
#define INFERENCE_BLOCK_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH3's mixing of two words: the halves of their product. */
static inline uint64_t block_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* What stands for a block and all before it.  The hashes of blocks do not wait for each other, only this does. */
static inline uint64_t block_chain(uint64_t before, uint64_t block)
{
    return block_fold(before ^ 0x9e3779b97f4a7c15u, block | 1) ^ block;
}

/* Of `count` blocks of `len` bytes, more than 240, one behind the other; returns the last.  The same values as with the
 * library's XXH3_64bits().  Only on x86-64, where __builtin_cpu_supports() "avx2" or "avx512f". */
uint64_t block_hashes_avx2(const char *data, size_t len, unsigned count, uint64_t before, uint64_t *ret_hashes);
uint64_t block_hashes_avx512(const char *data, size_t len, unsigned count, uint64_t before, uint64_t *ret_hashes);

#endif
