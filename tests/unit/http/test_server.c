/* SPDX-License-Identifier: Apache-2.0 */
/* test_server.c: requests and responses over HTTP/1.x: framing, keep-alive, pipelining, early answers. */
#include "unit/http/server_harness.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static void a_get_is_answered_and_the_connection_lives_on(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    for (unsigned i = 1; i <= 3; i++) {
        world_send(&world, GET("/now"));
        until(&world, count_text(&world.got, "\r\n\r\nnow") == i);
    }
    assert_int_equal(world.open, 1);
    assert_int_equal(count_text(&world.got, "HTTP/1.1 200 OK\r\n"), 3);
    assert_int_equal(count_text(&world.got, "Content-Length: 3\r\n"), 3);
    assert_int_equal(count_text(&world.got, "Content-Type: text/plain\r\n"), 3);
    assert_int_equal(count_text(&world.got, "\r\nDate: "), 3);
    assert_false(has_text(&world.got, "Connection:"));
    assert_int_equal(world.ended, 0);
    world_stop(&world);
}

static void a_body_comes_the_same_wherever_the_network_cuts(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=1\r\n world\r\n"
        "0\r\nT: v\r\n\r\n",
    };
    struct world world;
    world_start(&world, NULL);
    for (unsigned i = 0; i < ARRAY_LEN(requests); i++) {
        size_t len = strlen(requests[i]);
        for (size_t cut = 1; cut < len; cut++) {
            buffer_clear(&world.got);
            send_all(world.fd, bytes_make(requests[i], cut));
            reactor_turn(world.reactor, 0);
            send_all(world.fd, bytes_make(requests[i] + cut, len - cut));
            until(&world, has_text(&world.got, "\r\n\r\nhello world"));
        }
    }
    world_stop(&world);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    (void)state;
    static const char text[] =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    struct world world;
    world_start(&world, NULL);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        send_all(world.fd, bytes_make(text + i, 1));
        reactor_turn(world.reactor, 0);
    }
    until(&world, has_text(&world.got, "\r\n\r\nabc"));
    world_stop(&world);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    struct world world;
    struct buffer many = {0};
    world_start(&world, NULL);
    for (int i = 0; i < 100; i++)
        buffer_printf(&many, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n%03d", i);
    send_all(world.fd, buffer_bytes(&many));
    until(&world, has_text(&world.got, "\r\n\r\n099"));
    const char *at = world.got.data;
    for (int i = 0; i < 100; i++) {
        char body[16];
        snprintf(body, sizeof(body), "\r\n\r\n%03d", i);
        const char *found = memmem(at, (size_t)(world.got.data + world.got.tail - at), body, strlen(body));
        assert_non_null(found);
        at = found;
    }
    buffer_deinit(&many);
    world_stop(&world);
}

static void a_pipelined_request_waits_for_the_answer_before_it(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, GET("/later") GET("/now"));
    until(&world, world.exchange != NULL && has_text(&world.log, "last"));
    world_send(&world, GET("/now")); /* more than the server takes while it waits */
    settle(world.reactor);
    assert_int_equal(count_text(&world.log, "head"), 1);
    exchange_answer(world.exchange, 200, NULL, BYTES("later"));
    until(&world, count_text(&world.got, "\r\n\r\nnow") == 2);
    assert_true(has_text(&world.got, "\r\n\r\nlaterHTTP/1.1 200 OK"));
    world_stop(&world);
}

static void an_unknown_length_is_chunked(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, GET("/later"));
    until(&world, has_text(&world.log, "last"));
    assert_false(exchange_is_head_sent(world.exchange));
    exchange_respond(world.exchange, 200, NULL, -1);
    exchange_send(world.exchange, BYTES("one"));
    assert_false(exchange_is_head_sent(world.exchange));
    until(&world, has_text(&world.got, "\r\n\r\n3\r\none\r\n"));
    assert_true(exchange_is_head_sent(world.exchange));
    exchange_send(world.exchange, BYTES("two"));
    exchange_send(world.exchange, BYTES("")); /* must not end the body */
    exchange_send(world.exchange, BYTES("sixteen bytes ..."));
    exchange_finish(world.exchange);
    until(&world, has_text(&world.got, "one\r\n3\r\ntwo\r\n11\r\nsixteen bytes ...\r\n0\r\n\r\n"));
    assert_true(has_text(&world.got, "Transfer-Encoding: chunked\r\n"));
    assert_false(has_text(&world.got, "Content-Length"));
    world_send(&world, GET("/now"));
    until(&world, has_text(&world.got, "\r\n\r\nnow"));
    world_stop(&world);
}

static void large_chunks_arrive_whole(void **state)
{
    (void)state;
    enum { CHUNK = 100 * 1000 };
    static char data[CHUNK];
    struct world world;
    memset(data, 'x', sizeof(data));
    world_start(&world, NULL);
    for (int round = 0; round < 2; round++) {
        buffer_clear(&world.got);
        buffer_clear(&world.log);
        world_send(&world, GET("/later"));
        until(&world, has_text(&world.log, "last"));
        exchange_respond(world.exchange, 200, NULL, round == 0 ? 3 * CHUNK + 3 : -1);
        exchange_send(world.exchange, bytes_make(data, CHUNK));
        exchange_send(world.exchange, BYTES("abc"));
        exchange_send(world.exchange, bytes_make(data, CHUNK));
        exchange_send(world.exchange, bytes_make(data, CHUNK));
        exchange_finish(world.exchange);
        until(&world, buffer_len(&world.got) >= 3 * CHUNK + 3 + (round == 0 ? 0 : 20) &&
                          (round == 0 || has_text(&world.got, "\r\n0\r\n\r\n")));
        settle(world.reactor);
        size_t xs = 0;
        for (size_t i = world.got.head; i < world.got.tail; i++)
            xs += world.got.data[i] == 'x';
        assert_int_equal(xs, 3 * CHUNK);
        assert_true(has_text(&world.got, round == 0 ? "xabcx" : "\r\n186a0\r\nxxx"));
    }
    world_stop(&world);
}

static void head_has_no_body_but_its_length(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, "HEAD /now HTTP/1.1\r\nHost: a\r\n\r\n" GET("/now"));
    until(&world, has_text(&world.got, "\r\n\r\nnow"));
    assert_int_equal(count_text(&world.got, "Content-Length: 3\r\n"), 2);
    assert_int_equal(count_text(&world.got, "\r\n\r\nHTTP/1.1 200"), 1);
    world_stop(&world);
}

static void a_204_has_neither_body_nor_length(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, GET("/later"));
    until(&world, has_text(&world.log, "last"));
    exchange_respond(world.exchange, 204, NULL, 0);
    exchange_finish(world.exchange);
    world_send(&world, GET("/now"));
    until(&world, has_text(&world.got, "\r\n\r\nnow"));
    assert_true(has_text(&world.got, "HTTP/1.1 204 No Content\r\n"));
    assert_int_equal(count_text(&world.got, "Content-Length"), 1);
    world_stop(&world);
}

static void connection_close_is_honoured(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, "GET /now HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    until(&world, world.ended != 0);
    assert_int_equal(world.ended, 1);
    assert_true(has_text(&world.got, "Connection: close\r\n"));
    until(&world, world.open == 0);
    world_stop(&world);
}

static void http_1_0_closes_unless_asked_to_stay(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, "GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    until(&world, has_text(&world.got, "\r\n\r\nnow"));
    assert_true(has_text(&world.got, "Connection: keep-alive\r\n"));
    world_send(&world, "GET /now HTTP/1.0\r\n\r\n");
    until(&world, world.ended == 1);
    world_stop(&world);
}

static void http_1_0_gets_an_unknown_length_until_close(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, "GET /later HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    until(&world, has_text(&world.log, "last"));
    exchange_respond(world.exchange, 200, NULL, -1);
    exchange_send(world.exchange, BYTES("raw"));
    exchange_finish(world.exchange);
    until(&world, has_text(&world.got, "\r\n\r\nraw"));
    assert_true(has_text(&world.got, "Connection: close\r\n"));
    shutdown(world.fd, SHUT_WR);
    until(&world, world.ended == 1 && world.open == 0);
    world_stop(&world);
}

static void continue_is_sent_when_the_body_is_awaited(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    until(&world, has_text(&world.got, "HTTP/1.1 100 Continue\r\n\r\n"));
    world_send(&world, "hi");
    until(&world, has_text(&world.got, "\r\n\r\nhi"));
    assert_int_equal(count_text(&world.got, "100 Continue"), 1);
    world_stop(&world);
}

static void continue_is_not_sent_when_the_body_is_there(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nh");
    settle(world.reactor);
    world_send(&world, "i");
    until(&world, has_text(&world.got, "\r\n\r\nhi"));
    assert_false(has_text(&world.got, "100 Continue"));
    world_stop(&world);
}

static void continue_waits_for_resume(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world.pauses = true;
    world_send(&world, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    until(&world, world.exchange != NULL);
    settle(world.reactor);
    world_read(&world);
    assert_int_equal(buffer_len(&world.got), 0);
    exchange_resume_body(world.exchange);
    until(&world, has_text(&world.got, "HTTP/1.1 100 Continue\r\n\r\n"));
    world_send(&world, "hi");
    until(&world, has_text(&world.got, "\r\n\r\nhi"));
    world_stop(&world);
}

static void an_answer_instead_of_continue_closes(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, "POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    until(&world, world.ended == 1);
    assert_false(has_text(&world.got, "100 Continue"));
    assert_true(has_text(&world.got, "HTTP/1.1 413 "));
    assert_true(has_text(&world.got, "Connection: close\r\n"));
    world_stop(&world);
}

static void a_small_rest_of_a_body_is_read_away(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world_send(&world, "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    until(&world, has_text(&world.got, "HTTP/1.1 413 "));
    assert_false(has_text(&world.got, "Connection: close"));
    world_send(&world, "def" GET("/now"));
    until(&world, has_text(&world.got, "\r\n\r\nnow"));
    assert_false(has_text(&world.log, "last"));
    world_stop(&world);
}

/* The client must see the answer and no reset, though it sends on and on. */
static void a_large_rest_of_a_body_ends_in_a_lingering_close(void **state)
{
    (void)state;
    static char data[32 * 1024];
    static const char *const paths[] = {"/early", "/cut-in-body"};
    for (unsigned i = 0; i < ARRAY_LEN(paths); i++) {
        struct world world;
        struct buffer head = {0};
        world_start(&world, NULL);
        buffer_printf(&head, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n", paths[i]);
        send_all(world.fd, buffer_bytes(&head));
        for (int round = 0; round < 100; round++) {
            ssize_t sent = send(world.fd, data, sizeof(data), MSG_NOSIGNAL);
            assert_true(sent > 0 || errno == EAGAIN);
            reactor_turn(world.reactor, 0);
            world_read(&world);
        }
        until(&world, world.ended != 0);
        assert_int_equal(world.ended, 1);
        assert_true(has_text(&world.got, "HTTP/1.1 413 "));
        assert_true(has_text(&world.got, "Connection: close\r\n"));
        assert_true(has_text(&world.got, "x-serin-reason: too_large\r\n"));
        assert_true(has_text(&world.got, "\"code\":\"too_large\"}}"));
        assert_int_equal(world.open, 1);
        shutdown(world.fd, SHUT_WR);
        until(&world, world.open == 0);
        buffer_deinit(&head);
        world_stop(&world);
    }
}

static void a_paused_body_is_not_delivered(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world.pauses = true;
    world_send(&world, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    until(&world, world.exchange != NULL);
    world_send(&world, "def");
    settle(world.reactor);
    assert_int_equal(buffer_len(&world.body), 0);
    exchange_resume_body(world.exchange);
    until(&world, has_text(&world.got, "\r\n\r\nabcdef"));
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_is_answered_and_the_connection_lives_on),
        cmocka_unit_test(a_body_comes_the_same_wherever_the_network_cuts),
        cmocka_unit_test(a_request_may_come_byte_by_byte),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_pipelined_request_waits_for_the_answer_before_it),
        cmocka_unit_test(an_unknown_length_is_chunked),
        cmocka_unit_test(large_chunks_arrive_whole),
        cmocka_unit_test(head_has_no_body_but_its_length),
        cmocka_unit_test(a_204_has_neither_body_nor_length),
        cmocka_unit_test(connection_close_is_honoured),
        cmocka_unit_test(http_1_0_closes_unless_asked_to_stay),
        cmocka_unit_test(http_1_0_gets_an_unknown_length_until_close),
        cmocka_unit_test(continue_is_sent_when_the_body_is_awaited),
        cmocka_unit_test(continue_is_not_sent_when_the_body_is_there),
        cmocka_unit_test(continue_waits_for_resume),
        cmocka_unit_test(an_answer_instead_of_continue_closes),
        cmocka_unit_test(a_small_rest_of_a_body_is_read_away),
        cmocka_unit_test(a_large_rest_of_a_body_ends_in_a_lingering_close),
        cmocka_unit_test(a_paused_body_is_not_delivered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
