/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.c: comparisons and small scans over borrowed bytes.  Pure; any thread.  Locale is never asked: protocol text
 * is ASCII, and tolower() of the C library is not. */
#include "base/bytes.h"

#include <stdint.h>

static unsigned char fold(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte | 0x20) : byte;
}

/* fold() of eight bytes at once: adding to the low seven bits carries into the eighth where a byte reaches 'A', or
 * passes 'Z'. */
static uint64_t fold_word(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, top_bits = 0x80 * ones;
    uint64_t low = word & ~top_bits;
    uint64_t is_upper = (low + (0x80 - 'A') * ones) & ~(low + (0x80 - 'Z' - 1) * ones) & ~word & top_bits;
    return word | is_upper >> 2;
}

static uint64_t load_word(const char *from)
{
    uint64_t word;
    memcpy(&word, from, sizeof(word));
    return word;
}

bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= a.len; i += sizeof(uint64_t)) {
        if (fold_word(load_word(a.data + i)) != fold_word(load_word(b.data + i)))
            return false;
    }
    for (; i < a.len; i++) {
        if (fold(a.data[i]) != fold(b.data[i]))
            return false;
    }
    return true;
}

bool bytes_starts_with_nocase(struct bytes a, struct bytes prefix)
{
    return a.len >= prefix.len && bytes_equal_nocase(bytes_make(a.data, prefix.len), prefix);
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct bytes bytes_trim(struct bytes a)
{
    while (a.len > 0 && is_blank(a.data[0]))
        a = bytes_skip(a, 1);
    while (a.len > 0 && is_blank(a.data[a.len - 1]))
        a.len--;
    return a;
}

bool bytes_to_u64(struct bytes a, unsigned long long limit, unsigned long long *ret_value)
{
    unsigned long long value = 0;
    if (a.len == 0)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (a.data[i] < '0' || a.data[i] > '9')
            return false;
        unsigned long long digit = (unsigned long long)(a.data[i] - '0');
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value) || value > limit)
            return false;
    }
    *ret_value = value;
    return true;
}

size_t bytes_find(struct bytes a, char wanted)
{
    const char *found = a.len > 0 ? memchr(a.data, wanted, a.len) : NULL;
    return found != NULL ? (size_t)(found - a.data) : a.len;
}
