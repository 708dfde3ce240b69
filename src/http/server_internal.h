/* SPDX-License-Identifier: Apache-2.0 */
/* server_internal.h: what the files of the HTTP server share.
 *
 * server.c owns the connections and the spare memory, server_evict.c makes room, server_connection.c moves bytes and
 * keeps deadlines, the protocol (server_h1*.c) makes exchanges of bytes and back.  A connection is closed once, by
 * connection_close(), and its memory goes at the end of the turn: after every handler callback look at is_closed. */
#ifndef HTTP_SERVER_INTERNAL_H
#define HTTP_SERVER_INTERNAL_H

#include "http/server.h"
#include "net/transport.h"

#define NO_DEADLINE UINT64_MAX

enum {
    SPARE_OUTS = 64,
    SPARE_EXCHANGES = 64,
    SPARE_ARENAS = 64,
    OUT_FIRST_BYTES = 2048,
    OUT_KEEP_BYTES = 16 * 1024, /* larger ones go back to the system */
    EXCHANGE_ARENA_BYTES = 3 * 1024 - 64,
    LIGHT_ARENA_BYTES = 16,
    SEND_NOW_BYTES = 16 * 1024,         /* chunks from here on are not copied when the socket takes them */
    FLUSH_BYTES = 64 * 1024,            /* of small chunks: they do not wait for the turn's end */
    DISCARD_MAX_BYTES = 64 * 1024,      /* of an unread request body for the sake of keep-alive */
    PIPELINE_TURN = 16,                 /* pipelined requests begun in one turn */
    LINGER_SILENCE_MS = 2000,           /* lingering close: no byte for so long, */
    LINGER_TOTAL_MS = 30 * 1000,        /* or so long in all, */
    LINGER_MAX_BYTES = 64 * 1024 * 1024 /* or so many bytes thrown away */
};

/* What a version of HTTP does with a connection and with exchanges.  exchange.h describes the first half. */
struct server_protocol {
    void (*respond)(struct exchange *exchange, unsigned status, const struct http_fields *fields,
                    int64_t content_length);
    void (*forget_request)(struct exchange *exchange);
    void (*send)(struct exchange *exchange, struct bytes chunk);
    void (*finish)(struct exchange *exchange);
    void (*abort)(struct exchange *exchange);
    void (*close_after)(struct exchange *exchange);
    size_t (*send_room)(const struct exchange *exchange);
    void (*set_paused)(struct exchange *exchange, bool paused);
    bool (*is_head_sent)(const struct exchange *exchange);

    /* Goes on with what was received: takes from the front of *input what it can. */
    void (*input)(struct http_connection *connection, struct bytes *input);
    bool (*wants_input)(const struct http_connection *connection);
    /* Where the next bytes belong when they are a body's that its service keeps; NULL otherwise. */
    char *(*body_room)(struct http_connection *connection, size_t *ret_size);
    /* Output has left. */
    void (*sent)(struct http_connection *connection);
    /* connection_set_deadline()'s moment has come. */
    void (*deadline)(struct http_connection *connection);
    /* An unfinished exchange is told that it is over. */
    void (*abandon)(struct http_connection *connection);
    bool (*is_busy)(const struct http_connection *connection); /* has an unfinished exchange */
    bool (*is_idle)(const struct http_connection *connection); /* between requests, not a byte of the next */
    /* Gives back what the protocol holds. */
    void (*release)(struct http_connection *connection);
};

/* How a connection that will carry nothing more ends. */
enum ending {
    ENDING_NOT,
    ENDING_CLOSE,  /* when the output is out */
    ENDING_LINGER, /* the same, but first FIN and a while of reading, so that no reset overtakes the answer */
    ENDING_LINGERS /* FIN is out */
};

enum h1_phase {
    H1_IDLE,
    H1_HEAD,
    H1_BODY,
    H1_BUSY,   /* the request is complete, its response is not */
    H1_DISCARD /* the response is complete, the rest of the request is thrown away */
};

struct h1_exchange;

struct http_connection {
    struct http_server *server;
    const struct server_protocol *protocol;
    struct list link; /* in the server's list while open */
    struct transport *transport;
    void *listener_data;
    struct buffer in;  /* see inbox.h */
    struct buffer out; /* has memory only while something waits */
    uint64_t sent_bytes;
    uint64_t deadline_ms;      /* the protocol's, NO_DEADLINE for none */
    uint64_t send_deadline_ms; /* while blocked */
    uint64_t linger_until_ms;
    uint64_t rest_since_ms;   /* of the present or the last wait for a request */
    struct wheel_timer timer; /* may be due earlier than any deadline: it looks again then */
    union {
        struct reactor_task task;       /* while open */
        struct reactor_reclaim reclaim; /* once closed */
    };
    struct h1_exchange *current; /* NULL when idle */
    struct address peer;
    uint32_t lingered_bytes;
    uint32_t counted_bytes; /* of in and out, by the memory budget */
    uint8_t ending;         /* enum ending */
    uint8_t h1_phase;       /* enum h1_phase */
    bool is_closed;
    bool is_blocked;   /* the socket takes no more: wait for writability */
    bool is_broken;    /* sending failed inside an exchange_*() call: the task tells */
    bool is_held_back; /* input was left for the next turn, so that the others have theirs */
    bool is_draining;  /* the next response says that it is the last one */
    bool closes_after; /* the present response is the last one */
};

/* An exchange and the HTTP/1 state around it; recycled by the server. */
struct h1_exchange {
    struct exchange exchange;
    struct h1_exchange *next_spare;
    union {
        struct h1_head_parser parser; /* in H1_HEAD */
        struct h1_body body;          /* afterwards */
    };
    uint64_t head_offset;    /* sent_bytes of the connection when the response head is next to leave */
    uint64_t left;           /* with HTTP_BODY_LENGTH: promised and not yet sent */
    uint64_t body_bytes;     /* received of the request */
    uint64_t waits_since_ms; /* for body bytes; 0: not now */
    uint64_t waited_ms;      /* for them before */
    enum http_framing out;   /* of the response */
    bool is_announced;       /* the handler knows it and has not finished it */
    bool is_complete;        /* the request */
    bool is_paused;
    bool is_starved;    /* room was 0 */
    bool owes_continue; /* the client waits for 100 Continue */
    bool is_light;      /* exchange_forget_request(): the arena is small */
};

struct http_server {
    struct reactor *reactor;
    struct http_server_config config;
    const struct http_handler *handler;
    const struct http_server_observer *observer;
    void *server_data;
    struct list connections;
    unsigned open_count;
    unsigned memory_count; /* with those that wait to be reclaimed */
    struct {
        unsigned count;         /* so many at the front of connections were at rest longest, or came to rest later, */
        uint64_t rest_until_ms; /* all of them before this */
        uint64_t look_after_ms; /* not to be looked for again before */
    } evictable;                /* see server_evict.c */
    bool is_draining;
    bool is_freed;
    struct h1_exchange *spare_exchanges;
    unsigned spare_exchange_count;
    unsigned spare_arena_count;
    struct arena *spare_arenas[SPARE_ARENAS]; /* of exchanges that live on without */
    unsigned spare_out_count;
    struct buffer spare_outs[SPARE_OUTS];
    uint64_t date_until_ms;
    char date_line[48];
};

/* server.c */
struct h1_exchange *server_take_exchange(struct http_connection *connection);
void server_give_back_exchange(struct http_server *server, struct h1_exchange *exchange);
/* Its arena is for the next exchange. */
void server_lighten_exchange(struct http_server *server, struct h1_exchange *exchange);
void server_take_out(struct http_server *server, struct buffer *out);
void server_give_back_out(struct http_server *server, struct buffer *out);
struct bytes server_date_line(struct http_server *server);
void server_tell_bad_request(struct http_server *server, const char *reason, unsigned status);
void server_forget_connection(struct http_server *server, struct http_connection *connection);
void server_connection_freed(struct http_server *server);
/* So many bytes wait for a client: no more, until they are fewer than what server_low_water() says. */
bool server_is_full(const struct http_server *server, size_t queued_bytes);
size_t server_low_water(const struct http_server *server);

/* server_evict.c */
/* Closes the connection that has been at rest longest.  False: there is none. */
bool server_evict_idle(struct http_server *server);
/* It has answered and waits for the next request. */
void server_note_rest(struct http_connection *connection);

/* server_connection.c */
struct http_connection *connection_open(struct http_server *server, int fd, const struct address *peer,
                                        void *listener_data);
/* Where output goes; it leaves at the end of the turn. */
struct buffer *connection_out(struct http_connection *connection);
/* Sends the output so far and these pieces at once and keeps what the socket does not take. */
void connection_send_now(struct http_connection *connection, const struct bytes *pieces, int count);
/* Runs the protocol and sends at the end of the turn. */
void connection_wake(struct http_connection *connection);
void connection_set_deadline(struct http_connection *connection, uint64_t delay_ms);
void connection_clear_deadline(struct http_connection *connection);
/* Whether it is between requests, with nothing of an answer left to send. */
bool connection_is_at_rest(const struct http_connection *connection);
/* Closes it if it is at rest and no request has arrived just now.  Whether it is closed then. */
bool connection_close_at_rest(struct http_connection *connection);
/* Begins the wait for a request. */
void connection_rest(struct http_connection *connection);
/* No more input is processed; closes when the output is out. */
void connection_end(struct http_connection *connection, bool linger);
void connection_close(struct http_connection *connection, bool reset);
/* Closes with a reset and abandons the exchange. */
void connection_cut(struct http_connection *connection);

/* server_h1.c */
extern const struct server_protocol h1_protocol;
/* Answers without a request, and ends. */
void h1_refuse_connection(struct http_connection *connection, unsigned status, const char *reason, const char *message);
struct h1_exchange *h1_exchange_of(const struct exchange *exchange);

/* server_h1_response.c */
void h1_respond(struct exchange *exchange, unsigned status, const struct http_fields *fields, int64_t content_length);
void h1_forget_request(struct exchange *exchange);
void h1_send(struct exchange *exchange, struct bytes chunk);
void h1_finish(struct exchange *exchange);
void h1_abort(struct exchange *exchange);
size_t h1_send_room(const struct exchange *exchange);
bool h1_is_head_sent(const struct exchange *exchange);
void h1_tell_room(struct http_connection *connection);

#endif
