/* SPDX-License-Identifier: Apache-2.0 */
/* buffer.c: a byte queue.  One owner, one thread.
 *
 * Room at the tail comes first from moving the bytes to the front, but only when the free head is at least as large as
 * what must be moved (each consumed byte then pays for at most one moved byte), else from doubling. */
#include "base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SMALLEST = 256 };

void buffer_init(struct buffer *buffer)
{
    *buffer = (struct buffer){0};
}

void buffer_deinit(struct buffer *buffer)
{
    free(buffer->data);
    buffer_init(buffer);
}

static void grow(struct buffer *buffer, size_t needed)
{
    size_t len = buffer_len(buffer);
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : SMALLEST;
    if (needed > SIZE_MAX / 2)
        abort();
    while (capacity < needed)
        capacity *= 2;
    /* Not realloc: it would copy the consumed head too. */
    char *data = malloc(capacity);
    if (data == NULL)
        abort();
    if (buffer->data != NULL)
        memcpy(data, buffer->data + buffer->head, len);
    free(buffer->data);
    *buffer = (struct buffer){.data = data, .tail = len, .capacity = capacity};
}

char *buffer_make_room(struct buffer *buffer, size_t extra)
{
    size_t len = buffer_len(buffer);
    if (buffer->data != NULL && extra <= buffer->capacity - len && buffer->head >= len) {
        memmove(buffer->data, buffer->data + buffer->head, len);
        buffer->head = 0;
        buffer->tail = len;
    } else {
        if (extra > SIZE_MAX - len)
            abort();
        grow(buffer, len + extra);
    }
    return buffer->data + buffer->tail;
}

void buffer_make(struct buffer *buffer, size_t capacity)
{
    buffer_deinit(buffer);
    *buffer = (struct buffer){.data = must(malloc(capacity)), .capacity = capacity};
}

void buffer_commit(struct buffer *buffer, size_t count)
{
    assert(count <= buffer->capacity - buffer->tail);
    buffer->tail += count;
}

void buffer_append_str(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, bytes_of(text));
}

void buffer_append_char(struct buffer *buffer, char c)
{
    *buffer_reserve(buffer, 1) = c;
    buffer->tail++;
}

void buffer_append_u64(struct buffer *buffer, uint64_t value)
{
    char digits[20]; /* 2^64 - 1 has 20 */
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buffer_append(buffer, bytes_make(digits + at, sizeof(digits) - at));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    size_t room = 128;
    for (;;) {
        char *start = buffer_reserve(buffer, room);
        va_start(args, format);
        int len = vsnprintf(start, room, format, args);
        va_end(args);
        if (len < 0)
            abort();
        if ((size_t)len < room) {
            buffer->tail += (size_t)len;
            return;
        }
        room = (size_t)len + 1;
    }
}

void buffer_consume(struct buffer *buffer, size_t count)
{
    assert(count <= buffer_len(buffer));
    buffer->head += count;
    if (buffer->head == buffer->tail)
        buffer_clear(buffer);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->head = buffer->tail = 0;
}
