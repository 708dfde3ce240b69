/* SPDX-License-Identifier: Apache-2.0 */
/* sse.h: where server-sent events end in a byte stream (HTML living standard 9.2.6), without reading them. */
#ifndef HTTP_CODEC_SSE_H
#define HTTP_CODEC_SSE_H

#include "base/bytes.h"

/* The last two bytes of a stream; zeroed at its start. */
struct sse_tail {
    char bytes[2];
};

/* How many bytes of the chunk belong to whole events: up to and with the last blank line that ends in it; 0 when none
 * does.  tail: what came before the chunk.  Lines end in LF or CRLF (bare CR, which no model server sends, does not
 * count). */
size_t sse_whole_events(const struct sse_tail *tail, struct bytes chunk);
/* The chunk has been taken. */
void sse_tail_move(struct sse_tail *tail, struct bytes chunk);

#endif
