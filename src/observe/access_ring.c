/* SPDX-License-Identifier: Apache-2.0 */
/* access_ring.c: a byte ring of entries that never wrap: an entry that does not fit before the end of the memory starts
 * at its beginning, and what is left over is skipped.
 *
 * Protocol: `written` belongs to the writer, `read` to the reader; each is published with release and looked at with
 * acquire.  Both only grow; their place in the memory is their remainder. */
#include "observe/access_ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/compiler.h"

/* In front of the strings' bytes. */
struct entry {
    uint32_t size; /* with padding */
    bool is_gap;   /* nothing but a way to the beginning */
    bool is_stream;
    uint16_t lens[ACCESS_STRING_COUNT];
    uint64_t wall_ms;
    uint64_t numbers[ACCESS_NUMBER_COUNT];
};

/* A gap may be as short as one unit: its size and mark must lie in it. */
enum { UNIT = 8 };

struct access_ring {
    size_t bytes;
    char *memory;
    _Alignas(CACHE_LINE) _Atomic uint64_t written;
    uint64_t read_seen; /* the writer's last look at read */
    _Alignas(CACHE_LINE) _Atomic uint64_t read;
    uint64_t next_read; /* behind the record that was peeked at */
};

struct access_ring *access_ring_new(size_t bytes)
{
    assert(bytes >= 16384 && (bytes & (bytes - 1)) == 0);
    struct access_ring *ring = must(aligned_alloc(CACHE_LINE, sizeof *ring));
    memset(ring, 0, sizeof *ring);
    ring->bytes = bytes;
    ring->memory = must(malloc(bytes));
    return ring;
}

void access_ring_free(struct access_ring *ring)
{
    if (ring == NULL)
        return;
    free(ring->memory);
    free(ring);
}

static struct entry *entry_at(const struct access_ring *ring, uint64_t position)
{
    return (struct entry *)(void *)(ring->memory + position % ring->bytes);
}

static bool has_room(struct access_ring *ring, uint64_t written, size_t size)
{
    if (written + size - ring->read_seen <= ring->bytes)
        return true;
    ring->read_seen = atomic_load_explicit(&ring->read, memory_order_acquire);
    return written + size - ring->read_seen <= ring->bytes;
}

static size_t size_of(const struct access_record *record)
{
    size_t size = sizeof(struct entry);
    for (unsigned i = 0; i < ACCESS_STRING_COUNT; i++)
        size += record->strings[i].len;
    return (size + UNIT - 1) / UNIT * UNIT;
}

static void fill(struct entry *entry, const struct access_record *record, size_t size)
{
    char *to = (char *)(entry + 1);
    entry->size = (uint32_t)size;
    entry->is_gap = false;
    entry->is_stream = record->is_stream;
    entry->wall_ms = record->wall_ms;
    memcpy(entry->numbers, record->numbers, sizeof entry->numbers);
    for (unsigned i = 0; i < ACCESS_STRING_COUNT; i++) {
        struct bytes text = record->strings[i];
        entry->lens[i] = (uint16_t)text.len;
        if (text.len > 0)
            memcpy(to, text.data, text.len);
        to += text.len;
    }
}

bool access_ring_put(struct access_ring *ring, const struct access_record *record)
{
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    size_t size = size_of(record), left = ring->bytes - written % ring->bytes;
    size_t gap = left < size ? left : 0;
    if (size > ring->bytes / 2 || !has_room(ring, written, gap + size))
        return false;
    if (gap > 0) {
        struct entry *skipped = entry_at(ring, written);
        skipped->size = (uint32_t)gap;
        skipped->is_gap = true;
    }
    fill(entry_at(ring, written + gap), record, size);
    /* Sequentially consistent: the writer then looks whether the reader sleeps (access_log.c). */
    atomic_store_explicit(&ring->written, written + gap + size, memory_order_seq_cst);
    return true;
}

bool access_ring_is_empty(const struct access_ring *ring)
{
    return atomic_load_explicit(&ring->written, memory_order_seq_cst) ==
           atomic_load_explicit(&ring->read, memory_order_relaxed);
}

static void unpack(const struct entry *entry, struct access_record *ret_record)
{
    const char *from = (const char *)(entry + 1);
    ret_record->wall_ms = entry->wall_ms;
    ret_record->is_stream = entry->is_stream;
    memcpy(ret_record->numbers, entry->numbers, sizeof entry->numbers);
    for (unsigned i = 0; i < ACCESS_STRING_COUNT; i++) {
        ret_record->strings[i] = bytes_make(from, entry->lens[i]);
        from += entry->lens[i];
    }
}

bool access_ring_peek(struct access_ring *ring, struct access_record *ret_record)
{
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    if (read == written)
        return false;
    const struct entry *entry = entry_at(ring, read);
    if (entry->is_gap) { /* never the last thing that was written */
        read += entry->size;
        entry = entry_at(ring, read);
    }
    unpack(entry, ret_record);
    ring->next_read = read + entry->size;
    return true;
}

void access_ring_done(struct access_ring *ring)
{
    atomic_store_explicit(&ring->read, ring->next_read, memory_order_release);
}
