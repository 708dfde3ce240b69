/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies longer than what is held: the arm is drawn while they come, and the rest passes through. */
#include "inference/flow/pool_gate.h"
#include "unit/proxy/proxy_harness.h"

enum { HOLD = 64 };

#define REWRITTEN ONE_POOL MODEL("m", "{modelName: asked, poolRef: {name: p}, targetModels: [{name: served-v2}]}")
#define HEAD      "POST /v1/completions HTTP/1.1\r\nHost: h\r\n"
#define FIRST     "{\"model\":\"asked\",\"prompt\":\"0123456789012345678901234567890123456789012345678901234567890"
#define REST      "abc\",\"max_tokens\":3}"
#define BY_CHUNKS HEAD "Transfer-Encoding: chunked\r\n\r\n58\r\n" FIRST "\r\n"

_Static_assert(sizeof FIRST - 1 == 88 && sizeof FIRST REST - 1 == 108, "the numbers in the requests above");

static void start(struct world *world, const char *yaml, unsigned origins)
{
    struct proxy_config config = proxy_defaults;
    config.hold_bytes = HOLD;
    world_start_with(world, yaml, &config);
    if (origins > 0)
        set_origins(world, "p", 0, origins);
}

static void the_rest_of_a_long_body_follows_what_was_held(void **state)
{
    (void)state;
    struct world world;
    start(&world, ONE_POOL, 1);
    client_send(&world, HEAD "Content-Length: 108\r\n\r\n" FIRST);
    until(&world, has_text(&world.origins[0].got, "Content-Length: 108\r\n\r\n" FIRST));
    client_send(&world, "abc\",\"max");
    until(&world, has_text(&world.origins[0].got, FIRST "abc\",\"max"));
    /* What passes is not held. */
    assert_int_equal(metric(&world, METRIC_BODY_BYTES_HELD, NULL, NULL), 0);
    client_send(&world, "_tokens\":3}");
    until(&world, has_text(&world.origins[0].got, FIRST REST));
    answer_hello(&world, &world.origins[0]);
    assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "complete", NULL), 1);
    assert_int_equal(metric(&world, METRIC_UPSTREAM_CONNECTIONS, "idle", NULL), 1);
    world_stop(&world);
}

static void another_model_changes_the_length_of_the_whole(void **state)
{
    (void)state;
    struct world world;
    start(&world, REWRITTEN, 1);
    client_send(&world, HEAD "Content-Length: 108\r\n\r\n" FIRST);
    until(&world, has_text(&world.origins[0].got, "Content-Length: 112\r\n\r\n{\"model\":\"served-v2\",\"prompt\""));
    client_send(&world, REST);
    until(&world, has_text(&world.origins[0].got, "67890" REST));
    answer_hello(&world, &world.origins[0]);
    assert_true(has_text(&world.got, "x-serin-arm: p/served-v2\r\n"));
    world_stop(&world);
}

static void a_chunked_body_stays_chunked(void **state)
{
    (void)state;
    struct world world;
    start(&world, REWRITTEN, 1);
    client_send(&world, BY_CHUNKS);
    until(&world, has_text(&world.origins[0].got, "Transfer-Encoding: chunked\r\n\r\n5c\r\n{\"model\":\"served-v2\","));
    client_send(&world, "3\r\nabc\r\n");
    until(&world, has_text(&world.origins[0].got, "67890\r\n3\r\nabc\r\n"));
    client_send(&world, "10\r\n\",\"max_tokens\":3\r\n1\r\n}\r\n0\r\n\r\n");
    until(&world, has_text(&world.origins[0].got, "10\r\n\",\"max_tokens\":3\r\n1\r\n}\r\n0\r\n\r\n"));
    assert_false(has_text(&world.origins[0].got, "Content-Length"));
    answer_hello(&world, &world.origins[0]);
    world_stop(&world);
}

static void a_model_that_has_not_come_is_waited_for(void **state)
{
    (void)state;
    struct world world;
    start(&world, ONE_POOL, 1);
    client_send(&world, HEAD "Content-Length: 108\r\n\r\n{\"prompt\":\"01234567890123456789012345678901234567890123456"
                             "789012345678901234567\"");
    for (int i = 0; i < 20; i++)
        world_turn(&world);
    assert_int_equal(world.origins[0].accepted, 0);
    client_send(&world, ",\"model\":\"a\"");
    until(&world, has_text(&world.origins[0].got, "\"model\":\"a\""));
    world_stop(&world);
}

/* What passed through to the first one cannot be sent again; what is held can. */
static void a_refused_connection_is_tried_elsewhere_while_the_client_waits(void **state)
{
    (void)state;
    struct world world;
    start(&world, ONE_POOL, 0);
    origin_leave(&world.origins[0]);
    set_origins(&world, "p", 0, 2);
    atomic_store(&pool_of(&world, "p")->members[1]->load.waiting, 9);
    client_send(&world, HEAD "Content-Length: 108\r\n\r\n" FIRST);
    client_send(&world, REST);
    until(&world, has_text(&world.origins[1].got, FIRST REST));
    answer_hello(&world, &world.origins[1]);
    assert_int_equal(metric(&world, METRIC_RETRIES, "connect_failed", NULL), 1);
    world_stop(&world);
}

static void what_has_passed_through_is_not_sent_again(void **state)
{
    (void)state;
    struct world world;
    start(&world, ONE_POOL, 2);
    client_send(&world, HEAD "Content-Length: 108\r\n\r\n" FIRST);
    until(&world, has_text(&world.origins[0].got, FIRST) || has_text(&world.origins[1].got, FIRST));
    struct origin *chosen = has_text(&world.origins[0].got, FIRST) ? &world.origins[0] : &world.origins[1];
    client_send(&world, "abc");
    until(&world, has_text(&chosen->got, FIRST "abc"));
    origin_close(chosen);
    expect_error(&world, 502, "upstream_closed");
    assert_int_equal(world.origins[0].accepted + world.origins[1].accepted, 1);
    world_stop(&world);
}

#define BUSY "HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 4\r\n\r\nbusy"

static void start_busy(struct world *world)
{
    start(world, ONE_POOL, 2);
    atomic_store(&pool_of(world, "p")->members[1]->load.waiting, 9);
    client_send(world, HEAD "Content-Length: 108\r\n\r\n" FIRST);
    until(world, has_text(&world->origins[0].got, FIRST));
}

static void an_error_before_anything_passed_is_tried_elsewhere(void **state)
{
    (void)state;
    struct world world;
    start_busy(&world);
    origin_send(&world.origins[0], BUSY);
    until(&world, has_text(&world.origins[1].got, FIRST));
    client_send(&world, REST);
    until(&world, has_text(&world.origins[1].got, FIRST REST));
    answer_hello(&world, &world.origins[1]);
    assert_int_equal(metric(&world, METRIC_RETRIES, "busy", NULL), 1);
    world_stop(&world);
}

static void an_error_after_something_passed_is_the_answer(void **state)
{
    (void)state;
    struct world world;
    start_busy(&world);
    client_send(&world, "abc");
    until(&world, has_text(&world.origins[0].got, FIRST "abc"));
    origin_send(&world.origins[0], BUSY);
    until(&world, has_text(&world.got, "\r\n\r\nbusy"));
    assert_int_equal(metric(&world, METRIC_RETRIES, "busy", NULL), 0);
    assert_int_equal(world.origins[1].accepted, 0);
    world_stop(&world);
}

static unsigned queued(const struct world *world)
{
    struct gate_figures figures;
    pool_gate_figures(pool_of(world, "p"), &figures);
    return figures.queued;
}

/* The model server is busy: the request waits for so long at most. */
static void start_in_queue(struct world *world, uint64_t ttl_ms)
{
    struct gate_settings settings = gate_settings_default;
    settings.has_queue = true;
    settings.limits.ttl_ms = ttl_ms;
    start(world, ONE_POOL, 1);
    pool_gate_set(pool_of(world, "p"), &settings);
    atomic_store(&pool_of(world, "p")->members[0]->load.waiting, 5);
    client_send(world, HEAD "Content-Length: 108\r\n\r\n" FIRST);
    until(world, queued(world) == 1);
}

static void while_a_request_waits_for_its_turn_the_rest_of_its_body_does_too(void **state)
{
    (void)state;
    struct world world;
    start_in_queue(&world, 60000);
    client_send(&world, REST);
    for (int i = 0; i < 20; i++)
        world_turn(&world);
    assert_int_equal(world.origins[0].accepted, 0);
    atomic_store(&pool_of(&world, "p")->members[0]->load.waiting, 0);
    until(&world, has_text(&world.origins[0].got, FIRST REST));
    answer_hello(&world, &world.origins[0]);
    world_stop(&world);
}

static void who_waits_with_half_a_body_may_be_refused_or_leave(void **state)
{
    (void)state;
    struct world world;
    start_in_queue(&world, 20);
    expect_error(&world, 429, "queue_timeout");
    world_stop(&world);
    start_in_queue(&world, 60000);
    close(world.fd);
    world.fd = -1;
    until(&world, queued(&world) == 0);
    assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "client_gone", NULL), 1);
    world_stop(&world);
}

/* 4,108 bytes but for what stands before the prompt; four make a token. */
static void a_prompt_that_is_still_coming_is_charged_whole(void **state)
{
    (void)state;
    struct world world;
    start(&world, ONE_POOL, 1);
    client_send(&world, HEAD "Content-Length: 4108\r\n\r\n" FIRST);
    until(&world, has_text(&world.origins[0].got, FIRST));
    assert_in_range(atomic_load(&pool_of(&world, "p")->members[0]->work.prompt_tokens), 1015, 1027);
    world_stop(&world);
}

static void a_second_model_behind_the_decision_ends_the_exchange(void **state)
{
    (void)state;
    struct world world;
    start(&world, REWRITTEN, 1);
    client_send(&world, HEAD "Content-Length: 200\r\n\r\n" FIRST);
    until(&world, has_text(&world.origins[0].got, "served-v2"));
    client_send(&world, "\",\"model\":\"other\",");
    expect_error(&world, 400, "duplicate_model");
    until(&world, world.origins[0].ended != 0);
    assert_false(has_text(&world.origins[0].got, "other"));
    world_stop(&world);
}

static void a_body_that_ends_in_the_middle_of_its_json_is_cut(void **state)
{
    (void)state;
    struct world world;
    start(&world, ONE_POOL, 1);
    client_send(&world, HEAD "Content-Length: 91\r\n\r\n" FIRST "abc");
    expect_error(&world, 400, "truncated_json");
    world_stop(&world);
    start(&world, ONE_POOL, 1);
    client_send(&world, HEAD "Content-Length: 91\r\n\r\n" FIRST);
    until(&world, has_text(&world.origins[0].got, FIRST));
    client_send(&world, "abc");
    expect_error(&world, 400, "truncated_json");
    until(&world, world.origins[0].ended != 0);
    world_stop(&world);
}

/* The answer comes before the body's end: it is passed on, and the rest of the body is not. */
static void an_early_answer_ends_the_exchange(void **state)
{
    (void)state;
    struct world world;
    start(&world, ONE_POOL, 1);
    client_send(&world, HEAD "Content-Length: 108\r\n\r\n" FIRST);
    until(&world, has_text(&world.origins[0].got, FIRST));
    origin_send(&world.origins[0], HELLO);
    until(&world, has_text(&world.got, "hello"));
    client_send(&world, REST);
    for (int i = 0; i < 20; i++)
        world_turn(&world);
    assert_false(has_text(&world.origins[0].got, REST));
    /* A request that was not read to its end leaves no connection for the next one. */
    assert_int_equal(metric(&world, METRIC_UPSTREAM_CONNECTIONS, "idle", NULL), 0);
    assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "complete", NULL), 1);
    world_stop(&world);
}

static void a_client_that_leaves_in_the_middle_takes_the_request_along(void **state)
{
    (void)state;
    struct world world;
    start(&world, ONE_POOL, 1);
    client_send(&world, HEAD "Content-Length: 108\r\n\r\n" FIRST);
    until(&world, has_text(&world.origins[0].got, FIRST));
    close(world.fd);
    world.fd = -1;
    until(&world, world.origins[0].ended != 0);
    assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "client_gone", NULL), 1);
    world_stop(&world);
}

/* A model server that reads nothing: the client is stopped long before 64 MB are in memory. */
static void a_slow_model_server_stops_the_client(void **state)
{
    (void)state;
    enum { PIECE = 65536, TOTAL = 64 << 20 };
    static char piece[PIECE];
    struct world world;
    start(&world, ONE_POOL, 1);
    memset(piece, ' ', sizeof piece);
    client_send(&world, HEAD "Content-Length: 67108952\r\n\r\n" FIRST);
    until(&world, has_text(&world.origins[0].got, FIRST));
    int reader = world.origins[0].fd;
    world.origins[0].fd = -1; /* nobody reads */
    size_t taken = 0;
    for (int idle_turns = 0; idle_turns < 50 && taken < TOTAL;) {
        ssize_t sent = send(world.fd, piece, sizeof piece, MSG_DONTWAIT | MSG_NOSIGNAL);
        taken += sent > 0 ? (size_t)sent : 0;
        idle_turns = sent > 0 ? 0 : idle_turns + 1;
        world_turn(&world);
    }
    assert_true(taken < TOTAL / 2);
    assert_true(world.budget.held_bytes > 200 << 10); /* what the model server does not take */
    world.origins[0].fd = reader;
    until(&world, buffer_len(&world.origins[0].got) > taken);
    world_stop(&world);
}

/* It gives up its replay where memory is short. */
static void under_pressure_a_body_passes_on_before_it_holds_much(void **state)
{
    (void)state;
    enum { PART = 70 * 1024 };
    struct world world;
    struct buffer part = {0};
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    memset(buffer_reserve(&part, PART), ' ', PART);
    buffer_commit(&part, PART);
    for (unsigned i = 0; i < 2; i++) { /* without pressure, with it */
        world.budget.held_bytes += i * (world.budget.limit_bytes / 2);
        client_send(&world, HEAD "Content-Length: 71777\r\n\r\n" FIRST);
        send_all(world.fd, buffer_bytes(&part));
        if (i == 0) {
            until(&world, world.budget.held_bytes >= PART);
            for (int turn = 0; turn < 20; turn++)
                world_turn(&world);
            assert_int_equal(world.origins[0].accepted, 0);
        } else {
            until(&world, buffer_len(&world.origins[0].got) > PART);
        }
        client_send(&world, "\",\"a\":12}");
        until(&world, has_text(&world.origins[0].got, "\",\"a\":12}"));
        answer_hello(&world, &world.origins[0]);
        buffer_clear(&world.origins[0].got);
        buffer_clear(&world.got);
    }
    world.budget.held_bytes -= world.budget.limit_bytes / 2;
    buffer_deinit(&part);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rest_of_a_long_body_follows_what_was_held),
        cmocka_unit_test(another_model_changes_the_length_of_the_whole),
        cmocka_unit_test(a_chunked_body_stays_chunked),
        cmocka_unit_test(a_model_that_has_not_come_is_waited_for),
        cmocka_unit_test(a_refused_connection_is_tried_elsewhere_while_the_client_waits),
        cmocka_unit_test(what_has_passed_through_is_not_sent_again),
        cmocka_unit_test(an_error_before_anything_passed_is_tried_elsewhere),
        cmocka_unit_test(an_error_after_something_passed_is_the_answer),
        cmocka_unit_test(while_a_request_waits_for_its_turn_the_rest_of_its_body_does_too),
        cmocka_unit_test(who_waits_with_half_a_body_may_be_refused_or_leave),
        cmocka_unit_test(a_prompt_that_is_still_coming_is_charged_whole),
        cmocka_unit_test(a_second_model_behind_the_decision_ends_the_exchange),
        cmocka_unit_test(a_body_that_ends_in_the_middle_of_its_json_is_cut),
        cmocka_unit_test(an_early_answer_ends_the_exchange),
        cmocka_unit_test(a_client_that_leaves_in_the_middle_takes_the_request_along),
        cmocka_unit_test(a_slow_model_server_stops_the_client),
        cmocka_unit_test(under_pressure_a_body_passes_on_before_it_holds_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
