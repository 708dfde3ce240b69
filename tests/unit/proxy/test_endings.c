/* SPDX-License-Identifier: Apache-2.0 */
/* test_endings.c: whatever becomes of a request, it ends exactly once, and nothing stays charged for it. */
#include "base/random.h"
#include "inference/flow/pool_gate.h"
#include "proxy/end_reason.h"
#include "unit/proxy/proxy_harness.h"

enum fate {
    ANSWERED,
    STREAMED,
    REFUSED,        /* 400 by the server */
    CLOSED,         /* by the server, before a byte */
    CUT,            /* by the server, in the middle */
    LEFT_WAITING,   /* the client, before the answer */
    LEFT_STREAMING, /* the client, in the middle */
    SHED,
    QUEUED_TOO_LONG,
    QUEUED_AND_SENT,
    LEFT_QUEUED,
    FATES
};

#define STREAM_HEAD                                                                                                    \
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"                         \
    "9\r\ndata: 1\n\n\r\n"

static struct endpoint *member(const struct world *world)
{
    return pool_of(world, "p")->members[0];
}

static void set_gate(const struct world *world, unsigned waiting, uint64_t ttl_ms)
{
    struct gate_settings settings = gate_settings_default;
    settings.has_queue = true;
    settings.limits.ttl_ms = ttl_ms;
    pool_gate_set(pool_of(world, "p"), &settings);
    atomic_store(&member(world)->load.waiting, waiting);
}

static struct gate_figures figures_of(const struct world *world)
{
    struct gate_figures figures;
    pool_gate_figures(pool_of(world, "p"), &figures);
    return figures;
}

static void leave(struct world *world)
{
    close(world->fd);
    world->fd = -1;
}

static void post(struct world *world, const char *model)
{
    char body[100];
    snprintf(body, sizeof body, "{\"model\":\"%s\",\"prompt\":\"x\",\"stream\":true}", model);
    client_post(world, "", body);
}

static void post_and_arrive(struct world *world)
{
    post(world, "m");
    until(world, has_text(&world->origins[0].got, "true}"));
}

static void answer(struct world *world, const char *text, const char *seen)
{
    origin_send(&world->origins[0], text);
    until(world, has_text(&world->got, seen));
}

/* What is sent and answered, as far as a server sees it. */
static void meet_at_server(struct world *world, enum fate fate)
{
    post_and_arrive(world);
    switch (fate) {
    case ANSWERED:
        answer(world, HELLO, "hello");
        break;
    case REFUSED:
        answer(world, "HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\nno", "\r\n\r\nno");
        break;
    case CLOSED:
        while (metric(world, METRIC_REQUESTS_ACTIVE, NULL, NULL) > 0) { /* also what is tried again */
            if (world->origins[0].fd >= 0 && has_text(&world->origins[0].got, "true}"))
                origin_close(&world->origins[0]);
            world_turn(world);
        }
        break;
    case LEFT_WAITING:
        leave(world);
        break;
    default:
        answer(world, STREAM_HEAD, "data: 1");
        if (fate == STREAMED)
            origin_send(&world->origins[0], "0\r\n\r\n");
        else if (fate == CUT)
            origin_close(&world->origins[0]);
        else
            leave(world);
        break;
    }
}

static void meet_before_server(struct world *world, enum fate fate)
{
    set_gate(world, 5, fate == QUEUED_TOO_LONG ? 1 : 60000);
    post(world, fate == SHED ? "sheddable" : "m");
    if (fate == SHED || fate == QUEUED_TOO_LONG) {
        until(world, has_text(&world->got, "HTTP/1.1 429 "));
    } else {
        until(world, figures_of(world).queued == 1);
        if (fate == LEFT_QUEUED)
            leave(world);
    }
    if (fate == QUEUED_AND_SENT) {
        set_gate(world, 0, 60000);
        until(world, has_text(&world->origins[0].got, "true}"));
        answer(world, HELLO, "hello");
    }
}

static int64_t all_ends(const struct world *world)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < END_REASON_COUNT; i++)
        sum += metric(world, METRIC_REQUEST_ENDS, end_reason_text((enum end_reason)i), NULL);
    return sum;
}

/* By model and priority, as request_metrics.h counts. */
static int64_t all_counted(const struct world *world, enum metric_id id)
{
    static const char *const labels[][3] = {{"m", "m", "0"}, {"sheddable", "sheddable", "-1"}};
    return metrics_value(world->metrics, id, labels[0]) + metrics_value(world->metrics, id, labels[1]);
}

static void expect_nothing_charged(const struct world *world)
{
    const struct endpoint *endpoint = member(world);
    struct gate_ticket ticket = {.item = {.priority = 0}};
    assert_int_equal(atomic_load(&endpoint->load.in_flight), 0);
    assert_int_equal(atomic_load(&endpoint->work.prefilling), 0);
    assert_int_equal(atomic_load(&endpoint->work.prefill_tokens), 0);
    assert_int_equal(atomic_load(&endpoint->work.prompt_tokens), 0);
    assert_int_equal(figures_of(world).queued, 0);
    assert_int_equal(all_counted(world, METRIC_EPP_ACTIVE), 0);
    /* Four that wait there and one on its way would be too many: nobody is on its way. */
    set_gate(world, 4, 60000);
    assert_int_equal(pool_gate_enter(pool_of(world, "p"), &ticket, 1), GATE_PASSED);
    pool_gate_leave(&ticket);
    set_gate(world, 0, 60000);
}

static void every_request_ends_exactly_once(void **state)
{
    (void)state;
    struct world world;
    struct random_state random;
    unsigned met[FATES] = {0};
    world_start(&world, ONE_POOL MODEL("m", "{modelName: m, poolRef: {name: p}}")
                            MODEL("s", "{modelName: sheddable, criticality: Sheddable, poolRef: {name: p}}"));
    set_origins(&world, "p", 0, 1);
    random_seed(&random, 3);
    for (int64_t round = 1; round <= 400; round++) {
        enum fate fate = (enum fate)random_below(&random, FATES);
        met[fate]++;
        set_gate(&world, 0, 60000);
        if (fate < SHED)
            meet_at_server(&world, fate);
        else
            meet_before_server(&world, fate);
        until(&world, metric(&world, METRIC_REQUESTS_ACTIVE, NULL, NULL) == 0);
        assert_int_equal(all_ends(&world), round);
        assert_int_equal(all_counted(&world, METRIC_EPP_REQUESTS), round);
        expect_nothing_charged(&world);
        buffer_clear(&world.origins[0].got);
        reconnect(&world, 0);
    }
    for (unsigned i = 0; i < FATES; i++)
        assert_true(met[i] > 10);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_ends_exactly_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
