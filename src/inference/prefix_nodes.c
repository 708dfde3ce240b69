/* SPDX-License-Identifier: Apache-2.0 */
/* prefix_nodes.c: a chained hash table with a lock-free reader.
 *
 * All fields are atomics, so that a reader beside the writer sees some value of each.  It believes a node whose tag is
 * the wanted one before and after it read the owners; a freed node loses its tag first.  The last node of a bucket says
 * which bucket it ends, so that the writer can find the way to a node's predecessor, and a reader whom a freed node led
 * into another bucket notices.  Numbers are checked against their bounds and a walk ends after MAX_WALK nodes: the
 * worst is a block missed, or a set caught in the middle of a change.  Memory is never given back before
 * nodes_deinit(). */
#include "inference/prefix_nodes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/compiler.h"
#include "inference/prefix_nodes_read.h"

_Static_assert(NODE_WORDS == 3, "has_only() looks at three words");

enum { NARROW = 3 /* a set in bitmaps that has shrunk to so many goes back into the node */ };

static unsigned get(const atomic_uint *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static void set(atomic_uint *value, unsigned to)
{
    atomic_store_explicit(value, to, memory_order_relaxed);
}

/* Zeroed.  Large tables are read at random places: with huge pages a lookup misses one cache less. */
static void *table_new(size_t bytes)
{
    void *table = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (table == MAP_FAILED)
        abort();
    (void)madvise(table, bytes, MADV_HUGEPAGE);
    return table;
}

static size_t buckets_bytes(const struct prefix_nodes *nodes)
{
    return (nodes->mask + 1ul) * sizeof *nodes->buckets;
}

static size_t nodes_table_bytes(const struct prefix_nodes *nodes)
{
    return (nodes->mask + 1ul) * sizeof *nodes->nodes;
}

static size_t wides_bytes(const struct prefix_nodes *nodes)
{
    return (size_t)nodes->wide_max * nodes->words * 2 * sizeof *nodes->wides;
}

void nodes_init(struct prefix_nodes *nodes, unsigned owners, uint32_t size)
{
    assert((size & (size - 1)) == 0);
    *nodes = (struct prefix_nodes){.words = (owners + 63) / 64, .mask = size - 1};
    nodes->wide_max = size / (NARROW + 1) + 1;
    nodes->buckets = table_new(buckets_bytes(nodes));
    nodes->nodes = table_new(nodes_table_bytes(nodes));
    nodes->wides = table_new(wides_bytes(nodes));
}

void nodes_deinit(struct prefix_nodes *nodes)
{
    munmap(nodes->buckets, buckets_bytes(nodes));
    munmap(nodes->nodes, nodes_table_bytes(nodes));
    munmap(nodes->wides, wides_bytes(nodes));
}

bool nodes_is_full(const struct prefix_nodes *nodes)
{
    return nodes->nodes_used > nodes->mask && nodes->free_node == 0;
}

size_t nodes_bytes(const struct prefix_nodes *nodes)
{
    return buckets_bytes(nodes) + nodes->nodes_used * sizeof *nodes->nodes +
           (size_t)nodes->wides_used * nodes->words * 2 * sizeof *nodes->wides;
}

/* Places of owners within a node. */

static unsigned place_get(const struct node *node, unsigned place)
{
    return get(&node->owners[place / 2]) >> (place % 2 * 16) & 0xffff;
}

static void place_set(struct node *node, unsigned place, unsigned value)
{
    unsigned shift = place % 2 * 16;
    atomic_uint *word = &node->owners[place / 2];
    set(word, (get(word) & ~(0xffffu << shift)) | value << shift);
}

/* An owner's value is its number times two, plus its mark. */
static unsigned find_place(const struct node *node, unsigned owner_value)
{
    unsigned place = 0;
    while (place < NODE_INLINE && (place_get(node, place) & ~1u) != owner_value)
        place++;
    return place;
}

/* Most blocks are one endpoint's. */
static bool has_only(const struct node *node, uint16_t owner)
{
    return get(&node->owners[0]) == ((unsigned)NODE_EMPTY << 16 | (unsigned)owner * 2) &&
           get(&node->owners[1]) == ((unsigned)NODE_EMPTY << 16 | NODE_EMPTY) &&
           get(&node->owners[2]) == ((unsigned)NODE_EMPTY << 16 | NODE_EMPTY);
}

static bool is_wide(const struct node *node)
{
    return place_get(node, 0) == NODE_WIDE;
}

static bool bit_get(const atomic_ullong *words, unsigned bit)
{
    return atomic_load_explicit(&words[bit / 64 * 2], memory_order_relaxed) >> (bit % 64) & 1;
}

static void bit_set(atomic_ullong *words, unsigned bit, bool to)
{
    uint64_t word = atomic_load_explicit(&words[bit / 64 * 2], memory_order_relaxed);
    word = to ? word | 1ull << (bit % 64) : word & ~(1ull << (bit % 64));
    atomic_store_explicit(&words[bit / 64 * 2], word, memory_order_relaxed);
}

static unsigned count_bits(const struct prefix_nodes *nodes, const atomic_ullong *words)
{
    unsigned count = 0;
    for (unsigned i = 0; i < nodes->words; i++)
        count += (unsigned)__builtin_popcountll(atomic_load_explicit(&words[i * 2], memory_order_relaxed));
    return count;
}

/* Free ones hold the next free one + 1 in their first word. */
static uint32_t take_wide(struct prefix_nodes *nodes)
{
    uint32_t number = nodes->free_wide;
    if (number == 0) {
        assert(nodes->wides_used < nodes->wide_max); /* each has more than NARROW owners, and those are bounded */
        return nodes->wides_used++;
    }
    atomic_ullong *words = nodes_wide(nodes, number - 1);
    nodes->free_wide = (uint32_t)atomic_load_explicit(&words[0], memory_order_relaxed);
    atomic_store_explicit(&words[0], 0, memory_order_relaxed);
    return number - 1;
}

static void give_wide_back(struct prefix_nodes *nodes, uint32_t number)
{
    atomic_ullong *words = nodes_wide(nodes, number);
    for (unsigned i = 0; i < nodes->words * 2; i++)
        atomic_store_explicit(&words[i], 0, memory_order_relaxed);
    atomic_store_explicit(&words[0], nodes->free_wide, memory_order_relaxed);
    nodes->free_wide = number + 1;
}

static void widen(struct prefix_nodes *nodes, struct node *node)
{
    uint32_t number = take_wide(nodes);
    atomic_ullong *owners = nodes_wide(nodes, number), *marks = owners + 1;
    for (unsigned place = 0; place < NODE_INLINE; place++) {
        unsigned value = place_get(node, place);
        bit_set(owners, value / 2, true);
        bit_set(marks, value / 2, value & 1);
    }
    set(&node->owners[1], number);
    atomic_store_explicit(&node->owners[0], NODE_WIDE, memory_order_release); /* after what it leads to */
}

static void narrow(struct prefix_nodes *nodes, struct node *node)
{
    uint32_t number = get(&node->owners[1]);
    const atomic_ullong *owners = nodes_wide(nodes, number), *marks = owners + 1;
    unsigned words[NODE_WORDS], place = 0;
    for (unsigned i = 0; i < NODE_WORDS; i++)
        words[i] = (unsigned)NODE_EMPTY << 16 | NODE_EMPTY;
    for (unsigned owner = 0; owner < nodes->words * 64; owner++) {
        if (!bit_get(owners, owner))
            continue;
        unsigned shift = place % 2 * 16, value = owner * 2 + bit_get(marks, owner);
        words[place / 2] = (words[place / 2] & ~(0xffffu << shift)) | value << shift;
        place++;
    }
    for (unsigned i = NODE_WORDS; i-- > 0;)
        atomic_store_explicit(&node->owners[i], words[i], memory_order_release);
    give_wide_back(nodes, number);
}

/* The table. */

uint32_t nodes_find(const struct prefix_nodes *nodes, uint64_t hash)
{
    unsigned tag = nodes_tag(hash), id = get(nodes_bucket(nodes, hash));
    while (!nodes_is_end(id) && get(&nodes->nodes[id - 1].tag) != tag)
        id = get(&nodes->nodes[id - 1].next);
    return nodes_is_end(id) ? NODE_NONE : id - 1;
}

static uint32_t take_node(struct prefix_nodes *nodes)
{
    if (nodes->free_node == 0)
        return nodes->nodes_used++;
    uint32_t id = nodes->free_node - 1;
    nodes->free_node = get(&nodes->nodes[id].next);
    return id;
}

uint32_t nodes_add(struct prefix_nodes *nodes, uint64_t hash, uint16_t owner)
{
    assert(!nodes_is_full(nodes));
    uint32_t id = take_node(nodes);
    struct node *node = &nodes->nodes[id];
    atomic_uint *bucket = nodes_bucket(nodes, hash);
    unsigned head = get(bucket);
    set(&node->owners[0], (unsigned)NODE_EMPTY << 16 | (unsigned)owner * 2);
    for (unsigned i = 1; i < NODE_WORDS; i++)
        set(&node->owners[i], (unsigned)NODE_EMPTY << 16 | NODE_EMPTY);
    set(&node->next, head != 0 ? head : NODE_END | ((uint32_t)hash & nodes->mask));
    atomic_store_explicit(&node->tag, nodes_tag(hash), memory_order_release);
    atomic_store_explicit(bucket, id + 1, memory_order_release);
    return id;
}

/* Follows the chain to its end to learn the bucket, and the bucket to the one before. */
static void free_node(struct prefix_nodes *nodes, uint32_t id)
{
    struct node *node = &nodes->nodes[id];
    unsigned next = get(&node->next), end = next;
    while (!nodes_is_end(end))
        end = get(&nodes->nodes[end - 1].next);
    atomic_uint *link = &nodes->buckets[end & ~NODE_END];
    while (get(link) != id + 1)
        link = &nodes->nodes[get(link) - 1].next;
    set(&node->tag, 0);
    atomic_store_explicit(link, next, memory_order_release);
    set(&node->next, nodes->free_node);
    nodes->free_node = id + 1;
}

bool nodes_mark(struct prefix_nodes *nodes, uint32_t id, uint16_t owner)
{
    struct node *node = &nodes->nodes[id];
    if (is_wide(node)) {
        atomic_ullong *owners = nodes_wide(nodes, get(&node->owners[1])), *marks = owners + 1;
        bool is_owner = bit_get(owners, owner);
        if (is_owner && !bit_get(marks, owner))
            bit_set(marks, owner, true);
        return is_owner;
    }
    unsigned place = find_place(node, (unsigned)owner * 2);
    if (place < NODE_INLINE && !(place_get(node, place) & 1))
        place_set(node, place, (unsigned)owner * 2 | 1);
    return place < NODE_INLINE;
}

void nodes_add_owner(struct prefix_nodes *nodes, uint32_t id, uint16_t owner)
{
    struct node *node = &nodes->nodes[id];
    unsigned place = is_wide(node) ? NODE_INLINE : find_place(node, NODE_EMPTY);
    if (place < NODE_INLINE) {
        place_set(node, place, (unsigned)owner * 2);
        return;
    }
    if (!is_wide(node))
        widen(nodes, node);
    bit_set(nodes_wide(nodes, get(&node->owners[1])), owner, true);
}

bool nodes_unmark(struct prefix_nodes *nodes, uint32_t id, uint16_t owner)
{
    struct node *node = &nodes->nodes[id];
    if (has_only(node, owner))
        return false;
    if (is_wide(node)) {
        atomic_ullong *marks = nodes_wide(nodes, get(&node->owners[1])) + 1;
        bool was_marked = bit_get(marks, owner);
        bit_set(marks, owner, false);
        return was_marked;
    }
    unsigned place = find_place(node, (unsigned)owner * 2);
    assert(place < NODE_INLINE);
    bool was_marked = place_get(node, place) & 1;
    place_set(node, place, (unsigned)owner * 2);
    return was_marked;
}

void nodes_remove_owner(struct prefix_nodes *nodes, uint32_t id, uint16_t owner)
{
    struct node *node = &nodes->nodes[id];
    if (has_only(node, owner)) {
        free_node(nodes, id);
        return;
    }
    if (is_wide(node)) {
        atomic_ullong *owners = nodes_wide(nodes, get(&node->owners[1]));
        bit_set(owners, owner, false);
        bit_set(owners + 1, owner, false);
        if (count_bits(nodes, owners) <= NARROW)
            narrow(nodes, node);
        return;
    }
    unsigned place = find_place(node, (unsigned)owner * 2);
    assert(place < NODE_INLINE);
    place_set(node, place, NODE_EMPTY);
    for (place = 0; place < NODE_INLINE; place++)
        if (place_get(node, place) != NODE_EMPTY)
            return;
    free_node(nodes, id);
}

/* Fetching what will lose an owner. */

void nodes_prefetch_id(const struct prefix_nodes *nodes, uint32_t id)
{
    __builtin_prefetch(&nodes->nodes[id]);
}

void nodes_prefetch_link(const struct prefix_nodes *nodes, uint32_t id)
{
    unsigned next = get(&nodes->nodes[id].next);
    if (nodes_is_end(next))
        __builtin_prefetch(&nodes->buckets[next & ~NODE_END]);
    else
        __builtin_prefetch(&nodes->nodes[next - 1]);
}

void nodes_prefetch_end(const struct prefix_nodes *nodes, uint32_t id)
{
    unsigned next = get(&nodes->nodes[id].next);
    if (nodes_is_end(next))
        return; /* nodes_prefetch_link() has fetched it */
    next = get(&nodes->nodes[next - 1].next);
    if (nodes_is_end(next))
        __builtin_prefetch(&nodes->buckets[next & ~NODE_END]);
    else
        __builtin_prefetch(&nodes->nodes[next - 1]);
}
