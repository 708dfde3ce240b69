/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_harness.h: a real proxy and HTTP server on one reactor, routes from YAML, and model servers played by hand.
 *
 * One client connection (world.fd).  Each origin listens on a loopback port of its own, takes every connection and
 * writes down what it gets on the newest one; the test answers with origin_send().  Nothing waits for a duration. */
#ifndef TESTS_UNIT_PROXY_PROXY_HARNESS_H
#define TESTS_UNIT_PROXY_PROXY_HARNESS_H

#include "unit/http/harness.h"
#include "unit/route/fixture.h"

#include "http/server.h"
#include "proxy/proxy.h"

enum { ORIGINS = 2 };

struct origin {
    struct address at;
    int listening;
    int fd; /* the newest connection; -1 = none */
    unsigned accepted;
    struct buffer got; /* on the newest connection */
    int ended;
};

struct world {
    struct reactor *reactor;
    struct metrics *metrics;
    struct memory_budget budget;
    struct proxy *proxy;
    struct http_server *server;
    struct fixture *fixture;
    struct origin origins[ORIGINS];
    struct proxy_socket socket;
    struct buffer got; /* by the client */
    int fd;
    int ended;
};

static inline void origin_turn(struct origin *origin)
{
    int fd = accept4(origin->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        if (origin->fd >= 0)
            close(origin->fd);
        origin->fd = fd;
        origin->ended = 0;
        origin->accepted++;
        buffer_clear(&origin->got);
    }
    if (origin->fd >= 0 && origin->ended == 0)
        drain_fd(origin->fd, &origin->got, &origin->ended);
}

static inline void world_turn(struct world *world)
{
    reactor_turn(world->reactor, 1);
    for (unsigned i = 0; i < ORIGINS; i++)
        origin_turn(&world->origins[i]);
    if (world->fd >= 0 && world->ended == 0)
        drain_fd(world->fd, &world->got, &world->ended);
}

#define until(world, condition)                                                                                        \
    do {                                                                                                               \
        int turns_left = MAX_TURNS;                                                                                    \
        while (!(condition) && turns_left-- > 0)                                                                       \
            world_turn(world);                                                                                         \
        if (!(condition))                                                                                              \
            fail_msg("never: " #condition "\nthe client got: %.*s", BYTES_ARG(buffer_bytes(&(world)->got)));           \
    } while (0)

static UNUSED_OK void origin_send(struct origin *origin, const char *text)
{
    send_all(origin->fd, bytes_of(text));
}

/* With FIN, or a reset when something was not read. */
static UNUSED_OK void origin_close(struct origin *origin)
{
    close(origin->fd);
    origin->fd = -1;
    buffer_clear(&origin->got);
}

/* Its address (another one) refuses connections: before set_origins(). */
static UNUSED_OK void origin_leave(struct origin *origin)
{
    close(origin->listening);
    origin->listening = refuse_on_loopback(&origin->at);
}

static inline struct pool *pool_of(const struct world *world, const char *name)
{
    struct pool *pool;
    for (size_t cursor = 0; (pool = pool_registry_next(world->fixture->pools, &cursor)) != NULL;)
        if (strcmp(pool->name, name) == 0)
            return pool;
    fail_msg("no pool %s", name);
    return NULL;
}

/* The pool's ready members: count origins, the first one first. */
static UNUSED_OK void set_origins(const struct world *world, const char *pool, unsigned first, unsigned count)
{
    struct pool_member members[ORIGINS] = {0};
    for (unsigned i = 0; i < count; i++)
        members[i] = (struct pool_member){
            .ip = "127.0.0.1", .port = address_port(&world->origins[first + i].at), .pod = "t/p", .is_ready = true};
    pool_set_members(pool_of(world, pool), members, count, NULL);
}

/* Compiles the objects so far and puts them in force. */
static inline void adopt(struct world *world)
{
    struct route_snapshot *snapshot = fixture_compile(world->fixture);
    route_snapshot_take(snapshot);
    proxy_adopt(world->proxy, snapshot);
}

static UNUSED_OK void add_objects(struct world *world, const char *yaml)
{
    fixture_apply(world->fixture, yaml);
    adopt(world);
}

/* A new client connection in the place of the former one. */
static inline void reconnect(struct world *world, int receive_buffer_bytes)
{
    int ends[2];
    struct address peer;
    assert_true(address_make(&peer, BYTES("127.0.0.9"), 1));
    connect_pair(ends, receive_buffer_bytes);
    if (world->fd >= 0)
        close(world->fd);
    world->fd = ends[0];
    world->ended = 0;
    buffer_clear(&world->got);
    http_server_accept(world->server, ends[1], &peer, &world->socket);
}

static inline void world_start_full(struct world *world, const char *yaml, const struct proxy_config *config,
                                    struct canary_taps *taps)
{
    memset(world, 0, sizeof *world);
    world->fd = -1;
    world->budget.limit_bytes = 64 << 20;
    world->reactor = reactor_new("test");
    world->metrics = metrics_new(1, 100);
    world->fixture = fixture_new();
    world->fixture->taps = taps;
    struct proxy_config with_budget = *config;
    with_budget.budget = with_budget.upstreams.budget = &world->budget;
    struct http_server_config server = http_server_defaults;
    server.budget = &world->budget;
    world->proxy = proxy_new(world->reactor, &with_budget, world->metrics, 0);
    world->server = http_server_new(world->reactor, &server, &proxy_handler, &proxy_observer, world->proxy);
    for (unsigned i = 0; i < ORIGINS; i++) {
        world->origins[i].fd = -1;
        world->origins[i].listening = listen_on_loopback(&world->origins[i].at);
        set_nonblocking(world->origins[i].listening);
    }
    if (yaml != NULL)
        add_objects(world, yaml);
    reconnect(world, 0);
}

static UNUSED_OK void world_start_with(struct world *world, const char *yaml, const struct proxy_config *config)
{
    world_start_full(world, yaml, config, NULL);
}

static UNUSED_OK void world_start(struct world *world, const char *yaml)
{
    world_start_with(world, yaml, &proxy_defaults);
}

static inline int64_t metric(const struct world *world, enum metric_id id, const char *first, const char *second)
{
    return metrics_value(world->metrics, id, (const char *[]){first, second});
}

static inline void expect_nothing_in_flight(const struct world *world)
{
    struct pool *pool;
    for (size_t cursor = 0; (pool = pool_registry_next(world->fixture->pools, &cursor)) != NULL;)
        for (unsigned i = 0; i < pool->member_count; i++)
            assert_int_equal(pool->members[i]->load.in_flight, 0);
    assert_int_equal(world->budget.held_bytes, 0);
    assert_int_equal(metric(world, METRIC_REQUESTS_ACTIVE, NULL, NULL), 0);
    assert_int_equal(metric(world, METRIC_BODY_BYTES_HELD, NULL, NULL), 0);
    assert_int_equal(metric(world, METRIC_CONNECTIONS_OPEN, NULL, NULL), 0);
    assert_int_equal(metric(world, METRIC_UPSTREAM_CONNECTIONS, "busy", NULL), 0);
    assert_int_equal(metric(world, METRIC_UPSTREAM_CONNECTIONS, "idle", NULL), 0);
}

static UNUSED_OK void world_stop(struct world *world)
{
    http_server_free(world->server);
    proxy_free(world->proxy);
    expect_nothing_in_flight(world);
    reactor_free(world->reactor);
    fixture_free(world->fixture);
    metrics_free(world->metrics);
    for (unsigned i = 0; i < ORIGINS; i++) {
        struct origin *origin = &world->origins[i];
        close(origin->listening);
        if (origin->fd >= 0)
            close(origin->fd);
        buffer_deinit(&origin->got);
    }
    if (world->fd >= 0)
        close(world->fd);
    buffer_deinit(&world->got);
}

static UNUSED_OK void client_send(struct world *world, const char *text)
{
    send_all(world->fd, bytes_of(text));
}

static UNUSED_OK void client_post(struct world *world, const char *fields, const char *body)
{
    struct buffer request = {0};
    buffer_printf(&request, "POST /v1/completions HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n%s", fields,
                  strlen(body), body);
    send_all(world->fd, buffer_bytes(&request));
    buffer_deinit(&request);
}

/* The client got one answer with this status and reason, whole; it is taken away. */
static UNUSED_OK void expect_error(struct world *world, unsigned status, const char *reason)
{
    char line[64], field[96];
    snprintf(line, sizeof line, "HTTP/1.1 %u ", status);
    snprintf(field, sizeof field, "x-serin-reason: %s\r\n", reason);
    until(world, has_text(&world->got, "}}"));
    if (!has_text(&world->got, line) || !has_text(&world->got, field))
        fail_msg("no %u %s: %.*s", status, reason, BYTES_ARG(buffer_bytes(&world->got)));
    buffer_clear(&world->got);
}

#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

/* The origin has the whole head of a request: answers it, and the client gets it. */
static UNUSED_OK void answer_hello(struct world *world, struct origin *origin)
{
    until(world, has_text(&origin->got, "\r\n\r\n"));
    origin_send(origin, HELLO);
    until(world, has_text(&world->got, "\r\n\r\nhello"));
}

/* A Gateway, the InferencePool p, and a route of everything to it. */
#define ONE_POOL                                                                                                       \
    CLASS GATEWAY POOL_X("p") ROUTE("r", "{parentRefs: [{name: g}], rules: [{backendRefs: [" POOL_REF("p") "]}]}")
#define POOL_REF(name) "{group: inference.networking.x-k8s.io, kind: InferencePool, name: " name "}"

#endif
