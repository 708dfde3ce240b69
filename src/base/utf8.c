/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.c: the well-formed sequences of RFC 3629 section 4.  Pure; any thread. */
#include "base/utf8.h"

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The bounds of the second byte shut out overlong forms (E0, F0), surrogates (ED) and what is above U+10FFFF (F4). */
static bool is_second(unsigned char first, char c)
{
    unsigned char second = (unsigned char)c;
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high;
}

size_t utf8_sequence_len(struct bytes text)
{
    if (text.len == 0)
        return 0;
    unsigned char first = (unsigned char)text.data[0];
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    size_t len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (text.len < len || !is_second(first, text.data[1]))
        return 0;
    for (size_t i = 2; i < len; i++) {
        if (!is_continuation(text.data[i]))
            return 0;
    }
    return len;
}

/* How many bytes from the start are ASCII, counted in words of eight. */
static size_t ascii_words(struct bytes text)
{
    size_t at = 0;
    uint64_t word;
    for (; at + sizeof(word) <= text.len; at += sizeof(word)) {
        memcpy(&word, text.data + at, sizeof(word));
        if ((word & 0x8080808080808080u) != 0)
            break;
    }
    return at;
}

bool utf8_is_valid(struct bytes text)
{
    while (text.len > 0) {
        text = bytes_skip(text, ascii_words(text));
        for (int i = 0; i < 8 && text.len > 0; i++) {
            size_t len = utf8_sequence_len(text);
            if (len == 0)
                return false;
            text = bytes_skip(text, len);
        }
    }
    return true;
}

size_t utf8_encode(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if ((code_point >= 0xd800 && code_point <= 0xdfff) || code_point > 0x10ffff)
        return 0;
    size_t len = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    out[0] = (char)(marks[len] | code_point);
    return len;
}
