/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.h: a borrowed run of bytes.  Never owns, never ends in NUL unless said; valid as long as what it points into.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct bytes {
    const char *data;
    size_t len;
};

/* BYTES("literal") for constants, BYTES_INIT in tables of them; bytes_of() for C strings. */
/* clang-format off */
#define BYTES_INIT(literal) {(literal), sizeof(literal) - 1}
/* clang-format on */
#define BYTES(literal) ((struct bytes)BYTES_INIT(literal))
/* For printf: printf("%.*s", BYTES_ARG(b)). */
#define BYTES_ARG(b) ((int)((b).len < 4096 ? (b).len : 4096)), (b).data

static inline struct bytes bytes_make(const char *data, size_t len)
{
    return (struct bytes){data, len};
}

static inline struct bytes bytes_of(const char *text)
{
    return (struct bytes){text, text != NULL ? strlen(text) : 0};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bytes_equal_str(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_of(text));
}

static inline bool bytes_starts_with(struct bytes a, struct bytes prefix)
{
    return a.len >= prefix.len && (prefix.len == 0 || memcmp(a.data, prefix.data, prefix.len) == 0);
}

static inline bool bytes_ends_with(struct bytes a, struct bytes suffix)
{
    return a.len >= suffix.len &&
           (suffix.len == 0 || memcmp(a.data + a.len - suffix.len, suffix.data, suffix.len) == 0);
}

static inline struct bytes bytes_skip(struct bytes a, size_t count)
{
    return (struct bytes){a.data + count, a.len - count};
}

/* ASCII case is folded; other bytes compare as they are (RFC 9110 5.1: field names are case-insensitive). */
bool bytes_equal_nocase(struct bytes a, struct bytes b);
bool bytes_starts_with_nocase(struct bytes a, struct bytes prefix);
/* < 0, 0, > 0 as memcmp, the shorter first. */
int bytes_compare(struct bytes a, struct bytes b);
/* Without leading and trailing spaces and tabs (OWS of RFC 9110 5.6.3). */
struct bytes bytes_trim(struct bytes a);
/* Decimal digits only, no sign, no space; false on anything else or above limit.  *ret_value untouched on failure. */
bool bytes_to_u64(struct bytes a, unsigned long long limit, unsigned long long *ret_value);
/* Position of the first such byte, or a.len. */
size_t bytes_find(struct bytes a, char wanted);

#endif
