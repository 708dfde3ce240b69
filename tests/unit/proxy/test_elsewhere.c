/* SPDX-License-Identifier: Apache-2.0 */
/* test_elsewhere.c: answers that make the proxy ask another endpoint, and those that do not. */
#include "inference/trust.h"
#include "unit/proxy/proxy_harness.h"

#define POST "{\"model\":\"m\",\"prompt\":\"x\"}"

static struct endpoint *member(const struct world *world, unsigned index)
{
    return pool_of(world, "p")->members[index];
}

/* A request that the first endpoint gets, of so many. */
static void start_with_and_post(struct world *world, const struct proxy_config *config, unsigned origins)
{
    world_start_with(world, ONE_POOL, config);
    set_origins(world, "p", 0, origins);
    if (origins > 1)
        atomic_store(&member(world, 1)->load.waiting, 9);
    client_post(world, "", POST);
    until(world, has_text(&world->origins[0].got, POST));
}

static void start_and_post(struct world *world, unsigned origins)
{
    start_with_and_post(world, &proxy_defaults, origins);
}

static void expect_moved(struct world *world, const char *reason)
{
    until(world, has_text(&world->origins[1].got, POST));
    origin_send(&world->origins[1], HELLO);
    until(world, has_text(&world->got, "\r\n\r\nhello"));
    assert_int_equal(metric(world, METRIC_RETRIES, reason, NULL), 1);
}

static void a_busy_server_is_left_for_another_and_avoided_for_as_long_as_it_says(void **state)
{
    (void)state;
    struct world world;
    start_and_post(&world, 2);
    origin_send(&world.origins[0], "HTTP/1.1 429 Busy\r\nRetry-After: 20\r\nContent-Length: 4\r\n\r\nbusy");
    expect_moved(&world, "busy");
    uint64_t now_ms = reactor_now_ms(world.reactor);
    assert_true(trust_is_avoided(member(&world, 0), now_ms + 15000));
    assert_false(trust_is_avoided(member(&world, 0), now_ms + 20000));
    world_stop(&world);
}

static void a_server_error_is_tried_elsewhere(void **state)
{
    (void)state;
    struct world world;
    start_and_post(&world, 2);
    origin_send(&world.origins[0], "HTTP/1.1 502 Bad\r\nContent-Length: 100\r\n\r\nhalf of it");
    expect_moved(&world, "bad_status");
    assert_int_equal(atomic_load(&member(&world, 0)->trust.failures), 1);
    world_stop(&world);
}

static void when_there_is_no_other_the_client_gets_the_answer(void **state)
{
    (void)state;
    struct world world;
    start_and_post(&world, 1);
    origin_send(&world.origins[0], "HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 4\r\n\r\nbusy");
    until(&world, has_text(&world.got, "\r\n\r\nbusy"));
    assert_true(has_text(&world.got, "HTTP/1.1 503 "));
    assert_int_equal(metric(&world, METRIC_RETRIES, "busy", NULL), 0);
    world_stop(&world);
}

/* An overload is not multiplied. */
static void when_the_others_are_to_be_avoided_the_client_gets_the_answer(void **state)
{
    (void)state;
    struct world world;
    start_and_post(&world, 2);
    trust_note(member(&world, 1), TRUST_BUSY, 30000, reactor_now_ms(world.reactor));
    origin_send(&world.origins[0], "HTTP/1.1 429 Busy\r\nContent-Length: 4\r\n\r\nbusy");
    until(&world, has_text(&world.got, "\r\n\r\nbusy"));
    assert_true(has_text(&world.got, "HTTP/1.1 429 "));
    assert_int_equal(buffer_len(&world.origins[1].got), 0);
    world_stop(&world);
}

static void a_missing_model_is_asked_for_elsewhere_and_remembered(void **state)
{
    (void)state;
    struct world world;
    start_and_post(&world, 2);
    origin_send(&world.origins[0], "HTTP/1.1 404 None\r\nContent-Length: 2\r\n\r\nno");
    expect_moved(&world, "model_missing");
    assert_true(trust_lacks_model(member(&world, 0), adapter_hash(BYTES("m")), reactor_now_ms(world.reactor)));
    world_stop(&world);
}

static void a_404_of_a_server_that_has_the_model_and_a_400_are_the_clients(void **state)
{
    (void)state;
    static const char *const answers[] = {"HTTP/1.1 404 None\r\nContent-Length: 2\r\n\r\nno",
                                          "HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\nno"};
    for (unsigned i = 0; i < 2; i++) {
        struct world world;
        start_and_post(&world, 2);
        endpoint_set_models(member(&world, 0), &(struct bytes){"m", 1}, 1);
        origin_send(&world.origins[0], answers[i]);
        until(&world, has_text(&world.got, "\r\n\r\nno"));
        assert_int_equal(buffer_len(&world.origins[1].got), 0);
        assert_int_equal(atomic_load(&member(&world, 0)->trust.failures), 0);
        world_stop(&world);
    }
}

/* Its own fault, perhaps: two servers see it, not all. */
static void a_500_is_tried_elsewhere_once(void **state)
{
    (void)state;
    struct world world;
    start_and_post(&world, 2);
    origin_send(&world.origins[0], "HTTP/1.1 500 Bad\r\nContent-Length: 2\r\n\r\nno");
    until(&world, has_text(&world.origins[1].got, POST));
    origin_send(&world.origins[1], "HTTP/1.1 500 Bad\r\nContent-Length: 2\r\n\r\nno");
    until(&world, has_text(&world.got, "\r\n\r\nno"));
    assert_int_equal(metric(&world, METRIC_RETRIES, "bad_status", NULL), 1);
    world_stop(&world);
}

/* Also answers that are errors: where everything fails, asking again would only multiply the load. */
static void where_too_many_are_tried_again_the_client_gets_the_answer(void **state)
{
    (void)state;
    struct world world;
    struct proxy_config config = proxy_defaults;
    config.retry_percent = 0;
    config.min_retrying = 0;
    start_with_and_post(&world, &config, 2);
    origin_send(&world.origins[0], "HTTP/1.1 502 Bad\r\nContent-Length: 2\r\n\r\nno");
    until(&world, has_text(&world.got, "\r\n\r\nno"));
    assert_int_equal(metric(&world, METRIC_RETRIES_REFUSED, NULL, NULL), 1);
    assert_int_equal(metric(&world, METRIC_RETRIES, "bad_status", NULL), 0);
    assert_int_equal(buffer_len(&world.origins[1].got), 0);
    world_stop(&world);
}

/* One may be tried again at a time: it gives its place back when it is answered. */
static void an_answer_from_elsewhere_frees_the_budget(void **state)
{
    (void)state;
    struct world world;
    struct proxy_config config = proxy_defaults;
    config.retry_percent = 0;
    config.min_retrying = 1;
    start_with_and_post(&world, &config, 2);
    for (unsigned i = 1; i <= 3; i++) {
        origin_send(&world.origins[0], "HTTP/1.1 502 Bad\r\nContent-Length: 2\r\n\r\nno");
        until(&world, has_text(&world.origins[1].got, POST));
        origin_send(&world.origins[1], HELLO);
        until(&world, has_text(&world.got, "\r\n\r\nhello"));
        assert_int_equal(metric(&world, METRIC_RETRIES, "bad_status", NULL), i);
        buffer_clear(&world.origins[0].got);
        buffer_clear(&world.origins[1].got);
        buffer_clear(&world.got);
        client_post(&world, "", POST);
        until(&world, has_text(&world.origins[0].got, POST));
    }
    assert_int_equal(metric(&world, METRIC_RETRIES_REFUSED, NULL, NULL), 0);
    world_stop(&world);
}

/* One connection to each endpoint. */
static void start_narrow(struct world *world)
{
    struct proxy_config config = proxy_defaults;
    config.upstreams.max_connections = 1;
    world_start_with(world, ONE_POOL, &config);
    set_origins(world, "p", 0, 2);
}

static void prefer(const struct world *world, unsigned index)
{
    atomic_store(&member(world, index)->load.waiting, 0);
    atomic_store(&member(world, 1 - index)->load.waiting, 9);
}

/* A client's request waits at the endpoint that is preferred; gives the client's socket. */
static int occupy(struct world *world, unsigned index)
{
    prefer(world, index);
    client_post(world, "", POST);
    until(world, has_text(&world->origins[index].got, POST));
    int fd = world->fd;
    world->fd = -1;
    reconnect(world, 0);
    return fd;
}

static void where_an_endpoint_has_its_connections_another_one_is_asked(void **state)
{
    (void)state;
    struct world world;
    start_narrow(&world);
    int first = occupy(&world, 0);
    client_post(&world, "", POST);
    until(&world, has_text(&world.origins[1].got, POST));
    assert_int_equal(metric(&world, METRIC_UPSTREAM_CONNECTS, "refused", NULL), 1);
    origin_send(&world.origins[1], HELLO);
    until(&world, has_text(&world.got, "\r\n\r\nhello"));
    assert_int_equal(atomic_load(&member(&world, 0)->load.in_flight), 1);
    close(first);
    world_stop(&world);
}

static void where_all_have_them_it_is_a_503_and_nobody_is_blamed(void **state)
{
    (void)state;
    struct world world;
    start_narrow(&world);
    int clients[] = {occupy(&world, 0), occupy(&world, 1)};
    client_post(&world, "", POST);
    until(&world, has_text(&world.got, "Retry-After: 1\r\n"));
    expect_error(&world, 503, "endpoint_connections");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(atomic_load(&member(&world, i)->trust.failures), 0);
        assert_int_equal(atomic_load(&member(&world, i)->load.avoid_until_ms), 0);
        assert_int_equal(atomic_load(&member(&world, i)->load.in_flight), 1);
    }
    assert_int_equal(metric(&world, METRIC_UPSTREAM_CONNECTS, "failed", NULL), 0);
    origin_send(&world.origins[0], HELLO);
    until(&world, metric(&world, METRIC_UPSTREAM_CONNECTIONS, "idle", NULL) == 1);
    buffer_clear(&world.origins[0].got);
    client_post(&world, "", POST);
    answer_hello(&world, &world.origins[0]);
    close(clients[0]);
    close(clients[1]);
    world_stop(&world);
}

static void when_the_other_has_its_connections_the_client_gets_the_answer(void **state)
{
    (void)state;
    struct world world;
    start_narrow(&world);
    int first = occupy(&world, 1);
    prefer(&world, 0);
    client_post(&world, "", POST);
    until(&world, has_text(&world.origins[0].got, POST));
    origin_send(&world.origins[0], "HTTP/1.1 429 Busy\r\nContent-Length: 4\r\n\r\nbusy");
    until(&world, has_text(&world.got, "\r\n\r\nbusy"));
    assert_int_equal(metric(&world, METRIC_RETRIES, "busy", NULL), 0);
    assert_int_equal(atomic_load(&member(&world, 1)->load.in_flight), 1);
    close(first);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_busy_server_is_left_for_another_and_avoided_for_as_long_as_it_says),
        cmocka_unit_test(a_server_error_is_tried_elsewhere),
        cmocka_unit_test(when_there_is_no_other_the_client_gets_the_answer),
        cmocka_unit_test(when_the_others_are_to_be_avoided_the_client_gets_the_answer),
        cmocka_unit_test(a_missing_model_is_asked_for_elsewhere_and_remembered),
        cmocka_unit_test(a_404_of_a_server_that_has_the_model_and_a_400_are_the_clients),
        cmocka_unit_test(a_500_is_tried_elsewhere_once),
        cmocka_unit_test(where_an_endpoint_has_its_connections_another_one_is_asked),
        cmocka_unit_test(where_all_have_them_it_is_a_503_and_nobody_is_blamed),
        cmocka_unit_test(when_the_other_has_its_connections_the_client_gets_the_answer),
        cmocka_unit_test(where_too_many_are_tried_again_the_client_gets_the_answer),
        cmocka_unit_test(an_answer_from_elsewhere_frees_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
