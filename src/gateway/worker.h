/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h: a thread with a reactor, its listeners, HTTP server, proxy and scraper.
 *
 * All functions here are for the control thread: they post mail.  A worker owns everything that it touches. */
#ifndef GATEWAY_WORKER_H
#define GATEWAY_WORKER_H

#include "http/server.h"
#include "inference/scrape/scraper.h"
#include "net/listener.h"
#include "proxy/proxy.h"

struct worker;

struct worker_config {
    unsigned index;
    unsigned event_window_us; /* events of streams may wait so long for each other */
    struct http_server_config server;
    struct proxy_config proxy;
    struct scraper_config scraper;
    struct metrics *metrics;
};

/* 0 or -errno. */
int worker_start(const struct worker_config *config, struct worker **ret_worker);
/* Takes over one hold on the snapshot.  on_adopted comes on the worker's thread (so it should only post mail). */
void worker_adopt(struct worker *worker, struct route_snapshot *snapshot,
                  void (*on_adopted)(void *context, uint64_t generation), void *context);
/* socket_data: const struct proxy_socket, living as long as the worker. */
void worker_listen(struct worker *worker, struct listen_socket *socket, const struct proxy_socket *socket_data);
/* Accepts what is queued, then leaves the socket; its connections end after their present exchange. */
void worker_unlisten(struct worker *worker, const struct proxy_socket *socket_data);
/* Takes its own count. */
void worker_scrape(struct worker *worker, struct endpoint *endpoint);
/* No new connections, idle ones close, busy ones after their response; on_drained (on this worker's thread, so it
 * should only post mail) once none is left. */
void worker_drain(struct worker *worker, void (*on_drained)(void *context), void *context);
/* on_pong comes on the worker's thread (so it should only post mail), after the mail before it. */
void worker_ping(struct worker *worker, void (*on_pong)(void *context), void *context);
/* Cuts what is left, waits for the thread, frees. */
void worker_stop(struct worker *worker);

#endif
