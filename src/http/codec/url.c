/* SPDX-License-Identifier: Apache-2.0 */
/* url.c: percent-decoding and query parameters; pure, results live in the caller's arena or in its text. */
#include "http/codec/url.h"

#include "http/codec/chars.h"

static bool needs_decoding(struct bytes text, enum url_piece piece)
{
    return text.len > 0 && (memchr(text.data, '%', text.len) != NULL ||
                            (piece == URL_QUERY && memchr(text.data, '+', text.len) != NULL));
}

static bool escapes_are_whole(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '%')
            continue;
        if (text.len - i < 3 || char_hex_digit(text.data[i + 1]) < 0 || char_hex_digit(text.data[i + 2]) < 0)
            return false;
        i += 2;
    }
    return true;
}

bool url_decode(struct bytes text, enum url_piece piece, struct arena *arena, struct bytes *ret_piece)
{
    if (!needs_decoding(text, piece)) {
        *ret_piece = text;
        return true;
    }
    if (!escapes_are_whole(text))
        return false;

    char *decoded = arena_alloc(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '%') {
            c = (char)((unsigned)char_hex_digit(text.data[i + 1]) << 4 | (unsigned)char_hex_digit(text.data[i + 2]));
            i += 2;
        } else if (c == '+' && piece == URL_QUERY) {
            c = ' ';
        }
        decoded[len++] = c;
    }
    *ret_piece = bytes_make(decoded, len);
    return true;
}

void url_query_init(struct url_query *query, struct bytes text)
{
    query->rest = text;
}

static struct bytes decode_or_keep(struct bytes text, struct arena *arena)
{
    struct bytes decoded;
    return url_decode(text, URL_QUERY, arena, &decoded) ? decoded : text;
}

bool url_query_next(struct url_query *query, struct arena *arena, struct bytes *ret_name, struct bytes *ret_value)
{
    while (query->rest.len > 0) {
        size_t len = bytes_find(query->rest, '&');
        struct bytes piece = bytes_make(query->rest.data, len);
        query->rest = bytes_skip(query->rest, len < query->rest.len ? len + 1 : len);
        if (len == 0)
            continue;
        size_t name_len = bytes_find(piece, '=');
        struct bytes value = bytes_skip(piece, name_len < len ? name_len + 1 : len);
        *ret_name = decode_or_keep(bytes_make(piece.data, name_len), arena);
        *ret_value = decode_or_keep(value, arena);
        return true;
    }
    return false;
}

bool url_query_find(struct bytes text, struct bytes name, struct arena *arena, struct bytes *ret_value)
{
    struct url_query query;
    struct bytes found;
    struct bytes value;
    url_query_init(&query, text);
    while (url_query_next(&query, arena, &found, &value)) {
        if (bytes_equal(found, name)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

void url_encode(struct buffer *out, struct bytes text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool is_mark = c == '-' || c == '.' || c == '_' || c == '~';
        if (is_letter || is_mark || (c >= '0' && c <= '9')) {
            buffer_append_char(out, (char)c);
            continue;
        }
        const char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
        buffer_append(out, bytes_make(escape, sizeof escape));
    }
}
