/* SPDX-License-Identifier: Apache-2.0 */
/* memory_budget.h: bytes that peers make the process keep, of all workers together: request bodies that are held, what
 * slow clients and slow servers do not take, what waits to be read.
 *
 * One atomic, touched only where something stays behind a turn.  Under pressure everybody keeps less; a peer that keeps
 * much is refused before those that keep little, so that uploads never shut out ordinary requests. */
#ifndef HTTP_MEMORY_BUDGET_H
#define HTTP_MEMORY_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum {
    MEMORY_UNCOUNTED_BYTES = 4096,    /* of each peer: bounded by the number of connections */
    MEMORY_SMALL_BYTES = 64 * 1024,   /* who keeps more is a large one: a quarter of the budget is not for it */
    MEMORY_SPARING_BYTES = 16 * 1024, /* what waits for a peer under pressure, before its other side is paused */
};

struct memory_budget {
    _Alignas(CACHE_LINE) atomic_ullong held_bytes;
    unsigned long long limit_bytes;
};

/* Returns what is held with them. */
static inline unsigned long long memory_budget_take(struct memory_budget *budget, size_t bytes)
{
    return atomic_fetch_add_explicit(&budget->held_bytes, bytes, memory_order_relaxed) + bytes;
}

static inline void memory_budget_give_back(struct memory_budget *budget, size_t bytes)
{
    atomic_fetch_sub_explicit(&budget->held_bytes, bytes, memory_order_relaxed);
}

/* Whether a peer that keeps so many of the held bytes may keep them. */
static inline bool memory_budget_allows(const struct memory_budget *budget, unsigned long long held_bytes,
                                        size_t of_peer)
{
    unsigned long long kept_free = of_peer > MEMORY_SMALL_BYTES ? budget->limit_bytes / 4 : 0;
    return held_bytes <= budget->limit_bytes - kept_free;
}

/* Half of it is held.  budget may be NULL: none is kept. */
static inline bool memory_budget_is_tight(const struct memory_budget *budget)
{
    return budget != NULL && atomic_load_explicit(&budget->held_bytes, memory_order_relaxed) > budget->limit_bytes / 2;
}

static inline bool memory_budget_is_spent(const struct memory_budget *budget)
{
    return budget != NULL && atomic_load_explicit(&budget->held_bytes, memory_order_relaxed) >= budget->limit_bytes;
}

/* A peer's buffers hold kept_bytes now; *counted is what the budget knows of them.  Cheap when nothing changes. */
static inline void memory_budget_note(struct memory_budget *budget, uint32_t *counted, size_t kept_bytes)
{
    uint32_t wanted = kept_bytes <= MEMORY_UNCOUNTED_BYTES ? 0
                      : kept_bytes < UINT32_MAX            ? (uint32_t)kept_bytes
                                                           : UINT32_MAX;
    if (LIKELY(wanted == *counted) || budget == NULL)
        return;
    if (wanted > *counted)
        (void)memory_budget_take(budget, wanted - *counted);
    else
        memory_budget_give_back(budget, *counted - wanted);
    *counted = wanted;
}

#endif
