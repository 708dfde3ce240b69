/* SPDX-License-Identifier: Apache-2.0 */
/* Model servers that fall silent, and limits on trying again. */
#include "unit/proxy/proxy_harness.h"

#define GET "GET /v1/x HTTP/1.1\r\nHost: h\r\n\r\n"
#define POLICY(annotations, http)                                                                                      \
    "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: BackendTrafficPolicy\n"                                         \
    "metadata: {name: quiet, annotations: {" annotations "}}\n"                                                        \
    "spec: {targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: g}, timeout: {http: {" http             \
    "}}}\n---\n"
#define FIRST_TOKEN(time) POLICY("serin.dev/first-token-timeout: " time, "")
#define STREAM_IDLE(time) POLICY("", "streamIdleTimeout: " time)
#define STREAM            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#define EVENT             "9\r\ndata: 1\n\n\r\n"

static void start_and_ask(struct world *world, const char *yaml, unsigned origins)
{
    world_start(world, yaml);
    set_origins(world, "p", 0, origins);
    client_send(world, GET);
}

static struct origin *asked(struct world *world)
{
    until(world, has_text(&world->origins[0].got, "\r\n\r\n") || has_text(&world->origins[1].got, "\r\n\r\n"));
    return has_text(&world->origins[0].got, "\r\n\r\n") ? &world->origins[0] : &world->origins[1];
}

static void an_answer_that_does_not_begin_in_time_is_a_504(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, ONE_POOL FIRST_TOKEN("5ms"), 2);
    expect_error(&world, 504, "first_token_timeout");
    struct origin *origin = asked(&world);
    until(&world, origin->ended != 0); /* it need not go on */
    assert_int_equal(world.origins[0].accepted + world.origins[1].accepted, 1);
    world_stop(&world);
}

static void a_head_alone_is_no_first_token(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, ONE_POOL FIRST_TOKEN("50ms"), 1);
    origin_send(asked(&world), STREAM);
    until(&world, has_text(&world.got, "\r\n0\r\n\r\n"));
    assert_true(has_text(&world.got, "\r\ndata: {\"error\":"));
    assert_true(has_text(&world.got, "\"code\":\"first_token_timeout\""));
    assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "first_token_timeout", NULL), 1);
    world_stop(&world);
}

static void after_the_first_token_there_is_all_the_time(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, ONE_POOL FIRST_TOKEN("20ms"), 1);
    struct origin *origin = asked(&world);
    origin_send(origin, STREAM EVENT);
    until(&world, has_text(&world.got, "data: 1"));
    uint64_t begin_ms = reactor_now_ms(world.reactor);
    until(&world, reactor_now_ms(world.reactor) > begin_ms + 40);
    assert_false(has_text(&world.got, "error"));
    origin_send(origin, "0\r\n\r\n");
    until(&world, has_text(&world.got, "\r\n0\r\n\r\n"));
    assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "complete", NULL), 1);
    world_stop(&world);
}

static void a_stream_that_falls_silent_ends_with_an_error_event(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, ONE_POOL STREAM_IDLE("20ms"), 1);
    struct origin *origin = asked(&world);
    origin_send(origin, STREAM EVENT);
    until(&world, has_text(&world.got, "\r\n0\r\n\r\n"));
    assert_true(has_text(&world.got, "data: 1\n\n"));
    assert_true(has_text(&world.got, "\"code\":\"stream_idle_timeout\""));
    until(&world, origin->ended != 0);
    assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "stream_idle_timeout", NULL), 1);
    world_stop(&world);
}

static void each_event_gives_a_stream_its_time_anew(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, ONE_POOL STREAM_IDLE("100ms"), 1);
    struct origin *origin = asked(&world);
    origin_send(origin, STREAM EVENT);
    uint64_t begin_ms = reactor_now_ms(world.reactor);
    for (unsigned i = 1; i <= 15; i++) { /* every 20 ms, three times the limit in all */
        until(&world, reactor_now_ms(world.reactor) >= begin_ms + 20 * i);
        origin_send(origin, EVENT);
    }
    assert_false(has_text(&world.got, "error"));
    origin_send(origin, "0\r\n\r\n");
    until(&world, has_text(&world.got, "\r\n0\r\n\r\n"));
    assert_false(has_text(&world.got, "error"));
    world_stop(&world);
}

/* Only streams: a long answer in one piece may take its time. */
static void a_plain_answer_has_no_idle_timeout(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, ONE_POOL STREAM_IDLE("5ms"), 1);
    struct origin *origin = asked(&world);
    origin_send(origin, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
    until(&world, has_text(&world.got, "hel"));
    uint64_t begin_ms = reactor_now_ms(world.reactor);
    until(&world, reactor_now_ms(world.reactor) > begin_ms + 20);
    origin_send(origin, "lo");
    until(&world, has_text(&world.got, "hello"));
    world_stop(&world);
}

static void ask_where_one_refuses(struct world *world, unsigned percent, unsigned min_retrying)
{
    struct proxy_config config = proxy_defaults;
    config.retry_percent = percent;
    config.min_retrying = min_retrying;
    world_start_with(world, ONE_POOL, &config);
    origin_leave(&world->origins[0]);
    set_origins(world, "p", 0, 2);
    atomic_store(&pool_of(world, "p")->members[1]->load.waiting, 9);
    client_send(world, GET);
}

static void no_more_tries_than_the_budget_has(void **state)
{
    (void)state;
    struct world world;
    ask_where_one_refuses(&world, 99, 0); /* 99 % of one exchange are none */
    expect_error(&world, 503, "connect_failed");
    assert_int_equal(metric(&world, METRIC_RETRIES_REFUSED, NULL, NULL), 1);
    assert_int_equal(metric(&world, METRIC_RETRIES, "connect_failed", NULL), 0);
    world_stop(&world);
    for (unsigned i = 0; i < 2; i++) {
        ask_where_one_refuses(&world, i == 0 ? 100 : 0, i);
        answer_hello(&world, &world.origins[1]);
        assert_int_equal(metric(&world, METRIC_RETRIES_REFUSED, NULL, NULL), 0);
        assert_int_equal(metric(&world, METRIC_RETRIES, "connect_failed", NULL), 1);
        world_stop(&world);
    }
}

/* A try that has its answer does not count any more. */
static void the_budget_is_given_back_with_the_answer(void **state)
{
    (void)state;
    struct world world;
    ask_where_one_refuses(&world, 0, 1);
    for (unsigned i = 0; i < 3; i++) {
        answer_hello(&world, &world.origins[1]);
        buffer_clear(&world.got);
        buffer_clear(&world.origins[1].got);
        atomic_store(&pool_of(&world, "p")->members[0]->load.avoid_until_ms, 0);
        client_send(&world, GET);
    }
    answer_hello(&world, &world.origins[1]);
    assert_int_equal(metric(&world, METRIC_RETRIES, "connect_failed", NULL), 4);
    assert_int_equal(metric(&world, METRIC_RETRIES_REFUSED, NULL, NULL), 0);
    world_stop(&world);
}

#define RETRY_ON(retry)                                                                                                \
    "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: BackendTrafficPolicy\nmetadata: {name: again}\n"                \
    "spec: {targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: g}, retry: " retry "}\n---\n"
#define BUSY "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"

static void a_status_of_the_policy_sends_the_request_elsewhere(void **state)
{
    (void)state;
    struct world world;
    start_and_ask(&world, ONE_POOL RETRY_ON("{retryOn: {httpStatusCodes: [429, 503]}}"), 2);
    struct origin *first = asked(&world);
    struct origin *other = first == &world.origins[0] ? &world.origins[1] : &world.origins[0];
    origin_send(first, BUSY);
    answer_hello(&world, other);
    assert_false(has_text(&world.got, "busy"));
    assert_int_equal(metric(&world, METRIC_RETRIES, "status", NULL), 1);
    /* Nobody is left to ask: the answer is the client's. */
    buffer_clear(&world.got);
    buffer_clear(&first->got);
    buffer_clear(&other->got);
    client_send(&world, GET);
    for (unsigned i = 0; i < 2; i++) {
        struct origin *origin = asked(&world);
        buffer_clear(&origin->got);
        origin_send(origin, BUSY);
    }
    until(&world, has_text(&world.got, "busy"));
    assert_true(has_text(&world.got, "HTTP/1.1 503 "));
    world_stop(&world);
}

static void other_statuses_and_policies_without_retries_pass_the_answer_on(void **state)
{
    (void)state;
    static const char *const objects[] = {
        ONE_POOL RETRY_ON("{retryOn: {httpStatusCodes: [500]}}"),
        ONE_POOL RETRY_ON("{numRetries: 0}"),
        ONE_POOL RETRY_ON("{numRetries: 0, retryOn: {httpStatusCodes: [503]}}"),
    };
    for (unsigned i = 0; i < ARRAY_LEN(objects); i++) {
        struct world world;
        start_and_ask(&world, objects[i], 2);
        origin_send(asked(&world), BUSY);
        until(&world, has_text(&world.got, "busy"));
        assert_int_equal(world.origins[0].accepted + world.origins[1].accepted, 1);
        world_stop(&world);
    }
}

static void a_worn_connection_is_replaced(void **state)
{
    (void)state;
    struct world world;
    struct proxy_config config = proxy_defaults;
    config.upstreams.max_requests = 2;
    world_start_with(&world, ONE_POOL, &config);
    set_origins(&world, "p", 0, 1);
    for (unsigned i = 0; i < 4; i++) {
        client_send(&world, GET);
        answer_hello(&world, &world.origins[0]);
        buffer_clear(&world.got);
        buffer_clear(&world.origins[0].got);
        assert_int_equal(world.origins[0].accepted, i / 2 + 1);
    }
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_does_not_begin_in_time_is_a_504),
        cmocka_unit_test(a_head_alone_is_no_first_token),
        cmocka_unit_test(after_the_first_token_there_is_all_the_time),
        cmocka_unit_test(a_stream_that_falls_silent_ends_with_an_error_event),
        cmocka_unit_test(each_event_gives_a_stream_its_time_anew),
        cmocka_unit_test(a_plain_answer_has_no_idle_timeout),
        cmocka_unit_test(no_more_tries_than_the_budget_has),
        cmocka_unit_test(the_budget_is_given_back_with_the_answer),
        cmocka_unit_test(a_status_of_the_policy_sends_the_request_elsewhere),
        cmocka_unit_test(other_statuses_and_policies_without_retries_pass_the_answer_on),
        cmocka_unit_test(a_worn_connection_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
