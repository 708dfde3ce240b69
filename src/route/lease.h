/* SPDX-License-Identifier: Apache-2.0 */
/* lease.h: a worker's hold on the snapshot in force.
 *
 * Every exchange that looked at the routes keeps the lease until it ends, so it sees one configuration.  users is a
 * plain integer: exchanges of one worker only.  The one atomic is paid when a retired lease's last user leaves. */
#ifndef ROUTE_LEASE_H
#define ROUTE_LEASE_H

#include "route/snapshot.h"

struct route_lease {
    struct route_snapshot *snapshot;
    unsigned users;
    bool is_retired;
};

/* Takes over one hold on the snapshot. */
struct route_lease *route_lease_new(struct route_snapshot *snapshot);
struct route_lease *route_lease_take(struct route_lease *lease);
void route_lease_give_back(struct route_lease *lease);
/* The worker has a newer one: dropped now, or with the last user. */
void route_lease_retire(struct route_lease *lease);

#endif
