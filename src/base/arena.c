/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c: bump allocation in chunks.  One owner, one thread.
 *
 * The first chunk lies behind the arena itself, so that a small arena is one malloc; later chunks double up to 64 KB.
 * A request too large for such a chunk gets one of its own.  Under AddressSanitizer what is not handed out is poisoned:
 * a use after arena_reset() is caught like a use after free(). */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONS 1
#endif
#endif
#ifdef POISONS
#include <sanitizer/asan_interface.h>
#define POISON(start, size)   ASAN_POISON_MEMORY_REGION((start), (size))
#define UNPOISON(start, size) ASAN_UNPOISON_MEMORY_REGION((start), (size))
#else
#define POISON(start, size)   ((void)(start), (void)(size))
#define UNPOISON(start, size) ((void)(start), (void)(size))
#endif

enum { ALIGNMENT = 16, DEFAULT_FIRST_CHUNK = 4096 - 128, LARGEST_CHUNK = 64 * 1024 };

struct chunk {
    struct chunk *next;
    alignas(ALIGNMENT) char data[];
};

struct arena {
    char *free; /* the unused part of the chunk in use */
    char *end;
    struct chunk *chunks; /* all but the first */
    size_t total;
    size_t next_chunk;
    size_t first_size;
    alignas(ALIGNMENT) char first[];
};

static size_t round_up(size_t size)
{
    return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

/* Starts over with the first chunk. */
static void rewind_to_first(struct arena *arena)
{
    arena->chunks = NULL;
    arena->free = arena->first;
    arena->end = arena->first + arena->first_size;
    arena->total = sizeof(*arena) + arena->first_size;
    arena->next_chunk = arena->first_size;
    POISON(arena->first, arena->first_size);
}

struct arena *arena_new(size_t first_chunk)
{
    size_t first_size = round_up(first_chunk != 0 ? first_chunk : DEFAULT_FIRST_CHUNK);
    struct arena *arena = malloc(sizeof(*arena) + first_size);
    if (arena == NULL)
        abort();
    arena->first_size = first_size;
    rewind_to_first(arena);
    return arena;
}

static void free_chunks(struct chunk *chunk)
{
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    free_chunks(arena->chunks);
    free(arena);
}

void arena_reset(struct arena *arena)
{
    free_chunks(arena->chunks);
    rewind_to_first(arena);
}

size_t arena_size(const struct arena *arena)
{
    return arena->total;
}

/* The size of the chunk to add for a need; under a limit the doubling gives way to what is just enough. */
static size_t choose_chunk_size(struct arena *arena, size_t size, size_t room)
{
    size_t doubled = arena->next_chunk < LARGEST_CHUNK / 2 ? arena->next_chunk * 2 : LARGEST_CHUNK;
    if (doubled > size && doubled + sizeof(struct chunk) <= room) {
        arena->next_chunk = doubled;
        return doubled;
    }
    return size;
}

/* size is a multiple of 16.  NULL when the limit or the memory does not allow it. */
static void *alloc_in_new_chunk(struct arena *arena, size_t size, size_t limit)
{
    size_t room = limit > arena->total ? limit - arena->total : 0;
    if (room < sizeof(struct chunk) || size > room - sizeof(struct chunk))
        return NULL;
    size_t chunk_size = choose_chunk_size(arena, size, room);
    struct chunk *chunk = malloc(sizeof(*chunk) + chunk_size);
    if (chunk == NULL)
        return NULL;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->total += sizeof(*chunk) + chunk_size;
    POISON(chunk->data + size, chunk_size - size);
    /* Go on with the chunk that has more left. */
    if (chunk_size - size > (size_t)(arena->end - arena->free)) {
        arena->free = chunk->data + size;
        arena->end = chunk->data + chunk_size;
    }
    return chunk->data;
}

void *arena_try_alloc(struct arena *arena, size_t size, size_t limit)
{
    if (UNLIKELY(size > SIZE_MAX / 4))
        return NULL;
    size_t rounded = size > 0 ? round_up(size) : ALIGNMENT;
    if (UNLIKELY(rounded > (size_t)(arena->end - arena->free)))
        return alloc_in_new_chunk(arena, rounded, limit);
    char *start = arena->free;
    arena->free += rounded;
    UNPOISON(start, size);
    return start;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *start = arena_try_alloc(arena, size, SIZE_MAX);
    if (UNLIKELY(start == NULL))
        abort();
    return start;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

char *arena_strndup(struct arena *arena, struct bytes source)
{
    char *copy = arena_alloc(arena, source.len + 1);
    if (source.len > 0)
        memcpy(copy, source.data, source.len);
    copy[source.len] = '\0';
    return copy;
}

struct bytes arena_copy(struct arena *arena, struct bytes source)
{
    return bytes_make(arena_strndup(arena, source), source.len);
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, bytes_of(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        abort();
    char *text = arena_alloc(arena, (size_t)len + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}
