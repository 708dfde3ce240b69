/* SPDX-License-Identifier: Apache-2.0 */
/* compile.h: objects in force -> snapshot and status report.  Control thread; touches no socket itself. */
#ifndef ROUTE_COMPILE_H
#define ROUTE_COMPILE_H

#include "kube/api/object_cache.h"
#include "route/snapshot.h"
#include "route/status_report.h"

struct compile_input {
    const struct object_cache *cache;
    struct pool_registry *pools;
    struct split_registry *splits;
    struct canary_taps *taps;     /* NULL: what goes through canaries is not measured */
    const char *const *addresses; /* IPs that Gateways may get, in order of preference */
    unsigned address_count;
    /* Binds (or finds bound) a socket: its id >= 0, or -errno.  Compiling without sockets (check, explain) gives ids
     * 0, 1, 2... */
    int (*bind)(void *context, const char *ip, uint16_t port);
    void *context;
    /* NULL: every GatewayClass is ours (stand-alone).  Else only those with this controllerName. */
    const char *controller_name;
    uint64_t default_buffer_limit_bytes; /* without a ClientTrafficPolicy: 64 MiB */
    uint64_t generation;
};

/* Always gives a snapshot: what is wrong with an object shows in its conditions and keeps only that object out.  The
 * caller holds the snapshot once and frees the report by freeing arena (which must live as long as the report). */
struct route_snapshot *route_compile(const struct compile_input *input, struct arena *report_arena,
                                     struct status_report **ret_report);

/* Its pins are off, and nothing holds on to its canary arm: it was aborted, though the weight may still be on its way.
 */
bool canary_is_aborted(const struct kube_object *canary);

/* The whole snapshot as JSON, for /debug/snapshot: sockets, listeners, routes in match order, rules, arms, models. */
void route_snapshot_write(const struct route_snapshot *snapshot, struct json_writer *writer);

#endif
