/* SPDX-License-Identifier: Apache-2.0 */
/* The limit of connections: idle ones make room, the one at rest longest first; others stay. */
#include "http/server_internal.h"
#include "unit/http/server_harness.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

enum { MOST = 100 };

/* A client beside the world's own. */
struct client {
    int fd;
    int ended;
    struct buffer got;
};

static void start(struct world *world, unsigned max_connections)
{
    struct http_server_config config = http_server_defaults;
    config.max_connections = max_connections;
    world_start(world, &config);
    close(world->fd);
    world->fd = -1;
    until(world, world->open == 0);
}

static void visit(struct world *world, struct client *client)
{
    int ends[2];
    struct address peer;
    assert_true(address_make(&peer, BYTES("127.0.0.1"), 1));
    connect_pair(ends, 0);
    *client = (struct client){.fd = ends[0]};
    http_server_accept(world->server, ends[1], &peer, NULL);
}

static bool has_got(struct client *client, const char *text)
{
    drain_fd(client->fd, &client->got, &client->ended);
    return has_text(&client->got, text);
}

static void ask(struct world *world, struct client *client)
{
    buffer_clear(&client->got);
    send_all(client->fd, BYTES(GET("/now")));
    until(world, has_got(client, "\r\n\r\nnow"));
}

static bool is_closed(struct client *client)
{
    drain_fd(client->fd, &client->got, &client->ended);
    return client->ended == 1;
}

static void leave(struct client *clients, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        close(clients[i].fd);
        buffer_deinit(&clients[i].got);
    }
}

/* So that what rests from now on rests less long. */
static void pass_time(struct world *world)
{
    uint64_t now_ms = reactor_now_ms(world->reactor);
    until(world, reactor_now_ms(world->reactor) > now_ms);
}

static void the_one_idle_longest_makes_room(void **state)
{
    (void)state;
    struct world world;
    struct client clients[5];
    start(&world, 3);
    for (unsigned i = 0; i < 3; i++) {
        visit(&world, &clients[i]);
        ask(&world, &clients[i]);
        pass_time(&world);
    }
    ask(&world, &clients[0]); /* now the second is the oldest, and the third follows */
    visit(&world, &clients[3]);
    ask(&world, &clients[3]);
    until(&world, is_closed(&clients[1]));
    visit(&world, &clients[4]);
    ask(&world, &clients[4]);
    until(&world, is_closed(&clients[2]));
    assert_int_equal(world.evicted, 2);
    assert_int_equal(world.refused, 0);
    assert_int_equal(world.open, 3);
    ask(&world, &clients[0]);
    leave(clients, 5);
    world_stop(&world);
}

/* It was the next to go when it was looked for, and has worked since. */
static void one_that_has_worked_since_it_was_looked_for_stays(void **state)
{
    (void)state;
    struct world world;
    struct client clients[5];
    start(&world, 3);
    for (unsigned i = 0; i < 3; i++) {
        visit(&world, &clients[i]);
        pass_time(&world);
    }
    visit(&world, &clients[3]);
    until(&world, is_closed(&clients[0]));
    ask(&world, &clients[1]);
    visit(&world, &clients[4]);
    until(&world, is_closed(&clients[2]));
    ask(&world, &clients[1]);
    assert_int_equal(world.evicted, 2);
    leave(clients, 5);
    world_stop(&world);
}

static void busy_ones_stay(void **state)
{
    (void)state;
    struct world world;
    struct client waiting, half, refused, served;
    start(&world, 2);
    visit(&world, &waiting);
    send_all(waiting.fd, BYTES(GET("/later")));
    until(&world, has_text(&world.log, "last"));
    visit(&world, &half);
    send_all(half.fd, BYTES("GET /now HTTP/1.1\r\n"));
    settle(world.reactor);
    visit(&world, &refused);
    until(&world, has_got(&refused, "too_many_connections"));
    assert_int_equal(world.evicted, 0);
    exchange_answer(world.exchange, 200, NULL, BYTES("done"));
    until(&world, has_got(&waiting, "\r\n\r\ndone"));
    visit(&world, &served);
    ask(&world, &served);
    until(&world, is_closed(&waiting));
    send_all(half.fd, BYTES("Host: a\r\n\r\n"));
    until(&world, has_got(&half, "\r\n\r\nnow"));
    assert_int_equal(world.evicted, 1);
    leave(&waiting, 1);
    leave(&half, 1);
    leave(&refused, 1);
    leave(&served, 1);
    world_stop(&world);
}

/* They are not looked for again so soon, among thousands. */
static void one_that_comes_to_rest_after_the_looking_makes_room(void **state)
{
    (void)state;
    struct world world;
    struct client first, refused, served;
    start(&world, 1);
    visit(&world, &first);
    send_all(first.fd, BYTES(GET("/later")));
    until(&world, has_text(&world.log, "last"));
    visit(&world, &refused);
    until(&world, has_got(&refused, "too_many_connections"));
    world.server->evictable.look_after_ms = UINT64_MAX;
    exchange_answer(world.exchange, 200, NULL, BYTES("done"));
    until(&world, has_got(&first, "\r\n\r\ndone"));
    visit(&world, &served);
    ask(&world, &served);
    until(&world, is_closed(&first));
    assert_int_equal(world.evicted, 1);
    leave(&first, 1);
    leave(&refused, 1);
    leave(&served, 1);
    world_stop(&world);
}

static void a_request_that_has_just_arrived_is_not_thrown_away(void **state)
{
    (void)state;
    struct world world;
    struct client first, second;
    start(&world, 1);
    visit(&world, &first);
    ask(&world, &first);
    buffer_clear(&first.got);
    send_all(first.fd, BYTES(GET("/later")));
    visit(&world, &second);
    until(&world, has_got(&second, "too_many_connections"));
    exchange_answer(world.exchange, 200, NULL, BYTES("done"));
    until(&world, has_got(&first, "\r\n\r\ndone"));
    assert_int_equal(world.evicted, 0);
    leave(&first, 1);
    leave(&second, 1);
    world_stop(&world);
}

/* More than are looked for at once. */
static void a_crowd_of_idle_ones_goes_in_the_order_of_their_rest(void **state)
{
    (void)state;
    struct world world;
    struct client idle[MOST], fresh[MOST];
    start(&world, MOST);
    for (unsigned i = 0; i < MOST; i++) {
        visit(&world, &idle[i]);
        pass_time(&world);
    }
    for (unsigned i = 0; i < MOST; i++) {
        unsigned next = (i + 1) % MOST;
        visit(&world, &fresh[i]);
        until(&world, is_closed(&idle[i]));
        assert_false(is_closed(next > 0 ? &idle[next] : &fresh[0]));
    }
    assert_int_equal(world.evicted, MOST);
    assert_int_equal(world.open, MOST);
    leave(idle, MOST);
    leave(fresh, MOST);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_idle_longest_makes_room),
        cmocka_unit_test(one_that_has_worked_since_it_was_looked_for_stays),
        cmocka_unit_test(busy_ones_stay),
        cmocka_unit_test(one_that_comes_to_rest_after_the_looking_makes_room),
        cmocka_unit_test(a_request_that_has_just_arrived_is_not_thrown_away),
        cmocka_unit_test(a_crowd_of_idle_ones_goes_in_the_order_of_their_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
