/* SPDX-License-Identifier: Apache-2.0 */
/* kv_blocks.c: named blocks as a forest, the ring of unused ones in the order of their last use, and an open-addressing
 * table by hash; anonymous blocks are a count.
 *
 * Invariants: the users of a block are the leases that end in it and its children in use, so a parent is in use as long
 * as a child is and becomes unused later; a block is in the ring if and only if it has no users.  Hence a cached
 * block's parent is cached too, and how much of a chain is cached can be found by bisection.  Knows nothing of
 * sequences or of time. */
#include "sim/model/kv_blocks.h"

#include <assert.h>
#include <stdlib.h>

#include "base/compiler.h"

enum { LOOK_AHEAD = 8 };

struct block {
    uint64_t hash;
    uint32_t users;
    uint32_t parent;     /* + 1; 0: begins a chain */
    uint32_t prev, next; /* in the ring; next also in the list of spare records */
};

struct slot {
    uint32_t id;  /* + 1; 0: empty */
    uint32_t tag; /* the hash's low half: most questions end here, without a look at the block */
};

struct kv_blocks {
    uint32_t count;
    uint32_t named;     /* named + anonymous <= count, when settled */
    uint32_t idle;      /* named ones without users: the ring's length */
    uint32_t anonymous; /* of all leases */
    uint32_t spare;     /* records without a name: the first + 1 */
    uint32_t slot_mask;
    struct slot *slots;    /* linear probing, at most half full */
    struct block blocks[]; /* [count] is the ring's head: its next is the longest unused */
};

struct kv_blocks *kv_blocks_new(uint32_t count)
{
    assert(count > 0 && count < UINT32_MAX / 4);
    struct kv_blocks *blocks = must(calloc(1, sizeof *blocks + (count + 1ul) * sizeof(struct block)));
    blocks->count = count;
    uint32_t slots = 16;
    while (slots < count * 2)
        slots *= 2;
    blocks->slot_mask = slots - 1;
    blocks->slots = must(calloc(slots, sizeof *blocks->slots));
    blocks->blocks[count].prev = blocks->blocks[count].next = count;
    for (uint32_t id = count; id-- > 0;) {
        blocks->blocks[id].next = blocks->spare;
        blocks->spare = id + 1;
    }
    return blocks;
}

void kv_blocks_free(struct kv_blocks *blocks)
{
    if (blocks == NULL)
        return;
    free(blocks->slots);
    free(blocks);
}

uint32_t kv_blocks_count(const struct kv_blocks *blocks)
{
    return blocks->count;
}

uint32_t kv_blocks_unused(const struct kv_blocks *blocks)
{
    return blocks->count - blocks->named - blocks->anonymous + blocks->idle;
}

/* The ring of unused named blocks. */

static void ring_add(struct kv_blocks *blocks, uint32_t id)
{
    struct block *all = blocks->blocks;
    uint32_t head = blocks->count;
    all[id].prev = all[head].prev;
    all[id].next = head;
    all[all[head].prev].next = id;
    all[head].prev = id;
    blocks->idle++;
}

static void ring_remove(struct kv_blocks *blocks, uint32_t id)
{
    struct block *all = blocks->blocks;
    all[all[id].prev].next = all[id].next;
    all[all[id].next].prev = all[id].prev;
    blocks->idle--;
}

/* The table.  Hashes are good already: their low bits are the place. */

/* The slot that holds the hash, or the empty one where it would go. */
static uint32_t find_slot(const struct kv_blocks *blocks, uint64_t hash)
{
    uint32_t tag = (uint32_t)hash, at = tag & blocks->slot_mask;
    for (; blocks->slots[at].id != 0; at = (at + 1) & blocks->slot_mask)
        if (blocks->slots[at].tag == tag && blocks->blocks[blocks->slots[at].id - 1].hash == hash)
            break;
    return at;
}

/* Tables of many engines are larger than caches: what will be asked soon is fetched meanwhile. */
static void prefetch(const struct kv_blocks *blocks, uint64_t hash)
{
    __builtin_prefetch(&blocks->slots[(uint32_t)hash & blocks->slot_mask], 1);
}

/* Closes the gap: what was pushed past it by others comes back. */
static void empty_slot(struct kv_blocks *blocks, uint32_t gap)
{
    uint32_t mask = blocks->slot_mask;
    for (uint32_t at = (gap + 1) & mask; blocks->slots[at].id != 0; at = (at + 1) & mask) {
        uint32_t home = blocks->slots[at].tag & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            blocks->slots[gap] = blocks->slots[at];
            gap = at;
        }
    }
    blocks->slots[gap] = (struct slot){0};
}

static void forget_oldest(struct kv_blocks *blocks)
{
    uint32_t id = blocks->blocks[blocks->count].next;
    assert(id != blocks->count);
    ring_remove(blocks, id);
    empty_slot(blocks, find_slot(blocks, blocks->blocks[id].hash));
    blocks->blocks[id].next = blocks->spare;
    blocks->spare = id + 1;
    blocks->named--;
}

/* Forgets what anonymous blocks have displaced; before a hash is looked for and before they are given back. */
static void settle(struct kv_blocks *blocks)
{
    const struct block *all = blocks->blocks;
    uint32_t ahead = all[blocks->count].next, taken = blocks->named + blocks->anonymous;
    uint32_t count = taken > blocks->count ? taken - blocks->count : 0;
    for (uint32_t i = 0; i < count + LOOK_AHEAD && count > 0; i++) {
        if (i < count) {
            prefetch(blocks, all[ahead].hash);
            ahead = all[ahead].next;
        }
        if (i >= LOOK_AHEAD)
            forget_oldest(blocks);
    }
}

/* Users. */

/* id is + 1, as everywhere for blocks that may be none. */
static void use(struct kv_blocks *blocks, uint32_t id)
{
    for (; id != 0 && blocks->blocks[id - 1].users++ == 0; id = blocks->blocks[id - 1].parent)
        ring_remove(blocks, id - 1);
}

static void unuse(struct kv_blocks *blocks, uint32_t id)
{
    while (id != 0) {
        struct block *block = &blocks->blocks[id - 1];
        assert(block->users > 0);
        if (--block->users > 0)
            return;
        ring_add(blocks, id - 1);
        id = block->parent;
    }
}

/* How many blocks use() would bring into use. */
static uint32_t count_unused(const struct kv_blocks *blocks, uint32_t id)
{
    uint32_t count = 0;
    for (; id != 0 && blocks->blocks[id - 1].users == 0; id = blocks->blocks[id - 1].parent)
        count++;
    return count;
}

/* Anonymous blocks displace cached ones, which are forgotten in one go later; the caller has checked that there are
 * enough. */
static void add_anonymous(struct kv_blocks *blocks, struct kv_lease *lease, uint32_t count)
{
    lease->anonymous += count;
    blocks->anonymous += count;
}

/* How many leading hashes are cached; the last one's block goes to *ret_tail. */
static uint32_t find_chain(const struct kv_blocks *blocks, const uint64_t *hashes, uint32_t count, uint32_t *ret_tail)
{
    uint32_t low = 0, high = count; /* `low` are cached, `high` + 1 are not */
    *ret_tail = 0;
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        uint32_t found = blocks->slots[find_slot(blocks, hashes[middle - 1])].id;
        if (found != 0) {
            *ret_tail = found;
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

bool kv_blocks_take(struct kv_blocks *blocks, struct kv_lease *lease, const uint64_t *hashes, uint32_t hash_count,
                    uint32_t total)
{
    assert(lease->named == 0 && lease->anonymous == 0);
    uint32_t tail;
    settle(blocks);
    uint32_t named = find_chain(blocks, hashes, hash_count < total ? hash_count : total, &tail);
    if (kv_blocks_unused(blocks) - count_unused(blocks, tail) < total - named)
        return false;
    use(blocks, tail);
    lease->tail = tail;
    lease->named = named;
    add_anonymous(blocks, lease, total - named);
    return true;
}

bool kv_blocks_extend(struct kv_blocks *blocks, struct kv_lease *lease)
{
    if (kv_blocks_unused(blocks) == 0)
        return false;
    add_anonymous(blocks, lease, 1);
    return true;
}

static uint32_t make_named(struct kv_blocks *blocks, uint32_t slot, uint64_t hash, uint32_t parent)
{
    uint32_t id = blocks->spare;
    assert(id != 0);
    struct block *block = &blocks->blocks[id - 1];
    blocks->spare = block->next;
    *block = (struct block){.hash = hash, .users = 1, .parent = parent};
    blocks->slots[slot] = (struct slot){.id = id, .tag = (uint32_t)hash};
    blocks->named++;
    return id;
}

/* The parent's user was this lease and is now its child. */
static void name_one(struct kv_blocks *blocks, struct kv_lease *lease, uint64_t hash)
{
    assert(lease->anonymous > 0);
    uint32_t slot = find_slot(blocks, hash);
    uint32_t other = blocks->slots[slot].id;
    lease->anonymous--;
    blocks->anonymous--;
    lease->named++;
    if (other == 0) {
        lease->tail = make_named(blocks, slot, hash, lease->tail);
        return;
    }
    use(blocks, other);
    unuse(blocks, lease->tail);
    lease->tail = other;
}

void kv_blocks_name(struct kv_blocks *blocks, struct kv_lease *lease, const uint64_t *hashes, uint32_t count)
{
    settle(blocks);
    for (uint32_t i = 0; i < count; i++) {
        if (i + LOOK_AHEAD < count)
            prefetch(blocks, hashes[i + LOOK_AHEAD]);
        name_one(blocks, lease, hashes[i]);
    }
}

void kv_blocks_give_back(struct kv_blocks *blocks, struct kv_lease *lease)
{
    settle(blocks);
    blocks->anonymous -= lease->anonymous;
    unuse(blocks, lease->tail);
    *lease = (struct kv_lease){0};
}
