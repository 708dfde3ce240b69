/* SPDX-License-Identifier: Apache-2.0 */
/* buffer.h: a growable queue of bytes in one piece of memory: written at the tail, consumed at the head.
 *
 * The owner decides on limits; growth aborts only when the system is out of memory.  Pointers into the buffer die with
 * the next call that adds to it. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"

struct buffer {
    char *data;
    size_t head; /* head <= tail <= capacity */
    size_t tail;
    size_t capacity;
};

static inline size_t buffer_len(const struct buffer *buffer)
{
    return buffer->tail - buffer->head;
}

static inline bool buffer_is_empty(const struct buffer *buffer)
{
    return buffer->tail == buffer->head;
}

static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    /* NULL + 0 is undefined in C: an empty buffer has bytes of its own. */
    return (struct bytes){buffer->data != NULL ? buffer->data + buffer->head : "", buffer->tail - buffer->head};
}

/* A zeroed struct is an empty buffer; init does just that. */
void buffer_init(struct buffer *buffer);
/* Frees the memory and leaves an empty buffer. */
void buffer_deinit(struct buffer *buffer);
/* Makes room for at least `extra` bytes at the tail (moving or growing) and returns where they go. */
static inline char *buffer_reserve(struct buffer *buffer, size_t extra);
/* Says that `count` bytes were written where buffer_reserve() pointed. */
void buffer_commit(struct buffer *buffer, size_t count);
/* An empty buffer of exactly so much room, for what will not grow. */
void buffer_make(struct buffer *buffer, size_t capacity);
static inline void buffer_append(struct buffer *buffer, struct bytes source);
void buffer_append_str(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_append_u64(struct buffer *buffer, uint64_t value);
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
/* Drops `count` bytes from the head; an emptied buffer starts again at 0. */
void buffer_consume(struct buffer *buffer, size_t count);
/* Forgets the bytes, keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* buffer_reserve() where there is no such room yet. */
char *buffer_make_room(struct buffer *buffer, size_t extra);

static inline char *buffer_reserve(struct buffer *buffer, size_t extra)
{
    if (LIKELY(extra <= buffer->capacity - buffer->tail && buffer->data != NULL))
        return buffer->data + buffer->tail;
    return buffer_make_room(buffer, extra);
}

static inline void buffer_append(struct buffer *buffer, struct bytes source)
{
    if (source.len == 0)
        return;
    memcpy(buffer_reserve(buffer, source.len), source.data, source.len);
    buffer->tail += source.len;
}

#endif
