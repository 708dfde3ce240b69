/* SPDX-License-Identifier: Apache-2.0 */
/* block_hash_avx512.c: XXH3 (its specification's "large inputs", with seed 0 and the default secret) for whole blocks:
 * one vector holds the whole state, and no word is loaded twice.  The one file that is compiled for AVX-512; empty for
 * other processors. */
#include "inference/block_hash.h"

#ifdef __AVX512F__
#define XXH_INLINE_ALL
#include <immintrin.h>
#include <xxhash.h>

enum {
    STRIPE = 64,
    ROUND_STRIPES = 16, /* between two scrambles: (192 - 64) / 8, by the length of the secret */
    SCRAMBLE_SECRET = 192 - 64,
    LAST_SECRET = SCRAMBLE_SECRET - 7,
    MERGE_SECRET = 11,
};

static const uint64_t prime_32_1 = 0x9e3779b1, prime_64_1 = 0x9e3779b185ebca87;

static inline __m512i load(const void *from)
{
    return _mm512_loadu_si512(from);
}

static const char *secret_at(unsigned place)
{
    return (const char *)XXH3_kSecret + place;
}

static inline __m512i add_stripe(__m512i state, const char *stripe, const char *secret)
{
    __m512i data = load(stripe);
    __asm__("" : "+v"(data)); /* or GCC loads it twice */
    __m512i keyed = _mm512_xor_si512(data, load(secret));
    __m512i product = _mm512_mul_epu32(keyed, _mm512_srli_epi64(keyed, 32));
    __m512i swapped = _mm512_shuffle_epi32(data, _MM_PERM_BADC);
    return _mm512_add_epi64(state, _mm512_add_epi64(product, swapped));
}

static inline __m512i scramble(__m512i state)
{
    __m512i prime = _mm512_set1_epi32((int)prime_32_1);
    state = _mm512_xor_si512(state, _mm512_srli_epi64(state, 47));
    state = _mm512_xor_si512(state, load(secret_at(SCRAMBLE_SECRET)));
    __m512i low = _mm512_mul_epu32(state, prime);
    __m512i high = _mm512_mul_epu32(_mm512_srli_epi64(state, 32), prime);
    return _mm512_add_epi64(low, _mm512_slli_epi64(high, 32));
}

static inline uint64_t merge(__m512i state, size_t len)
{
    uint64_t words[8], sum = len * prime_64_1;
    _mm512_storeu_si512(words, _mm512_xor_si512(state, load(secret_at(MERGE_SECRET))));
    for (unsigned i = 0; i < 8; i += 2)
        sum += block_fold(words[i], words[i + 1]);
    sum = (sum ^ sum >> 37) * 0x165667919e3779f9;
    return sum ^ sum >> 32;
}

static inline uint64_t hash_block(const char *data, size_t len, __m512i state)
{
    size_t stripes = (len - 1) / STRIPE, stripe = 0;
    while (stripes - stripe >= ROUND_STRIPES) {
        for (unsigned i = 0; i < ROUND_STRIPES; i++)
            state = add_stripe(state, data + (stripe + i) * STRIPE, secret_at(i * 8));
        state = scramble(state);
        stripe += ROUND_STRIPES;
    }
    for (unsigned i = 0; stripe + i < stripes; i++)
        state = add_stripe(state, data + (stripe + i) * STRIPE, secret_at(i * 8));
    return merge(add_stripe(state, data + len - STRIPE, secret_at(LAST_SECRET)), len);
}

uint64_t block_hashes_avx512(const char *data, size_t len, unsigned count, uint64_t before, uint64_t *ret_hashes)
{
    const __m512i begin =
        _mm512_set_epi64((long long)prime_32_1, 0x27d4eb2f165667c5, 0x85ebca77, (long long)0x85ebca77c2b2ae63,
                         0x165667b19e3779f9, (long long)0xc2b2ae3d27d4eb4f, (long long)prime_64_1, 0xc2b2ae3d);
    for (unsigned i = 0; i < count; i++)
        before = ret_hashes[i] = block_chain(before, hash_block(data + i * len, len, begin));
    return before;
}
#endif
