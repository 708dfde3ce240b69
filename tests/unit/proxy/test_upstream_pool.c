/* SPDX-License-Identifier: Apache-2.0 */
/* Keep-alive connections by endpoint: which are kept, used again and closed. */
#include "unit/http/harness.h"

#include "proxy/upstream_pool.h"

enum { CALLS = 4 };

struct world {
    struct reactor *reactor;
    struct metrics *metrics;
    struct upstream_pool *pool;
    struct address at;
    int listening;
    struct endpoint *endpoint;
};

/* One GET, and its server's end of the connection. */
struct asked {
    struct client_call call;
    struct client_connection *connection;
    struct iovec piece;
    bool is_new;
    bool is_done;
    bool has_failed;
    int fd;
};

static void on_head(struct client_call *call, const struct http_response *response)
{
    (void)call, (void)response;
}

static void on_body(struct client_call *call, struct bytes chunk, bool last)
{
    (void)chunk;
    container_of(call, struct asked, call)->is_done = last;
}

static void on_failed(struct client_call *call, enum client_failure failure)
{
    (void)failure;
    container_of(call, struct asked, call)->has_failed = true;
}

static const struct client_call_handler handler = {.on_head = on_head, .on_body = on_body, .on_failed = on_failed};

static void world_start_with(struct world *world, struct upstream_pool_config config)
{
    world->reactor = reactor_new("test");
    world->metrics = metrics_new(1, 100);
    world->pool = upstream_pool_new(world->reactor, &config, world->metrics, 0);
    world->listening = listen_on_loopback(&world->at);
    set_nonblocking(world->listening);
    world->endpoint = endpoint_new("127.0.0.1", address_port(&world->at), "t/p", false);
}

static void world_start(struct world *world, uint32_t idle_timeout_ms, unsigned max_idle)
{
    world_start_with(world, (struct upstream_pool_config){.connect_timeout_ms = 5000,
                                                          .idle_timeout_ms = idle_timeout_ms,
                                                          .max_idle_per_endpoint = max_idle});
}

static int64_t connections(const struct world *world, const char *state)
{
    return metrics_value(world->metrics, METRIC_UPSTREAM_CONNECTIONS, (const char *[]){state});
}

static int64_t closes(const struct world *world, const char *reason)
{
    return metrics_value(world->metrics, METRIC_UPSTREAM_CLOSES, (const char *[]){reason});
}

static void world_stop(struct world *world)
{
    upstream_pool_free(world->pool);
    assert_int_equal(connections(world, "idle"), 0);
    assert_int_equal(connections(world, "busy"), 0);
    assert_int_equal(atomic_load(&world->endpoint->users), 1);
    endpoint_give_back(world->endpoint);
    reactor_free(world->reactor);
    metrics_free(world->metrics);
    close(world->listening);
}

static bool is_accepted(const struct world *world, struct asked *asked)
{
    if (asked->fd < 0)
        asked->fd = accept4(world->listening, NULL, NULL, SOCK_CLOEXEC);
    return asked->fd >= 0;
}

static void ask_of(struct world *world, struct endpoint *endpoint, struct asked *asked)
{
    static char request[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    *asked = (struct asked){.piece = {request, sizeof request - 1}, .fd = -1};
    asked->connection = upstream_pool_take(world->pool, endpoint, &asked->is_new);
    client_call_start(&asked->call, asked->connection, HTTP_GET, &asked->piece, 1, &handler);
    if (asked->is_new)
        turn_until(world->reactor, is_accepted(world, asked));
    else
        reactor_turn(world->reactor, 0); /* sends */
}

static void ask(struct world *world, struct asked *asked)
{
    ask_of(world, world->endpoint, asked);
}

static void answer(struct world *world, struct asked *asked)
{
    send_all(asked->fd, BYTES("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    turn_until(world->reactor, asked->is_done);
}

static void the_connection_used_last_is_used_first(void **state)
{
    (void)state;
    struct world world;
    struct asked asked[2], again;
    world_start(&world, 60000, 10);
    ask(&world, &asked[0]);
    ask(&world, &asked[1]);
    assert_true(asked[0].is_new && asked[1].is_new);
    assert_int_equal(connections(&world, "busy"), 2);
    answer(&world, &asked[1]);
    answer(&world, &asked[0]);
    assert_int_equal(connections(&world, "idle"), 2);
    ask(&world, &again);
    assert_false(again.is_new);
    assert_ptr_equal(again.connection, asked[0].connection);
    assert_int_equal(connections(&world, "idle"), 1);
    again.fd = asked[0].fd;
    answer(&world, &again);
    close(asked[0].fd);
    close(asked[1].fd);
    world_stop(&world);
}

static void idle_connections_over_the_limit_are_closed(void **state)
{
    (void)state;
    struct world world;
    struct asked asked[CALLS];
    world_start(&world, 60000, 2);
    for (unsigned i = 0; i < CALLS; i++)
        ask(&world, &asked[i]);
    for (unsigned i = 0; i < CALLS; i++)
        answer(&world, &asked[i]);
    assert_int_equal(connections(&world, "idle"), 2);
    assert_int_equal(connections(&world, "busy"), 0);
    assert_int_equal(closes(&world, "surplus"), CALLS - 2);
    for (unsigned i = 0; i < CALLS; i++)
        close(asked[i].fd);
    world_stop(&world);
}

static void a_connection_that_idled_its_time_is_not_used_again(void **state)
{
    (void)state;
    struct world world;
    struct asked first, second;
    world_start(&world, 0, 10);
    ask(&world, &first);
    answer(&world, &first);
    ask(&world, &second);
    assert_true(second.is_new);
    assert_int_equal(connections(&world, "idle"), 0);
    assert_int_equal(closes(&world, "idle"), 1);
    answer(&world, &second);
    close(first.fd);
    close(second.fd);
    world_stop(&world);
}

static void a_connection_carries_so_many_requests_and_no_more(void **state)
{
    (void)state;
    struct world world;
    struct asked first, second;
    world_start_with(&world, (struct upstream_pool_config){.connect_timeout_ms = 5000,
                                                           .idle_timeout_ms = 60000,
                                                           .max_idle_per_endpoint = 10,
                                                           .max_requests = 2});
    ask(&world, &first);
    answer(&world, &first);
    ask(&world, &second);
    assert_false(second.is_new);
    second.fd = first.fd;
    answer(&world, &second);
    assert_int_equal(connections(&world, "idle"), 0);
    assert_int_equal(closes(&world, "worn"), 1);
    close(first.fd);
    world_stop(&world);
}

static void an_endpoint_has_so_many_connections_and_no_more(void **state)
{
    (void)state;
    struct world world;
    struct asked first, second, again;
    bool is_new = false;
    world_start_with(&world, (struct upstream_pool_config){.connect_timeout_ms = 5000,
                                                           .idle_timeout_ms = 60000,
                                                           .max_idle_per_endpoint = 10,
                                                           .max_connections = 2});
    ask(&world, &first);
    ask(&world, &second);
    assert_null(upstream_pool_take(world.pool, world.endpoint, &is_new));
    assert_false(is_new);
    assert_int_equal(metrics_value(world.metrics, METRIC_UPSTREAM_CONNECTS, (const char *[]){"refused"}), 1);
    answer(&world, &first);
    ask(&world, &again);
    assert_ptr_equal(again.connection, first.connection);
    assert_null(upstream_pool_take(world.pool, world.endpoint, &is_new));
    close(second.fd);
    turn_until(world.reactor, second.has_failed);
    ask(&world, &second);
    assert_true(second.is_new);
    close(first.fd);
    close(second.fd);
    world_stop(&world);
}

static void a_connection_that_its_server_closed_is_forgotten(void **state)
{
    (void)state;
    struct world world;
    struct asked first, second;
    world_start(&world, 60000, 10);
    ask(&world, &first);
    answer(&world, &first);
    close(first.fd);
    turn_until(world.reactor, connections(&world, "idle") == 0);
    ask(&world, &second);
    assert_true(second.is_new);
    answer(&world, &second);
    close(second.fd);
    world_stop(&world);
}

static void dropping_closes_idle_ones_and_leaves_the_busy(void **state)
{
    (void)state;
    struct world world;
    struct asked asked[3];
    world_start(&world, 60000, 10);
    for (unsigned i = 0; i < 3; i++)
        ask(&world, &asked[i]);
    answer(&world, &asked[0]);
    answer(&world, &asked[1]);
    upstream_pool_drop_idle(world.pool, world.endpoint);
    assert_int_equal(connections(&world, "idle"), 0);
    assert_int_equal(connections(&world, "busy"), 1);
    answer(&world, &asked[2]);
    for (unsigned i = 0; i < 3; i++)
        close(asked[i].fd);
    world_stop(&world);
}

static void a_removed_endpoint_keeps_no_connection(void **state)
{
    (void)state;
    struct world world;
    struct asked asked;
    world_start(&world, 60000, 10);
    ask(&world, &asked);
    atomic_store(&world.endpoint->load.is_removed, true);
    answer(&world, &asked);
    assert_int_equal(connections(&world, "idle"), 0);
    assert_int_equal(connections(&world, "busy"), 0);
    close(asked.fd);
    world_stop(&world);
}

/* As when another pod gets the address of a former one, or when two pools select one pod. */
static void endpoints_of_one_address_do_not_share_connections(void **state)
{
    (void)state;
    struct world world;
    struct asked first, second;
    world_start(&world, 60000, 10);
    struct endpoint *namesake = endpoint_new("127.0.0.1", address_port(&world.at), "t/q", false);
    ask(&world, &first);
    answer(&world, &first);
    ask_of(&world, namesake, &second);
    assert_true(second.is_new);
    answer(&world, &second);
    assert_int_equal(connections(&world, "idle"), 2);
    close(first.fd);
    close(second.fd);
    world_stop(&world);
    endpoint_give_back(namesake);
}

static void freeing_the_pool_closes_what_is_busy_without_a_word(void **state)
{
    (void)state;
    struct world world;
    struct asked asked;
    world_start(&world, 60000, 10);
    ask(&world, &asked);
    int fd = asked.fd;
    world_stop(&world);
    assert_false(asked.is_done || asked.has_failed);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_connection_used_last_is_used_first),
        cmocka_unit_test(idle_connections_over_the_limit_are_closed),
        cmocka_unit_test(a_connection_that_idled_its_time_is_not_used_again),
        cmocka_unit_test(a_connection_carries_so_many_requests_and_no_more),
        cmocka_unit_test(an_endpoint_has_so_many_connections_and_no_more),
        cmocka_unit_test(a_connection_that_its_server_closed_is_forgotten),
        cmocka_unit_test(dropping_closes_idle_ones_and_leaves_the_busy),
        cmocka_unit_test(a_removed_endpoint_keeps_no_connection),
        cmocka_unit_test(endpoints_of_one_address_do_not_share_connections),
        cmocka_unit_test(freeing_the_pool_closes_what_is_busy_without_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
