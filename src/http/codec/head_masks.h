/* SPDX-License-Identifier: Apache-2.0 */
/* head_masks.h: the bytes of a head by class, a bit each: from them lines and names are found without looking again.
 *
 * Internal to http/codec.  For heads that are all there and not long, as nearly all are. */
#ifndef HTTP_CODEC_HEAD_MASKS_H
#define HTTP_CODEC_HEAD_MASKS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { HEAD_MASKS_BYTES = 4096, HEAD_MASKS_WORDS = HEAD_MASKS_BYTES / 64 };

/* Bit i % 64 of word i / 64 is of byte i. */
struct head_masks {
    size_t head_bytes;                       /* with the empty line; 0: no masks */
    unsigned returns;                        /* CRs in it, of the empty line too */
    uint64_t controls[HEAD_MASKS_WORDS + 1]; /* what no field value may hold: 0x00..0x1f but HTAB, and 0x7f */
    uint64_t others[HEAD_MASKS_WORDS + 1];   /* all but letters, digits, '-' and '_' */
};

/* Up to the first CR LF CR LF within data.  0 as head_bytes when there is none in the first HEAD_MASKS_BYTES, and on
 * processors for which this is not written. */
void head_masks_make(const char *data, size_t len, struct head_masks *ret_masks);
#ifdef __x86_64__
/* What it chooses from; all give the same. */
void head_masks_make_sse2(const char *data, size_t len, struct head_masks *ret_masks);
/* Only where __builtin_cpu_supports("avx2"). */
void head_masks_make_avx2(const char *data, size_t len, struct head_masks *ret_masks);
#endif

/* The first bit at or behind `from`.  There has to be one: the CR of the empty line has one in both. */
static inline size_t head_masks_next(const uint64_t *words, size_t from)
{
    uint64_t window; /* of eight bytes from the one that has the bit: the processors have their lowest first */
    memcpy(&window, (const char *)words + from / 8, sizeof window);
    window >>= from % 8;
    if (__builtin_expect(window != 0, 1))
        return from + (unsigned)__builtin_ctzll(window);
    size_t i = from / 64 + 1; /* what of the next word was in the window is 0 */
    while (words[i] == 0)
        i++;
    return i * 64 + (unsigned)__builtin_ctzll(words[i]);
}

#endif
