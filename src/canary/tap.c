/* SPDX-License-Identifier: Apache-2.0 */
/* tap.c: the shards of a tap, its counts, the warm-up table, and the registry.
 *
 * The warm-up table is a hash table of atomics that only grows: a slot belongs to an endpoint once its key is set, by
 * compare and swap.  Where a few neighbours are all taken the endpoint counts as warm: an exchange too many in the
 * measurements is better than a lock on every request. */
#include "canary/tap.h"

#include <assert.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/hashmap.h"

enum { WARM_SLOTS = 256, WARM_PROBES = 8 };

struct warm_slot {
    _Atomic uint64_t key; /* 0: free */
    _Atomic uint64_t since_ms;
    atomic_uint served;
};

struct arm_counts {
    _Alignas(CACHE_LINE) atomic_uint in_flight;
    atomic_uint cuts;
    atomic_bool has_price;
    _Atomic uint64_t input_micros, cached_micros, output_micros;
};

struct tap_shard {
    _Alignas(CACHE_LINE) atomic_flag is_taken;
    struct strata strata;
};

struct canary_tap {
    struct arm_counts arms[ARM_ROLES];
    struct warm_slot warm[WARM_SLOTS];
    atomic_uint users;
    atomic_bool is_full;
    _Atomic uint64_t overflowed;
    unsigned shard_count;
    char *name;
    struct strata spare; /* the drain's, empty: a shard gets it for what it has */
    struct tap_shard shards[];
};

struct canary_taps {
    unsigned shards;
    struct strata_options options;
    struct hashmap *by_name;
};

struct canary_taps *canary_taps_new(unsigned shards, const struct strata_options *options)
{
    assert(shards > 0);
    struct canary_taps *taps = must(calloc(1, sizeof *taps));
    taps->shards = shards;
    taps->options = *options;
    taps->by_name = hashmap_new();
    return taps;
}

static struct canary_tap *tap_new(const struct canary_taps *taps, const char *name)
{
    size_t size = sizeof(struct canary_tap) + taps->shards * sizeof(struct tap_shard);
    struct canary_tap *tap = must(aligned_alloc(CACHE_LINE, (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE));
    memset(tap, 0, size);
    tap->shard_count = taps->shards;
    tap->name = must(strdup(name));
    strata_init(&tap->spare, &taps->options);
    for (unsigned i = 0; i < tap->shard_count; i++) {
        atomic_flag_clear(&tap->shards[i].is_taken);
        strata_init(&tap->shards[i].strata, &taps->options);
    }
    return tap;
}

static void tap_free(struct canary_tap *tap)
{
    strata_deinit(&tap->spare);
    for (unsigned i = 0; i < tap->shard_count; i++)
        strata_deinit(&tap->shards[i].strata);
    free(tap->name);
    free(tap);
}

void canary_taps_free(struct canary_taps *taps)
{
    if (taps == NULL)
        return;
    size_t cursor = 0;
    void *tap;
    while (hashmap_next(taps->by_name, &cursor, NULL, &tap)) {
        assert(atomic_load(&((struct canary_tap *)tap)->users) == 0);
        tap_free(tap);
    }
    hashmap_free(taps->by_name);
    free(taps);
}

struct canary_tap *canary_taps_take(struct canary_taps *taps, const char *name)
{
    struct canary_tap *tap = hashmap_get(taps->by_name, bytes_of(name));
    if (tap == NULL) {
        tap = tap_new(taps, name);
        hashmap_put(taps->by_name, bytes_of(tap->name), tap);
    }
    canary_tap_take(tap);
    return tap;
}

/* One unheld tap, or NULL. */
static struct canary_tap *find_unheld(const struct canary_taps *taps)
{
    size_t cursor = 0;
    void *value;
    while (hashmap_next(taps->by_name, &cursor, NULL, &value)) {
        struct canary_tap *tap = value;
        if (atomic_load_explicit(&tap->users, memory_order_acquire) == 0)
            return tap;
    }
    return NULL;
}

void canary_taps_sweep(struct canary_taps *taps)
{
    struct canary_tap *tap;
    while ((tap = find_unheld(taps)) != NULL) {
        hashmap_remove(taps->by_name, bytes_of(tap->name));
        tap_free(tap);
    }
}

void canary_tap_take(struct canary_tap *tap)
{
    atomic_fetch_add_explicit(&tap->users, 1, memory_order_relaxed);
}

void canary_tap_give_back(struct canary_tap *tap)
{
    unsigned users = atomic_fetch_sub_explicit(&tap->users, 1, memory_order_release);
    assert(users > 0);
    (void)users;
}

const char *canary_tap_name(const struct canary_tap *tap)
{
    return tap->name;
}

unsigned canary_tap_begin(struct canary_tap *tap, enum arm_role role)
{
    atomic_fetch_add_explicit(&tap->arms[role].in_flight, 1, memory_order_relaxed);
    return canary_tap_cuts(tap, role);
}

void canary_tap_end(struct canary_tap *tap, enum arm_role role)
{
    atomic_fetch_sub_explicit(&tap->arms[role].in_flight, 1, memory_order_relaxed);
}

unsigned canary_tap_in_flight(const struct canary_tap *tap, enum arm_role role)
{
    return atomic_load_explicit(&tap->arms[role].in_flight, memory_order_relaxed);
}

void canary_tap_cut(struct canary_tap *tap, enum arm_role role)
{
    atomic_fetch_add_explicit(&tap->arms[role].cuts, 1, memory_order_relaxed);
}

unsigned canary_tap_cuts(const struct canary_tap *tap, enum arm_role role)
{
    return atomic_load_explicit(&tap->arms[role].cuts, memory_order_relaxed);
}

void canary_tap_set_full(struct canary_tap *tap, bool is_full)
{
    atomic_store_explicit(&tap->is_full, is_full, memory_order_relaxed);
}

bool canary_tap_is_full(const struct canary_tap *tap)
{
    return atomic_load_explicit(&tap->is_full, memory_order_relaxed);
}

void canary_tap_count_overflow(struct canary_tap *tap)
{
    atomic_fetch_add_explicit(&tap->overflowed, 1, memory_order_relaxed);
}

uint64_t canary_tap_overflowed(const struct canary_tap *tap)
{
    return atomic_load_explicit(&tap->overflowed, memory_order_relaxed);
}

void canary_tap_set_price(struct canary_tap *tap, enum arm_role role, const struct token_price *price)
{
    struct arm_counts *arm = &tap->arms[role];
    if (price != NULL) {
        atomic_store_explicit(&arm->input_micros, price->input_micros, memory_order_relaxed);
        atomic_store_explicit(&arm->cached_micros, price->cached_micros, memory_order_relaxed);
        atomic_store_explicit(&arm->output_micros, price->output_micros, memory_order_relaxed);
    }
    atomic_store_explicit(&arm->has_price, price != NULL, memory_order_release);
}

void canary_tap_price(const struct canary_tap *tap, struct observation *observation)
{
    const struct arm_counts *arm = &tap->arms[observation->arm];
    observation->cost_micros = OBSERVATION_UNKNOWN;
    if (!atomic_load_explicit(&arm->has_price, memory_order_acquire))
        return;
    struct token_price price = {
        .input_micros = atomic_load_explicit(&arm->input_micros, memory_order_relaxed),
        .cached_micros = atomic_load_explicit(&arm->cached_micros, memory_order_relaxed),
        .output_micros = atomic_load_explicit(&arm->output_micros, memory_order_relaxed),
    };
    observation->cost_micros = price_of(&price, observation);
}

/* The endpoint's slot, a new one if need be; NULL when there is no room nearby. */
static struct warm_slot *warm_slot_of(struct canary_tap *tap, uint64_t key, uint64_t start_ms)
{
    for (unsigned i = 0; i < WARM_PROBES; i++) {
        struct warm_slot *slot = &tap->warm[(key + i) % WARM_SLOTS];
        uint64_t found = atomic_load_explicit(&slot->key, memory_order_acquire);
        if (found == key)
            return slot;
        if (found != 0)
            continue;
        /* Before the key: who sees the key sees a time.  Two that race write nearly the same. */
        atomic_store_explicit(&slot->since_ms, start_ms, memory_order_relaxed);
        if (atomic_compare_exchange_strong_explicit(&slot->key, &found, key, memory_order_acq_rel,
                                                    memory_order_acquire) ||
            found == key)
            return slot;
    }
    return NULL;
}

void canary_tap_warm_up(struct canary_tap *tap, uint64_t endpoint_id, uint64_t start_ms, uint64_t now_ms,
                        struct observation *observation)
{
    /* Each arm has its own; 0 is what marks a free slot. */
    uint64_t key = (endpoint_id ^ (uint64_t)observation->arm) | 1ull << 63;
    struct warm_slot *slot = warm_slot_of(tap, key, start_ms);
    observation->endpoint_served = UINT32_MAX;
    observation->endpoint_age_ms = UINT64_MAX;
    if (slot == NULL)
        return;
    uint64_t since_ms = atomic_load_explicit(&slot->since_ms, memory_order_relaxed);
    observation->endpoint_served = atomic_fetch_add_explicit(&slot->served, 1, memory_order_relaxed);
    observation->endpoint_age_ms = now_ms > since_ms ? now_ms - since_ms : 0;
}

/* Held for the time of one exchange's counts, or of a swap: whoever comes second need not sleep. */
static void take_shard(struct tap_shard *shard)
{
    while (atomic_flag_test_and_set_explicit(&shard->is_taken, memory_order_acquire))
        sched_yield();
}

static void leave_shard(struct tap_shard *shard)
{
    atomic_flag_clear_explicit(&shard->is_taken, memory_order_release);
}

void canary_tap_add(struct canary_tap *tap, unsigned shard, const struct observation *observation)
{
    assert(shard < tap->shard_count);
    struct tap_shard *own = &tap->shards[shard];
    take_shard(own);
    strata_add(&own->strata, observation);
    leave_shard(own);
}

void canary_tap_drain(struct canary_tap *tap, struct strata *into)
{
    for (unsigned i = 0; i < tap->shard_count; i++) {
        struct tap_shard *shard = &tap->shards[i];
        struct strata full;
        take_shard(shard);
        full = shard->strata;
        shard->strata = tap->spare;
        leave_shard(shard);
        strata_merge(into, &full);
        strata_reset(&full);
        tap->spare = full;
    }
}
