/* SPDX-License-Identifier: Apache-2.0 */
/* server_harness.h: a server whose handler does what the request's path says and writes down what it is told. */
#ifndef TESTS_UNIT_HTTP_SERVER_HARNESS_H
#define TESTS_UNIT_HTTP_SERVER_HARNESS_H

#include "unit/http/harness.h"

#include "http/server.h"

struct world {
    struct reactor *reactor;
    struct http_server *server;
    struct exchange *exchange; /* the last one announced and not yet over */
    struct buffer log;
    struct buffer body; /* of the last request */
    struct buffer got;  /* by the client */
    int fd;             /* the client's end; -1: closed */
    int ended;
    int open; /* by the observer */
    int evicted;
    unsigned refused; /* status of the last bad request */
    const char *reason;
    unsigned can_send;
    bool pauses; /* the body, in on_request_head */
};

static inline void world_read(struct world *world)
{
    if (world->fd >= 0 && world->ended == 0)
        drain_fd(world->fd, &world->got, &world->ended);
}

#define until(world, condition)                                                                                        \
    do {                                                                                                               \
        int turns_left = MAX_TURNS;                                                                                    \
        while (!(condition) && turns_left-- > 0) {                                                                     \
            reactor_turn((world)->reactor, 1);                                                                         \
            world_read(world);                                                                                         \
        }                                                                                                              \
        assert_true(condition);                                                                                        \
    } while (0)

static inline bool path_is(const struct exchange *exchange, const char *path)
{
    return bytes_equal_str(exchange->request.path, path);
}

static inline void on_request_head(struct exchange *exchange)
{
    struct world *world = exchange->server_data;
    world->exchange = exchange;
    buffer_printf(&world->log, "head %.*s\n", BYTES_ARG(exchange->request.path));
    buffer_clear(&world->body);
    if (world->pauses)
        exchange_pause_body(exchange);
    if (path_is(exchange, "/early"))
        exchange_answer_error(exchange, 413, "too_large", "no", NULL);
    else if (path_is(exchange, "/abort"))
        exchange_abort(exchange);
    else if (path_is(exchange, "/now"))
        exchange_answer(exchange, 200, "text/plain", BYTES("now"));
}

static inline void on_request_body(struct exchange *exchange, struct bytes chunk, bool last)
{
    struct world *world = exchange->server_data;
    buffer_append(&world->body, chunk);
    if (path_is(exchange, "/abort-body")) {
        exchange_abort(exchange);
        return;
    }
    if (path_is(exchange, "/cut-in-body")) {
        exchange_answer_error(exchange, 413, "too_large", "no", NULL);
        return;
    }
    if (!last)
        return;
    buffer_append_str(&world->log, "last\n");
    if (path_is(exchange, "/echo"))
        exchange_answer(exchange, 200, "text/plain", buffer_bytes(&world->body));
}

static inline void on_can_send(struct exchange *exchange)
{
    struct world *world = exchange->server_data;
    world->can_send++;
}

static inline void on_aborted(struct exchange *exchange)
{
    struct world *world = exchange->server_data;
    assert_ptr_equal(world->exchange, exchange);
    world->exchange = NULL;
    buffer_append_str(&world->log, "aborted\n");
}

static inline void on_connection(void *server_data, int delta)
{
    struct world *world = server_data;
    world->open += delta;
}

static inline void on_bad_request(void *server_data, const char *reason, unsigned status)
{
    struct world *world = server_data;
    world->reason = reason;
    world->refused = status;
}

static inline void on_evicted(void *server_data)
{
    struct world *world = server_data;
    world->evicted++;
}

static inline void world_connect(struct world *world, int receive_buffer_bytes)
{
    int ends[2];
    struct address peer;
    assert_true(address_make(&peer, BYTES("127.0.0.1"), 1));
    connect_pair(ends, receive_buffer_bytes);
    if (world->fd >= 0)
        close(world->fd);
    world->fd = ends[0];
    world->ended = 0;
    buffer_clear(&world->got);
    http_server_accept(world->server, ends[1], &peer, &world->fd);
}

static inline void world_start(struct world *world, const struct http_server_config *config)
{
    static const struct http_handler handler = {
        .on_request_head = on_request_head,
        .on_request_body = on_request_body,
        .on_can_send = on_can_send,
        .on_aborted = on_aborted,
    };
    static const struct http_server_observer observer = {
        .on_connection = on_connection,
        .on_bad_request = on_bad_request,
        .on_evicted = on_evicted,
    };
    *world = (struct world){.fd = -1};
    world->reactor = reactor_new("test");
    assert_non_null(world->reactor);
    world->server =
        http_server_new(world->reactor, config != NULL ? config : &http_server_defaults, &handler, &observer, world);
    world_connect(world, 0);
}

static inline void world_stop(struct world *world)
{
    http_server_free(world->server);
    reactor_free(world->reactor);
    assert_int_equal(world->open, 0);
    if (world->fd >= 0)
        close(world->fd);
    buffer_deinit(&world->log);
    buffer_deinit(&world->body);
    buffer_deinit(&world->got);
}

static inline void world_send(struct world *world, const char *text)
{
    send_all(world->fd, bytes_of(text));
}

#endif
