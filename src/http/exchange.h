/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.h: one request and its response on the server side: the seam that every service programs against.
 *
 * The server owns the exchange; a service (struct http_handler) gets its callbacks on the reactor's thread and answers
 * with the calls below, which never call back.  After exchange_finish() or exchange_abort(), or once on_aborted came,
 * the service must not touch the exchange again.  Nothing here knows which HTTP version is below. */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "base/buffer.h"
#include "http/codec/message.h"
#include "net/address.h"
#include "net/reactor.h"

struct exchange;
struct http_connection;

struct http_handler {
    /* The head is complete.  Without an answer or a pause in here, the body follows (and 100 Continue is sent for it
     * when asked for). */
    void (*on_request_head)(struct exchange *exchange);
    /* A piece of the body, valid only during the call; last may come with an empty chunk.  A request without a body
     * gets one call with an empty last chunk. */
    void (*on_request_body)(struct exchange *exchange, struct bytes chunk, bool last);
    /* Where the service would keep the next body bytes anyway: they are received there, at most *ret_size, and then
     * given to on_request_body at that place, uncopied.  left: bytes of the body still to come.  NULL, or no callback:
     * they come from elsewhere. */
    char *(*body_room)(struct exchange *exchange, uint64_t left, size_t *ret_size);
    /* exchange_send_room() was 0 and no longer is. */
    void (*on_can_send)(struct exchange *exchange);
    /* The client is gone before the response was finished (closed, half-closed or reset), or the server refuses the
     * rest of the request (malformed, too slow) or is being freed; last call. */
    void (*on_aborted)(struct exchange *exchange);
};

enum exchange_state {
    EXCHANGE_READING,    /* the request is arriving, no response yet */
    EXCHANGE_WAITING,    /* the request is complete, no response yet */
    EXCHANGE_RESPONDING, /* the response head was given */
    EXCHANGE_DONE        /* the service has finished with it */
};

struct exchange {
    struct http_request request; /* lives in the arena */
    struct arena *arena;         /* of the exchange; services may use it */
    struct reactor *reactor;
    void *handler_data;  /* for the service, per exchange; NULL at first */
    void *server_data;   /* as given to http_server_new() */
    void *listener_data; /* as given to http_server_accept() */
    const struct address *peer;
    uint64_t start_us; /* when the head was complete */
    enum exchange_state state;
    struct http_connection *connection; /* the server's */
};

/* Begins the response.  fields may hold anything but framing and hop-by-hop fields (Connection, Content-Length,
 * Transfer-Encoding, Keep-Alive): the server writes those, and Date when absent.  content_length: bytes that will
 * follow, or -1 when unknown (chunked, or until close for HTTP/1.0).  The bytes of fields are copied. */
void exchange_respond(struct exchange *exchange, unsigned status, const struct http_fields *fields,
                      int64_t content_length);
/* After exchange_respond(), for answers that take long: nobody will ask for the text of the request again (its fields,
 * target, host become empty).  The memory is used by others meanwhile; exchange->arena is empty and small. */
void exchange_forget_request(struct exchange *exchange);
/* Queues body bytes (copied or sent at once).  Ignored for HEAD and bodiless statuses.  The caller stops when
 * exchange_send_room() is 0 and goes on at on_can_send. */
void exchange_send(struct exchange *exchange, struct bytes chunk);
/* Ends the response.  Sending fewer bytes than promised aborts the connection instead. */
void exchange_finish(struct exchange *exchange);
/* Cuts the connection with a reset: the client sees that the response is not whole. */
void exchange_abort(struct exchange *exchange);
/* After this response the connection closes (told by "Connection: close" when the head is not out yet). */
void exchange_close_after(struct exchange *exchange);
/* Bytes that may be queued before the high-water mark; 0 = wait for on_can_send. */
size_t exchange_send_room(const struct exchange *exchange);
/* Stops and restarts the delivery of body pieces (and the reading behind it). */
void exchange_pause_body(struct exchange *exchange);
void exchange_resume_body(struct exchange *exchange);
/* Once a response byte has left for the client. */
bool exchange_is_head_sent(const struct exchange *exchange);

/* respond + send + finish. */
void exchange_answer(struct exchange *exchange, unsigned status, const char *content_type, struct bytes body);
/* A JSON error {"error":{"message","type","param":null,"code"}} with x-serin-reason; type follows the status (400
 * invalid_request_error, 404 not_found_error, 429 rate_limit_error, 5xx api_error ...), code is the reason.
 * extra: more fields (Retry-After, x-serin-arm), or NULL. */
void exchange_answer_error(struct exchange *exchange, unsigned status, const char *reason, const char *message,
                           const struct http_fields *extra);
/* The JSON alone, for in-band error events. */
void http_error_json(struct buffer *out, unsigned status, const char *reason, const char *message);

#endif
