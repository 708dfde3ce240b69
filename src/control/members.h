/* SPDX-License-Identifier: Apache-2.0 */
/* members.h: which endpoints a pool or a Service backend has, from Pods and EndpointSlices.  Pure. */
#ifndef CONTROL_MEMBERS_H
#define CONTROL_MEMBERS_H

#include "inference/pool.h"
#include "kube/api/object_cache.h"

struct member_list {
    struct pool_member *items; /* in the arena */
    unsigned len;
    unsigned capacity;
};

/* InferencePool: its namespace's Pods that the selector matches, times the pool's ports; and the endpoints of the
 * EndpointSlices whose labels it matches (address from the slice, port from the pool), which are health-checked.
 * A pod that is being deleted is no member any more: it leaves before its process hears SIGTERM. */
void members_of_pool(const struct object_cache *cache, const struct kube_object *pool, struct arena *arena,
                     struct member_list *ret_members);
/* Service port: Pods by the Service's selector at the target port, and EndpointSlices of the Service by port name. */
void members_of_service(const struct object_cache *cache, const struct kube_object *service, uint16_t port,
                        struct arena *arena, struct member_list *ret_members);

#endif
