/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.h: the data plane of one worker: takes exchanges from its HTTP server and runs them through routes, splits,
 * picks and upstream connections.  Everything here runs on the worker's reactor. */
#ifndef PROXY_PROXY_H
#define PROXY_PROXY_H

#include "http/server.h"
#include "observe/metrics.h"
#include "proxy/upstream_pool.h"
#include "route/arm_memory.h"
#include "route/lease.h"

struct access_log;
struct decision_log;

struct proxy_config {
    struct upstream_pool_config upstreams;
    unsigned max_tries;           /* per exchange, the first included */
    uint32_t avoid_ms;            /* an endpoint that refused a connection is a last resort for so long */
    unsigned retry_percent;       /* of the exchanges in progress: so many may wait for a try beyond the first, */
    unsigned min_retrying;        /* or so many */
    bool hide_arm;                /* no x-serin-arm, no x-serin-revision */
    uint32_t hold_bytes;          /* of a body: once so many are held and the model is known, the rest passes through */
    struct memory_budget *budget; /* of all workers: held bodies are counted there too */
    const struct arm_memories *memories; /* NULL: no arm is remembered */
    struct access_log *access_log;       /* NULL: none is written */
    struct decision_log *decision_log;   /* NULL: none is written */
};
extern const struct proxy_config proxy_defaults; /* budget NULL: must be set */

struct proxy;

/* shard: of the metrics registry, for this worker. */
struct proxy *proxy_new(struct reactor *reactor, const struct proxy_config *config, struct metrics *metrics,
                        unsigned shard);
/* After the HTTP server was freed. */
void proxy_free(struct proxy *proxy);
/* Takes over one hold on the snapshot; new exchanges use it, running ones keep theirs. */
void proxy_adopt(struct proxy *proxy, struct route_snapshot *snapshot);
/* What http_server_new() needs; its server_data must be the proxy, listener_data a const struct proxy_socket. */
extern const struct http_handler proxy_handler;
extern const struct http_server_observer proxy_observer;

/* What a listening socket is to the routes. */
struct proxy_socket {
    unsigned id;
};

#endif
