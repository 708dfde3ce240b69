/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted of answers of every kind, and told to the Canaries of their arms. */
#include "unit/proxy/proxy_harness.h"

#include "canary/tap.h"
#include "inference/flow/pool_gate.h"

/* All traffic goes to the canary arm p; q stands by. */
#define POOLS                                                                                                          \
    CLASS GATEWAY POOL_X("p") POOL_X("q") ROUTE("r", "{parentRefs: [{name: g}], rules: [{backendRefs: [\n"             \
                                                     "  {group: inference.networking.x-k8s.io, kind: InferencePool, "  \
                                                     "name: q, weight: 0},\n"                                          \
                                                     "  {group: inference.networking.x-k8s.io, kind: InferencePool, "  \
                                                     "name: p, weight: 1}]}]}")
#define CANARY(name, kind, target, stable, arm)                                                                        \
    "apiVersion: serin.dev/v1alpha1\n"                                                                                 \
    "kind: Canary\n"                                                                                                   \
    "metadata: {name: " name "}\n"                                                                                     \
    "spec: {targetRef: {kind: " kind ", name: " target "}, stable: " stable ", canary: " arm "}\n"                     \
    "---\n"
#define POOL_CANARY CANARY("c", "HTTPRoute", "r", "q", "p")

#define STREAM_HEAD  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#define DELTA(delta) "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":" delta ",\"finish_reason\":null}]}\n\n"
#define LAST         "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define USAGE                                                                                                          \
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":40,\"completion_tokens\":9,\"prompt_tokens_details\":"         \
    "{\"cached_tokens\":30}}}\n\n"
#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"0123456789\"}]}"

struct judged {
    struct canary_taps *taps;
    struct canary_tap *tap;
    struct world world;
};

static void judged_start_with(struct judged *judged, const char *yaml, struct proxy_config config)
{
    struct strata_options options;
    strata_default_options(&options);
    options.warmup_requests = 0;
    options.warmup_ms = 0;
    judged->taps = canary_taps_new(1, &options);
    judged->tap = canary_taps_take(judged->taps, "default/c");
    world_start_full(&judged->world, yaml, &config, judged->taps);
    set_origins(&judged->world, "p", 0, 1);
}

static void judged_start(struct judged *judged)
{
    judged_start_with(judged, POOLS "---\n" POOL_CANARY, proxy_defaults);
}

static void judged_stop(struct judged *judged)
{
    assert_int_equal(canary_tap_in_flight(judged->tap, ARM_CANARY), 0);
    world_stop(&judged->world);
    canary_tap_give_back(judged->tap);
    canary_taps_free(judged->taps);
}

/* What the tap has got since the last look. */
static struct arm_tally seen(struct judged *judged, struct arm_sums *ret_sums)
{
    struct strata strata;
    struct strata_options options;
    strata_default_options(&options);
    options.warmup_requests = 0;
    options.warmup_ms = 0;
    strata_init(&strata, &options);
    canary_tap_drain(judged->tap, &strata);
    struct arm_tally tally = strata.tallies[ARM_CANARY];
    assert_int_equal(strata.tallies[ARM_STABLE].seen, 0);
    for (unsigned i = 0; ret_sums != NULL && i <= STRATA_IDS; i++)
        if (strata.slots[i] != NULL)
            *ret_sums = strata.slots[i]->arms[ARM_CANARY];
    strata_deinit(&strata);
    return tally;
}

/* Asked; the model server has the whole request. */
static void ask(struct world *world)
{
    buffer_clear(&world->origins[0].got);
    buffer_clear(&world->got);
    client_post(world, "Content-Type: application/json\r\n", ASK);
    until(world, has_text(&world->origins[0].got, "0123456789"));
}

static void send_chunk(struct world *world, const char *text)
{
    struct buffer chunk = {0};
    buffer_printf(&chunk, "%zx\r\n%s\r\n", strlen(text), text);
    send_all(world->origins[0].fd, buffer_bytes(&chunk));
    buffer_deinit(&chunk);
}

static void end_chunks(struct world *world)
{
    origin_send(&world->origins[0], "0\r\n\r\n");
    until(world, has_text(&world->got, "\r\n0\r\n\r\n"));
}

static void answer(struct world *world, const char *status, const char *type, const char *body)
{
    char head[300];
    int64_t ended = metric(world, METRIC_REQUEST_ENDS, "complete", NULL);
    snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", status, type,
             strlen(body));
    origin_send(&world->origins[0], head);
    origin_send(&world->origins[0], body);
    until(world, metric(world, METRIC_REQUEST_ENDS, "complete", NULL) == ended + 1);
}

static void a_stream_is_measured_from_its_first_token(void **state)
{
    (void)state;
    struct judged judged;
    struct world *world = &judged.world;
    struct arm_sums sums = {0};
    judged_start(&judged);
    canary_tap_set_price(judged.tap, ARM_CANARY, &(struct token_price){1000000, 100000, 2000000});
    ask(world);
    assert_int_equal(canary_tap_in_flight(judged.tap, ARM_CANARY), 1);
    assert_int_equal(metric(world, METRIC_ARM_ACTIVE, "p", NULL), 1);
    origin_send(&world->origins[0], STREAM_HEAD);
    send_chunk(world, DELTA("{\"role\":\"assistant\",\"content\":\"\"}"));
    until(world, has_text(&world->got, "assistant"));
    send_chunk(world, DELTA("{\"content\":\"a\"}"));
    until(world, has_text(&world->got, "\"a\""));
    send_chunk(world, DELTA("{\"content\":\"b\"}") DELTA("{\"content\":\"c\"}"));
    send_chunk(world, LAST USAGE "data: [DONE]\n\n");
    end_chunks(world);
    assert_int_equal(metric(world, METRIC_FIRST_TOKEN, "p", NULL), 1);
    assert_int_equal(metric(world, METRIC_TOKEN_TIME, "p", NULL), 1);
    assert_int_equal(metric(world, METRIC_TOKEN_GAP, "p", NULL), 2);
    assert_int_equal(metric(world, METRIC_PROMPT_TOKENS, "p", NULL), 40);
    assert_int_equal(metric(world, METRIC_CACHED_TOKENS, "p", NULL), 30);
    assert_int_equal(metric(world, METRIC_OUTPUT_TOKENS, "p", NULL), 9);
    assert_int_equal(metric(world, METRIC_EMPTY_ANSWERS, "p", NULL), 0);
    assert_int_equal(metric(world, METRIC_ARM_ACTIVE, "p", NULL), 0);
    struct arm_tally tally = seen(&judged, &sums);
    assert_int_equal(tally.outcomes[OUTCOME_OK], 1);
    assert_int_equal(tally.prompt_tokens, 40);
    assert_int_equal(tally.cached_tokens, 30);
    assert_int_equal(tally.output_tokens, 9);
    assert_int_equal(sums.finishes[FINISH_STOP], 1);
    assert_int_equal(sums.empty, 0);
    assert_float_equal(histogram_mean(&sums.values[VALUE_COST]), 10 + 3 + 18, 0);
    assert_int_equal(sums.values[VALUE_TTFT].count, 1);
    assert_int_equal(sums.values[VALUE_TPOT].count, 1);
    assert_int_equal(sums.values[VALUE_TOTAL].count, 1);
    judged_stop(&judged);
}

static void without_usage_events_are_tokens_and_bytes_are_the_prompt(void **state)
{
    (void)state;
    struct judged judged;
    struct world *world = &judged.world;
    judged_start(&judged);
    ask(world);
    origin_send(&world->origins[0], STREAM_HEAD);
    send_chunk(world, DELTA("{\"content\":\"a\"}") DELTA("{\"reasoning_content\":\"b\"}") LAST);
    end_chunks(world);
    assert_int_equal(metric(world, METRIC_OUTPUT_TOKENS, "p", NULL), 2);
    assert_int_equal(metric(world, METRIC_PROMPT_TOKENS, "p", NULL), 0);
    struct arm_tally tally = seen(&judged, NULL);
    assert_int_equal(tally.output_tokens, 2);
    assert_int_equal(tally.prompt_tokens, strlen("[{\"role\":\"user\",\"content\":\"0123456789\"}]") / 4);
    judged_stop(&judged);
}

static void whole_answers_by_status_and_body(void **state)
{
    (void)state;
    static const struct {
        const char *status, *type, *body;
        enum outcome outcome;
        bool is_empty;
    } rows[] = {
        {"200 OK", "application/json",
         "{\"choices\":[{\"message\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,"
         "\"completion_tokens\":5}}",
         OUTCOME_OK, false},
        {"200 OK", "application/json", "{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":\"stop\"}]}",
         OUTCOME_OK, true},
        {"200 OK", "application/json",
         "{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{\"id\":\"t\"}]},\"finish_reason\":"
         "\"tool_calls\"}]}",
         OUTCOME_OK, false},
        {"200 OK", "application/json", "", OUTCOME_OK, true},
        {"200 OK", "application/json", "{\"data\":[],\"usage\":{\"prompt_tokens\":3}}", OUTCOME_OK, false},
        {"200 OK", "text/plain", "", OUTCOME_OK, false}, /* not of a kind that is read */
        {"200 OK", "text/event-stream", "data: [DONE]\n\n", OUTCOME_OK, true},
        {"200 OK", "application/json", "{\"error\":{\"message\":\"x\"}}", OUTCOME_SERVER_ERROR, false},
        {"200 OK", "text/event-stream", DELTA("{\"content\":\"a\"}") "data: {\"error\":{\"code\":500}}\n\n",
         OUTCOME_SERVER_ERROR, false},
        {"400 Bad Request", "application/json", "{\"error\":{\"message\":\"x\"}}", OUTCOME_CLIENT_ERROR, false},
        {"404 Not Found", "application/json", "{\"error\":{\"type\":\"NotFoundError\",\"code\":404}}",
         OUTCOME_MODEL_MISSING, false},
        {"404 Not Found", "application/json", "{\"detail\":\"Not Found\"}", OUTCOME_CLIENT_ERROR, false},
        {"429 Too Many Requests", "application/json", "{}", OUTCOME_THROTTLED, false},
        {"500 Oops", "text/plain", "x", OUTCOME_SERVER_ERROR, false},
        {"504 Late", "text/plain", "x", OUTCOME_TIMEOUT, false},
    };
    struct judged judged;
    judged_start(&judged);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct arm_sums sums = {0};
        int64_t empty = metric(&judged.world, METRIC_EMPTY_ANSWERS, "p", NULL);
        ask(&judged.world);
        answer(&judged.world, rows[i].status, rows[i].type, rows[i].body);
        struct arm_tally tally = seen(&judged, &sums);
        if (tally.seen != 1 || tally.outcomes[rows[i].outcome] != 1)
            fail_msg("row %u is not %s", i, outcome_name(rows[i].outcome));
        if (sums.empty != rows[i].is_empty ||
            metric(&judged.world, METRIC_EMPTY_ANSWERS, "p", NULL) != empty + rows[i].is_empty)
            fail_msg("row %u: empty %d", i, (int)sums.empty);
        /* The first byte of a whole answer says nothing of its first token. */
        assert_int_equal(sums.values[VALUE_TPOT].count, 0);
    }
    assert_int_equal(metric(&judged.world, METRIC_PROMPT_TOKENS, "p", NULL), 6);
    assert_int_equal(metric(&judged.world, METRIC_REQUESTS, "p", "200"), 9);
    assert_int_equal(metric(&judged.world, METRIC_REQUESTS, "p", "404"), 2);
    judged_stop(&judged);
}

static void what_is_compressed_is_not_read(void **state)
{
    (void)state;
    struct judged judged;
    judged_start(&judged);
    ask(&judged.world);
    answer(&judged.world, "200 OK", "application/json\r\nContent-Encoding: gzip", "{\"usage\":{\"prompt_tokens\":9}}");
    assert_int_equal(metric(&judged.world, METRIC_PROMPT_TOKENS, "p", NULL), 0);
    assert_int_equal(metric(&judged.world, METRIC_EMPTY_ANSWERS, "p", NULL), 0);
    judged_stop(&judged);
}

static void a_client_that_leaves_is_cancelled_and_keeps_its_first_token(void **state)
{
    (void)state;
    struct judged judged;
    struct world *world = &judged.world;
    struct arm_sums sums = {0};
    judged_start(&judged);
    ask(world);
    origin_send(&world->origins[0], STREAM_HEAD);
    send_chunk(world, DELTA("{\"content\":\"a\"}"));
    until(world, has_text(&world->got, "\"a\""));
    reconnect(world, 0);
    until(world, metric(world, METRIC_REQUEST_ENDS, "client_gone", NULL) == 1);
    struct arm_tally tally = seen(&judged, &sums);
    assert_int_equal(tally.outcomes[OUTCOME_CANCELLED], 1);
    assert_int_equal(tally.judged, 0);
    assert_int_equal(sums.values[VALUE_TTFT].count, 1);
    assert_int_equal(metric(world, METRIC_OUTPUT_TOKENS, "p", NULL), 1);
    judged_stop(&judged);
}

static void a_cut_stream_is_broken(void **state)
{
    (void)state;
    struct judged judged;
    struct world *world = &judged.world;
    judged_start(&judged);
    ask(world);
    origin_send(&world->origins[0], STREAM_HEAD);
    send_chunk(world, DELTA("{\"content\":\"a\"}"));
    until(world, has_text(&world->got, "\"a\""));
    origin_close(&world->origins[0]);
    until(world, has_text(&world->got, "upstream_cut"));
    assert_int_equal(seen(&judged, NULL).outcomes[OUTCOME_BROKEN], 1);
    judged_stop(&judged);
}

static void a_failure_that_another_endpoint_cured_is_a_retry(void **state)
{
    (void)state;
    struct judged judged;
    struct world *world = &judged.world;
    judged_start(&judged);
    origin_leave(&world->origins[1]);
    set_origins(world, "p", 0, 2);
    /* Preferred until it refuses. */
    atomic_store(&pool_of(world, "p")->members[0]->load.waiting, 9);
    ask(world);
    answer(world, "200 OK", "application/json", "{}");
    struct arm_tally tally = seen(&judged, NULL);
    assert_int_equal(tally.retried, 1);
    assert_int_equal(tally.outcomes[OUTCOME_OK], 1);
    judged_stop(&judged);
}

static void a_pool_without_endpoints_is_broken(void **state)
{
    (void)state;
    struct judged judged;
    judged_start(&judged);
    set_origins(&judged.world, "p", 0, 0);
    client_post(&judged.world, "Content-Type: application/json\r\n", ASK);
    expect_error(&judged.world, 503, "no_endpoint");
    assert_int_equal(seen(&judged, NULL).outcomes[OUTCOME_BROKEN], 1);
    judged_stop(&judged);
}

/* The client saw none, the Canary does; that one was busy is no error. */
static void a_server_error_that_another_endpoint_cured_is_the_arms(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum outcome outcome;
    } rows[] = {
        {"HTTP/1.1 502 Bad\r\nContent-Length: 2\r\n\r\n{}", OUTCOME_SERVER_ERROR},
        {"HTTP/1.1 429 Busy\r\nContent-Length: 2\r\n\r\n{}", OUTCOME_OK},
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct judged judged;
        struct world *world = &judged.world;
        judged_start(&judged);
        set_origins(world, "p", 0, 2);
        atomic_store(&pool_of(world, "p")->members[1]->load.waiting, 9);
        ask(world);
        origin_send(&world->origins[0], rows[i].answer);
        until(world, has_text(&world->origins[1].got, "0123456789"));
        answer_hello(world, &world->origins[1]);
        struct arm_tally tally = seen(&judged, NULL);
        assert_int_equal(tally.seen, 1);
        assert_int_equal(tally.retried, 1);
        assert_int_equal(tally.outcomes[rows[i].outcome], 1);
        assert_int_equal(metric(world, METRIC_ARM_ACTIVE, "p", NULL), 0);
        judged_stop(&judged);
    }
}

/* The queue's time is of the observation, what it refuses is the arm's lack of room. */
static void what_waits_before_a_full_pool_is_measured(void **state)
{
    (void)state;
    struct judged judged;
    struct world *world = &judged.world;
    struct arm_sums sums = {0};
    struct gate_figures figures = {0};
    struct gate_settings settings = gate_settings_default;
    settings.has_queue = true;
    judged_start(&judged);
    struct pool *pool = pool_of(world, "p");
    pool_gate_set(pool, &settings);
    atomic_store(&pool->members[0]->load.waiting, 5);
    client_post(world, "Content-Type: application/json\r\n", ASK);
    until(world, (pool_gate_figures(pool, &figures), figures.queued == 1));
    assert_int_equal(canary_tap_in_flight(judged.tap, ARM_CANARY), 1);
    for (int i = 0; i < 5; i++)
        world_turn(world);
    atomic_store(&pool->members[0]->load.waiting, 0);
    until(world, has_text(&world->origins[0].got, "0123456789"));
    answer(world, "200 OK", "application/json", "{}");
    assert_int_equal(seen(&judged, &sums).outcomes[OUTCOME_OK], 1);
    assert_int_equal(sums.values[VALUE_QUEUE].count, 1);
    assert_true(sums.values[VALUE_QUEUE].sum > 0);
    assert_true(sums.values[VALUE_QUEUE].sum <= sums.values[VALUE_TOTAL].sum);
    buffer_clear(&world->got);
    settings.limits.ttl_ms = 1;
    pool_gate_set(pool, &settings);
    atomic_store(&pool->members[0]->load.waiting, 5);
    client_post(world, "Content-Type: application/json\r\n", ASK);
    expect_error(world, 429, "queue_timeout");
    assert_int_equal(seen(&judged, NULL).outcomes[OUTCOME_THROTTLED], 1);
    judged_stop(&judged);
}

static void an_operator_ends_the_streams_of_an_arm(void **state)
{
    (void)state;
    struct judged judged;
    struct world *world = &judged.world;
    judged_start(&judged);
    ask(world);
    origin_send(&world->origins[0], STREAM_HEAD);
    send_chunk(world, DELTA("{\"content\":\"a\"}"));
    until(world, has_text(&world->got, "\"a\""));
    canary_tap_cut(judged.tap, ARM_STABLE); /* another's */
    send_chunk(world, DELTA("{\"content\":\"b\"}"));
    until(world, has_text(&world->got, "\"b\""));
    canary_tap_cut(judged.tap, ARM_CANARY);
    send_chunk(world, DELTA("{\"content\":\"c\"}"));
    until(world, has_text(&world->got, "\r\n0\r\n\r\n"));
    assert_true(has_text(&world->got, "\"c\""));
    assert_true(has_text(&world->got, "\"code\":\"canary_cut\"}}\n\n"));
    until(world, world->origins[0].ended != 0);
    assert_int_equal(metric(world, METRIC_REQUEST_ENDS, "canary_cut", NULL), 1);
    assert_int_equal(seen(&judged, NULL).outcomes[OUTCOME_CANCELLED], 1);
    /* What comes later is not cut. */
    ask(world);
    origin_send(&world->origins[0], STREAM_HEAD);
    send_chunk(world, DELTA("{\"content\":\"d\"}"));
    end_chunks(world);
    assert_int_equal(seen(&judged, NULL).outcomes[OUTCOME_OK], 1);
    judged_stop(&judged);
}

static void both_canaries_of_an_exchange_are_told(void **state)
{
    (void)state;
    struct judged judged;
    judged_start_with(&judged,
                      POOLS "---\n" POOL_CANARY MODEL("mod", "{modelName: m, poolRef: {name: p}, targetModels: "
                                                             "[{name: old, weight: 1}, {name: new, weight: 100000}]}")
                          CANARY("d", "InferenceModel", "mod", "old", "new"),
                      proxy_defaults);
    struct canary_tap *other = canary_taps_take(judged.taps, "default/d");
    struct strata strata;
    struct strata_options options;
    strata_default_options(&options);
    options.warmup_requests = 0;
    options.warmup_ms = 0;
    strata_init(&strata, &options);
    ask(&judged.world);
    assert_int_equal(canary_tap_in_flight(other, ARM_STABLE) + canary_tap_in_flight(other, ARM_CANARY), 1);
    answer(&judged.world, "200 OK", "application/json", "{}");
    assert_int_equal(seen(&judged, NULL).seen, 1);
    canary_tap_drain(other, &strata);
    assert_int_equal(strata.tallies[ARM_STABLE].seen + strata.tallies[ARM_CANARY].seen, 1);
    strata_deinit(&strata);
    canary_tap_give_back(other);
    judged_stop(&judged);
}

static void the_revision_of_the_pod_is_told_unless_arms_are_hidden(void **state)
{
    (void)state;
    for (unsigned is_hidden = 0; is_hidden < 2; is_hidden++) {
        struct judged judged;
        struct proxy_config config = proxy_defaults;
        config.hide_arm = is_hidden;
        judged_start_with(&judged, POOLS, config);
        const struct pool_member member = {.ip = "127.0.0.1",
                                           .port = address_port(&judged.world.origins[0].at),
                                           .pod = "t/other",
                                           .revision = "7d4b9c",
                                           .is_ready = true};
        pool_set_members(pool_of(&judged.world, "p"), &member, 1, NULL);
        ask(&judged.world);
        answer(&judged.world, "200 OK", "application/json", "{}");
        assert_int_equal(has_text(&judged.world.got, "x-serin-revision: 7d4b9c\r\n"), !is_hidden);
        assert_int_equal(has_text(&judged.world.got, "x-serin-arm: p/m\r\n"), !is_hidden);
        judged_stop(&judged);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_measured_from_its_first_token),
        cmocka_unit_test(without_usage_events_are_tokens_and_bytes_are_the_prompt),
        cmocka_unit_test(whole_answers_by_status_and_body),
        cmocka_unit_test(what_is_compressed_is_not_read),
        cmocka_unit_test(a_client_that_leaves_is_cancelled_and_keeps_its_first_token),
        cmocka_unit_test(a_cut_stream_is_broken),
        cmocka_unit_test(a_failure_that_another_endpoint_cured_is_a_retry),
        cmocka_unit_test(a_server_error_that_another_endpoint_cured_is_the_arms),
        cmocka_unit_test(a_pool_without_endpoints_is_broken),
        cmocka_unit_test(what_waits_before_a_full_pool_is_measured),
        cmocka_unit_test(an_operator_ends_the_streams_of_an_arm),
        cmocka_unit_test(both_canaries_of_an_exchange_are_told),
        cmocka_unit_test(the_revision_of_the_pod_is_told_unless_arms_are_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
