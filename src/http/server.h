/* SPDX-License-Identifier: Apache-2.0 */
/* server.h: HTTP server side of one reactor: connections in, exchanges to a handler.
 *
 * Output is corked during a turn: everything that a turn queues for a connection leaves in one send at its end.
 * A client that closes its sending side before its response is complete counts as gone; a response that is complete is
 * still delivered to it.  An answer that does not wait for a large request body closes the connection after it, with a
 * lingering close: FIN, then a while of reading, so that no reset destroys the answer on its way. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/codec/h1_parse.h"
#include "http/exchange.h"
#include "http/memory_budget.h"

struct http_server;
struct tls_server;

/* What happened that only the outside may count or log. */
struct http_server_observer {
    void (*on_connection)(void *server_data, int delta); /* +1 opened, -1 closed */
    /* Requests answered by the server itself: reason and status as in H1_ERRORS, or "slow_request" (408), ...; and,
     * with status 0, "tls_handshake" (it failed or took too long) and "slow_reader" (the answer was not taken). */
    void (*on_bad_request)(void *server_data, const char *reason, unsigned status);
    /* An idle connection was closed to make room for a new one. */
    void (*on_evicted)(void *server_data);
};

struct http_server_config {
    struct h1_limits limits;
    uint32_t head_timeout_ms;      /* 408 when a head that began is not complete by then */
    uint32_t body_idle_timeout_ms; /* 408 when no body byte came for so long, */
    uint32_t body_min_rate;        /* or when the client, waited for so long in all, sent fewer bytes/s; 0: any rate */
    uint32_t idle_timeout_ms;      /* a connection between requests */
    uint32_t drain_idle_ms;        /* the same while draining: its client may be sending just now */
    uint32_t send_timeout_ms;      /* no progress in sending for so long: reset */
    uint32_t send_high_water;      /* bytes queued towards a client before exchange_send_room() is 0 */
    uint32_t max_connections;      /* beyond: the one idle longest goes; none: 503 "too_many_connections" */
    struct memory_budget *budget;  /* what clients make the server keep is counted there; may be NULL */
    const char *server_name;       /* Server header, or NULL for none */
    struct tls_server *tls;        /* NULL: plain.  Outlives the server. */
};
extern const struct http_server_config
    http_server_defaults; /* 10 s, 60 s, 500, 300 s, 1 s, 60 s, 256 KiB, 20000, NULL, NULL, NULL */

struct http_server *http_server_new(struct reactor *reactor, const struct http_server_config *config,
                                    const struct http_handler *handler, const struct http_server_observer *observer,
                                    void *server_data);
/* Cuts what is left. */
void http_server_free(struct http_server *server);
/* Takes an accepted socket (tcp). */
void http_server_accept(struct http_server *server, int fd, const struct address *peer, void *listener_data);
/* Connections that were idle for drain_idle_ms close now, the others then or after one more response, which says so. */
void http_server_drain(struct http_server *server);
/* The same for the connections of one listener. */
void http_server_drain_listener(struct http_server *server, const void *listener_data);
unsigned http_server_connections(const struct http_server *server);

#endif
