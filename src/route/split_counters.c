/* SPDX-License-Identifier: Apache-2.0 */
/* split_counters.c: keyless draws (a shuffled round per eligible set) and keyed ones (weighted rendezvous hashing).
 *
 * Threads: a draw is one relaxed atomic add on its set's counter; the number drawn says the round and the place in it,
 * and a permutation keyed per round turns the place into a slot.  Sets are added to a list under a lock and never leave
 * it, so readers need none.  The registry owns all counters; holders only count, the sweep frees. */
#include "route/split_counters.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/compiler.h"
#include "base/hashmap.h"
#include "base/random.h"

enum {
    MIN_SLOTS = 10,
    MAX_SLOTS = 10000, /* above: plainly random */
    MAX_ARMS = 32,     /* bits of an eligible set */
    FEISTEL_ROUNDS = 8
};

/* The draws among one set of eligible arms. */
struct arm_set {
    uint32_t eligible;
    uint64_t slots;
    uint64_t ends[MAX_ARMS]; /* arm i has the slots before ends[i] that no earlier arm has */
    unsigned half_bits;      /* of the Feistel network over the slots */
    uint64_t seed;
    struct arm_set *next;
    _Alignas(CACHE_LINE) atomic_ullong drawn; /* all workers write it: alone on its cache line */
    char alone[CACHE_LINE - sizeof(atomic_ullong)];
};

struct split_counters {
    char *identity;
    struct bytes *arm_ids; /* copies in one piece of memory with the array */
    uint32_t *weights;
    unsigned count;
    uint32_t positive; /* bits of the arms with weight */
    uint64_t seed;
    atomic_uint holds;
    pthread_mutex_t lock; /* adding to sets */
    _Atomic(struct arm_set *) sets;
    struct split_counters *next; /* in the registry */
};

struct split_registry {
    struct hashmap *current; /* identity -> the one to hand out */
    struct split_counters *all;
};

struct split_registry *split_registry_new(void)
{
    struct split_registry *registry = must(calloc(1, sizeof *registry));
    registry->current = hashmap_new();
    return registry;
}

static struct bytes *copy_ids(const struct bytes *arm_ids, unsigned count)
{
    size_t size = sizeof(struct bytes) * count + 1;
    for (unsigned i = 0; i < count; i++)
        size += arm_ids[i].len;
    struct bytes *copies = must(malloc(size));
    char *text = (char *)(copies + count);
    for (unsigned i = 0; i < count; i++) {
        if (arm_ids[i].len > 0)
            memcpy(text, arm_ids[i].data, arm_ids[i].len);
        copies[i] = bytes_make(text, arm_ids[i].len);
        text += arm_ids[i].len;
    }
    return copies;
}

static struct split_counters *counters_new(const char *identity, const struct bytes *arm_ids, const uint32_t *weights,
                                           unsigned count)
{
    struct split_counters *counters = must(calloc(1, sizeof *counters));
    counters->identity = must(strdup(identity));
    counters->arm_ids = copy_ids(arm_ids, count);
    counters->weights = must(calloc(count > 0 ? count : 1, sizeof *weights));
    counters->count = count;
    for (unsigned i = 0; i < count; i++) {
        counters->weights[i] = weights[i];
        if (weights[i] > 0)
            counters->positive |= UINT32_C(1) << i;
    }
    /* Secret and of this process alone: who knows the weights still cannot tell the order. */
    random_fill(&counters->seed, sizeof counters->seed);
    pthread_mutex_init(&counters->lock, NULL);
    return counters;
}

static void counters_free(struct split_counters *counters)
{
    struct arm_set *set = atomic_load_explicit(&counters->sets, memory_order_acquire);
    while (set != NULL) {
        struct arm_set *next = set->next;
        free(set);
        set = next;
    }
    pthread_mutex_destroy(&counters->lock);
    free(counters->weights);
    free(counters->arm_ids);
    free(counters->identity);
    free(counters);
}

void split_registry_free(struct split_registry *registry)
{
    if (registry == NULL)
        return;
    while (registry->all != NULL) {
        struct split_counters *counters = registry->all;
        assert(atomic_load(&counters->holds) == 0);
        registry->all = counters->next;
        counters_free(counters);
    }
    hashmap_free(registry->current);
    free(registry);
}

static bool same_arms(const struct split_counters *counters, const struct bytes *arm_ids, const uint32_t *weights,
                      unsigned count)
{
    if (counters->count != count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (counters->weights[i] != weights[i] || !bytes_equal(counters->arm_ids[i], arm_ids[i]))
            return false;
    }
    return true;
}

struct split_counters *split_registry_take(struct split_registry *registry, const char *identity,
                                           const struct bytes *arm_ids, const uint32_t *weights, unsigned count)
{
    assert(count <= MAX_ARMS);
    struct split_counters *counters = hashmap_get(registry->current, bytes_of(identity));
    if (counters == NULL || !same_arms(counters, arm_ids, weights, count)) {
        counters = counters_new(identity, arm_ids, weights, count);
        counters->next = registry->all;
        registry->all = counters;
        hashmap_put(registry->current, bytes_of(counters->identity), counters);
    }
    atomic_fetch_add_explicit(&counters->holds, 1, memory_order_relaxed);
    return counters;
}

void split_counters_give_back(struct split_counters *counters)
{
    unsigned before = atomic_fetch_sub_explicit(&counters->holds, 1, memory_order_release);
    assert(before > 0);
    (void)before;
}

void split_registry_sweep(struct split_registry *registry)
{
    for (struct split_counters **link = &registry->all; *link != NULL;) {
        struct split_counters *counters = *link;
        if (atomic_load_explicit(&counters->holds, memory_order_acquire) > 0) {
            link = &counters->next;
            continue;
        }
        *link = counters->next;
        if (hashmap_get(registry->current, bytes_of(counters->identity)) == counters)
            hashmap_remove(registry->current, bytes_of(counters->identity));
        counters_free(counters);
    }
}

static uint64_t greatest_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static struct arm_set *set_new(const struct split_counters *counters, uint32_t eligible)
{
    struct arm_set *set = must(aligned_alloc(CACHE_LINE, sizeof *set));
    *set = (struct arm_set){.eligible = eligible};
    uint64_t divisor = 0, sum = 0;
    for (unsigned i = 0; i < counters->count; i++) {
        uint32_t weight = eligible >> i & 1 ? counters->weights[i] : 0;
        divisor = greatest_divisor(divisor, weight);
        sum += weight;
        set->ends[i] = sum;
    }
    assert(sum > 0);
    uint64_t least = sum / divisor, times = (MIN_SLOTS + least - 1) / least;
    for (unsigned i = 0; i < counters->count; i++)
        set->ends[i] = set->ends[i] / divisor * times;
    set->slots = least * times;
    set->half_bits = 1;
    while (UINT64_C(1) << (2 * set->half_bits) < set->slots)
        set->half_bits++;
    set->seed = XXH3_64bits_withSeed(&eligible, sizeof eligible, counters->seed);
    atomic_init(&set->drawn, 0);
    return set;
}

static struct arm_set *find_set(struct split_counters *counters, uint32_t eligible)
{
    struct arm_set *set = atomic_load_explicit(&counters->sets, memory_order_acquire);
    while (set != NULL && set->eligible != eligible)
        set = set->next;
    return set;
}

static struct arm_set *find_or_make_set(struct split_counters *counters, uint32_t eligible)
{
    struct arm_set *set = find_set(counters, eligible);
    if (LIKELY(set != NULL))
        return set;
    pthread_mutex_lock(&counters->lock);
    set = find_set(counters, eligible);
    if (set == NULL) {
        set = set_new(counters, eligible);
        set->next = atomic_load_explicit(&counters->sets, memory_order_relaxed);
        atomic_store_explicit(&counters->sets, set, memory_order_release);
    }
    pthread_mutex_unlock(&counters->lock);
    return set;
}

/* SplitMix64's finaliser: every bit of the input moves every bit of the output. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

/* A keyed permutation of [0, slots): a Feistel network permutes the next power of four; a result outside is put in
 * again until it falls inside, which keeps it a permutation. */
static uint64_t permute(const struct arm_set *set, uint64_t key, uint64_t place)
{
    uint64_t mask = (UINT64_C(1) << set->half_bits) - 1;
    do {
        uint64_t left = place >> set->half_bits, right = place & mask;
        for (uint64_t round = 1; round <= FEISTEL_ROUNDS; round++) {
            uint64_t next = left ^ (mix(key + (round << 32 | right) * 0x9e3779b97f4a7c15u) & mask);
            left = right;
            right = next;
        }
        place = left << set->half_bits | right;
    } while (place >= set->slots);
    return place;
}

static uint64_t draw_slot(struct arm_set *set)
{
    uint64_t number = atomic_fetch_add_explicit(&set->drawn, 1, memory_order_relaxed);
    if (set->slots > MAX_SLOTS) {
        uint64_t random = XXH3_64bits_withSeed(&number, sizeof number, set->seed);
        return (uint64_t)((unsigned __int128)random * set->slots >> 64);
    }
    uint64_t round = number / set->slots;
    return permute(set, XXH3_64bits_withSeed(&round, sizeof round, set->seed), number % set->slots);
}

unsigned split_draw(struct split_counters *counters, uint32_t eligible)
{
    eligible &= counters->positive;
    assert(eligible != 0);
    if ((eligible & (eligible - 1)) == 0)
        return (unsigned)__builtin_ctz(eligible);
    struct arm_set *set = find_or_make_set(counters, eligible);
    uint64_t slot = draw_slot(set);
    unsigned arm = 0;
    while (slot >= set->ends[arm])
        arm++;
    return arm;
}

/* Each part seeds the next, so ("ab", "c") and ("a", "bc") are different. */
uint64_t split_seed(struct bytes salt, struct bytes arm_id)
{
    uint64_t base = XXH3_64bits(salt.len > 0 ? salt.data : "", salt.len);
    return XXH3_64bits_withSeed(arm_id.len > 0 ? arm_id.data : "", arm_id.len, base);
}

int split_keyed(struct bytes key, const uint64_t *seeds, const uint32_t *weights, uint32_t eligible, unsigned count)
{
    uint64_t key_hash = XXH3_64bits(key.len > 0 ? key.data : "", key.len);
    int best = -1;
    double best_score = 0;
    for (unsigned i = 0; i < count; i++) {
        if (weights[i] == 0 || (eligible >> i & 1) == 0)
            continue;
        uint64_t hash = mix(key_hash ^ seeds[i]);
        double unit = ((double)(hash >> 11) + 0.5) * 0x1p-53; /* in (0, 1): the logarithm is finite and not 0 */
        double score = -(double)weights[i] / log(unit);
        if (best < 0 || score > best_score) {
            best = (int)i;
            best_score = score;
        }
    }
    return best;
}
