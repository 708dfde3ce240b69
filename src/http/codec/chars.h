/* SPDX-License-Identifier: Apache-2.0 */
/* chars.h: which bytes may stand where in a head, and the fast walks over runs of them.
 *
 * Internal to http/codec.  Every walk stops at end or at the first byte outside its class, whichever comes first, and
 * never reads at or behind end. */
#ifndef HTTP_CODEC_CHARS_H
#define HTTP_CODEC_CHARS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    CHAR_TOKEN = 1,  /* tchar, RFC 9110 5.6.2 */
    CHAR_VALUE = 2,  /* field-vchar, obs-text, SP, HTAB: RFC 9110 5.5 */
    CHAR_TARGET = 4, /* visible ASCII without '#': a fragment is never sent, RFC 9112 3.2 */
    CHAR_HOST = 8    /* reg-name of RFC 3986 3.2.2 without '%' and ',' */
};

extern const unsigned char http_char_classes[256];

static inline bool char_is(char c, unsigned char_class)
{
    return (http_char_classes[(unsigned char)c] & char_class) != 0;
}

static inline const char *chars_walk(const char *at, const char *end, unsigned char_class)
{
    while (at < end && char_is(*at, char_class))
        at++;
    return at;
}

#ifdef __SSE2__
static inline const char *chars_walk_value(const char *at, const char *end)
{
    const __m128i last_control = _mm_set1_epi8(0x1f);
    while (end - at >= 16) {
        __m128i run = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(run, last_control), run);
        control = _mm_andnot_si128(_mm_cmpeq_epi8(run, _mm_set1_epi8('\t')), control);
        __m128i bad = _mm_or_si128(control, _mm_cmpeq_epi8(run, _mm_set1_epi8(0x7f)));
        int mask = _mm_movemask_epi8(bad);
        if (mask != 0)
            return at + __builtin_ctz((unsigned)mask);
        at += 16;
    }
    return chars_walk(at, end, CHAR_VALUE);
}

static inline const char *chars_walk_target(const char *at, const char *end)
{
    while (end - at >= 16) {
        __m128i run = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* The comparison is signed: bytes from 0x80 up are below too. */
        __m128i bad = _mm_cmplt_epi8(run, _mm_set1_epi8(0x21));
        bad = _mm_or_si128(bad, _mm_cmpeq_epi8(run, _mm_set1_epi8(0x7f)));
        bad = _mm_or_si128(bad, _mm_cmpeq_epi8(run, _mm_set1_epi8('#')));
        int mask = _mm_movemask_epi8(bad);
        if (mask != 0)
            return at + __builtin_ctz((unsigned)mask);
        at += 16;
    }
    return chars_walk(at, end, CHAR_TARGET);
}
#else
static inline const char *chars_walk_value(const char *at, const char *end)
{
    return chars_walk(at, end, CHAR_VALUE);
}

static inline const char *chars_walk_target(const char *at, const char *end)
{
    return chars_walk(at, end, CHAR_TARGET);
}
#endif

/* 0 to 15, or -1. */
static inline int char_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    if (lower >= 'a' && lower <= 'f')
        return lower - 'a' + 10;
    return -1;
}

#endif
