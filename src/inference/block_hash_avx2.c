/* SPDX-License-Identifier: Apache-2.0 */
/* block_hash_avx2.c: the one file that is compiled for AVX2; empty for other processors. */
#include "inference/block_hash.h"

#ifdef __AVX2__
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t block_hash_avx2(const char *block, size_t len)
{
    return XXH3_64bits(block, len);
}
#endif
