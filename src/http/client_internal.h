/* SPDX-License-Identifier: Apache-2.0 */
/* client_internal.h: what the files of the HTTP client share.
 *
 * client.c owns the connection and sends, client_h1.c reads responses.  Callbacks come only from events and from the
 * connection's task; after each of them look at is_closed. */
#ifndef HTTP_CLIENT_INTERNAL_H
#define HTTP_CLIENT_INTERNAL_H

#include "base/buffer.h"
#include "http/client.h"
#include "net/transport.h"

enum { CLIENT_ARENA_BYTES = 2 * 1024 - 64 };

enum response_phase { RESPONSE_HEAD, RESPONSE_BODY };

struct client_connection {
    struct reactor *reactor;
    struct h1_limits limits;
    struct memory_budget *budget; /* NULL: none */
    const struct client_owner *owner;
    void *owner_data;
    struct transport *transport; /* NULL when connecting could not even start */
    struct client_call *call;    /* NULL when idle */
    struct arena *arena;         /* of the present response, or the owner's */
    bool shares_arena;           /* it is the owner's */
    struct buffer in;            /* see inbox.h */
    union {
        struct h1_head_parser parser; /* in RESPONSE_HEAD */
        struct h1_body body;          /* in RESPONSE_BODY */
    };
    struct http_response response;
    struct wheel_timer timer; /* connecting */
    struct reactor_task task;
    struct reactor_reclaim reclaim;
    unsigned served;
    uint32_t counted_bytes; /* of in and the call's unsent, by the memory budget */
    enum response_phase phase;
    bool is_connecting;
    bool is_closed;
    bool is_owner_gone; /* the owner closed it or was told: no more callbacks */
    bool is_paused;
    bool was_paused;      /* what was left in `in` is to be read */
    bool is_to_send;      /* the call's request leaves at the end of this turn */
    bool is_request_dead; /* sending failed: the response may still be there */
    bool has_response;    /* a byte of the present response was seen */
};

/* client.c */
/* The call is over without a response: tells it and the owner, and closes. */
void client_fail(struct client_connection *connection, enum client_failure failure);
/* The whole response is here; chunk: its last bytes. */
void client_complete(struct client_connection *connection, struct bytes chunk, bool may_go_on);

/* client_h1.c */
void client_h1_start(struct client_connection *connection);
/* Takes from the front of *input what it can; the call may end in it. */
void client_h1_input(struct client_connection *connection, struct bytes *input);
/* The server has closed its side: error 0 or -errno. */
void client_h1_end(struct client_connection *connection, ssize_t error);

#endif
