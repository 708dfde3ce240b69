/* SPDX-License-Identifier: Apache-2.0 */
/* answer_skip.h: the two searches of answer_scan, 16 bytes at a time where there is SSE2.  Reads never pass end.
 * Private to the module. */
#ifndef INFERENCE_PAYLOAD_ANSWER_SKIP_H
#define INFERENCE_PAYLOAD_ANSWER_SKIP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

static inline bool answer_is_structure(char c)
{
    return c == '"' || (c | 0x20) == '{' || (c | 0x20) == '}';
}

#ifdef __x86_64__
#include <emmintrin.h>

static inline __m128i answer_block(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}
#endif

static inline bool answer_is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* To behind the digits. */
static inline const char *answer_skip_digits(const char *at, const char *end)
{
#ifdef __x86_64__
    if (end - at >= 16) {
        __m128i block = answer_block(at);
        __m128i others =
            _mm_or_si128(_mm_cmplt_epi8(block, _mm_set1_epi8('0')), _mm_cmpgt_epi8(block, _mm_set1_epi8('9')));
        unsigned mask = (unsigned)_mm_movemask_epi8(others);
        if (mask != 0)
            return at + __builtin_ctz(mask);
    }
#endif
    while (at < end && answer_is_digit(*at))
        at++;
    return at;
}

/* Whether len bytes are the same: a call would cost more than most comparisons. */
static inline bool answer_is_same(const char *a, const char *b, size_t len)
{
#ifdef __x86_64__
    if (len >= 16) {
        __m128i same = _mm_cmpeq_epi8(answer_block(a + len - 16), answer_block(b + len - 16));
        for (size_t i = 0; i + 16 < len; i += 16)
            same = _mm_and_si128(same, _mm_cmpeq_epi8(answer_block(a + i), answer_block(b + i)));
        return _mm_movemask_epi8(same) == 0xffff;
    }
#endif
    if (len >= 4 && len <= 8) {
        uint32_t a_words[2], b_words[2]; /* they overlap */
        memcpy(&a_words[0], a, 4);
        memcpy(&b_words[0], b, 4);
        memcpy(&a_words[1], a + len - 4, 4);
        memcpy(&b_words[1], b + len - 4, 4);
        return a_words[0] == b_words[0] && a_words[1] == b_words[1];
    }
    return memcmp(a, b, len) == 0;
}

/* The first quote or backslash, or end. */
static inline const char *answer_find_quote(const char *at, const char *end)
{
#ifdef __x86_64__
    for (; end - at >= 16; at += 16) {
        __m128i block = answer_block(at);
        __m128i found =
            _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
        unsigned mask = (unsigned)_mm_movemask_epi8(found);
        if (mask != 0)
            return at + __builtin_ctz(mask);
    }
#endif
    while (at < end && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* The first quote, brace or bracket, or end.  A brace and its bracket differ in one bit. */
static inline const char *answer_find_structure(const char *at, const char *end)
{
#ifdef __x86_64__
    for (; end - at >= 16; at += 16) {
        __m128i block = answer_block(at), folded = _mm_or_si128(block, _mm_set1_epi8(0x20));
        __m128i found =
            _mm_or_si128(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')), _mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(block, _mm_set1_epi8('"')));
        unsigned mask = (unsigned)_mm_movemask_epi8(found);
        if (mask != 0)
            return at + __builtin_ctz(mask);
    }
#endif
    while (at < end && !answer_is_structure(*at))
        at++;
    return at;
}

#endif
