/* SPDX-License-Identifier: Apache-2.0 */
/* Probes and health checks against servers played by hand. */
#include "unit/http/harness.h"

#include "control/health.h"
#include "control/workloads/probe.h"

struct world {
    struct reactor *reactor;
    struct probe_attempt attempt;
    struct address at;
    int listening;
    int fd; /* the accepted connection */
    struct buffer got;
    int ended;
    unsigned results;
    bool ok;
};

static void on_result(struct probe_attempt *attempt, bool ok)
{
    struct world *world = container_of(attempt, struct world, attempt);
    world->results++;
    world->ok = ok;
}

static void world_start(struct world *world)
{
    *world = (struct world){.fd = -1};
    world->reactor = reactor_new("test");
    world->listening = listen_on_loopback(&world->at);
    set_nonblocking(world->listening);
    probe_init(&world->attempt, world->reactor, on_result);
}

static void world_stop(struct world *world)
{
    probe_deinit(&world->attempt);
    reactor_free(world->reactor);
    close(world->listening);
    if (world->fd >= 0)
        close(world->fd);
    buffer_deinit(&world->got);
}

/* A request has come, whole, on a new connection. */
static bool is_asked(struct world *world)
{
    int fd = accept4(world->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        if (world->fd >= 0)
            close(world->fd);
        world->fd = fd;
        buffer_clear(&world->got);
        world->ended = 0;
    }
    if (world->fd >= 0)
        drain_fd(world->fd, &world->got, &world->ended);
    return has_text(&world->got, "\r\n\r\n");
}

static void an_http_probe_is_good_from_200_to_399(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        bool ok;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true},
        {"HTTP/1.1 204 No Content\r\n\r\n", true},
        {"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", true},
        {"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", false},
        {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", false},
        {"nonsense\r\n\r\n", false},
    };
    struct world world;
    world_start(&world);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        buffer_clear(&world.got);
        probe_start(&world.attempt, &world.at, "/health?x", 60000);
        turn_until(world.reactor, is_asked(&world));
        assert_true(has_text(&world.got, "GET /health?x HTTP/1.1\r\nHost: 127.0.0.1:"));
        send_all(world.fd, bytes_of(cases[i].answer));
        turn_until(world.reactor, world.results == i + 1);
        assert_int_equal(world.ok, cases[i].ok);
    }
    world_stop(&world);
}

static void a_server_that_closes_or_refuses_fails_the_probe(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    probe_start(&world.attempt, &world.at, "/", 60000);
    turn_until(world.reactor, is_asked(&world));
    close(world.fd);
    world.fd = -1;
    turn_until(world.reactor, world.results == 1);
    assert_false(world.ok);
    close(world.listening);
    world.listening = refuse_on_loopback(&world.at);
    probe_start(&world.attempt, &world.at, "/", 60000);
    turn_until(world.reactor, world.results == 2);
    assert_false(world.ok);
    probe_start(&world.attempt, &world.at, NULL, 60000);
    turn_until(world.reactor, world.results == 3);
    assert_false(world.ok);
    world_stop(&world);
}

static void a_tcp_probe_only_connects(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    probe_start(&world.attempt, &world.at, NULL, 60000);
    turn_until(world.reactor, world.results == 1);
    assert_true(world.ok);
    assert_false(is_asked(&world));
    world_stop(&world);
}

static void a_server_that_says_nothing_fails_the_probe_in_time(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    probe_start(&world.attempt, &world.at, "/", 5);
    turn_until(world.reactor, world.results == 1);
    assert_false(world.ok);
    turn_until(world.reactor, is_asked(&world) && world.ended != 0); /* and is left alone */
    world_stop(&world);
}

static void a_probe_that_runs_is_not_started_again_and_a_cancelled_one_says_nothing(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    probe_start(&world.attempt, &world.at, "/one", 60000);
    probe_start(&world.attempt, &world.at, "/two", 60000);
    turn_until(world.reactor, is_asked(&world));
    assert_true(has_text(&world.got, "GET /one "));
    probe_cancel(&world.attempt);
    turn_until(world.reactor, is_asked(&world) && world.ended != 0);
    settle(world.reactor);
    assert_int_equal(world.results, 0);
    world_stop(&world);
}

static void health_takes_an_endpoint_out_and_brings_it_back(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    struct kube_label items[] = {{"serin.dev/health-interval", "50ms"}, {"serin.dev/health-path", "/alive"}};
    struct kube_labels annotations = {.items = items, .len = 2};
    struct health *health = health_new(world.reactor);
    struct endpoint *endpoint = endpoint_new("127.0.0.1", address_port(&world.at), "t/hosts", true);
    health_add(health, endpoint, &annotations);
    assert_true(atomic_load(&endpoint->load.is_healthy));
    turn_until(world.reactor, is_asked(&world));
    assert_true(has_text(&world.got, "GET /alive "));
    send_all(world.fd, BYTES("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"));
    turn_until(world.reactor, !atomic_load(&endpoint->load.is_healthy));
    buffer_clear(&world.got);
    turn_until(world.reactor, is_asked(&world));
    send_all(world.fd, BYTES("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    turn_until(world.reactor, atomic_load(&endpoint->load.is_healthy));
    /* The check lets go of an endpoint that left its pool. */
    atomic_store(&endpoint->load.is_removed, true);
    turn_until(world.reactor, atomic_load(&endpoint->users) == 1);
    endpoint_give_back(endpoint);
    health_free(health);
    world_stop(&world);
}

static void health_may_end_in_the_middle_of_a_check(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    struct kube_label items[] = {{"serin.dev/health-interval", "soon"}, {"serin.dev/health-path", "no slash"}};
    struct kube_labels annotations = {.items = items, .len = 2};
    struct health *health = health_new(world.reactor);
    struct endpoint *endpoint = endpoint_new("127.0.0.1", address_port(&world.at), "t/hosts", true);
    health_add(health, endpoint, &annotations);
    turn_until(world.reactor, is_asked(&world));
    assert_true(has_text(&world.got, "GET /health ")); /* what is unusable is told in the log and left out */
    health_free(health);
    assert_int_equal(atomic_load(&endpoint->users), 1);
    endpoint_give_back(endpoint);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_http_probe_is_good_from_200_to_399),
        cmocka_unit_test(a_server_that_closes_or_refuses_fails_the_probe),
        cmocka_unit_test(a_tcp_probe_only_connects),
        cmocka_unit_test(a_server_that_says_nothing_fails_the_probe_in_time),
        cmocka_unit_test(a_probe_that_runs_is_not_started_again_and_a_cancelled_one_says_nothing),
        cmocka_unit_test(health_takes_an_endpoint_out_and_brings_it_back),
        cmocka_unit_test(health_may_end_in_the_middle_of_a_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
