/* SPDX-License-Identifier: Apache-2.0 */
/* What the proxy makes of model servers that answer, refuse, leave, cut and dawdle. */
#include "unit/proxy/proxy_harness.h"

#define GET "GET /v1/x HTTP/1.1\r\nHost: h\r\n\r\n"

static struct endpoint *member(const struct world *world, unsigned index)
{
    return pool_of(world, "p")->members[index];
}

/* Which origin the request went to. */
static unsigned chosen(struct world *world)
{
    until(world, has_text(&world->origins[0].got, "\r\n\r\n") || has_text(&world->origins[1].got, "\r\n\r\n"));
    return has_text(&world->origins[0].got, "\r\n\r\n") ? 0 : 1;
}

static void start_and_ask(struct world *world, unsigned origins)
{
    world_start(world, ONE_POOL);
    set_origins(world, "p", 0, origins);
    client_send(world, GET);
}

static void a_connection_is_used_again(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, 1);
    answer_hello(&world, &world.origins[0]);
    assert_int_equal(metric(&world, METRIC_UPSTREAM_CONNECTIONS, "idle", NULL), 1);
    buffer_clear(&world.got);
    buffer_clear(&world.origins[0].got);
    client_send(&world, GET);
    answer_hello(&world, &world.origins[0]);
    assert_int_equal(world.origins[0].accepted, 1);
    assert_int_equal(metric(&world, METRIC_UPSTREAM_CONNECTS, "started", NULL), 1);
    assert_int_equal(metric(&world, METRIC_UPSTREAM_CONNECTS, "failed", NULL), 0);
    world_stop(&world);
}

static void a_refused_connection_is_tried_at_the_other_endpoint(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    origin_leave(&world.origins[0]);
    set_origins(&world, "p", 0, 2);
    /* Preferred until it refuses. */
    atomic_store(&member(&world, 1)->load.waiting, 9);
    client_post(&world, "", "{\"a\":1}");
    answer_hello(&world, &world.origins[1]);
    assert_true(has_text(&world.origins[1].got, "{\"a\":1}"));
    assert_int_equal(metric(&world, METRIC_RETRIES, "connect_failed", NULL), 1);
    assert_int_equal(metric(&world, METRIC_UPSTREAM_CONNECTS, "failed", NULL), 1);
    assert_true(atomic_load(&member(&world, 0)->load.avoid_until_ms) > reactor_now_ms(world.reactor));
    /* Avoided: the next request does not try it. */
    buffer_clear(&world.got);
    buffer_clear(&world.origins[1].got);
    client_send(&world, GET);
    answer_hello(&world, &world.origins[1]);
    assert_int_equal(metric(&world, METRIC_RETRIES, "connect_failed", NULL), 1);
    world_stop(&world);
}

static void when_all_refuse_the_answer_is_503(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    origin_leave(&world.origins[0]);
    origin_leave(&world.origins[1]);
    set_origins(&world, "p", 0, 2);
    client_send(&world, GET);
    expect_error(&world, 503, "connect_failed");
    assert_int_equal(metric(&world, METRIC_RETRIES, "connect_failed", NULL), 1);
    world_stop(&world);
}

static void a_stale_connection_costs_one_retry_at_the_same_endpoint(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, 2);
    unsigned at = chosen(&world);
    struct origin *origin = &world.origins[at];
    answer_hello(&world, origin);
    atomic_store(&member(&world, 1 - at)->load.waiting, 9); /* so that the same one is picked */
    buffer_clear(&world.got);
    buffer_clear(&origin->got);
    client_send(&world, GET);
    until(&world, has_text(&origin->got, "\r\n\r\n"));
    origin_close(origin);
    until(&world, origin->accepted == 2);
    answer_hello(&world, origin);
    assert_int_equal(metric(&world, METRIC_RETRIES, "closed_before_response", NULL), 1);
    assert_int_equal(world.origins[1 - at].accepted, 0);
    assert_int_equal(metric(&world, METRIC_UPSTREAM_CONNECTS, "failed", NULL), 0);
    world_stop(&world);
}

static void a_close_before_the_answer_is_tried_elsewhere_and_then_is_a_502(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, 2);
    unsigned at = chosen(&world);
    origin_close(&world.origins[at]);
    until(&world, has_text(&world.origins[1 - at].got, "\r\n\r\n"));
    origin_close(&world.origins[1 - at]);
    expect_error(&world, 502, "upstream_closed");
    assert_int_equal(metric(&world, METRIC_RETRIES, "closed_before_response", NULL), 1);
    assert_int_equal(metric(&world, METRIC_UPSTREAM_CONNECTS, "failed", NULL), 2);
    assert_int_equal(metric(&world, METRIC_REQUESTS, "p", "502"), 1);
    world_stop(&world);
}

static void the_tries_are_bounded(void **state)
{
    (void)state;
    struct world world;
    struct proxy_config config = proxy_defaults;
    config.max_tries = 1;
    world_start_with(&world, ONE_POOL, &config);
    set_origins(&world, "p", 0, 2);
    client_send(&world, GET);
    origin_close(&world.origins[chosen(&world)]);
    expect_error(&world, 502, "upstream_closed");
    assert_int_equal(world.origins[0].accepted + world.origins[1].accepted, 1);
    world_stop(&world);
}

static void an_answer_that_is_no_http_or_half_a_head_is_a_502_and_not_asked_for_again(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *reason;
    } cases[] = {{"SSH-2.0-nonsense\r\n\r\n", "bad_upstream"}, {"HTTP/1.1 200 OK\r\nA: b", "upstream_closed"}};
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct world world;
        start_and_ask(&world, 2);
        struct origin *origin = &world.origins[chosen(&world)];
        origin_send(origin, cases[i].answer);
        origin_close(origin);
        expect_error(&world, 502, cases[i].reason);
        assert_int_equal(world.origins[0].accepted + world.origins[1].accepted, 1);
        world_stop(&world);
    }
}

static void a_cut_event_stream_ends_with_an_error_event(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, 1);
    until(&world, has_text(&world.origins[0].got, "\r\n\r\n"));
    origin_send(&world.origins[0], "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n7\r\ndata: 2\r\n");
    until(&world, has_text(&world.got, "data: 1\n\n"));
    origin_close(&world.origins[0]);
    until(&world, has_text(&world.got, "\r\n0\r\n\r\n"));
    assert_false(has_text(&world.got, "data: 2")); /* half an event is nobody's */
    assert_true(has_text(&world.got, "\r\ndata: {\"error\":"));
    assert_true(has_text(&world.got, "\"code\":\"upstream_cut\""));
    assert_int_equal(metric(&world, METRIC_STREAMS_CUT, NULL, NULL), 1);
    /* The client's connection goes on. */
    buffer_clear(&world.got);
    client_send(&world, GET);
    answer_hello(&world, &world.origins[0]);
    world_stop(&world);
}

static void a_cut_stream_between_two_events_gets_no_empty_lines_of_ours(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, 1);
    until(&world, has_text(&world.origins[0].got, "\r\n\r\n"));
    origin_send(&world.origins[0], "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n1\r\n\n\r\n");
    until(&world, has_text(&world.got, "data: 1"));
    origin_close(&world.origins[0]);
    until(&world, has_text(&world.got, "\r\n0\r\n\r\n"));
    assert_true(has_text(&world.got, "\r\n9\r\ndata: 1\n\n\r\n"));
    assert_true(has_text(&world.got, "\r\ndata: {\"error\":"));
    world_stop(&world);
}

static void a_cut_plain_answer_is_cut_for_the_client_too(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, 1);
    until(&world, has_text(&world.origins[0].got, "\r\n\r\n"));
    origin_send(&world.origins[0], "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    until(&world, has_text(&world.got, "hello"));
    origin_close(&world.origins[0]);
    until(&world, world.ended != 0);
    assert_int_equal(world.ended, -ECONNRESET);
    assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "upstream_cut", NULL), 1);
    assert_int_equal(metric(&world, METRIC_REQUESTS, "p", "200"), 1);
    world_stop(&world);
}

/* Before the answer and in the middle of it. */
static void a_client_that_leaves_ends_its_request_at_the_model_server_at_once(void **state)
{
    (void)state;
    for (unsigned has_head = 0; has_head < 2; has_head++) {
        struct world world;
        start_and_ask(&world, 1);
        until(&world, has_text(&world.origins[0].got, "\r\n\r\n"));
        assert_int_equal(atomic_load(&member(&world, 0)->load.in_flight), 1);
        if (has_head) {
            origin_send(&world.origins[0], "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
            until(&world, has_text(&world.got, "1\r\na\r\n"));
        }
        close(world.fd);
        world.fd = -1;
        until(&world, world.origins[0].ended != 0);
        assert_int_equal(atomic_load(&member(&world, 0)->load.in_flight), 0);
        assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "client_gone", NULL), 1);
        assert_int_equal(metric(&world, METRIC_CLIENT_ABORTS, NULL, NULL), 1);
        assert_int_equal(metric(&world, METRIC_REQUESTS, "p", "200"), has_head);
        assert_int_equal(metric(&world, METRIC_UPSTREAM_CONNECTS, "failed", NULL), 0);
        until(&world, metric(&world, METRIC_UPSTREAM_CONNECTIONS, "busy", NULL) == 0);
        world_stop(&world);
    }
}

#define TIMED_ROUTE(timeouts)                                                                                          \
    CLASS GATEWAY POOL_X("p")                                                                                          \
        ROUTE("r", "{parentRefs: [{name: g}], rules: [{timeouts: " timeouts ", backendRefs: [" POOL_REF("p") "]}]}")

static void a_request_over_its_time_is_a_504_and_leaves_the_model_server(void **state)
{
    (void)state;
    static const char *const objects[] = {TIMED_ROUTE("{request: 5ms}"), TIMED_ROUTE("{backendRequest: 5ms}")};
    for (unsigned i = 0; i < ARRAY_LEN(objects); i++) {
        struct world world;
        world_start(&world, objects[i]);
        set_origins(&world, "p", 0, 2);
        client_send(&world, GET);
        expect_error(&world, 504, "request_timeout");
        unsigned at = chosen(&world);
        until(&world, world.origins[at].ended != 0);
        assert_int_equal(world.origins[1 - at].accepted, 0); /* not tried again */
        world_stop(&world);
    }
}

static void an_answer_over_its_time_is_cut(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, TIMED_ROUTE("{request: 200ms}"));
    set_origins(&world, "p", 0, 1);
    client_send(&world, GET);
    until(&world, has_text(&world.origins[0].got, "\r\n\r\n") || world.ended != 0);
    origin_send(&world.origins[0], "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    until(&world, world.ended != 0);
    assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "request_timeout", NULL), 1);
    world_stop(&world);
}

static void answers_without_a_body_keep_the_connections(void **state)
{
    (void)state;
    static const struct {
        const char *method, *answer, *there;
    } cases[] = {
        {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "Content-Length: 5\r\n"},
        {"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 "},
        {"GET", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 "},
        {"GET", "HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n", "ETag: \"e\"\r\n"},
        {"GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "Content-Length: 0\r\n"},
    };
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        char request[96];
        snprintf(request, sizeof request, "%s / HTTP/1.1\r\nHost: h\r\n\r\n", cases[i].method);
        buffer_clear(&world.got);
        buffer_clear(&world.origins[0].got);
        client_send(&world, request);
        until(&world, has_text(&world.origins[0].got, "\r\n\r\n"));
        origin_send(&world.origins[0], cases[i].answer);
        until(&world, has_text(&world.got, "\r\n\r\n"));
        assert_true(has_text(&world.got, cases[i].there));
        assert_false(has_text(&world.got, "chunked"));
    }
    assert_int_equal(world.origins[0].accepted, 1);
    assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "complete", NULL), ARRAY_LEN(cases));
    world_stop(&world);
}

static void an_answer_until_the_end_of_the_connection_arrives_whole(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, 1);
    until(&world, has_text(&world.origins[0].got, "\r\n\r\n"));
    origin_send(&world.origins[0], "HTTP/1.0 200 OK\r\n\r\nhello");
    origin_close(&world.origins[0]);
    until(&world, has_text(&world.got, "5\r\nhello\r\n0\r\n\r\n"));
    world_stop(&world);
}

static void hop_by_hop_fields_of_the_answer_stop_here(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, 1);
    until(&world, has_text(&world.origins[0].got, "\r\n\r\n"));
    origin_send(&world.origins[0], "HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
                                   "X-Stays: 1\r\nContent-Length: 0\r\n\r\n");
    until(&world, has_text(&world.got, "\r\n\r\n"));
    assert_true(has_text(&world.got, "X-Stays: 1\r\n"));
    assert_false(has_text(&world.got, "X-Hop"));
    assert_false(has_text(&world.got, "Keep-Alive"));
    world_stop(&world);
}

/* Bytes are sent until neither side takes any more. */
static size_t send_until_blocked(struct world *world, int fd, size_t most)
{
    static const char block[64 * 1024];
    size_t sent = 0;
    for (unsigned quiet = 0; quiet < 50 && sent < most;) {
        ssize_t count = send(fd, block, sizeof block < most - sent ? sizeof block : most - sent, MSG_NOSIGNAL);
        if (count > 0)
            sent += (size_t)count;
        quiet = count > 0 ? 0 : quiet + 1;
        reactor_turn(world->reactor, 0);
    }
    return sent;
}

static void a_client_that_does_not_read_stops_the_model_server_and_later_gets_everything(void **state)
{
    (void)state;
    enum { TOTAL = 64 << 20 };
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    reconnect(&world, 4096);
    client_send(&world, GET);
    until(&world, has_text(&world.origins[0].got, "\r\n\r\n"));
    struct buffer head = {0};
    buffer_printf(&head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", TOTAL);
    send_all(world.origins[0].fd, buffer_bytes(&head));
    buffer_deinit(&head);
    size_t sent = send_until_blocked(&world, world.origins[0].fd, TOTAL), got = 0;
    assert_in_range(sent, 1, TOTAL / 2);
    for (unsigned turns = 0; turns < MAX_TURNS && metric(&world, METRIC_REQUEST_ENDS, "complete", NULL) == 0; turns++) {
        world_turn(&world);
        got += buffer_len(&world.got);
        buffer_clear(&world.got);
        sent += send_until_blocked(&world, world.origins[0].fd, sent < TOTAL ? TOTAL - sent : 0);
    }
    assert_int_equal(sent, TOTAL);
    until(&world, got + buffer_len(&world.got) > TOTAL);
    world_stop(&world);
}

static void an_endpoint_that_leaves_the_pool_finishes_its_answer(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, 1);
    until(&world, has_text(&world.origins[0].got, "\r\n\r\n"));
    set_origins(&world, "p", 1, 1);
    answer_hello(&world, &world.origins[0]);
    /* Its connection is no use any more. */
    until(&world, world.origins[0].ended != 0);
    buffer_clear(&world.got);
    client_send(&world, GET);
    answer_hello(&world, &world.origins[1]);
    world_stop(&world);
}

/* The server is freed first, as a worker does: what runs is aborted and nothing is left behind (world_stop() looks). */
static void a_worker_may_end_in_the_middle_of_everything(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, 1);
    until(&world, has_text(&world.origins[0].got, "\r\n\r\n"));
    world_stop(&world);
    start_and_ask(&world, 1);
    until(&world, has_text(&world.origins[0].got, "\r\n\r\n"));
    origin_send(&world.origins[0], "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    until(&world, has_text(&world.got, "1\r\na\r\n"));
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_used_again),
        cmocka_unit_test(a_refused_connection_is_tried_at_the_other_endpoint),
        cmocka_unit_test(when_all_refuse_the_answer_is_503),
        cmocka_unit_test(a_stale_connection_costs_one_retry_at_the_same_endpoint),
        cmocka_unit_test(a_close_before_the_answer_is_tried_elsewhere_and_then_is_a_502),
        cmocka_unit_test(the_tries_are_bounded),
        cmocka_unit_test(an_answer_that_is_no_http_or_half_a_head_is_a_502_and_not_asked_for_again),
        cmocka_unit_test(a_cut_event_stream_ends_with_an_error_event),
        cmocka_unit_test(a_cut_stream_between_two_events_gets_no_empty_lines_of_ours),
        cmocka_unit_test(a_cut_plain_answer_is_cut_for_the_client_too),
        cmocka_unit_test(a_client_that_leaves_ends_its_request_at_the_model_server_at_once),
        cmocka_unit_test(a_request_over_its_time_is_a_504_and_leaves_the_model_server),
        cmocka_unit_test(an_answer_over_its_time_is_cut),
        cmocka_unit_test(answers_without_a_body_keep_the_connections),
        cmocka_unit_test(an_answer_until_the_end_of_the_connection_arrives_whole),
        cmocka_unit_test(hop_by_hop_fields_of_the_answer_stop_here),
        cmocka_unit_test(a_client_that_does_not_read_stops_the_model_server_and_later_gets_everything),
        cmocka_unit_test(an_endpoint_that_leaves_the_pool_finishes_its_answer),
        cmocka_unit_test(a_worker_may_end_in_the_middle_of_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
