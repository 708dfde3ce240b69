/* SPDX-License-Identifier: Apache-2.0 */
/* test_server_end.c: how connections and exchanges end: errors, timeouts, aborts, slow readers, draining. */
#include "unit/http/server_harness.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static void a_malformed_request_is_answered_and_closed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned status;
        const char *reason;
    } cases[] = {
        {"GET /now HTTP/1.1\r\n\r\n", 400, "bad_host"},
        {"GET /now HTTP/2.0\r\nHost: a\r\n\r\n", 505, "bad_version"},
        {"GET /now HTTP/1.1\r\nHost: a\r\nX: 1\n\r\n", 400, "bare_lf"},
        {"GET /now HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
         "both_lengths"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "bad_chunk_size"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct world world;
        struct buffer wanted = {0};
        world_start(&world, NULL);
        world_send(&world, GET("/now"));
        world_send(&world, cases[i].text);
        world_send(&world, "and more that nobody will read");
        until(&world, world.ended == 1);
        assert_int_equal(world.refused, cases[i].status);
        assert_string_equal(world.reason, cases[i].reason);
        buffer_printf(&wanted, "HTTP/1.1 %u ", cases[i].status);
        buffer_append_char(&wanted, '\0');
        assert_true(has_text(&world.got, wanted.data));
        assert_true(has_text(&world.got, cases[i].reason));
        assert_true(has_text(&world.got, "Connection: close\r\n"));
        shutdown(world.fd, SHUT_WR);
        until(&world, world.open == 0);
        buffer_deinit(&wanted);
        world_stop(&world);
    }
}

static void a_bad_chunk_aborts_the_exchange_first(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc");
    until(&world, world.ended == 1);
    assert_true(has_text(&world.log, "aborted"));
    assert_true(has_text(&world.got, "bad_chunk_end"));
    world_stop(&world);
}

static void slow_requests_get_408(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "GET /now HT",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc",
    };
    struct http_server_config config = http_server_defaults;
    config.head_timeout_ms = 1;
    config.body_idle_timeout_ms = 1;
    for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
        struct world world;
        world_start(&world, &config);
        world_send(&world, texts[i]);
        until(&world, world.ended == 1);
        assert_true(has_text(&world.got, "HTTP/1.1 408 "));
        assert_true(has_text(&world.got, "slow_request"));
        assert_int_equal(world.refused, 408);
        assert_int_equal(count_text(&world.log, "aborted"), i);
        world_stop(&world);
    }
}

static void a_silent_connection_is_closed_silently(void **state)
{
    (void)state;
    static const char *const texts[] = {"", GET("/now"), "\r\n"};
    struct http_server_config config = http_server_defaults;
    config.idle_timeout_ms = 1;
    config.head_timeout_ms = 1;
    for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
        struct world world;
        world_start(&world, &config);
        world_send(&world, texts[i]);
        until(&world, world.ended == 1);
        assert_false(has_text(&world.got, "408"));
        assert_int_equal(world.refused, 0);
        assert_int_equal(world.open, 0);
        world_stop(&world);
    }
}

static void a_service_may_think_longer_than_any_timeout(void **state)
{
    (void)state;
    struct http_server_config config = http_server_defaults;
    config.idle_timeout_ms = config.head_timeout_ms = config.body_idle_timeout_ms = config.send_timeout_ms = 3;
    struct world world;
    world_start(&world, &config);
    world_send(&world, "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    until(&world, has_text(&world.log, "last"));
    uint64_t start_ms = reactor_now_ms(world.reactor);
    until(&world, reactor_now_ms(world.reactor) > start_ms + 20);
    exchange_answer(world.exchange, 200, NULL, BYTES("done"));
    until(&world, has_text(&world.got, "\r\n\r\ndone"));
    world_stop(&world);
}

static void a_body_that_the_service_paused_is_not_slow(void **state)
{
    (void)state;
    struct http_server_config config = http_server_defaults;
    config.body_idle_timeout_ms = 10;
    struct world world;
    world_start(&world, &config);
    world_send(&world, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    until(&world, buffer_len(&world.body) == 3);
    exchange_pause_body(world.exchange);
    uint64_t start_ms = reactor_now_ms(world.reactor);
    until(&world, reactor_now_ms(world.reactor) > start_ms + 30);
    assert_int_equal(world.refused, 0);
    world_send(&world, "def");
    exchange_resume_body(world.exchange);
    until(&world, has_text(&world.got, "\r\n\r\nabcdef"));
    world_stop(&world);
}

static void too_many_connections_get_503(void **state)
{
    (void)state;
    struct http_server_config config = http_server_defaults;
    config.max_connections = 1;
    struct world world;
    world_start(&world, &config);
    int first = dup(world.fd);
    world_send(&world, GET("/later"));
    until(&world, has_text(&world.log, "last"));
    buffer_clear(&world.log);
    world_connect(&world, 0);
    world_send(&world, GET("/now"));
    until(&world, world.ended == 1);
    assert_int_equal(world.evicted, 0);
    assert_true(has_text(&world.got, "HTTP/1.1 503 "));
    assert_true(has_text(&world.got, "too_many_connections"));
    assert_true(has_text(&world.got, "Retry-After: 1\r\n"));
    assert_false(has_text(&world.log, "head"));
    assert_int_equal(world.refused, 503);
    shutdown(world.fd, SHUT_WR);
    until(&world, http_server_connections(world.server) == 1);
    close(first);
    until(&world, http_server_connections(world.server) == 0);
    world_connect(&world, 0);
    world_send(&world, GET("/now"));
    until(&world, has_text(&world.got, "\r\n\r\nnow"));
    world_stop(&world);
}

static void a_client_that_leaves_aborts_at_once(void **state)
{
    (void)state;
    static const char *const texts[] = {
        GET("/later"), "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        GET("/later") GET("/later"), /* the second one is not read: the end is noticed all the same */
    };
    for (int how = 0; how < 3; how++) {
        for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
            struct world world;
            world_start(&world, NULL);
            world_send(&world, texts[i]);
            until(&world, world.exchange != NULL);
            settle(world.reactor);
            if (i == 2)
                world_send(&world, GET("/later"));
            settle(world.reactor);
            if (how == 0)
                close(world.fd);
            else if (how == 1)
                close_with_reset(world.fd);
            else
                shutdown(world.fd, SHUT_WR);
            if (how < 2)
                world.fd = -1;
            until(&world, has_text(&world.log, "aborted"));
            assert_int_equal(count_text(&world.log, "aborted"), 1);
            assert_int_equal(count_text(&world.log, "head"), 1);
            assert_int_equal(world.open, 0);
            world_stop(&world);
        }
    }
}

static void a_finished_response_is_flushed_to_a_client_that_half_closed(void **state)
{
    (void)state;
    enum { SIZE = 4 * 1000 * 1000 };
    struct world world;
    char *data = calloc(1, SIZE);
    world_start(&world, NULL);
    world_send(&world, GET("/later"));
    until(&world, has_text(&world.log, "last"));
    exchange_answer(world.exchange, 200, NULL, bytes_make(data, SIZE));
    reactor_turn(world.reactor, 0);
    shutdown(world.fd, SHUT_WR);
    settle(world.reactor);
    until(&world, world.ended == 1);
    assert_true(buffer_len(&world.got) > SIZE);
    assert_int_equal(world.open, 0);
    free(data);
    world_stop(&world);
}

static void requests_before_a_half_close_are_answered(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, GET("/now") GET("/now"));
    shutdown(world.fd, SHUT_WR);
    until(&world, world.ended == 1);
    assert_int_equal(count_text(&world.got, "\r\n\r\nnow"), 2);
    world_stop(&world);
}

static void an_aborted_exchange_resets(void **state)
{
    (void)state;
    static const char *const texts[] = {
        GET("/abort"),
        "POST /abort-body HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc",
        GET("/later"),
    };
    for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
        struct world world;
        world_start(&world, NULL);
        world_send(&world, texts[i]);
        if (i == 2) {
            until(&world, has_text(&world.log, "last"));
            exchange_abort(world.exchange);
        }
        until(&world, world.ended != 0);
        assert_int_equal(world.ended, -ECONNRESET);
        assert_false(has_text(&world.log, "aborted"));
        assert_int_equal(world.open, 0);
        world_stop(&world);
    }
}

static void fewer_bytes_than_promised_reset(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, GET("/later"));
    until(&world, has_text(&world.log, "last"));
    exchange_respond(world.exchange, 200, NULL, 10);
    exchange_send(world.exchange, BYTES("five."));
    until(&world, has_text(&world.got, "five."));
    exchange_finish(world.exchange);
    until(&world, world.ended == -ECONNRESET);
    world_stop(&world);
}

static void a_slow_reader_stops_the_sender(void **state)
{
    (void)state;
    static char data[8 * 1024];
    struct http_server_config config = http_server_defaults;
    config.send_high_water = 64 * 1024;
    struct world world;
    world_start(&world, &config);
    world_connect(&world, 4096);
    world_send(&world, GET("/later"));
    until(&world, has_text(&world.log, "last"));
    exchange_respond(world.exchange, 200, NULL, -1);
    assert_true(exchange_send_room(world.exchange) > 0);
    size_t sent = 0;
    for (int turn = 0; turn < 10000 && exchange_send_room(world.exchange) > 0; turn++) {
        exchange_send(world.exchange, bytes_make(data, sizeof(data)));
        sent += sizeof(data);
        reactor_turn(world.reactor, 0);
    }
    settle(world.reactor);
    assert_int_equal(exchange_send_room(world.exchange), 0);
    assert_int_equal(world.can_send, 0);
    until(&world, world.can_send == 1);
    assert_true(exchange_send_room(world.exchange) > 32 * 1024);
    exchange_finish(world.exchange);
    until(&world, has_text(&world.got, "\r\n0\r\n\r\n"));
    assert_true(buffer_len(&world.got) > sent);
    world_send(&world, GET("/now"));
    until(&world, has_text(&world.got, "\r\n\r\nnow"));
    world_stop(&world);
}

static void a_reader_that_stopped_is_reset_in_the_end(void **state)
{
    (void)state;
    enum { SIZE = 8 * 1000 * 1000 };
    struct http_server_config config = http_server_defaults;
    config.send_timeout_ms = 5;
    struct world world;
    char *data = calloc(1, SIZE);
    world_start(&world, &config);
    world_send(&world, GET("/later"));
    until(&world, has_text(&world.log, "last"));
    exchange_respond(world.exchange, 200, NULL, 2 * SIZE);
    exchange_send(world.exchange, bytes_make(data, SIZE));
    turn_until(world.reactor, world.open == 0);
    assert_true(has_text(&world.log, "aborted"));
    assert_string_equal(world.reason, "slow_reader");
    free(data);
    world_stop(&world);
}

/* How many there are, whole or begun, which are not looked through again: all together are 20 MB.  Of another one half
 * the first word may be there. */
static unsigned take_answers(struct buffer *got)
{
    static const char start[] = "HTTP/1.1 200 OK";
    unsigned count = count_text(got, start);
    size_t len = buffer_len(got), kept = sizeof start - 2 < len ? sizeof start - 2 : len;
    buffer_consume(got, len - kept);
    return count;
}

static void pipelined_output_is_bounded(void **state)
{
    (void)state;
    struct http_server_config config = http_server_defaults;
    config.send_high_water = 16 * 1024;
    struct world world;
    struct buffer request = {0};
    world_start(&world, &config);
    world_connect(&world, 4096);
    buffer_append_str(&request, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n");
    memset(buffer_reserve(&request, 10000), 'x', 10000);
    buffer_commit(&request, 10000);
    unsigned sent = 0;
    for (; sent < 2000; sent++) { /* until the server does not read any more */
        struct bytes rest = buffer_bytes(&request);
        for (int tries = 0; rest.len > 0 && tries < 100; tries++) {
            ssize_t count = send(world.fd, rest.data, rest.len, MSG_NOSIGNAL);
            if (count > 0)
                rest = bytes_skip(rest, (size_t)count);
            reactor_turn(world.reactor, 0);
        }
        if (rest.len > 0) {
            while (rest.len > 0) {
                ssize_t count = send(world.fd, rest.data, rest.len, MSG_NOSIGNAL);
                if (count > 0)
                    rest = bytes_skip(rest, (size_t)count);
                reactor_turn(world.reactor, 0);
                world_read(&world);
            }
            sent++;
            break;
        }
    }
    assert_true(sent < 2000);
    unsigned answers = 0;
    until(&world, (answers += take_answers(&world.got)) == sent);
    buffer_deinit(&request);
    world_stop(&world);
}

static void draining_closes_idle_and_busy_connections(void **state)
{
    (void)state;
    struct http_server_config config = http_server_defaults;
    config.drain_idle_ms = 0;
    struct world world;
    world_start(&world, &config);
    world_send(&world, GET("/now"));
    until(&world, has_text(&world.got, "\r\n\r\nnow"));
    int idle = dup(world.fd);
    world_connect(&world, 0);
    world_send(&world, GET("/later"));
    until(&world, has_text(&world.log, "last"));
    int busy = dup(world.fd);
    http_server_drain(world.server);
    until(&world, http_server_connections(world.server) == 1);
    char byte;
    assert_int_equal(recv(idle, &byte, 1, 0), 0);
    exchange_answer(world.exchange, 200, NULL, BYTES("bye"));
    until(&world, world.ended == 1);
    assert_true(has_text(&world.got, "Connection: close\r\n"));
    assert_true(has_text(&world.got, "\r\n\r\nbye"));
    shutdown(busy, SHUT_WR);
    until(&world, http_server_connections(world.server) == 0);

    world_connect(&world, 0); /* a latecomer gets one answer */
    world_send(&world, GET("/now") GET("/now"));
    until(&world, world.ended == 1);
    assert_int_equal(count_text(&world.got, "\r\n\r\nnow"), 1);
    assert_true(has_text(&world.got, "Connection: close\r\n"));
    close(idle);
    close(busy);
    world_stop(&world);
}

static void a_request_that_races_with_draining_is_answered(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, GET("/now"));
    until(&world, has_text(&world.got, "\r\n\r\nnow"));
    world_send(&world, GET("/now")); /* in the kernel, unseen */
    http_server_drain_listener(world.server, NULL);
    http_server_drain_listener(world.server, &world.fd);
    until(&world, world.ended == 1);
    assert_int_equal(count_text(&world.got, "\r\n\r\nnow"), 2);
    world_stop(&world);
}

/* Its response began before the drain and promised to keep the connection: the next request may be on its way. */
static void a_draining_client_that_was_not_told_may_send_once_more(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, GET("/later"));
    until(&world, has_text(&world.log, "last"));
    exchange_respond(world.exchange, 200, NULL, 2);
    until(&world, has_text(&world.got, "\r\n\r\n"));
    http_server_drain(world.server);
    exchange_send(world.exchange, BYTES("ok"));
    exchange_finish(world.exchange);
    until(&world, has_text(&world.got, "\r\n\r\nok"));
    assert_false(has_text(&world.got, "Connection: close\r\n"));
    world_send(&world, GET("/now"));
    until(&world, world.ended == 1);
    assert_true(has_text(&world.got, "\r\n\r\nnow"));
    assert_true(has_text(&world.got, "Connection: close\r\n"));
    world_stop(&world);
}

static void a_connection_that_was_just_opened_is_served_while_draining(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    http_server_drain(world.server);
    reactor_turn(world.reactor, 0);
    world_send(&world, GET("/now"));
    until(&world, world.ended == 1);
    assert_true(has_text(&world.got, "\r\n\r\nnow"));
    assert_true(has_text(&world.got, "Connection: close\r\n"));
    world_stop(&world);
}

static void another_listeners_connections_are_not_drained(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    http_server_drain_listener(world.server, &world);
    settle(world.reactor);
    world_send(&world, GET("/now"));
    until(&world, has_text(&world.got, "\r\n\r\nnow"));
    assert_false(has_text(&world.got, "Connection: close"));
    world_stop(&world);
}

static void freeing_the_server_aborts_what_runs(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, GET("/later"));
    until(&world, has_text(&world.log, "last"));
    http_server_free(world.server);
    world.server = NULL;
    assert_true(has_text(&world.log, "aborted"));
    until(&world, world.ended == -ECONNRESET);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_malformed_request_is_answered_and_closed),
        cmocka_unit_test(a_bad_chunk_aborts_the_exchange_first),
        cmocka_unit_test(slow_requests_get_408),
        cmocka_unit_test(a_silent_connection_is_closed_silently),
        cmocka_unit_test(a_service_may_think_longer_than_any_timeout),
        cmocka_unit_test(a_body_that_the_service_paused_is_not_slow),
        cmocka_unit_test(too_many_connections_get_503),
        cmocka_unit_test(a_client_that_leaves_aborts_at_once),
        cmocka_unit_test(a_finished_response_is_flushed_to_a_client_that_half_closed),
        cmocka_unit_test(requests_before_a_half_close_are_answered),
        cmocka_unit_test(an_aborted_exchange_resets),
        cmocka_unit_test(fewer_bytes_than_promised_reset),
        cmocka_unit_test(a_slow_reader_stops_the_sender),
        cmocka_unit_test(a_reader_that_stopped_is_reset_in_the_end),
        cmocka_unit_test(pipelined_output_is_bounded),
        cmocka_unit_test(draining_closes_idle_and_busy_connections),
        cmocka_unit_test(a_request_that_races_with_draining_is_answered),
        cmocka_unit_test(a_draining_client_that_was_not_told_may_send_once_more),
        cmocka_unit_test(a_connection_that_was_just_opened_is_served_while_draining),
        cmocka_unit_test(another_listeners_connections_are_not_drained),
        cmocka_unit_test(freeing_the_server_aborts_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
