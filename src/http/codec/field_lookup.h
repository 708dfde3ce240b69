/* SPDX-License-Identifier: Apache-2.0 */
/* field_lookup.h: from a field name to its id, for the parser's inner loop.
 *
 * Internal to http/codec.  A switch over the length leaves at most a few names of field_names.def to compare, eight
 * bytes at a time; the compiler folds the rest of the table away because the length is a constant in each case. */
#ifndef HTTP_CODEC_FIELD_LOOKUP_H
#define HTTP_CODEC_FIELD_LOOKUP_H

#include "http/codec/fields.h"

#include <stdint.h>

#define FIELD_NAME_MAX 24

#define X(id, text) _Static_assert(sizeof(text) - 1 <= FIELD_NAME_MAX, "add cases for longer names: " text);
#include "http/codec/field_names.def"
#undef X

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE uint64_t field_load_folded(const char *at, size_t size)
{
    uint64_t word = 0;
    memcpy(&word, at, size);
    return word | 0x2020202020202020u;
}

/* Equal when bit 5 is left out of it.  For token bytes that is equality without case: the partners of '-' and '_' are
 * CR and DEL, which no token has.  text has at least eight bytes of room at every offset. */
ALWAYS_INLINE bool field_same_folded(const char *name, const char *text, const size_t len)
{
    const size_t size = len >= 8 ? 8 : len >= 4 ? 4 : len >= 2 ? 2 : 1;
    for (size_t at = 0; at + size <= len; at += size)
        if (field_load_folded(name + at, size) != field_load_folded(text + at, size))
            return false;
    return field_load_folded(name + len - size, size) == field_load_folded(text + len - size, size);
}

ALWAYS_INLINE enum http_field_id field_lookup_of_length(const char *name, const size_t len)
{
#define X(id, text)                                                                                                    \
    if (sizeof(text) - 1 == len) {                                                                                     \
        static const char padded[FIELD_NAME_MAX + 8] = text;                                                           \
        if (field_same_folded(name, padded, len))                                                                      \
            return HTTP_FIELD_##id;                                                                                    \
    }
#include "http/codec/field_names.def"
#undef X
    return HTTP_FIELD_OTHER;
}

/* name: token bytes only. */
static inline enum http_field_id field_lookup(struct bytes name)
{
#define CASE(length)                                                                                                   \
    case length:                                                                                                       \
        return field_lookup_of_length(name.data, length);
    switch (name.len) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(7)
        CASE(8)
        CASE(9)
        CASE(10)
        CASE(11)
        CASE(12)
        CASE(13)
        CASE(14)
        CASE(15)
        CASE(16)
        CASE(17)
        CASE(18)
        CASE(19)
        CASE(20)
        CASE(21)
        CASE(22)
        CASE(23)
        CASE(24)
    default:
        return HTTP_FIELD_OTHER;
    }
#undef CASE
}

#endif
