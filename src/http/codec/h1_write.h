/* SPDX-License-Identifier: Apache-2.0 */
/* h1_write.h: HTTP/1.1 heads and chunk framing into a buffer.  Values are the caller's: no CR, LF or NUL (asserted). */
#ifndef HTTP_CODEC_H1_WRITE_H
#define HTTP_CODEC_H1_WRITE_H

#include "base/buffer.h"
#include "http/codec/message.h"

void h1_write_request_line(struct buffer *out, struct bytes method, struct bytes target);
void h1_write_status_line(struct buffer *out, unsigned status);
void h1_write_field(struct buffer *out, struct bytes name, struct bytes value);
/* The same for what is known to hold none: our own words, and what was parsed. */
void h1_write_known_field(struct buffer *out, struct bytes name, struct bytes value);
void h1_write_field_u64(struct buffer *out, struct bytes name, uint64_t value);
/* Fields of a received head, in a row: lines that stood one behind the other are copied in one piece.  Starts zeroed;
 * h1_write_lines_end() before anything else is written. */
struct h1_lines {
    const char *start;
    size_t len;
};
void h1_write_lines_end(struct buffer *out, struct h1_lines *lines);
static inline void h1_write_lines_field(struct buffer *out, struct h1_lines *lines, const struct http_field *field)
{
    /* As numbers: before the first field there is no pointer to add to. */
    if (field->line_len > 0 && (uintptr_t)lines->start + lines->len == (uintptr_t)field->name.data) {
        lines->len += field->line_len;
        return;
    }
    if (lines->len > 0)
        h1_write_lines_end(out, lines);
    if (field->line_len > 0)
        *lines = (struct h1_lines){field->name.data, field->line_len};
    else
        h1_write_field(out, field->name, field->value);
}
void h1_write_end_of_head(struct buffer *out);
/* "1f\r\n" before and "\r\n" after a chunk's bytes; the caller sends the bytes between. */
void h1_write_chunk_size(struct buffer *out, size_t size);
/* With the chunk's bytes between. */
void h1_write_chunk(struct buffer *out, struct bytes data);
/* The line before the bytes, in the caller's room. */
struct bytes h1_chunk_size(char room[static 20], size_t size);
#define H1_CHUNK_END  BYTES("\r\n")
#define H1_LAST_CHUNK BYTES("0\r\n\r\n")

#endif
