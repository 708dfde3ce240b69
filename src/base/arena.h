/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h: memory with one lifetime (an exchange, a snapshot, a reconcile).  Single-threaded; nothing is freed alone.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/bytes.h"
#include "base/compiler.h"

struct arena;

/* first_chunk: bytes of the first chunk (0: a default).  Aborts when memory is out. */
struct arena *arena_new(size_t first_chunk);
/* Accepts NULL. */
void arena_free(struct arena *arena);
/* Forgets everything but keeps the first chunk for use again. */
void arena_reset(struct arena *arena);
/* Bytes taken from the system, for accounting. */
size_t arena_size(const struct arena *arena);

/* For sizes that we choose: aborts when memory is out.  Aligned to 16; arena_alloc does not clear, arena_zalloc does.
 */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);
/* For sizes that a peer chooses: NULL when arena_size() would pass limit or memory is out. */
void *arena_try_alloc(struct arena *arena, size_t size, size_t limit);

#define ARENA_NEW(arena, type)          ((type *)arena_zalloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_zalloc((arena), sizeof(type) * (count)))

/* Copies; the result ends in a NUL that is not counted. */
struct bytes arena_copy(struct arena *arena, struct bytes source);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, struct bytes source);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
