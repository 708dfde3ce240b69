/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that are slow on purpose: how long they are waited for, and what they may make the server keep. */
#include "unit/http/server_harness.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

enum { LIMIT = 1 << 20 };

static void start(struct world *world, struct http_server_config *config, struct memory_budget *budget)
{
    *config = http_server_defaults;
    *budget = (struct memory_budget){.limit_bytes = LIMIT};
    config->budget = budget;
    world_start(world, config);
}

static void stop(struct world *world, struct memory_budget *budget)
{
    world_stop(world);
    assert_int_equal(budget->held_bytes, 0);
}

/* A byte per turn: each of them would satisfy a timer of silence. */
static void a_body_that_drips_is_too_slow(void **state)
{
    (void)state;
    struct http_server_config config = http_server_defaults;
    struct world world;
    config.body_idle_timeout_ms = 200;
    config.body_min_rate = 1000 * 1000;
    world_start(&world, &config);
    world_send(&world, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n");
    for (int turns = MAX_TURNS; world.refused == 0 && turns > 0; turns--) {
        world_send(&world, "x");
        reactor_turn(world.reactor, 1);
    }
    until(&world, has_text(&world.got, "slow_request"));
    assert_int_equal(world.refused, 408);
    assert_true(buffer_len(&world.body) > 10);
    world_stop(&world);
}

static void a_body_that_keeps_the_rate_may_take_its_time(void **state)
{
    (void)state;
    struct http_server_config config = http_server_defaults;
    struct world world;
    config.body_idle_timeout_ms = 60 * 1000;
    config.body_min_rate = 1;
    world_start(&world, &config);
    world_send(&world, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\n");
    for (int i = 0; i < 200; i++) {
        world_send(&world, "x");
        reactor_turn(world.reactor, 1);
    }
    until(&world, has_text(&world.got, "xxxx"));
    assert_int_equal(world.refused, 0);
    world_stop(&world);
}

static void what_a_client_does_not_read_is_counted_until_it_does(void **state)
{
    (void)state;
    enum { SIZE = 8 * 1000 * 1000 };
    struct memory_budget budget;
    struct http_server_config config;
    struct world world;
    char *data = calloc(1, SIZE);
    start(&world, &config, &budget);
    world_send(&world, GET("/later"));
    until(&world, has_text(&world.log, "last"));
    exchange_respond(world.exchange, 200, NULL, SIZE);
    exchange_send(world.exchange, bytes_make(data, SIZE));
    exchange_finish(world.exchange);
    settle(world.reactor);
    assert_true(budget.held_bytes > 64 * 1024);
    until(&world, buffer_len(&world.got) > SIZE);
    settle(world.reactor);
    assert_int_equal(budget.held_bytes, 0);
    free(data);
    stop(&world, &budget);
}

static void a_long_half_of_a_head_is_counted_and_a_short_one_is_not(void **state)
{
    (void)state;
    struct memory_budget budget;
    struct http_server_config config;
    struct world world;
    struct buffer half = {0};
    start(&world, &config, &budget);
    world_send(&world, "GET / HTTP/1.1\r\nHost: a\r\n");
    settle(world.reactor);
    assert_int_equal(budget.held_bytes, 0);
    buffer_append_str(&half, "Long: ");
    memset(buffer_reserve(&half, 10000), 'x', 10000);
    buffer_commit(&half, 10000);
    send_all(world.fd, buffer_bytes(&half));
    buffer_deinit(&half);
    until(&world, budget.held_bytes > 10000);
    close(world.fd);
    world.fd = -1;
    until(&world, world.open == 0);
    stop(&world, &budget);
}

static size_t fill(struct world *world)
{
    static const char data[4096];
    size_t sent = 0;
    for (int turn = 0; turn < 10000 && exchange_send_room(world->exchange) > 0; turn++) {
        exchange_send(world->exchange, bytes_make(data, sizeof data));
        sent += sizeof data;
        reactor_turn(world->reactor, 0);
    }
    return sent;
}

static size_t fill_for_who_does_not_read(unsigned long long held_bytes)
{
    struct memory_budget budget;
    struct http_server_config config;
    struct world world;
    start(&world, &config, &budget);
    world_connect(&world, 4096);
    world_send(&world, GET("/later"));
    until(&world, has_text(&world.log, "last"));
    exchange_respond(world.exchange, 200, NULL, -1);
    budget.held_bytes = held_bytes;
    size_t sent = fill(&world);
    /* There is room again when it reads. */
    until(&world, world.can_send == 1);
    exchange_finish(world.exchange);
    until(&world, has_text(&world.got, "\r\n0\r\n\r\n"));
    budget.held_bytes -= held_bytes;
    stop(&world, &budget);
    return sent;
}

static void under_pressure_less_waits_for_a_slow_client(void **state)
{
    (void)state;
    size_t usually = fill_for_who_does_not_read(0);
    size_t under_pressure = fill_for_who_does_not_read(LIMIT / 2 + 1);
    assert_true(usually >= http_server_defaults.send_high_water);
    assert_true(under_pressure + 200 * 1024 < usually);
}

/* Otherwise all connections together would queue what a turn brings. */
static void a_burst_of_small_chunks_does_not_wait_for_the_turns_end(void **state)
{
    (void)state;
    static const char data[1000];
    struct world world;
    world_start(&world, NULL);
    world_send(&world, GET("/later"));
    until(&world, has_text(&world.log, "last"));
    exchange_respond(world.exchange, 200, NULL, -1);
    exchange_send(world.exchange, bytes_make(data, sizeof data));
    world_read(&world);
    assert_int_equal(buffer_len(&world.got), 0);
    for (int i = 0; i < 80; i++)
        exchange_send(world.exchange, bytes_make(data, sizeof data));
    world_read(&world);
    assert_true(buffer_len(&world.got) >= 60 * 1024);
    exchange_finish(world.exchange);
    until(&world, has_text(&world.got, "\r\n0\r\n\r\n"));
    assert_true(buffer_len(&world.got) > 81 * sizeof data);
    world_stop(&world);
}

static void a_large_holder_is_refused_before_a_small_one(void **state)
{
    (void)state;
    struct memory_budget budget = {.limit_bytes = 800};
    uint32_t counted = 0;
    assert_true(memory_budget_allows(&budget, 600, MEMORY_SMALL_BYTES + 1));
    assert_false(memory_budget_allows(&budget, 601, MEMORY_SMALL_BYTES + 1));
    assert_true(memory_budget_allows(&budget, 800, MEMORY_SMALL_BYTES));
    assert_false(memory_budget_allows(&budget, 801, MEMORY_SMALL_BYTES));
    memory_budget_note(&budget, &counted, MEMORY_UNCOUNTED_BYTES);
    assert_int_equal(budget.held_bytes, 0);
    memory_budget_note(&budget, &counted, 5000);
    memory_budget_note(&budget, &counted, 6000);
    assert_int_equal(budget.held_bytes, 6000);
    assert_true(memory_budget_is_spent(&budget) && memory_budget_is_tight(&budget));
    memory_budget_note(&budget, &counted, 10);
    assert_int_equal(budget.held_bytes, 0);
    assert_false(memory_budget_is_spent(NULL) || memory_budget_is_tight(NULL));
}

/* The numbers of docs/limits.md; requests of one packet are begun by its arrival and once more at the turn's end. */
static void requests_that_come_together_leave_the_turn_to_others(void **state)
{
    (void)state;
    enum { REQUESTS = 100, PER_TURN = 2 * 16 };
    struct world world;
    world_start(&world, NULL);
    for (int i = 0; i < REQUESTS; i++)
        world_send(&world, GET("/now"));
    for (unsigned turn = 1; count_text(&world.log, "head /now") < REQUESTS; turn++) {
        reactor_turn(world.reactor, 0);
        assert_true(count_text(&world.log, "head /now") <= turn * PER_TURN);
        assert_true(turn < MAX_TURNS);
    }
    until(&world, count_text(&world.got, "\r\n\r\nnow") == REQUESTS);
    world_stop(&world);
}

static void a_fast_upload_leaves_the_turn_to_others(void **state)
{
    (void)state;
    enum { SIZE = 4 << 20, PER_TURN = 4 * 64 * 1024 };
    int wide = 2 << 20;
    struct world world;
    char *data = calloc(1, SIZE);
    world_start(&world, NULL);
    setsockopt(world.fd, SOL_SOCKET, SO_SNDBUF, &wide, sizeof wide);
    world_send(&world, "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 4194304\r\n\r\n");
    size_t sent = 0, most = 0;
    for (unsigned turn = 0; buffer_len(&world.body) < SIZE && turn < MAX_TURNS; turn++) {
        for (ssize_t count; sent < SIZE && (count = send(world.fd, data, SIZE - sent, MSG_NOSIGNAL)) > 0;)
            sent += (size_t)count;
        size_t before = buffer_len(&world.body);
        reactor_turn(world.reactor, 0);
        most = buffer_len(&world.body) - before > most ? buffer_len(&world.body) - before : most;
    }
    assert_int_equal(buffer_len(&world.body), SIZE);
    assert_in_range(most, 1, PER_TURN);
    free(data);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_that_drips_is_too_slow),
        cmocka_unit_test(a_body_that_keeps_the_rate_may_take_its_time),
        cmocka_unit_test(what_a_client_does_not_read_is_counted_until_it_does),
        cmocka_unit_test(a_long_half_of_a_head_is_counted_and_a_short_one_is_not),
        cmocka_unit_test(under_pressure_less_waits_for_a_slow_client),
        cmocka_unit_test(a_burst_of_small_chunks_does_not_wait_for_the_turns_end),
        cmocka_unit_test(a_large_holder_is_refused_before_a_small_one),
        cmocka_unit_test(requests_that_come_together_leave_the_turn_to_others),
        cmocka_unit_test(a_fast_upload_leaves_the_turn_to_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
