/* SPDX-License-Identifier: Apache-2.0 */
/* block_hash_avx2.c: the one file that is compiled for AVX2; empty for other processors. */
#include "inference/block_hash.h"

#ifdef __AVX2__
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t block_hashes_avx2(const char *data, size_t len, unsigned count, uint64_t before, uint64_t *ret_hashes)
{
    for (unsigned i = 0; i < count; i++)
        before = ret_hashes[i] = block_chain(before, XXH3_64bits(data + i * len, len));
    return before;
}
#endif
