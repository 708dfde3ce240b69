/* SPDX-License-Identifier: Apache-2.0 */
/* trust.c: counts of failures in a row and what follows from them.  Any thread. */
#include "inference/trust.h"

enum { PROBE_NONE, PROBE_WANTED, PROBE_RUNNING };

enum trust_sign trust_sign_of(unsigned status, bool has_retry_after)
{
    if (status == 429 || status == 529 || (status == 503 && has_retry_after))
        return TRUST_BUSY;
    return status >= 500 ? TRUST_BAD : TRUST_GOOD;
}

static void avoid_until(struct endpoint *endpoint, uint64_t until_ms)
{
    unsigned long long former = atomic_load_explicit(&endpoint->load.avoid_until_ms, memory_order_relaxed);
    if (until_ms > former)
        atomic_store_explicit(&endpoint->load.avoid_until_ms, until_ms, memory_order_relaxed);
}

/* Each time in a row for twice as long. */
static void eject(struct endpoint *endpoint, uint64_t now_ms)
{
    struct endpoint_trust *trust = &endpoint->trust;
    unsigned ejections = atomic_fetch_add_explicit(&trust->ejections, 1, memory_order_relaxed);
    uint64_t away_ms = ejections < 5 ? (uint64_t)TRUST_EJECT_MS << ejections : TRUST_EJECT_MAX_MS;
    avoid_until(endpoint, now_ms + (away_ms < TRUST_EJECT_MAX_MS ? away_ms : TRUST_EJECT_MAX_MS));
    atomic_store_explicit(&trust->failures, 0, memory_order_relaxed);
    atomic_store_explicit(&endpoint->load.probe, PROBE_WANTED, memory_order_relaxed);
}

/* Stores only what changes: good answers are many, and all workers read here. */
static void clear(atomic_uint *value)
{
    if (atomic_load_explicit(value, memory_order_relaxed) != 0)
        atomic_store_explicit(value, 0, memory_order_relaxed);
}

void trust_note(struct endpoint *endpoint, enum trust_sign sign, uint64_t retry_after_ms, uint64_t now_ms)
{
    struct endpoint_trust *trust = &endpoint->trust;
    switch (sign) {
    case TRUST_GOOD:
        clear(&trust->failures);
        clear(&trust->ejections);
        clear(&endpoint->load.probe);
        break;
    case TRUST_BUSY:
        if (retry_after_ms == 0)
            retry_after_ms = TRUST_BUSY_MS;
        avoid_until(endpoint, now_ms + (retry_after_ms < TRUST_BUSY_MAX_MS ? retry_after_ms : TRUST_BUSY_MAX_MS));
        break;
    case TRUST_BAD:
        if (atomic_fetch_add_explicit(&trust->failures, 1, memory_order_relaxed) + 1 >= TRUST_FAILURES ||
            atomic_load_explicit(&endpoint->load.probe, memory_order_relaxed) == PROBE_RUNNING)
            eject(endpoint, now_ms);
        break;
    }
}

void trust_begin(struct endpoint *endpoint, uint64_t now_ms)
{
    struct endpoint_trust *trust = &endpoint->trust;
    if (atomic_load_explicit(&endpoint->load.probe, memory_order_relaxed) == PROBE_NONE ||
        atomic_load_explicit(&endpoint->load.avoid_until_ms, memory_order_relaxed) > now_ms)
        return;
    atomic_store_explicit(&trust->probe_until_ms, now_ms + TRUST_PROBE_MS, memory_order_relaxed);
    atomic_store_explicit(&endpoint->load.probe, PROBE_RUNNING, memory_order_relaxed);
}

/* A request whose outcome is never told, because its client left, keeps others away for a while only. */
bool trust_is_avoided(const struct endpoint *endpoint, uint64_t now_ms)
{
    const struct endpoint_trust *trust = &endpoint->trust;
    if (atomic_load_explicit(&endpoint->load.avoid_until_ms, memory_order_relaxed) > now_ms)
        return true;
    return atomic_load_explicit(&endpoint->load.probe, memory_order_relaxed) == PROBE_RUNNING &&
           atomic_load_explicit(&trust->probe_until_ms, memory_order_relaxed) > now_ms;
}

/* In the place of the one that was noted first. */
void trust_miss_model(struct endpoint *endpoint, uint64_t model, uint64_t now_ms)
{
    struct endpoint_trust *trust = &endpoint->trust;
    unsigned place =
        atomic_fetch_add_explicit(&endpoint->load.missing_count, 1, memory_order_relaxed) % TRUST_MISSING_MAX;
    atomic_store_explicit(&trust->missing[place].until_ms, now_ms + TRUST_MISSING_MS, memory_order_relaxed);
    atomic_store_explicit(&trust->missing[place].model, model, memory_order_relaxed);
}

bool trust_lacks_model(const struct endpoint *endpoint, uint64_t model, uint64_t now_ms)
{
    const struct endpoint_trust *trust = &endpoint->trust;
    if (atomic_load_explicit(&endpoint->load.missing_count, memory_order_relaxed) == 0)
        return false;
    for (unsigned i = 0; i < TRUST_MISSING_MAX; i++)
        if (atomic_load_explicit(&trust->missing[i].model, memory_order_relaxed) == model &&
            atomic_load_explicit(&trust->missing[i].until_ms, memory_order_relaxed) > now_ms)
            return true;
    return false;
}
