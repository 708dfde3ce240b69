/* SPDX-License-Identifier: Apache-2.0 */
/* prefix_nodes_read.h: reading the table of blocks beside its writer, on any thread; inline, because a match does it
 * for each block of a prompt.  How reader and writer get along: prefix_nodes.c. */
#ifndef INFERENCE_PREFIX_NODES_READ_H
#define INFERENCE_PREFIX_NODES_READ_H

#include "inference/prefix_nodes.h"

/* With a constant number of words: the reader's loops go. */
#define NODES_INLINE static inline __attribute__((always_inline))

enum { NODES_MAX_WALK = 64 /* chains are a few nodes long */ };

/* A prompt's blocks read one after the other: where the last one was, and as bitmaps of so many words as the reader
 * wants its owners and which of them are marked. */
struct nodes_reader {
    uint32_t id, step; /* the last node, and how far it was from the one before */
    unsigned places[NODE_WORDS];
    uint64_t owners[NODE_BITMAP_WORDS], marks[NODE_BITMAP_WORDS];
};

enum nodes_found {
    NODES_NOBODY, /* no such block, or nobody has it */
    NODES_OTHERS,
    NODES_SAME /* owners and marks are those of the block that was read before */
};

static inline unsigned nodes_tag(uint64_t hash)
{
    unsigned tag = (unsigned)(hash >> 32);
    return tag != 0 ? tag : 1;
}

static inline atomic_uint *nodes_bucket(const struct prefix_nodes *nodes, uint64_t hash)
{
    return &nodes->buckets[(uint32_t)hash & nodes->mask];
}

static inline bool nodes_is_end(unsigned next)
{
    return next == 0 || (next & NODE_END) != 0;
}

/* Leads to the first word of owners; that of marks is the next one. */
static inline atomic_ullong *nodes_wide(const struct prefix_nodes *nodes, uint32_t number)
{
    return &nodes->wides[(size_t)number * nodes->words * 2];
}

/* For reading many blocks fast: what comes soon is fetched from memory, first the bucket, then the node. */
static inline void nodes_prefetch_bucket(const struct prefix_nodes *nodes, uint64_t hash)
{
    __builtin_prefetch(nodes_bucket(nodes, hash));
}

static inline void nodes_prefetch_node(const struct prefix_nodes *nodes, uint64_t hash)
{
    unsigned id = atomic_load_explicit(nodes_bucket(nodes, hash), memory_order_relaxed);
    if (!nodes_is_end(id))
        __builtin_prefetch(&nodes->nodes[id - 1]);
}

NODES_INLINE bool nodes_read_wide(const struct prefix_nodes *nodes, unsigned words, struct nodes_reader *reader)
{
    uint64_t any = 0;
    if (reader->places[1] >= nodes->wide_max)
        return false;
    const atomic_ullong *wide = nodes_wide(nodes, reader->places[1]);
    for (unsigned i = 0; i < words; i++) {
        any |= reader->owners[i] = atomic_load_explicit(&wide[i * 2], memory_order_acquire);
        reader->marks[i] = atomic_load_explicit(&wide[i * 2 + 1], memory_order_acquire);
    }
    return any != 0;
}

NODES_INLINE bool nodes_spread_places(unsigned words, struct nodes_reader *reader)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < words; i++)
        reader->owners[i] = reader->marks[i] = 0;
    for (unsigned i = 0; i < NODE_INLINE; i++) {
        unsigned value = reader->places[i / 2] >> (i % 2 * 16) & 0xffff, owner = value / 2;
        if (owner / 64 >= words) /* NODE_EMPTY, too */
            continue;
        any |= reader->owners[owner / 64] |= 1ull << (owner % 64);
        reader->marks[owner / 64] |= (uint64_t)(value & 1) << (owner % 64);
    }
    return any != 0;
}

/* Blocks of one prompt mostly have the same owners: then there is nothing to work out. */
NODES_INLINE enum nodes_found nodes_read_one(const struct prefix_nodes *nodes, const struct node *node, unsigned words,
                                             struct nodes_reader *reader)
{
    unsigned changed = 0;
    for (unsigned i = 0; i < NODE_WORDS; i++) {
        unsigned word = atomic_load_explicit(&node->owners[i], memory_order_acquire);
        changed |= word ^ reader->places[i];
        reader->places[i] = word;
    }
    bool has_owners;
    if ((reader->places[0] & 0xffff) == NODE_WIDE)
        has_owners = nodes_read_wide(nodes, words, reader);
    else if (changed == 0)
        return NODES_SAME;
    else
        has_owners = nodes_spread_places(words, reader);
    return has_owners ? NODES_OTHERS : NODES_NOBODY;
}

NODES_INLINE void nodes_begin_reading(struct nodes_reader *reader)
{
    reader->id = reader->step = 0;
    for (unsigned i = 0; i < NODE_WORDS; i++)
        reader->places[i] = UINT32_MAX; /* which no node has there */
}

/* A node whose tag is the wanted one.  All loads of the owners are acquires, so that the
 * second look at the tag comes after them. */
NODES_INLINE enum nodes_found nodes_read_at(const struct prefix_nodes *nodes, uint32_t id, unsigned tag, unsigned words,
                                            struct nodes_reader *reader)
{
    const struct node *node = &nodes->nodes[id];
    enum nodes_found found = nodes_read_one(nodes, node, words, reader);
    reader->step = id - reader->id;
    reader->id = id;
    return atomic_load_explicit(&node->tag, memory_order_relaxed) == tag ? found : NODES_NOBODY;
}

/* Blocks that were noted together are neighbours: is the next one where it would then be? */
NODES_INLINE bool nodes_guess(const struct prefix_nodes *nodes, uint64_t hash, const struct nodes_reader *reader)
{
    uint32_t id = reader->id + reader->step;
    return id <= nodes->mask && atomic_load_explicit(&nodes->nodes[id].tag, memory_order_acquire) == nodes_tag(hash);
}

NODES_INLINE enum nodes_found nodes_read_guessed(const struct prefix_nodes *nodes, uint64_t hash, unsigned words,
                                                 struct nodes_reader *reader)
{
    return nodes_read_at(nodes, reader->id + reader->step, nodes_tag(hash), words, reader);
}

/* words: of the bitmaps, at most nodes->words. */
NODES_INLINE enum nodes_found nodes_read(const struct prefix_nodes *nodes, uint64_t hash, unsigned words,
                                         struct nodes_reader *reader)
{
    unsigned tag = nodes_tag(hash);
    unsigned id = atomic_load_explicit(nodes_bucket(nodes, hash), memory_order_acquire);
    for (unsigned walked = 0; !nodes_is_end(id) && walked < NODES_MAX_WALK; walked++) {
        if (atomic_load_explicit(&nodes->nodes[id - 1].tag, memory_order_acquire) == tag)
            return nodes_read_at(nodes, id - 1, tag, words, reader);
        id = atomic_load_explicit(&nodes->nodes[id - 1].next, memory_order_acquire);
    }
    return NODES_NOBODY;
}

#endif
