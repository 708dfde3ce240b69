/* SPDX-License-Identifier: Apache-2.0 */
/* lease.c: counts a worker's exchanges on a snapshot.  One worker, one thread; the snapshot's own count is the atomic
 * one. */
#include "route/lease.h"

#include <assert.h>
#include <stdlib.h>

struct route_lease *route_lease_new(struct route_snapshot *snapshot)
{
    struct route_lease *lease = calloc(1, sizeof *lease);
    if (lease == NULL)
        abort();
    lease->snapshot = snapshot;
    return lease;
}

static void drop_when_unused(struct route_lease *lease)
{
    if (lease->users > 0 || !lease->is_retired)
        return;
    route_snapshot_give_back(lease->snapshot);
    free(lease);
}

struct route_lease *route_lease_take(struct route_lease *lease)
{
    assert(!lease->is_retired);
    lease->users++;
    return lease;
}

void route_lease_give_back(struct route_lease *lease)
{
    assert(lease->users > 0);
    lease->users--;
    drop_when_unused(lease);
}

void route_lease_retire(struct route_lease *lease)
{
    assert(!lease->is_retired);
    lease->is_retired = true;
    drop_when_unused(lease);
}
