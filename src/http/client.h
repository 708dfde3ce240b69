/* SPDX-License-Identifier: Apache-2.0 */
/* client.h: HTTP client side: a connection to a server that runs one call (request and response) at a time.
 *
 * The connection's owner keeps idle ones; a call borrows a connection until its end.  All on one reactor.  No callback
 * comes from inside the functions called here. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <sys/uio.h>

#include "base/buffer.h"
#include "http/codec/h1_parse.h"
#include "http/memory_budget.h"
#include "net/address.h"
#include "net/reactor.h"

enum { CLIENT_SEND_PIECES = 4 }; /* at most, of client_call_send() */

struct client_connection;
struct client_call;
struct tls_trust;

/* id, text for logs and reasons. */
#define CLIENT_FAILURES(X)                                                                                             \
    X(CONNECT, "connect_failed") /* refused, unreachable */                                                            \
    X(CONNECT_TIMEOUT, "connect_timeout")                                                                              \
    X(TLS, "tls_failed")                    /* no handshake */                                                         \
    X(UNTRUSTED, "certificate_not_trusted") /* of an unknown authority, for another name, out of date */               \
    X(SEND, "send_failed")                  /* reset or closed while the request was leaving, no response byte seen */ \
    X(CLOSED, "closed_before_response")     /* closed or reset after the request left, no response byte seen */        \
    X(BAD_RESPONSE, "bad_response")         /* not HTTP, or an inconsistent head or chunk */                           \
    X(CUT, "cut_response")                  /* closed or reset in the middle of the response */

enum client_failure {
#define X(id, text) CLIENT_FAILURE_##id,
    CLIENT_FAILURES(X)
#undef X
};
const char *client_failure_text(enum client_failure failure);

struct client_call_handler {
    /* Final response head (1xx are skipped).  With client_config.head_arena the response dies with this callback, else
     * with the call. */
    void (*on_head)(struct client_call *call, const struct http_response *response);
    /* A run of body bytes, valid only during the call; last = the response is complete (may come with no bytes, comes
     * once): the call is over, its connection is idle again or closed. */
    void (*on_body)(struct client_call *call, struct bytes chunk, bool last);
    /* Of a call that is kept open: all that was given so far has left.  NULL: not wanted. */
    void (*on_sent)(struct client_call *call);
    /* The call is over without a whole response. */
    void (*on_failed)(struct client_call *call, enum client_failure failure);
};

/* Embedded by the caller; filled by client_call_start(). */
struct client_call {
    const struct client_call_handler *handler;
    struct client_connection *connection; /* NULL when over */
    struct iovec *pieces;                 /* what is still to be sent: borrowed from the caller's array */
    int piece_count;
    struct buffer unsent; /* of client_call_send(): goes after the pieces */
    enum http_method method;
    bool head_seen;
    bool is_open; /* more of the request will come */
};

struct client_owner {
    /* The call has ended and the connection may carry another one. */
    void (*on_idle)(struct client_connection *connection);
    /* The connection is gone (told once, also after failures); the pointer dies at the end of the turn. */
    void (*on_closed)(struct client_connection *connection);
};

struct client_config {
    struct h1_limits limits;
    uint32_t connect_timeout_ms; /* with the handshake */
    struct tls_trust *trust;     /* NULL: without TLS; borrowed for client_connect() */
    const char *server_name;     /* with TLS: whom the certificate must name; borrowed in the same way */
    /* Where response heads are read: one for all connections of a reactor saves 2 KB each.  NULL: each has its own. */
    struct arena *head_arena;
    /* What slow servers and paused calls make the client keep is counted there; may be NULL. */
    struct memory_budget *budget;
};
extern const struct client_config client_defaults; /* 5 s */

/* Starts connecting; a call may be started at once and waits for the connection. owner_data: client_connection_data().
 * Never NULL: a failure to start is told through the first call's on_failed, at the end of the turn. */
struct client_connection *client_connect(struct reactor *reactor, const struct address *to,
                                         const struct client_config *config, const struct client_owner *owner,
                                         void *owner_data);
void *client_connection_data(const struct client_connection *connection);
/* Without on_closed; cuts a running call without telling it. */
void client_connection_close(struct client_connection *connection);
/* Idle, open, and nothing unexpected arrived. */
bool client_connection_is_usable(const struct client_connection *connection);
/* Responses received on it so far: > 0 means that a failure may be the stale keep-alive race. */
unsigned client_connection_served(const struct client_connection *connection);

/* Sends the request at the end of the turn: what a turn sends leaves one behind the other, with the kernel's code warm.
 * Pieces (head and body, in order) are borrowed, as is their array (it is changed), until the call ends or all were
 * sent.  The connection must be idle or new. */
void client_call_start(struct client_call *call, struct client_connection *connection, enum http_method method,
                       struct iovec *pieces, int piece_count, const struct client_call_handler *handler);
/* Right after client_call_start(): more of the request follows, what is here is sent at once.  Until its end a response
 * does not free the connection for another call. */
void client_call_keep_open(struct client_call *call);
/* The next bytes of the request, copied where the socket does not take them; last: it is whole now. */
void client_call_send(struct client_call *call, const struct bytes *pieces, int count, bool last);
/* Bytes given and not yet taken by the socket: where they grow, wait for on_sent. */
size_t client_call_unsent(const struct client_call *call);
/* Stops and restarts reading the response (backpressure). */
void client_call_pause(struct client_call *call);
void client_call_resume(struct client_call *call);
/* What follows of the answer may wait for what follows of others, until its end: see reactor_pace(). */
void client_call_pace(struct client_call *call);
/* Ends the call without callbacks: the connection is closed at once, so that the server aborts its work; on_closed is
 * told to the owner. */
void client_call_cancel(struct client_call *call);

#endif
