/* SPDX-License-Identifier: Apache-2.0 */
/* prefix_index.c: a ring of blocks per owner, in the order in which they came, over the shared table of blocks.
 *
 * An owner whose ring is full gives up the block at the ring's head, unless it was sent again since: then that one gets
 * a second chance at the tail.  Everything but prefix_index_match() runs under the lock. */
#include "inference/prefix_index.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "inference/prefix_hash.h"
#include "inference/prefix_nodes.h"
#include "inference/prefix_nodes_read.h"

#define LARGE 0x80000000u /* in a ring, beside the node: a large block */

enum {
    SECOND_CHANCES = 64, /* at most, per block that has to go: bounds the time under the lock */
    FORGET_AT_ONCE = 8,  /* blocks, when the table is full */
    LOOK_AHEAD = 12,     /* blocks; hides the time that memory takes */
};
_Static_assert(NODE_BITMAP_WORDS * 64 == PREFIX_OWNERS_MAX, "bitmaps have room for all owners");

struct owner {
    uint32_t *ring; /* nodes, and LARGE */
    uint32_t ring_size, head, count;
    uint32_t units;
    uint32_t capacity; /* in units; 0: no such owner */
};

struct prefix_index {
    unsigned owner_count;
    atomic_uint numbered; /* owners with smaller numbers were ever added: a match looks at no others */
    uint32_t entry_max;
    struct prefix_nodes nodes;
    pthread_mutex_t lock;
    uint32_t entries;
    struct owner owners[];
};

struct prefix_index *prefix_index_new(unsigned owners, uint32_t entries)
{
    assert(owners > 0 && owners <= PREFIX_OWNERS_MAX);
    struct prefix_index *index = must(calloc(1, sizeof *index + owners * sizeof index->owners[0]));
    uint32_t size = 64;
    while (size < entries && size < 1u << 28)
        size *= 2;
    index->owner_count = owners;
    index->entry_max = size;
    nodes_init(&index->nodes, owners, size);
    pthread_mutex_init(&index->lock, NULL);
    return index;
}

void prefix_index_free(struct prefix_index *index)
{
    if (index == NULL)
        return;
    for (unsigned i = 0; i < index->owner_count; i++)
        free(index->owners[i].ring);
    nodes_deinit(&index->nodes);
    pthread_mutex_destroy(&index->lock);
    free(index);
}

/* Rings. */

static uint32_t ring_at(const struct owner *owner, uint32_t place)
{
    uint32_t at = owner->head + place;
    return owner->ring[at < owner->ring_size ? at : at - owner->ring_size];
}

static uint32_t ring_pop(struct owner *owner)
{
    uint32_t entry = ring_at(owner, 0);
    owner->head = owner->head + 1 < owner->ring_size ? owner->head + 1 : 0;
    owner->count--;
    owner->units -= entry & LARGE ? PREFIX_LARGE_UNITS : 1;
    return entry;
}

static void ring_grow(struct owner *owner)
{
    uint32_t size = owner->ring_size > 0 ? owner->ring_size + owner->ring_size / 2 : 64;
    uint32_t *ring = must(calloc(size, sizeof *ring));
    for (uint32_t i = 0; i < owner->count; i++)
        ring[i] = ring_at(owner, i);
    free(owner->ring);
    owner->ring = ring;
    owner->ring_size = size;
    owner->head = 0;
}

static void ring_push(struct owner *owner, uint32_t entry)
{
    if (owner->count == owner->ring_size)
        ring_grow(owner);
    uint32_t at = owner->head + owner->count;
    owner->ring[at < owner->ring_size ? at : at - owner->ring_size] = entry;
    owner->count++;
    owner->units += entry & LARGE ? PREFIX_LARGE_UNITS : 1;
}

/* What will be forgotten soon is fetched from memory. */
static void look_ahead(const struct prefix_index *index, const struct owner *owner)
{
    if (owner->count > 3 * LOOK_AHEAD)
        nodes_prefetch_id(&index->nodes, ring_at(owner, 3 * LOOK_AHEAD) & ~LARGE);
    if (owner->count > 2 * LOOK_AHEAD)
        nodes_prefetch_link(&index->nodes, ring_at(owner, 2 * LOOK_AHEAD) & ~LARGE);
    if (owner->count > LOOK_AHEAD)
        nodes_prefetch_end(&index->nodes, ring_at(owner, LOOK_AHEAD) & ~LARGE);
}

static void forget_one(struct prefix_index *index, uint16_t number)
{
    struct owner *owner = &index->owners[number];
    uint32_t entry;
    look_ahead(index, owner);
    for (unsigned chances = 0;; chances++) {
        entry = ring_pop(owner);
        if (chances == SECOND_CHANCES || !nodes_unmark(&index->nodes, entry & ~LARGE, number))
            break;
        ring_push(owner, entry);
    }
    nodes_remove_owner(&index->nodes, entry & ~LARGE, number);
    index->entries--;
}

static void forget_all(struct prefix_index *index, uint16_t number)
{
    struct owner *owner = &index->owners[number];
    index->entries -= owner->count;
    while (owner->count > 0)
        nodes_remove_owner(&index->nodes, ring_pop(owner) & ~LARGE, number);
    free(owner->ring);
    owner->ring = NULL;
    owner->ring_size = owner->head = 0;
}

/* Owners. */

uint16_t prefix_index_add_owner(struct prefix_index *index, uint32_t capacity)
{
    uint16_t found = PREFIX_NO_OWNER;
    pthread_mutex_lock(&index->lock);
    for (unsigned i = 0; i < index->owner_count && found == PREFIX_NO_OWNER; i++)
        if (index->owners[i].capacity == 0)
            found = (uint16_t)i;
    if (found != PREFIX_NO_OWNER) {
        index->owners[found] = (struct owner){.capacity = capacity > 0 ? capacity : 1};
        if (found >= atomic_load_explicit(&index->numbered, memory_order_relaxed))
            atomic_store_explicit(&index->numbered, found + 1u, memory_order_relaxed);
    }
    pthread_mutex_unlock(&index->lock);
    return found;
}

void prefix_index_remove_owner(struct prefix_index *index, uint16_t owner)
{
    assert(owner < index->owner_count);
    pthread_mutex_lock(&index->lock);
    forget_all(index, owner);
    index->owners[owner].capacity = 0;
    pthread_mutex_unlock(&index->lock);
}

void prefix_index_forget(struct prefix_index *index, uint16_t owner)
{
    assert(owner < index->owner_count);
    pthread_mutex_lock(&index->lock);
    forget_all(index, owner);
    pthread_mutex_unlock(&index->lock);
}

void prefix_index_set_capacity(struct prefix_index *index, uint16_t number, uint32_t capacity)
{
    assert(number < index->owner_count);
    struct owner *owner = &index->owners[number];
    pthread_mutex_lock(&index->lock);
    owner->capacity = capacity > 0 ? capacity : 1;
    while (owner->units > owner->capacity)
        forget_one(index, number);
    pthread_mutex_unlock(&index->lock);
}

/* Prompts. */

/* A set that loses those who do not have a block, and how many blocks they had by then. */
struct narrowing {
    uint64_t left[NODE_BITMAP_WORDS];
    uint32_t *counts; /* by owner */
};

static void narrow_down(struct narrowing *narrowing, const uint64_t *having, unsigned words, uint32_t block)
{
    for (unsigned i = 0; i < words; i++) {
        for (uint64_t gone = narrowing->left[i] & ~having[i]; gone != 0; gone &= gone - 1)
            narrowing->counts[i * 64 + (unsigned)__builtin_ctzll(gone)] = block;
        narrowing->left[i] &= having[i];
    }
}

NODES_INLINE bool is_narrower(const struct narrowing *narrowing, const uint64_t *having, unsigned words)
{
    uint64_t gone = 0;
    for (unsigned i = 0; i < words; i++)
        gone |= narrowing->left[i] & ~having[i];
    return gone != 0;
}

static bool is_empty(const uint64_t *set, unsigned words)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < words; i++)
        any |= set[i];
    return any == 0;
}

/* The first blocks, all at once: what is read one after the other waits for memory as often. */
static void fetch_first(const struct prefix_nodes *nodes, const uint64_t *hashes, unsigned count)
{
    for (unsigned i = 0; i < count && i < 2 * LOOK_AHEAD; i++)
        nodes_prefetch_bucket(nodes, hashes[i]);
    for (unsigned i = 0; i < count && i < LOOK_AHEAD; i++)
        nodes_prefetch_node(nodes, hashes[i]);
}

/* With those that have the first block; a set in the middle of a change may hold anything. */
static void begin_narrowing(struct narrowing *narrowing, const uint64_t *having, unsigned numbered, uint32_t *counts)
{
    unsigned words = (numbered + 63) / 64;
    narrowing->counts = counts;
    memcpy(narrowing->left, having, words * sizeof *having);
    if (numbered % 64 != 0)
        narrowing->left[words - 1] &= (1ull << (numbered % 64)) - 1;
}

static void look_ahead_to(const struct prefix_nodes *nodes, const uint64_t *hashes, unsigned count, unsigned block)
{
    if (block + 2 * LOOK_AHEAD < count)
        nodes_prefetch_bucket(nodes, hashes[block + 2 * LOOK_AHEAD]);
    if (block + LOOK_AHEAD < count)
        nodes_prefetch_node(nodes, hashes[block + LOOK_AHEAD]);
}

/* All blocks but the first; returns how many the last owners have. */
NODES_INLINE uint32_t match_rest(const struct prefix_nodes *nodes, const uint64_t *hashes, unsigned count,
                                 unsigned words, struct nodes_reader *reader, struct narrowing *matched,
                                 struct narrowing *marked)
{
    for (uint32_t block = 1; block < count; block++) {
        enum nodes_found found;
        if (nodes_guess(nodes, hashes[block], reader)) {
            found = nodes_read_guessed(nodes, hashes[block], words, reader);
        } else {
            look_ahead_to(nodes, hashes, count, block);
            found = nodes_read(nodes, hashes[block], words, reader);
        }
        if (found == NODES_SAME)
            continue;
        if (found == NODES_NOBODY)
            return block;
        if (is_narrower(marked, reader->marks, words))
            narrow_down(marked, reader->marks, words, block);
        if (is_narrower(matched, reader->owners, words)) {
            narrow_down(matched, reader->owners, words, block);
            if (is_empty(matched->left, words))
                return block;
        }
    }
    return count;
}

unsigned prefix_index_match(const struct prefix_index *index, const uint64_t *hashes, unsigned count,
                            uint32_t *ret_matched, uint32_t *ret_marked)
{
    const struct prefix_nodes *nodes = &index->nodes;
    static const uint64_t nobody[NODE_BITMAP_WORDS];
    unsigned numbered = atomic_load_explicit(&index->numbered, memory_order_relaxed), words = (numbered + 63) / 64;
    struct nodes_reader reader; /* large: most of it is never touched */
    struct narrowing matched, marked;
    nodes_begin_reading(&reader);
    fetch_first(nodes, hashes, count);
    memset(ret_matched, 0, numbered * sizeof *ret_matched);
    memset(ret_marked, 0, numbered * sizeof *ret_marked);
    if (count == 0 || nodes_read(nodes, hashes[0], words, &reader) == NODES_NOBODY)
        return numbered;
    begin_narrowing(&matched, reader.owners, numbered, ret_matched);
    begin_narrowing(&marked, reader.marks, numbered, ret_marked);
    uint32_t blocks = words == 1 ? match_rest(nodes, hashes, count, 1, &reader, &matched, &marked)
                                 : match_rest(nodes, hashes, count, words, &reader, &matched, &marked);
    narrow_down(&matched, nobody, words, blocks);
    narrow_down(&marked, nobody, words, blocks);
    return numbered;
}

static uint16_t find_largest(const struct prefix_index *index)
{
    unsigned largest = 0;
    for (unsigned i = 1; i < index->owner_count; i++)
        if (index->owners[i].count > index->owners[largest].count)
            largest = i;
    return (uint16_t)largest;
}

/* Room for one more block of the owner, of so many units.  When the table is full: at its own cost if it has its fair
 * share, else at that of who has most. */
static void make_room(struct prefix_index *index, uint16_t number, unsigned units)
{
    struct owner *owner = &index->owners[number];
    while (owner->count > 0 && owner->units + units > owner->capacity)
        forget_one(index, number);
    if (index->entries < index->entry_max)
        return;
    uint16_t victim = owner->count >= index->entry_max / index->owner_count ? number : find_largest(index);
    for (unsigned i = 0; i < FORGET_AT_ONCE && index->owners[victim].count > 0; i++)
        forget_one(index, victim);
}

static void insert_block(struct prefix_index *index, uint16_t owner, uint64_t hash, unsigned units)
{
    uint32_t node = nodes_find(&index->nodes, hash);
    if (node != NODE_NONE && nodes_mark(&index->nodes, node, owner))
        return;
    make_room(index, owner, units);
    node = nodes_find(&index->nodes, hash); /* making room may have freed it */
    if (node == NODE_NONE)
        node = nodes_add(&index->nodes, hash, owner);
    else
        nodes_add_owner(&index->nodes, node, owner);
    ring_push(&index->owners[owner], units > 1 ? node | LARGE : node);
    index->entries++;
}

/* The last block first: then the ring's hand comes to it before it comes to the head. */
void prefix_index_insert(struct prefix_index *index, uint16_t owner, const uint64_t *hashes, unsigned marked,
                         unsigned count)
{
    assert(owner < index->owner_count);
    if (marked >= count)
        return;
    pthread_mutex_lock(&index->lock);
    unsigned fitting = prefix_blocks(index->owners[owner].capacity);
    for (unsigned i = count < fitting ? count : fitting; i-- > marked;) {
        if (i >= marked + 2 * LOOK_AHEAD)
            nodes_prefetch_bucket(&index->nodes, hashes[i - 2 * LOOK_AHEAD]);
        if (i >= marked + LOOK_AHEAD)
            nodes_prefetch_node(&index->nodes, hashes[i - LOOK_AHEAD]);
        insert_block(index, owner, hashes[i], prefix_block_units(i));
    }
    pthread_mutex_unlock(&index->lock);
}

uint32_t prefix_index_entries(struct prefix_index *index)
{
    pthread_mutex_lock(&index->lock);
    uint32_t entries = index->entries;
    pthread_mutex_unlock(&index->lock);
    return entries;
}

size_t prefix_index_bytes(struct prefix_index *index)
{
    pthread_mutex_lock(&index->lock);
    size_t bytes = sizeof *index + index->owner_count * sizeof index->owners[0] + nodes_bytes(&index->nodes);
    for (unsigned i = 0; i < index->owner_count; i++)
        bytes += index->owners[i].ring_size * sizeof *index->owners[i].ring;
    pthread_mutex_unlock(&index->lock);
    return bytes;
}
