/* SPDX-License-Identifier: Apache-2.0 */
/* copy.c: sixteen bytes at a time, the last sixteen over what was already done; long runs by the processor's own loop.
 * Any thread; no state. */
#include "base/copy.h"

#include <stdint.h>
#include <string.h>

#ifdef __x86_64__
#include <emmintrin.h>

#define LONG 4096 /* from here on the start of the processor's loop costs little */

static inline __m128i load(const char *from)
{
    return _mm_loadu_si128((const __m128i *)(const void *)from);
}

static inline void store(char *to, __m128i value)
{
    _mm_storeu_si128((__m128i *)(void *)to, value);
}

static inline void copy_below_16(char *to, const char *from, size_t len)
{
    if (len >= 8) {
        uint64_t first, last;
        memcpy(&first, from, 8);
        memcpy(&last, from + len - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + len - 8, &last, 8);
    } else if (len >= 4) {
        uint32_t first, last;
        memcpy(&first, from, 4);
        memcpy(&last, from + len - 4, 4);
        memcpy(to, &first, 4);
        memcpy(to + len - 4, &last, 4);
    } else if (len > 0) {
        char first = from[0], middle = from[len / 2], last = from[len - 1];
        to[0] = first;
        to[len / 2] = middle;
        to[len - 1] = last;
    }
}

void copy_bytes(void *to_bytes, const void *from_bytes, size_t len)
{
    char *to = to_bytes;
    const char *from = from_bytes;
    if (len < 16) {
        copy_below_16(to, from, len);
        return;
    }
    if (len >= LONG) {
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(len) : : "memory");
        return;
    }
    size_t at = 0;
    for (; len - at > 64; at += 64) {
        __m128i first = load(from + at), second = load(from + at + 16);
        __m128i third = load(from + at + 32), fourth = load(from + at + 48);
        store(to + at, first);
        store(to + at + 16, second);
        store(to + at + 32, third);
        store(to + at + 48, fourth);
    }
    __m128i last = load(from + len - 16);
    for (; len - at > 16; at += 16)
        store(to + at, load(from + at));
    store(to + len - 16, last);
}

void copy_zeros(void *to_bytes, size_t len)
{
    char *to = to_bytes;
    const __m128i zeros = _mm_setzero_si128();
    if (len < 16) {
        static const char none[16];
        copy_below_16(to, none, len);
        return;
    }
    if (len >= LONG) {
        __asm__ volatile("rep stosb" : "+D"(to), "+c"(len) : "a"(0) : "memory");
        return;
    }
    for (size_t at = 0; len - at > 16; at += 16)
        store(to + at, zeros);
    store(to + len - 16, zeros);
}
#else
void copy_bytes(void *to, const void *from, size_t len)
{
    if (len > 0)
        memcpy(to, from, len);
}

void copy_zeros(void *to, size_t len)
{
    if (len > 0)
        memset(to, 0, len);
}
#endif
