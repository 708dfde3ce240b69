/* SPDX-License-Identifier: Apache-2.0 */
/* upstream_pool.h: a worker's keep-alive connections to endpoints.
 *
 * Where a connection waits is its state: idle ones are on their upstream's list, busy ones belong to a call.  One
 * reactor. */
#ifndef PROXY_UPSTREAM_POOL_H
#define PROXY_UPSTREAM_POOL_H

#include "http/client.h"
#include "inference/endpoint.h"
#include "observe/metrics.h"

struct upstream_pool;

struct upstream_pool_config {
    uint32_t connect_timeout_ms;
    /* uvicorn, under vLLM and SGLang, closes idle connections after 5 s: leave before it does. */
    uint32_t idle_timeout_ms;
    unsigned max_idle_per_endpoint;
    unsigned max_connections;     /* to one endpoint; 0: no limit */
    unsigned max_requests;        /* per connection; 0: no limit */
    struct memory_budget *budget; /* see client_config; may be NULL */
};

struct upstream_pool *upstream_pool_new(struct reactor *reactor, const struct upstream_pool_config *config,
                                        struct metrics *metrics, unsigned shard);
/* Closes every connection. */
void upstream_pool_free(struct upstream_pool *pool);
/* The idle connection used last, or a new one (then *ret_is_new).  NULL, and *ret_is_new as it was: the endpoint has as
 * many as it may. */
struct client_connection *upstream_pool_take(struct upstream_pool *pool, struct endpoint *endpoint, bool *ret_is_new);
/* The endpoint closed a connection under us: its other idle ones are as stale. */
void upstream_pool_drop_idle(struct upstream_pool *pool, struct endpoint *endpoint);

#endif
