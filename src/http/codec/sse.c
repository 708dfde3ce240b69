/* SPDX-License-Identifier: Apache-2.0 */
/* sse.c: looks for the last blank line from the end: most chunks are whole events and cost two comparisons. */
#include "http/codec/sse.h"

/* The byte at a position that may lie up to two before the chunk; '\0' further back. */
static char byte_at(const struct sse_tail *tail, struct bytes chunk, size_t position_plus_2)
{
    return position_plus_2 >= 2 ? chunk.data[position_plus_2 - 2] : tail->bytes[position_plus_2];
}

/* The LF at this position ends an empty line. */
static bool ends_event(const struct sse_tail *tail, struct bytes chunk, size_t position)
{
    size_t before = position + 2 - 1;
    if (byte_at(tail, chunk, before) == '\r' && before > 0)
        before--;
    return byte_at(tail, chunk, before) == '\n';
}

size_t sse_whole_events(const struct sse_tail *tail, struct bytes chunk)
{
    size_t len = chunk.len;
    while (len > 0) {
        const char *newline = memrchr(chunk.data, '\n', len);
        if (newline == NULL)
            return 0;
        len = (size_t)(newline - chunk.data);
        if (ends_event(tail, chunk, len))
            return len + 1;
    }
    return 0;
}

void sse_tail_move(struct sse_tail *tail, struct bytes chunk)
{
    if (chunk.len >= 2) {
        memcpy(tail->bytes, chunk.data + chunk.len - 2, 2);
    } else if (chunk.len == 1) {
        tail->bytes[0] = tail->bytes[1];
        tail->bytes[1] = chunk.data[0];
    }
}
