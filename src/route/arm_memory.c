/* SPDX-License-Identifier: Apache-2.0 */
/* arm_memory.c: see arm_memory.h.  A key's hash under a secret seed says its shard and set, so that clients cannot aim
 * at one set; the whole key is compared. */
#include "route/arm_memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/compiler.h"
#include "base/random.h"

enum { SHARDS = 64, WAYS = 16 };

struct slot {
    uint64_t key;
    uint64_t arm; /* 0: free */
    uint64_t used_ms;
};

struct set {
    struct slot slots[WAYS];
};

struct shard {
    _Alignas(CACHE_LINE) pthread_mutex_t lock;
    struct set *sets;
};

struct arm_memory {
    struct shard shards[SHARDS];
    struct set *all; /* of all shards, in one piece: pages that were never used take no memory */
    uint64_t seed;
    size_t sets; /* per shard */
};

struct arm_memory *arm_memory_new(size_t capacity)
{
    struct arm_memory *memory = must(aligned_alloc(CACHE_LINE, sizeof *memory));
    size_t per_set = (size_t)SHARDS * WAYS;
    memory->sets = capacity > per_set ? (capacity + per_set - 1) / per_set : 1;
    memory->all = must(calloc(memory->sets * SHARDS, sizeof(struct set)));
    random_fill(&memory->seed, sizeof memory->seed);
    for (unsigned i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&memory->shards[i].lock, NULL);
        memory->shards[i].sets = memory->all + i * memory->sets;
    }
    return memory;
}

void arm_memory_free(struct arm_memory *memory)
{
    if (memory == NULL)
        return;
    for (unsigned i = 0; i < SHARDS; i++)
        pthread_mutex_destroy(&memory->shards[i].lock);
    free(memory->all);
    free(memory);
}

size_t arm_memory_capacity(const struct arm_memory *memory)
{
    return memory->sets * SHARDS * WAYS;
}

/* The set of a key, its shard locked. */
static struct set *enter(struct arm_memory *memory, uint64_t key, struct shard **ret_shard)
{
    uint64_t hash = XXH3_64bits_withSeed(&key, sizeof key, memory->seed);
    struct shard *shard = &memory->shards[hash % SHARDS];
    pthread_mutex_lock(&shard->lock);
    *ret_shard = shard;
    return &shard->sets[(hash / SHARDS) % memory->sets];
}

static struct slot *find(struct set *set, uint64_t key)
{
    for (unsigned i = 0; i < WAYS; i++)
        if (set->slots[i].key == key && set->slots[i].arm != 0)
            return &set->slots[i];
    return NULL;
}

/* A free slot, or the one used least lately. */
static struct slot *oldest(struct set *set)
{
    struct slot *oldest = &set->slots[0];
    for (unsigned i = 0; i < WAYS; i++) {
        struct slot *slot = &set->slots[i];
        if (slot->arm == 0)
            return slot;
        if (slot->used_ms < oldest->used_ms)
            oldest = slot;
    }
    return oldest;
}

uint64_t arm_memory_find(struct arm_memory *memory, uint64_t key, uint64_t now_ms)
{
    struct shard *shard;
    struct slot *slot = find(enter(memory, key, &shard), key);
    uint64_t arm = 0;
    if (slot != NULL) {
        slot->used_ms = now_ms;
        arm = slot->arm;
    }
    pthread_mutex_unlock(&shard->lock);
    return arm;
}

enum arm_memory_put arm_memory_put(struct arm_memory *memory, uint64_t key, uint64_t arm, uint64_t now_ms)
{
    assert(arm != 0);
    struct shard *shard;
    struct set *set = enter(memory, key, &shard);
    struct slot *slot = find(set, key);
    enum arm_memory_put result = ARM_MEMORY_RENEWED;
    if (slot == NULL) {
        slot = oldest(set);
        result = slot->arm == 0 ? ARM_MEMORY_ADDED : ARM_MEMORY_REPLACED;
    }
    *slot = (struct slot){.key = key, .arm = arm, .used_ms = now_ms};
    pthread_mutex_unlock(&shard->lock);
    return result;
}

uint64_t arm_memory_key(uint64_t owner, uint64_t hash)
{
    return XXH3_64bits_withSeed(&hash, sizeof hash, owner);
}

uint64_t arm_memory_id_key(uint64_t owner, struct bytes id)
{
    return XXH3_64bits_withSeed(id.len > 0 ? id.data : "", id.len, owner);
}
