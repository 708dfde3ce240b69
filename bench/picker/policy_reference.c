/* SPDX-License-Identifier: Apache-2.0 */
/* policy_reference.c: the reference default (queue 2, kv-cache 2, prefix 3; optionally lora-affinity 1) on the same
 * stale pages, with its prefix map: blocks of 64 tokens, an exact LRU of 31,250 blocks per endpoint, and hits counted
 * per endpoint while any endpoint still has the block, contiguous or not. */
#include <stdlib.h>

#include "policy.h"

enum { BLOCK_TOKENS = 64, CHAIN_STEP = BLOCK_TOKENS / TRACE_BLOCK_TOKENS, LRU_BLOCKS = 31250, NONE = LRU_BLOCKS };
enum { LRU_SLOTS = 1 << 16, LOOK_AHEAD = 8 };

/* The blocks of one endpoint; entry NONE is the ring's head, its next the oldest. */
struct lru {
    uint32_t count;
    uint32_t slots[LRU_SLOTS]; /* entry + 1; linear probing */
    uint64_t hashes[LRU_BLOCKS + 1];
    uint32_t prev[LRU_BLOCKS + 1], next[LRU_BLOCKS + 1];
};

/* Which endpoints have a block: a bit each. */
struct owners {
    uint64_t hash; /* 0: empty */
    uint64_t mask; /* 0: nobody any more, may be used again */
};

struct reference {
    unsigned endpoints;
    bool has_lora;
    struct random_state random;
    struct lru *lrus;
    struct owners *owners;
    uint32_t owners_mask;
    uint32_t owners_used;
};

static void *reference_new(const struct policy_setup *setup, bool has_lora)
{
    struct reference *reference = must(calloc(1, sizeof *reference));
    reference->endpoints = setup->endpoints;
    reference->has_lora = has_lora;
    random_seed(&reference->random, setup->seed * 31 + 6);
    reference->lrus = must(calloc(setup->endpoints, sizeof *reference->lrus));
    for (unsigned i = 0; i < setup->endpoints; i++)
        reference->lrus[i].prev[NONE] = reference->lrus[i].next[NONE] = NONE;
    reference->owners_mask = (1u << 16) - 1;
    reference->owners = must(calloc(reference->owners_mask + 1u, sizeof *reference->owners));
    return reference;
}

static void *reference_new_default(const struct policy_setup *setup)
{
    return reference_new(setup, false);
}

static void *reference_new_lora(const struct policy_setup *setup)
{
    return reference_new(setup, true);
}

static void reference_free(void *state)
{
    struct reference *reference = state;
    free(reference->lrus);
    free(reference->owners);
    free(reference);
}

/* The map of owners. */

static struct owners *find_owners(const struct reference *reference, uint64_t hash)
{
    uint32_t at = (uint32_t)(hash >> 8) & reference->owners_mask;
    while (reference->owners[at].hash != 0 && reference->owners[at].hash != hash)
        at = (at + 1) & reference->owners_mask;
    return &reference->owners[at];
}

/* Without those that nobody has. */
static void rebuild_owners(struct reference *reference)
{
    struct owners *former = reference->owners;
    uint32_t former_slots = reference->owners_mask + 1, live = 0;
    for (uint32_t i = 0; i < former_slots; i++)
        live += former[i].mask != 0;
    while (reference->owners_mask < live * 4)
        reference->owners_mask = reference->owners_mask * 2 + 1;
    reference->owners = must(calloc(reference->owners_mask + 1u, sizeof *reference->owners));
    reference->owners_used = live;
    for (uint32_t i = 0; i < former_slots; i++)
        if (former[i].mask != 0)
            *find_owners(reference, former[i].hash) = former[i];
    free(former);
}

static void add_owner(struct reference *reference, uint64_t hash, unsigned endpoint)
{
    struct owners *owners = find_owners(reference, hash);
    if (owners->hash == 0) {
        if (reference->owners_used >= reference->owners_mask / 2) {
            rebuild_owners(reference);
            owners = find_owners(reference, hash);
        }
        owners->hash = hash;
        reference->owners_used++;
    }
    owners->mask |= 1ull << endpoint;
}

/* The LRU of an endpoint. */

static uint32_t find_slot(const struct lru *lru, uint64_t hash)
{
    uint32_t at = (uint32_t)(hash >> 8) % LRU_SLOTS;
    while (lru->slots[at] != 0 && lru->hashes[lru->slots[at] - 1] != hash)
        at = (at + 1) % LRU_SLOTS;
    return at;
}

static void empty_slot(struct lru *lru, uint32_t gap)
{
    for (uint32_t at = (gap + 1) % LRU_SLOTS; lru->slots[at] != 0; at = (at + 1) % LRU_SLOTS) {
        uint32_t home = (uint32_t)(lru->hashes[lru->slots[at] - 1] >> 8) % LRU_SLOTS;
        if (((at - home) & (LRU_SLOTS - 1)) >= ((at - gap) & (LRU_SLOTS - 1))) {
            lru->slots[gap] = lru->slots[at];
            gap = at;
        }
    }
    lru->slots[gap] = 0;
}

static void unlink_entry(struct lru *lru, uint32_t entry)
{
    lru->next[lru->prev[entry]] = lru->next[entry];
    lru->prev[lru->next[entry]] = lru->prev[entry];
}

static void link_newest(struct lru *lru, uint32_t entry)
{
    lru->prev[entry] = lru->prev[NONE];
    lru->next[entry] = NONE;
    lru->next[lru->prev[NONE]] = entry;
    lru->prev[NONE] = entry;
}

static void touch(struct reference *reference, unsigned endpoint, uint64_t hash)
{
    struct lru *lru = &reference->lrus[endpoint];
    uint32_t slot = find_slot(lru, hash);
    if (lru->slots[slot] != 0) {
        unlink_entry(lru, lru->slots[slot] - 1);
        link_newest(lru, lru->slots[slot] - 1);
        return;
    }
    uint32_t entry = lru->count;
    if (entry == LRU_BLOCKS) {
        entry = lru->next[NONE];
        unlink_entry(lru, entry);
        find_owners(reference, lru->hashes[entry])->mask &= ~(1ull << endpoint);
        empty_slot(lru, find_slot(lru, lru->hashes[entry]));
        slot = find_slot(lru, hash);
    } else {
        lru->count++;
    }
    lru->hashes[entry] = hash;
    lru->slots[slot] = entry + 1;
    link_newest(lru, entry);
    add_owner(reference, hash, endpoint);
}

/* The maps are larger than caches. */
static void prefetch_owners(const struct reference *reference, uint64_t hash)
{
    __builtin_prefetch(&reference->owners[(uint32_t)(hash >> 8) & reference->owners_mask]);
}

static void prefetch_entry(const struct reference *reference, unsigned endpoint, uint64_t hash)
{
    __builtin_prefetch(&reference->lrus[endpoint].slots[(uint32_t)(hash >> 8) % LRU_SLOTS]);
}

/* Scores. */

static uint64_t chain_hash(const struct call *call, uint32_t block)
{
    return call->sequence.hashes[(block + 1) * CHAIN_STEP - 1] ^ call->sequence.adapter << 1;
}

static void count_matches(const struct reference *reference, const struct call *call, unsigned matched[64])
{
    uint32_t total = call->sequence.prompt_tokens / BLOCK_TOKENS;
    for (uint32_t block = 0; block < total; block++) {
        if (block + LOOK_AHEAD < total)
            prefetch_owners(reference, chain_hash(call, block + LOOK_AHEAD));
        uint64_t mask = find_owners(reference, chain_hash(call, block))->mask;
        if (mask == 0)
            return;
        for (; mask != 0; mask &= mask - 1)
            matched[__builtin_ctzll(mask)]++;
    }
}

static bool has_adapter(const uint64_t *adapters, uint32_t count, uint64_t adapter)
{
    for (uint32_t i = 0; i < count; i++)
        if (adapters[i] == adapter)
            return true;
    return false;
}

static double lora_score(const struct batch_page *page, uint64_t adapter)
{
    if (has_adapter(page->running_adapters, page->running_adapter_count, adapter))
        return 1;
    if (page->running_adapter_count + page->waiting_adapter_count < batch_config_defaults.lora.slots)
        return 0.8;
    return has_adapter(page->waiting_adapters, page->waiting_adapter_count, adapter) ? 0.6 : 0;
}

static unsigned reference_pick(void *state, struct call *call, const struct view *const *views, uint64_t now_ns)
{
    (void)now_ns;
    struct reference *reference = state;
    unsigned matched[64] = {0}, best = 0, equals = 0;
    count_matches(reference, call, matched);
    uint32_t total = call->sequence.prompt_tokens / BLOCK_TOKENS, min = UINT32_MAX, max = 0;
    for (unsigned i = 0; i < reference->endpoints; i++) {
        uint32_t waiting = views[i]->page.waiting;
        min = waiting < min ? waiting : min;
        max = waiting > max ? waiting : max;
    }
    double best_score = 0;
    for (unsigned i = 0; i < reference->endpoints; i++) {
        const struct batch_page *page = &views[i]->page;
        double queue = max > min ? (double)(max - page->waiting) / (max - min) : 1;
        double score = 2 * queue + 2 * (1 - page->kv_usage);
        score += total > 0 ? 3.0 * matched[i] / total : 0;
        score += reference->has_lora && call->sequence.adapter != 0 ? lora_score(page, call->sequence.adapter) : 0;
        if (equals > 0 && score < best_score)
            continue;
        equals = equals > 0 && score == best_score ? equals + 1 : 1;
        if (random_below(&reference->random, equals) == 0)
            best = i;
        best_score = score;
    }
    for (uint32_t block = 0; block < total; block++) {
        if (block + LOOK_AHEAD < total)
            prefetch_entry(reference, best, chain_hash(call, block + LOOK_AHEAD));
        touch(reference, best, chain_hash(call, block));
    }
    return best;
}

const struct policy policy_reference = {
    .name = "reference", .new = reference_new_default, .free = reference_free, .pick = reference_pick};
const struct policy policy_reference_lora = {
    .name = "reference+lora", .new = reference_new_lora, .free = reference_free, .pick = reference_pick};
