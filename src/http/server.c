/* SPDX-License-Identifier: Apache-2.0 */
/* server.c: the server of one reactor: its connections and the memory they reuse.
 *
 * Runs on the reactor's thread.  A server that was freed lives on until its last connection is reclaimed. */
#include "http/server_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

const struct http_server_config http_server_defaults = {
    .limits = {.max_target_bytes = 8 * 1024,
               .max_line_bytes = 16 * 1024,
               .max_head_bytes = 64 * 1024,
               .max_fields = 100}, /* = h1_default_limits, which is no constant expression */
    .head_timeout_ms = 10 * 1000,
    .body_idle_timeout_ms = 60 * 1000,
    .body_min_rate = 500,
    .idle_timeout_ms = 300 * 1000,
    .drain_idle_ms = 1000,
    .send_timeout_ms = 60 * 1000,
    .send_high_water = 256 * 1024,
    .max_connections = 20000,
    .budget = NULL,
    .server_name = NULL,
    .tls = NULL,
};

struct http_server *http_server_new(struct reactor *reactor, const struct http_server_config *config,
                                    const struct http_handler *handler, const struct http_server_observer *observer,
                                    void *server_data)
{
    struct http_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        abort();
    server->reactor = reactor;
    server->config = *config;
    server->handler = handler;
    server->observer = observer;
    server->server_data = server_data;
    list_init(&server->connections);
    return server;
}

static void free_memory(struct http_server *server)
{
    while (server->spare_exchanges != NULL) {
        struct h1_exchange *spare = server->spare_exchanges;
        server->spare_exchanges = spare->next_spare;
        arena_free(spare->exchange.arena);
        free(spare);
    }
    while (server->spare_arena_count > 0)
        arena_free(server->spare_arenas[--server->spare_arena_count]);
    while (server->spare_out_count > 0)
        buffer_deinit(&server->spare_outs[--server->spare_out_count]);
    free(server);
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    while (!list_is_empty(&server->connections))
        connection_cut(LIST_ENTRY(server->connections.next, struct http_connection, link));
    server->is_freed = true;
    if (server->memory_count == 0)
        free_memory(server);
}

void http_server_accept(struct http_server *server, int fd, const struct address *peer, void *listener_data)
{
    unsigned max = server->config.max_connections;
    bool is_too_many = server->open_count >= max && !server_evict_idle(server);
    /* Refusals are polite up to a bound of their own. */
    if (is_too_many && server->open_count >= max + max / 8 + 16) {
        server_tell_bad_request(server, "too_many_connections", 503);
        close(fd);
        return;
    }
    struct http_connection *connection = connection_open(server, fd, peer, listener_data);
    if (connection == NULL)
        return;
    list_push(&server->connections, &connection->link);
    server->open_count++;
    server->memory_count++;
    if (server->observer != NULL && server->observer->on_connection != NULL)
        server->observer->on_connection(server->server_data, 1);
    if (is_too_many)
        h1_refuse_connection(connection, 503, "too_many_connections", "too many connections are open");
}

static void drain(struct http_connection *connection)
{
    connection->is_draining = true;
    connection_wake(connection);
}

void http_server_drain(struct http_server *server)
{
    server->is_draining = true;
    LIST_FOR_EACH (node, &server->connections)
        drain(LIST_ENTRY(node, struct http_connection, link));
}

void http_server_drain_listener(struct http_server *server, const void *listener_data)
{
    LIST_FOR_EACH (node, &server->connections) {
        struct http_connection *connection = LIST_ENTRY(node, struct http_connection, link);
        if (connection->listener_data == listener_data)
            drain(connection);
    }
}

unsigned http_server_connections(const struct http_server *server)
{
    return server->open_count;
}

void server_forget_connection(struct http_server *server, struct http_connection *connection)
{
    list_remove(&connection->link);
    assert(server->open_count > 0);
    server->open_count--;
    if (server->observer != NULL && server->observer->on_connection != NULL)
        server->observer->on_connection(server->server_data, -1);
}

void server_connection_freed(struct http_server *server)
{
    if (--server->memory_count == 0 && server->is_freed)
        free_memory(server);
}

void server_tell_bad_request(struct http_server *server, const char *reason, unsigned status)
{
    if (server->observer != NULL && server->observer->on_bad_request != NULL)
        server->observer->on_bad_request(server->server_data, reason, status);
}

bool server_is_full(const struct http_server *server, size_t queued_bytes)
{
    return queued_bytes >= server->config.send_high_water ||
           (queued_bytes >= MEMORY_SPARING_BYTES && memory_budget_is_tight(server->config.budget));
}

/* Half, so that a slow client does not cost a wake-up of the service per packet. */
size_t server_low_water(const struct http_server *server)
{
    size_t high_water = server->config.send_high_water;
    if (high_water > MEMORY_SPARING_BYTES && memory_budget_is_tight(server->config.budget))
        high_water = MEMORY_SPARING_BYTES;
    return high_water / 2;
}

static struct h1_exchange *exchange_new(struct http_server *server)
{
    struct h1_exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL)
        abort();
    exchange->exchange.arena = server->spare_arena_count > 0 ? server->spare_arenas[--server->spare_arena_count]
                                                             : arena_new(EXCHANGE_ARENA_BYTES);
    return exchange;
}

/* Everything that is read before it is written is set here; the parsers are initialised when they start. */
struct h1_exchange *server_take_exchange(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    struct h1_exchange *taken = server->spare_exchanges;
    if (taken != NULL) {
        server->spare_exchanges = taken->next_spare;
        server->spare_exchange_count--;
    } else {
        taken = exchange_new(server);
    }
    struct exchange *exchange = &taken->exchange;
    exchange->reactor = server->reactor;
    exchange->handler_data = NULL;
    exchange->server_data = server->server_data;
    exchange->listener_data = connection->listener_data;
    exchange->peer = &connection->peer;
    exchange->state = EXCHANGE_READING;
    exchange->connection = connection;
    taken->out = HTTP_BODY_NONE;
    taken->is_announced = false;
    taken->is_complete = false;
    taken->is_paused = false;
    taken->is_starved = false;
    taken->owes_continue = false;
    taken->is_light = false;
    taken->body_bytes = 0;
    taken->waited_ms = 0;
    taken->waits_since_ms = 0;
    return taken;
}

void server_give_back_exchange(struct http_server *server, struct h1_exchange *exchange)
{
    if (server->spare_exchange_count >= SPARE_EXCHANGES || server->is_freed || exchange->is_light) {
        arena_free(exchange->exchange.arena);
        free(exchange);
        return;
    }
    arena_reset(exchange->exchange.arena);
    exchange->next_spare = server->spare_exchanges;
    server->spare_exchanges = exchange;
    server->spare_exchange_count++;
}

void server_lighten_exchange(struct http_server *server, struct h1_exchange *exchange)
{
    struct arena *arena = exchange->exchange.arena;
    arena_reset(arena);
    if (server->spare_arena_count < SPARE_ARENAS && !server->is_freed)
        server->spare_arenas[server->spare_arena_count++] = arena;
    else
        arena_free(arena);
    exchange->exchange.arena = arena_new(LIGHT_ARENA_BYTES);
    exchange->is_light = true;
}

void server_take_out(struct http_server *server, struct buffer *out)
{
    if (server->spare_out_count > 0)
        *out = server->spare_outs[--server->spare_out_count];
    else
        buffer_reserve(out, OUT_FIRST_BYTES);
}

void server_give_back_out(struct http_server *server, struct buffer *out)
{
    if (out->capacity > OUT_KEEP_BYTES || server->spare_out_count == SPARE_OUTS) {
        buffer_deinit(out);
        return;
    }
    buffer_clear(out);
    server->spare_outs[server->spare_out_count++] = *out;
    buffer_init(out);
}

/* RFC 9110 5.6.7 and 6.6.1: written once a second. */
struct bytes server_date_line(struct http_server *server)
{
    uint64_t now_ms = reactor_now_ms(server->reactor);
    if (UNLIKELY(now_ms >= server->date_until_ms)) {
        uint64_t wall_ms = clock_wall_ms();
        time_t seconds = (time_t)(wall_ms / 1000);
        struct tm date;
        gmtime_r(&seconds, &date);
        strftime(server->date_line, sizeof(server->date_line), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &date);
        server->date_until_ms = now_ms + 1000 - wall_ms % 1000;
    }
    return bytes_of(server->date_line);
}
