/* SPDX-License-Identifier: Apache-2.0 */
/* string_skip.c: string contents in 64- or 16-byte steps (AVX2, SSE2), or byte by byte.  Pure.  Reads never pass end:
 * what is shorter than a step is left to the scalar loop. */
#include "inference/payload/string_skip.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* RFC 8259 section 7, all but \u. */
static inline bool is_short_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return true;
    default:
        return false;
    }
}

static inline bool starts_short_escape(const char *at, const char *end)
{
    return *at == '\\' && end - at >= 2 && is_short_escape(at[1]);
}

const char *string_skip_scalar(const char *at, const char *end)
{
    while (at < end) {
        if (*at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
            at++;
        else if (starts_short_escape(at, end))
            at += 2;
        else
            break;
    }
    return at;
}

static const char *run_end_scalar(const char *at, const char *end)
{
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
        at++;
    return at;
}

#ifdef __x86_64__
#include <immintrin.h>

/* Goes through the special bytes of one block without loading it again.  true: *at is where the skip ends; false: *at
 * is behind the block (one byte further when an escape crosses its end). */
static inline bool ends_in_block(const char **at, const char *end, uint64_t mask, unsigned width)
{
    unsigned next = width;
    while (mask != 0) {
        unsigned i = (unsigned)__builtin_ctzll(mask);
        if (!starts_short_escape(*at + i, end)) {
            *at += i;
            return true;
        }
        next = i + 2 > width ? i + 2 : width;
        mask = i + 2 < 64 ? mask & ~0ull << (i + 2) : 0;
    }
    *at += next;
    return false;
}

/* A byte is a control character when the smaller of it and 0x1f is itself. */
static inline uint32_t special_mask16(const char *at)
{
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control));
}

const char *string_skip_sse2(const char *at, const char *end)
{
    while (end - at >= 16)
        if (ends_in_block(&at, end, special_mask16(at), 16))
            return at;
    return string_skip_scalar(at, end);
}

/* The shuffle puts in the place of each byte the one special byte that ends in the same four bits, if there is one. */
__attribute__((target("avx2"))) static inline uint32_t special_mask32(const char *at)
{
    const __m256i by_low_bits =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(-1, -1, '"', -1, -1, -1, -1, -1, -1, -1, -1, -1, '\\', -1, -1, -1));
    __m256i block = _mm256_loadu_si256((const __m256i *)(const void *)at);
    __m256i mark = _mm256_cmpeq_epi8(block, _mm256_shuffle_epi8(by_low_bits, block));
    __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(block, _mm256_set1_epi8(0x1f)), block);
    return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(mark, control));
}

__attribute__((target("avx2"))) const char *string_skip_avx2(const char *at, const char *end)
{
    while (end - at >= 64)
        if (ends_in_block(&at, end, special_mask32(at) | (uint64_t)special_mask32(at + 32) << 32, 64))
            return at;
    while (end - at >= 32)
        if (ends_in_block(&at, end, special_mask32(at), 32))
            return at;
    return string_skip_scalar(at, end);
}

const char *string_run_end(const char *at, const char *end)
{
    while (end - at >= 16) {
        uint32_t mask = special_mask16(at);
        if (mask != 0)
            return at + __builtin_ctz(mask);
        at += 16;
    }
    return run_end_scalar(at, end);
}

string_skip_fn string_skip_best(void)
{
    return __builtin_cpu_supports("avx2") ? string_skip_avx2 : string_skip_sse2;
}
#else
const char *string_run_end(const char *at, const char *end)
{
    return run_end_scalar(at, end);
}

string_skip_fn string_skip_best(void)
{
    return string_skip_scalar;
}
#endif
