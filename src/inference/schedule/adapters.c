/* SPDX-License-Identifier: Apache-2.0 */
/* adapters.c: an adapter is in a slot when it runs, or when it is among the last ones that were used, as many as there
 * are slots: engines keep what was used last.  The scraped lists tell of the work of others, a scrape late. */
#include "inference/schedule/adapters.h"

#include <stdlib.h>

static unsigned load_of(const atomic_uint *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static uint64_t load_of64(const atomic_ullong *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

void known_adapters_deinit(struct known_adapters *known)
{
    free(known->hashes);
    *known = (struct known_adapters){0};
}

static bool is_known(const struct known_adapters *known, uint64_t hash)
{
    for (unsigned i = 0; i < KNOWN_ADAPTERS_MAX && known->hashes != NULL && known->hashes[i] != 0; i++)
        if (known->hashes[i] == hash)
            return true;
    return false;
}

static bool is_shown(const struct pool *pool, uint64_t hash)
{
    for (unsigned i = 0; i < pool->member_count; i++) {
        const struct endpoint_adapters *adapters = &pool->members[i]->adapters;
        if (adapter_names_have(&adapters->running, hash) || adapter_names_have(&adapters->waiting, hash))
            return true;
    }
    return false;
}

static void remember(struct known_adapters *known, uint64_t hash)
{
    if (known->hashes == NULL)
        known->hashes = must(calloc(KNOWN_ADAPTERS_MAX, sizeof *known->hashes));
    known->hashes[known->next] = hash;
    known->next = (known->next + 1) % KNOWN_ADAPTERS_MAX;
}

uint64_t adapters_recognise(struct known_adapters *known, const struct pool *pool, struct bytes model, uint64_t now_ms)
{
    if (model.len == 0)
        return 0;
    uint64_t hash = adapter_hash(model);
    if (is_known(known, hash))
        return hash;
    unsigned place = (unsigned)(hash >> 32) % OTHER_MODELS_MAX;
    if (known->others[place].hash == hash && now_ms < known->others[place].until_ms)
        return 0;
    if (is_shown(pool, hash)) {
        remember(known, hash);
        return hash;
    }
    known->others[place].hash = hash;
    known->others[place].until_ms = now_ms + OTHER_MODEL_MS;
    return 0;
}

static const struct adapter_use *find_use(const struct endpoint *endpoint, uint64_t adapter)
{
    unsigned count = load_of(&endpoint->adapters.use_count);
    for (unsigned i = 0; i < count; i++)
        if (load_of64(&endpoint->adapters.uses[i].hash) == adapter)
            return &endpoint->adapters.uses[i];
    return NULL;
}

/* Other adapters that occupy slots now, and how many were used since `use` was. */
static void count_others(const struct endpoint *endpoint, uint64_t adapter, uint64_t picked, unsigned *ret_active,
                         unsigned *ret_later)
{
    const struct endpoint_adapters *adapters = &endpoint->adapters;
    unsigned running = load_of(&adapters->running.count), used = load_of(&adapters->use_count);
    *ret_active = *ret_later = 0;
    for (unsigned i = 0; i < used; i++) {
        const struct adapter_use *use = &adapters->uses[i];
        if (load_of64(&use->hash) == adapter)
            continue;
        bool is_active = load_of(&use->in_flight) > 0;
        *ret_active += is_active;
        *ret_later += load_of64(&use->picked) > picked;
    }
    for (unsigned i = 0; i < running; i++) {
        uint64_t hash = load_of64(&adapters->running.hashes[i]);
        *ret_active += hash != adapter && find_use(endpoint, hash) == NULL; /* others' */
    }
}

static enum adapter_state state_of(const struct endpoint *endpoint, uint64_t adapter, const struct candidate *candidate)
{
    const struct adapter_use *use = find_use(endpoint, adapter);
    bool is_active = use != NULL && load_of(&use->in_flight) > 0;
    bool is_warm = use != NULL && atomic_load_explicit(&use->is_warm, memory_order_relaxed);
    unsigned active, later;
    if (candidate->adapters_max == 0)
        return ADAPTER_NONE;
    if (candidate->runs_adapter || (is_active && is_warm))
        return ADAPTER_RESIDENT;
    if (is_active)
        return ADAPTER_LOADING;
    count_others(endpoint, adapter, use != NULL ? load_of64(&use->picked) : 0, &active, &later);
    if (active >= candidate->adapters_max)
        return ADAPTER_FULL;
    return is_warm && later < candidate->adapters_max ? ADAPTER_RESIDENT : ADAPTER_LOADABLE;
}

void adapters_gather(const struct endpoint *endpoint, uint64_t adapter, struct candidate *candidate)
{
    const struct endpoint_adapters *adapters = &endpoint->adapters;
    candidate->adapters_running = load_of(&adapters->running.count);
    candidate->adapters_waiting = load_of(&adapters->waiting.count);
    candidate->runs_adapter = adapter_names_have(&adapters->running, adapter);
    candidate->awaits_adapter = adapter_names_have(&adapters->waiting, adapter);
    candidate->adapter = state_of(endpoint, adapter, candidate);
}

/* A free place, else the idle one that was used longest ago. */
static struct adapter_use *find_place(struct endpoint *endpoint)
{
    struct adapter_use *place = NULL;
    unsigned count = load_of(&endpoint->adapters.use_count);
    if (count < ADAPTER_USES_MAX) {
        atomic_store_explicit(&endpoint->adapters.use_count, count + 1, memory_order_relaxed);
        return &endpoint->adapters.uses[count];
    }
    for (unsigned i = 0; i < ADAPTER_USES_MAX; i++) {
        struct adapter_use *use = &endpoint->adapters.uses[i];
        if (load_of(&use->in_flight) > 0)
            continue;
        if (place == NULL || load_of64(&use->picked) < load_of64(&place->picked))
            place = use;
    }
    return place;
}

struct adapter_use *adapters_use(struct endpoint *endpoint, uint64_t adapter, enum adapter_state state, uint64_t pick)
{
    struct adapter_use *use = (struct adapter_use *)(uintptr_t)find_use(endpoint, adapter);
    if (use == NULL) {
        use = find_place(endpoint);
        if (use == NULL)
            return NULL;
        atomic_store_explicit(&use->hash, adapter, memory_order_relaxed);
        atomic_store_explicit(&use->is_warm, false, memory_order_relaxed);
    }
    if (state >= ADAPTER_LOADABLE)
        atomic_store_explicit(&use->is_warm, false, memory_order_relaxed);
    else if (state == ADAPTER_RESIDENT)
        atomic_store_explicit(&use->is_warm, true, memory_order_relaxed);
    atomic_store_explicit(&use->picked, pick, memory_order_relaxed);
    atomic_fetch_add_explicit(&use->in_flight, 1, memory_order_relaxed);
    return use;
}
