/* SPDX-License-Identifier: Apache-2.0 */
/* kv_blocks.c: named blocks as a forest of runs, the ring of unused runs in the order of their last use, and an
 * open-addressing table of runs by the hash of their first block; anonymous blocks are a count.
 *
 * A run is a piece of a chain whose blocks were always used together; a lease ends at the end of one.  Where a lease or
 * another chain leaves a run in its middle, the run is split.  Invariants: the users of a run are the leases that end
 * with it and its children in use, so a parent is in use as long as a child is and becomes unused later; a run is in
 * the ring if and only if it has no users, hence none in the ring has a child behind it.  Within a run the last block
 * was used longest ago.  What anonymous blocks displace is forgotten when next somebody looks.  Knows nothing of
 * sequences or of time. */
#include "sim/model/kv_blocks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

struct run {
    uint64_t *hashes; /* [capacity]; the first `len` are there */
    uint32_t len, capacity;
    uint32_t users;
    uint32_t children;   /* used or not */
    uint32_t parent;     /* + 1; 0: begins a chain */
    uint32_t prev, next; /* in the ring; next also in the list of spare records */
};

struct slot {
    uint32_t id;  /* + 1; 0: empty */
    uint32_t tag; /* the hash's low half: most questions end here, without a look at the run */
};

struct kv_blocks {
    uint32_t count;
    uint32_t named;     /* named + anonymous <= count, when settled */
    uint32_t idle;      /* blocks of the runs in the ring */
    uint32_t anonymous; /* of all leases */
    uint32_t spare;     /* records without a run: the first + 1 */
    uint32_t slot_mask;
    struct slot *slots; /* linear probing, at most half full */
    struct run runs[];  /* [count] is the ring's head: its next is the longest unused */
};

struct kv_blocks *kv_blocks_new(uint32_t count)
{
    assert(count > 0 && count < UINT32_MAX / 4);
    struct kv_blocks *blocks = must(calloc(1, sizeof *blocks + (count + 1ul) * sizeof(struct run)));
    blocks->count = count;
    uint32_t slots = 16;
    while (slots < count * 2)
        slots *= 2;
    blocks->slot_mask = slots - 1;
    blocks->slots = must(calloc(slots, sizeof *blocks->slots));
    blocks->runs[count].prev = blocks->runs[count].next = count;
    for (uint32_t id = count; id-- > 0;) {
        blocks->runs[id].next = blocks->spare;
        blocks->spare = id + 1;
    }
    return blocks;
}

void kv_blocks_free(struct kv_blocks *blocks)
{
    if (blocks == NULL)
        return;
    for (uint32_t id = 0; id < blocks->count; id++)
        free(blocks->runs[id].hashes);
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

/* The ring of unused runs. */

static void ring_add(struct kv_blocks *blocks, uint32_t id)
{
    struct run *all = blocks->runs;
    uint32_t head = blocks->count;
    all[id].prev = all[head].prev;
    all[id].next = head;
    all[all[head].prev].next = id;
    all[head].prev = id;
    blocks->idle += all[id].len;
}

static void ring_remove(struct kv_blocks *blocks, uint32_t id)
{
    struct run *all = blocks->runs;
    all[all[id].prev].next = all[id].next;
    all[all[id].next].prev = all[id].prev;
    blocks->idle -= all[id].len;
}

/* The table.  Hashes are good already: their low bits are the place. */

/* The slot of the run that begins with the hash, or the empty one where it would go. */
static uint32_t find_slot(const struct kv_blocks *blocks, uint64_t hash)
{
    uint32_t tag = (uint32_t)hash, at = tag & blocks->slot_mask;
    for (; blocks->slots[at].id != 0; at = (at + 1) & blocks->slot_mask)
        if (blocks->slots[at].tag == tag && blocks->runs[blocks->slots[at].id - 1].hashes[0] == hash)
            break;
    return at;
}

static void fill_slot(struct kv_blocks *blocks, uint64_t hash, uint32_t id)
{
    blocks->slots[find_slot(blocks, hash)] = (struct slot){.id = id, .tag = (uint32_t)hash};
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

/* Runs.  Ids are + 1, as everywhere for what may be none. */

static void append(struct run *run, const uint64_t *hashes, uint32_t count)
{
    if (run->len + count > run->capacity) {
        run->capacity = run->len + count;
        run->hashes = must(reallocarray(run->hashes, run->capacity, sizeof *run->hashes));
    }
    memcpy(&run->hashes[run->len], hashes, count * sizeof *hashes);
    run->len += count;
}

/* Without users, and not in the ring. */
static uint32_t make_run(struct kv_blocks *blocks, const uint64_t *hashes, uint32_t count, uint32_t parent)
{
    uint32_t id = blocks->spare;
    assert(id != 0);
    struct run *run = &blocks->runs[id - 1];
    blocks->spare = run->next;
    *run = (struct run){.hashes = run->hashes, .capacity = run->capacity, .parent = parent};
    append(run, hashes, count);
    return id;
}

/* The first `len` blocks become the parent, which is returned and must be used next; leases that end with the run go on
 * doing so. */
static uint32_t split(struct kv_blocks *blocks, uint32_t id, uint32_t len)
{
    struct run *run = &blocks->runs[id - 1];
    assert(len > 0 && len < run->len);
    empty_slot(blocks, find_slot(blocks, run->hashes[0]));
    uint32_t head = make_run(blocks, run->hashes, len, run->parent);
    run->len -= len;
    memmove(run->hashes, &run->hashes[len], run->len * sizeof *run->hashes);
    run->parent = head;
    blocks->runs[head - 1].children = 1;
    if (run->users > 0) {
        blocks->runs[head - 1].users = 1;
    } else {
        blocks->idle -= len;
        ring_add(blocks, head - 1);
    }
    fill_slot(blocks, blocks->runs[head - 1].hashes[0], head);
    fill_slot(blocks, run->hashes[0], id);
    return head;
}

/* How many of the hashes the run begins with: hashes are chained, so that equal ones have equal ones before them. */
static uint32_t common(const struct run *run, const uint64_t *hashes, uint32_t count)
{
    uint32_t low = 0, high = count < run->len ? count : run->len; /* `low` are common, `high` + 1 are not */
    for (uint32_t middle = high; low < high; middle = low + (high - low + 1) / 2) {
        if (run->hashes[middle - 1] == hashes[middle - 1])
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* Its last blocks; an empty one is gone. */
static void shorten(struct kv_blocks *blocks, uint32_t id, uint32_t count)
{
    struct run *run = &blocks->runs[id];
    blocks->named -= count;
    blocks->idle -= count;
    run->len -= count;
    if (run->len > 0)
        return;
    assert(run->children == 0);
    ring_remove(blocks, id);
    empty_slot(blocks, find_slot(blocks, run->hashes[0]));
    if (run->parent != 0)
        blocks->runs[run->parent - 1].children--;
    run->next = blocks->spare;
    blocks->spare = id + 1;
}

/* Forgets what anonymous blocks have displaced; before a hash is looked for and before they are given back. */
static void settle(struct kv_blocks *blocks)
{
    while (blocks->named + blocks->anonymous > blocks->count) {
        uint32_t over = blocks->named + blocks->anonymous - blocks->count;
        uint32_t oldest = blocks->runs[blocks->count].next;
        assert(oldest != blocks->count);
        uint32_t len = blocks->runs[oldest].len;
        shorten(blocks, oldest, over < len ? over : len);
    }
}

/* Users. */

static void use(struct kv_blocks *blocks, uint32_t id)
{
    for (; id != 0 && blocks->runs[id - 1].users++ == 0; id = blocks->runs[id - 1].parent)
        ring_remove(blocks, id - 1);
}

static void unuse(struct kv_blocks *blocks, uint32_t id)
{
    while (id != 0) {
        struct run *run = &blocks->runs[id - 1];
        assert(run->users > 0);
        if (--run->users > 0)
            return;
        ring_add(blocks, id - 1);
        id = run->parent;
    }
}

/* Anonymous blocks displace cached ones, which are forgotten in one go later; the caller has checked that there are
 * enough. */
static void add_anonymous(struct kv_blocks *blocks, struct kv_lease *lease, uint32_t count)
{
    lease->anonymous += count;
    blocks->anonymous += count;
}

/* The cached part of a chain: whole runs, and of the last one perhaps only the beginning. */
struct match {
    uint32_t blocks;
    uint32_t unused;   /* of them */
    uint32_t tail;     /* the last run; 0: none */
    uint32_t tail_len; /* of it */
};

static struct match find_chain(const struct kv_blocks *blocks, const uint64_t *hashes, uint32_t count)
{
    struct match match = {0};
    while (match.blocks < count) {
        uint32_t id = blocks->slots[find_slot(blocks, hashes[match.blocks])].id;
        if (id == 0)
            break;
        const struct run *run = &blocks->runs[id - 1];
        match.tail = id;
        match.tail_len = common(run, &hashes[match.blocks], count - match.blocks);
        match.blocks += match.tail_len;
        match.unused += run->users == 0 ? match.tail_len : 0;
        if (match.tail_len < run->len)
            break;
    }
    return match;
}

/* So that it ends where a run ends. */
static uint32_t cut(struct kv_blocks *blocks, uint32_t id, uint32_t len)
{
    return id != 0 && len < blocks->runs[id - 1].len ? split(blocks, id, len) : id;
}

bool kv_blocks_take(struct kv_blocks *blocks, struct kv_lease *lease, const uint64_t *hashes, uint32_t hash_count,
                    uint32_t total)
{
    assert(lease->named == 0 && lease->anonymous == 0);
    settle(blocks);
    struct match match = find_chain(blocks, hashes, hash_count < total ? hash_count : total);
    if (kv_blocks_unused(blocks) - match.unused < total - match.blocks)
        return false;
    lease->tail = cut(blocks, match.tail, match.tail_len);
    lease->named = match.blocks;
    use(blocks, lease->tail);
    add_anonymous(blocks, lease, total - match.blocks);
    return true;
}

bool kv_blocks_extend(struct kv_blocks *blocks, struct kv_lease *lease)
{
    if (kv_blocks_unused(blocks) == 0)
        return false;
    add_anonymous(blocks, lease, 1);
    return true;
}

/* New blocks behind the lease's tail: in its run, when that is only this lease's. */
static void grow(struct kv_blocks *blocks, struct kv_lease *lease, const uint64_t *hashes, uint32_t count)
{
    struct run *tail = lease->tail != 0 ? &blocks->runs[lease->tail - 1] : NULL;
    blocks->named += count;
    if (tail != NULL && tail->users == 1 && tail->children == 0) {
        append(tail, hashes, count);
        return;
    }
    if (tail != NULL)
        tail->children++; /* the user that it loses is this lease, the one that it gains the child */
    lease->tail = make_run(blocks, hashes, count, lease->tail);
    blocks->runs[lease->tail - 1].users = 1;
    fill_slot(blocks, hashes[0], lease->tail);
}

/* The lease moves on along a run that another made; returns how far. */
static uint32_t follow(struct kv_blocks *blocks, struct kv_lease *lease, uint32_t id, const uint64_t *hashes,
                       uint32_t count)
{
    uint32_t len = common(&blocks->runs[id - 1], hashes, count), former = lease->tail;
    lease->tail = cut(blocks, id, len);
    use(blocks, lease->tail);
    unuse(blocks, former);
    return len;
}

void kv_blocks_name(struct kv_blocks *blocks, struct kv_lease *lease, const uint64_t *hashes, uint32_t count)
{
    assert(lease->anonymous >= count);
    settle(blocks);
    lease->named += count;
    lease->anonymous -= count;
    blocks->anonymous -= count;
    for (uint32_t done = 0; done < count;) {
        uint32_t id = blocks->slots[find_slot(blocks, hashes[done])].id;
        if (id != 0) {
            done += follow(blocks, lease, id, &hashes[done], count - done);
            continue;
        }
        grow(blocks, lease, &hashes[done], count - done); /* what comes after a new block is new */
        return;
    }
}

void kv_blocks_give_back(struct kv_blocks *blocks, struct kv_lease *lease)
{
    settle(blocks);
    blocks->anonymous -= lease->anonymous;
    unuse(blocks, lease->tail);
    *lease = (struct kv_lease){0};
}
