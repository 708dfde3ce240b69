/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.c: the life of a snapshot: made empty, filled by route_compile(), counted, freed with the last hold.
 *
 * Pools, split counters, hash maps and regular expressions live outside the arena; each is owned by an entry that knows
 * how to let go.  All of them may be let go in any thread. */
#include "route/snapshot.h"

#include <assert.h>
#include <stdlib.h>

struct snapshot_owned {
    void (*release)(void *object);
    void *object;
    struct snapshot_owned *next;
};

struct route_snapshot *route_snapshot_new(uint64_t generation)
{
    struct arena *arena = arena_new(0);
    struct route_snapshot *snapshot = ARENA_NEW(arena, struct route_snapshot);
    snapshot->arena = arena;
    snapshot->generation = generation;
    atomic_init(&snapshot->holds, 1);
    return snapshot;
}

void route_snapshot_own(struct route_snapshot *snapshot, void (*release)(void *object), void *object)
{
    struct snapshot_owned *owned = ARENA_NEW(snapshot->arena, struct snapshot_owned);
    *owned = (struct snapshot_owned){.release = release, .object = object, .next = snapshot->owned};
    snapshot->owned = owned;
}

void route_snapshot_take(struct route_snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->holds, 1, memory_order_relaxed);
}

void route_snapshot_give_back(struct route_snapshot *snapshot)
{
    unsigned before = atomic_fetch_sub_explicit(&snapshot->holds, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before > 1)
        return;
    for (struct snapshot_owned *owned = snapshot->owned; owned != NULL; owned = owned->next)
        owned->release(owned->object);
    arena_free(snapshot->arena);
}
