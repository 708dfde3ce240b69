/* SPDX-License-Identifier: Apache-2.0 */
/* h1_write.c: HTTP/1.1 heads and chunk framing, appended to a buffer.
 *
 * Each piece reserves its room once and is copied behind a moving pointer. */
#include "http/codec/h1_write.h"

#include <assert.h>

#include "http/codec/chars.h"

static char *put(char *at, struct bytes piece)
{
    if (piece.len > 0)
        memcpy(at, piece.data, piece.len);
    return at + piece.len;
}

static void finish(struct buffer *out, const char *start, const char *at)
{
    buffer_commit(out, (size_t)(at - start));
}

/* What arrives here was parsed by us or written by us: a line end inside would let one message become two. */
static bool is_clean(struct bytes text)
{
    const char *end = text.data + text.len;
    for (const char *at = text.data; (at = chars_walk_value(at, end)) < end; at++)
        if (*at == '\r' || *at == '\n' || *at == '\0')
            return false;
    return true;
}

void h1_write_request_line(struct buffer *out, struct bytes method, struct bytes target)
{
    assert(is_clean(method) && is_clean(target));
    static const char tail[] = " HTTP/1.1\r\n";
    char *start = buffer_reserve(out, method.len + 1 + target.len + sizeof(tail) - 1);
    char *at = put(start, method);
    *at++ = ' ';
    at = put(at, target);
    at = put(at, bytes_make(tail, sizeof(tail) - 1));
    finish(out, start, at);
}

void h1_write_status_line(struct buffer *out, unsigned status)
{
    assert(status >= 100 && status <= 999);
    struct bytes phrase = bytes_of(http_status_phrase(status));
    char *start = buffer_reserve(out, sizeof("HTTP/1.1 200 \r\n") + phrase.len);
    char *at = put(start, BYTES("HTTP/1.1 "));
    *at++ = (char)('0' + status / 100);
    *at++ = (char)('0' + status / 10 % 10);
    *at++ = (char)('0' + status % 10);
    *at++ = ' ';
    at = put(at, phrase);
    at = put(at, BYTES("\r\n"));
    finish(out, start, at);
}

void h1_write_known_field(struct buffer *out, struct bytes name, struct bytes value)
{
    char *start = buffer_reserve(out, name.len + value.len + 4);
    char *at = put(start, name);
    *at++ = ':';
    *at++ = ' ';
    at = put(at, value);
    *at++ = '\r';
    *at++ = '\n';
    finish(out, start, at);
}

void h1_write_field(struct buffer *out, struct bytes name, struct bytes value)
{
    assert(name.len > 0 && is_clean(name) && is_clean(value));
    h1_write_known_field(out, name, value);
}

void h1_write_field_u64(struct buffer *out, struct bytes name, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    h1_write_known_field(out, name, bytes_make(digits + at, sizeof(digits) - at));
}

void h1_write_lines_end(struct buffer *out, struct h1_lines *lines)
{
    buffer_append(out, bytes_make(lines->start, lines->len));
    *lines = (struct h1_lines){0};
}

void h1_write_end_of_head(struct buffer *out)
{
    buffer_append(out, BYTES("\r\n"));
}

struct bytes h1_chunk_size(char room[static 20], size_t size)
{
    assert(size > 0); /* a chunk of size 0 would end the body */
    size_t at = 20;
    room[--at] = '\n';
    room[--at] = '\r';
    do {
        room[--at] = "0123456789abcdef"[size & 15];
        size >>= 4;
    } while (size > 0);
    return bytes_make(room + at, 20 - at);
}

void h1_write_chunk_size(struct buffer *out, size_t size)
{
    char room[20];
    buffer_append(out, h1_chunk_size(room, size));
}

void h1_write_chunk(struct buffer *out, struct bytes data)
{
    char room[20];
    struct bytes size_line = h1_chunk_size(room, data.len);
    char *start = buffer_reserve(out, sizeof room + data.len + H1_CHUNK_END.len);
    char *at = put(put(put(start, size_line), data), H1_CHUNK_END);
    finish(out, start, at);
}
