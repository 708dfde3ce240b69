/* SPDX-License-Identifier: Apache-2.0 */
/* answer_skip.h: the two searches of answer_scan, 16 bytes at a time where there is SSE2.  Reads never pass end.
 * Private to the module. */
#ifndef INFERENCE_PAYLOAD_ANSWER_SKIP_H
#define INFERENCE_PAYLOAD_ANSWER_SKIP_H

#include <stdbool.h>

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
