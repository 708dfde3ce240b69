/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a request before a model server sees it: routes, splits, bodies, limits. */
#include "unit/proxy/proxy_harness.h"

static void a_request_without_routes_is_told_so(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    client_send(&world, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    expect_error(&world, 404, "no_listener");
    add_objects(&world, CLASS GATEWAY POOL_X("p") ROUTE(
                            "r", "{parentRefs: [{name: g}], rules: [{matches: [{path: {value: /only}}], backendRefs: "
                                 "[" POOL_REF("p") "]}]}"));
    client_send(&world, "GET /other HTTP/1.1\r\nHost: h\r\n\r\n");
    expect_error(&world, 404, "no_route");
    assert_int_equal(metric(&world, METRIC_REQUESTS, "", "404"), 2);
    assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "no_route", NULL), 1);
    world_stop(&world);
}

static void a_request_crosses_and_its_answer_names_the_arm(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    client_send(&world, "GET /v1/models?a=b HTTP/1.1\r\nHost: h\r\nX-Mine: 1\r\n\r\n");
    answer_hello(&world, &world.origins[0]);
    const struct buffer *sent = &world.origins[0].got;
    assert_true(has_text(sent, "GET /v1/models?a=b HTTP/1.1\r\nHost: h\r\nX-Mine: 1\r\n"));
    assert_true(has_text(sent, "X-Forwarded-For: 127.0.0.9\r\n"));
    assert_true(has_text(sent, "X-Request-Id: "));
    assert_false(has_text(sent, "Content-Length"));
    assert_true(has_text(&world.got, "HTTP/1.1 200 "));
    assert_true(has_text(&world.got, "x-serin-arm: p\r\n"));
    assert_int_equal(metric(&world, METRIC_REQUESTS, "p", "200"), 1);
    assert_int_equal(metric(&world, METRIC_REQUEST_DURATION, "p", NULL), 1);
    assert_int_equal(metric(&world, METRIC_FIRST_BYTE, "p", NULL), 1);
    assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "complete", NULL), 1);
    world_stop(&world);
}

static void the_arm_is_hidden_on_request_and_for_services(void **state)
{
    (void)state;
    struct world world;
    struct proxy_config config = proxy_defaults;
    config.hide_arm = true;
    world_start_with(&world, ONE_POOL, &config);
    set_origins(&world, "p", 0, 1);
    client_send(&world, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    answer_hello(&world, &world.origins[0]);
    assert_false(has_text(&world.got, "x-serin-arm"));
    world_stop(&world);

    world_start(&world, CLASS GATEWAY SERVICE("web")
                            ROUTE("r", "{parentRefs: [{name: g}], rules: [{backendRefs: [{name: web, port: 80}]}]}"));
    client_send(&world, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    until(&world, has_text(&world.got, "}}"));
    assert_true(has_text(&world.got, "x-serin-reason: no_endpoint\r\n"));
    assert_false(has_text(&world.got, "x-serin-arm"));
    world_stop(&world);
}

#define TWO_POOLS                                                                                                      \
    CLASS GATEWAY POOL_X("a") POOL_X("b")                                                                              \
        ROUTE("r", "{parentRefs: [{name: g}], rules: [{backendRefs: [\n"                                               \
                   "  {group: inference.networking.x-k8s.io, kind: InferencePool, name: a, weight: 4},\n"              \
                   "  {group: inference.networking.x-k8s.io, kind: InferencePool, name: b, weight: 1}]}]}")

static void ten_requests_are_split_as_the_weights_say(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, TWO_POOLS);
    set_origins(&world, "a", 0, 1);
    set_origins(&world, "b", 1, 1);
    for (unsigned i = 0; i < 10; i++) {
        unsigned done = (unsigned)metric(&world, METRIC_REQUEST_ENDS, "complete", NULL);
        buffer_clear(&world.got);
        buffer_clear(&world.origins[0].got);
        buffer_clear(&world.origins[1].got);
        client_send(&world, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        until(&world, buffer_len(&world.origins[0].got) + buffer_len(&world.origins[1].got) > 0);
        answer_hello(&world, &world.origins[buffer_len(&world.origins[0].got) > 0 ? 0 : 1]);
        assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "complete", NULL), done + 1);
    }
    assert_int_equal(metric(&world, METRIC_REQUESTS, "a", "200"), 8);
    assert_int_equal(metric(&world, METRIC_REQUESTS, "b", "200"), 2);
    world_stop(&world);
}

static void a_session_key_keeps_its_arm(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, TWO_POOLS);
    for (unsigned i = 0; i < 20; i++) {
        client_send(&world, "GET / HTTP/1.1\r\nHost: h\r\nX-Session-Id: somebody\r\n\r\n");
        expect_error(&world, 503, "no_endpoint");
    }
    int64_t first = metric(&world, METRIC_REQUESTS, "a", "503");
    assert_int_equal(first + metric(&world, METRIC_REQUESTS, "b", "503"), 20);
    assert_true(first == 0 || first == 20);
    world_stop(&world);
}

static void the_target_of_the_model_is_written_into_the_body(void **state)
{
    (void)state;
    struct world world;
    world_start(&world,
                ONE_POOL MODEL("m", "{modelName: asked, poolRef: {name: p}, targetModels: [{name: served-v2}]}"));
    set_origins(&world, "p", 0, 1);
    client_post(&world, "Content-Type: application/json\r\n",
                "{\"a\": 1, \"model\" : \"asked\", \"prompt\":\"asked\"}");
    until(&world, has_text(&world.origins[0].got, "prompt"));
    assert_true(has_text(&world.origins[0].got,
                         "\r\nContent-Length: 49\r\n\r\n{\"a\": 1, \"model\" : \"served-v2\", \"prompt\":\"asked\"}"));
    answer_hello(&world, &world.origins[0]);
    assert_true(has_text(&world.got, "x-serin-arm: p/served-v2\r\n"));
    assert_int_equal(metric(&world, METRIC_REQUESTS, "p/served-v2", "200"), 1);
    world_stop(&world);
}

/* A client's own name would be a series of its own. */
static void a_model_that_no_object_names_passes_and_is_counted_under_its_pool(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    client_post(&world, "", "{\"model\":\"mine\"}");
    answer_hello(&world, &world.origins[0]);
    assert_true(has_text(&world.origins[0].got, "{\"model\":\"mine\"}"));
    assert_true(has_text(&world.got, "x-serin-arm: p/mine\r\n"));
    assert_int_equal(metric(&world, METRIC_REQUESTS, "p", "200"), 1);
    world_stop(&world);
}

static void bodies_that_are_no_json_object_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *body, *reason;
    } cases[] = {
        {"{\"model\":", "truncated_json"},      {"nonsense", "body_not_object"},
        {"{\"a\":1}x", "malformed_json"},       {"[1]", "body_not_object"},
        {"{\"model\":1}", "bad_model"},         {"{\"model\":\"a\",\"model\":\"b\"}", "duplicate_model"},
        {"{\"model\":\"a\"", "truncated_json"},
    };
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        client_post(&world, "Content-Type: application/json; charset=utf-8\r\n", cases[i].body);
        expect_error(&world, 400, cases[i].reason);
        if (world.ended != 0)
            reconnect(&world, 0);
    }
    assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "bad_body", NULL), ARRAY_LEN(cases));
    assert_int_equal(world.origins[0].accepted, 0);
    world_stop(&world);
}

static void bodies_of_other_types_pass_unread(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    client_post(&world, "Content-Type: multipart/form-data; boundary=x\r\nContent-Encoding: gzip\r\n", "--x not json");
    answer_hello(&world, &world.origins[0]);
    assert_true(has_text(&world.origins[0].got, "\r\n\r\n--x not json"));
    world_stop(&world);
}

static void an_empty_body_is_no_bad_json(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    client_post(&world, "", "");
    answer_hello(&world, &world.origins[0]);
    assert_true(has_text(&world.origins[0].got, "Content-Length: 0\r\n\r\n"));
    world_stop(&world);
}

static void compressed_json_is_refused(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    client_post(&world, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", "xxxx");
    expect_error(&world, 415, "unsupported_content_encoding");
    reconnect(&world, 0);
    client_post(&world, "Content-Type: application/json\r\nContent-Encoding: identity\r\n", "{}");
    answer_hello(&world, &world.origins[0]);
    world_stop(&world);
}

static void a_chunked_body_arrives_with_its_length(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    client_send(&world, "POST /v1/completions HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n");
    answer_hello(&world, &world.origins[0]);
    assert_true(has_text(&world.origins[0].got, "Content-Length: 7\r\n\r\n{\"a\":1}"));
    assert_false(has_text(&world.origins[0].got, "chunked"));
    world_stop(&world);
}

#define SMALL_BUFFER                                                                                                   \
    "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: ClientTrafficPolicy\n"                                          \
    "metadata: {name: small}\n"                                                                                        \
    "spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}], "                                \
    "connection: {bufferLimit: 16}}\n---\n"

static void a_model_beyond_the_buffer_limit_is_refused_whether_announced_or_not(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL SMALL_BUFFER);
    set_origins(&world, "p", 0, 1);
    client_send(&world, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 17\r\n\r\n{\"a\": 5678901234 ");
    expect_error(&world, 413, "body_too_large");
    reconnect(&world, 0);
    client_send(&world, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "10\r\n{\"a\": 5678901234\r\n1\r\n \r\n");
    expect_error(&world, 413, "body_too_large");
    assert_int_equal(metric(&world, METRIC_BODY_LIMIT_HITS, "buffer", NULL), 2);
    reconnect(&world, 0);
    client_post(&world, "", "{\"a\": \"56789012\"");
    expect_error(&world, 400, "truncated_json"); /* 16 bytes are read */
    world_stop(&world);
}

static void a_model_within_the_buffer_limit_lets_the_rest_pass(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL SMALL_BUFFER);
    set_origins(&world, "p", 0, 1);
    client_post(&world, "", "{\"model\":\"m\",\"a\":5678901234}");
    answer_hello(&world, &world.origins[0]);
    buffer_clear(&world.got);
    client_post(&world, "", "{\"model\": \"ends at 17\"}"); /* its quote is the byte too many */
    expect_error(&world, 413, "body_too_large");
    world_stop(&world);
}

/* Large pieces are received where they are kept: the next request behind the body is not part of it. */
static void a_body_in_large_pieces_arrives_as_it_was_sent(void **state)
{
    (void)state;
    enum { SIZE = 30000, PIECE = 7001 };
    static char body[SIZE + 1];
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    for (unsigned i = 0; i < SIZE; i++)
        body[i] = (char)('a' + i % 23);
    memcpy(body, "{\"model\":\"m\",\"prompt\":\"", sizeof "{\"model\":\"m\",\"prompt\":\"" - 1);
    memcpy(body + SIZE - 2, "\"}", 3);
    client_send(&world, "POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 30000\r\n\r\n");
    for (unsigned at = 0; at < SIZE; at += PIECE) {
        struct buffer piece = {0};
        buffer_append(&piece, bytes_make(body + at, SIZE - at < PIECE ? SIZE - at : PIECE));
        if (at + PIECE >= SIZE)
            buffer_append_str(&piece, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
        send_all(world.fd, buffer_bytes(&piece));
        buffer_deinit(&piece);
        world_turn(&world);
        world_turn(&world);
    }
    until(&world, has_text(&world.origins[0].got, "Content-Length: 30000\r\n\r\n{\"model\""));
    until(&world, has_text(&world.origins[0].got, body));
    answer_hello(&world, &world.origins[0]);
    buffer_clear(&world.got);
    until(&world, has_text(&world.origins[0].got, "GET /next HTTP/1.1\r\n"));
    answer_hello(&world, &world.origins[0]);
    world_stop(&world);
}

/* Of so many bytes, mostly blanks; a NUL behind it. */
static void write_empty_object(char *body, size_t len)
{
    memset(body, ' ', len);
    body[0] = '{';
    body[len - 1] = '}';
    body[len] = '\0';
}

static void a_spent_body_budget_refuses_large_bodies_and_lets_small_ones_pass(void **state)
{
    (void)state;
    struct world world;
    char body[9000];
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    world.budget.limit_bytes = 5000;
    write_empty_object(body, sizeof body - 1);
    client_post(&world, "", body);
    until(&world, has_text(&world.got, "Retry-After: 1\r\n"));
    expect_error(&world, 413, "body_budget");
    assert_int_equal(metric(&world, METRIC_BODY_LIMIT_HITS, "budget", NULL), 1);
    assert_int_equal(world.budget.held_bytes, 0);
    reconnect(&world, 0);
    client_post(&world, "", "{}");
    answer_hello(&world, &world.origins[0]);
    world_stop(&world);
}

/* What has no body neither. */
static void where_the_budget_is_spent_a_request_is_refused_at_its_head(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    world.budget.limit_bytes = world.budget.held_bytes = 5000;
    client_send(&world, "GET /v1/models HTTP/1.1\r\nHost: h\r\n\r\n");
    until(&world, has_text(&world.got, "Retry-After: 1\r\n"));
    expect_error(&world, 503, "overloaded");
    assert_int_equal(metric(&world, METRIC_REQUEST_ENDS, "overloaded", NULL), 1);
    world.budget.held_bytes = 0;
    client_send(&world, "GET /v1/models HTTP/1.1\r\nHost: h\r\n\r\n");
    answer_hello(&world, &world.origins[0]);
    world_stop(&world);
}

/* Uploads have spent their part: what others hold is not theirs. */
static void a_large_body_leaves_room_for_small_ones(void **state)
{
    (void)state;
    enum { SIZE = 100 * 1024 };
    static char body[SIZE + 1];
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    write_empty_object(body, SIZE);
    world.budget.limit_bytes = 1 << 20;
    world.budget.held_bytes = 900 << 10;
    client_post(&world, "", body);
    expect_error(&world, 413, "body_budget");
    reconnect(&world, 0);
    body[20 * 1024 - 1] = '}';
    body[20 * 1024] = '\0';
    client_post(&world, "", body);
    answer_hello(&world, &world.origins[0]);
    world.budget.held_bytes -= 900 << 10;
    world_stop(&world);
}

static void a_held_body_is_counted_until_its_exchange_ends(void **state)
{
    (void)state;
    struct world world;
    char body[9000];
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    write_empty_object(body, sizeof body - 1);
    client_post(&world, "", body);
    until(&world, count_text(&world.origins[0].got, "}") == 1);
    assert_true(world.budget.held_bytes >= sizeof body - 1 - 4096);
    assert_int_equal(metric(&world, METRIC_BODY_BYTES_HELD, NULL, NULL), world.budget.held_bytes);
    assert_int_equal(metric(&world, METRIC_REQUESTS_ACTIVE, NULL, NULL), 1);
    answer_hello(&world, &world.origins[0]);
    assert_int_equal(world.budget.held_bytes, 0);
    world_stop(&world);
}

/* Its pages have been written to: a client that begins a body like the last one and stops must not have them for
 * nothing. */
static void a_buffer_that_is_used_again_is_counted_as_a_whole(void **state)
{
    (void)state;
    enum { SIZE = 100 * 1024 };
    static char body[SIZE + 1];
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    write_empty_object(body, SIZE);
    client_post(&world, "", body);
    until(&world, count_text(&world.origins[0].got, "}") == 1);
    answer_hello(&world, &world.origins[0]);
    assert_int_equal(world.budget.held_bytes, 0);
    client_send(&world, "GET /v1/models HTTP/1.1\r\nHost: h\r\n\r\n");
    until(&world, has_text(&world.origins[0].got, "GET /v1/models"));
    assert_int_equal(world.budget.held_bytes, 0);
    answer_hello(&world, &world.origins[0]);
    client_send(&world, "POST /v1/completions HTTP/1.1\r\nHost: h\r\nContent-Length: 80000\r\n\r\n{");
    until(&world, world.budget.held_bytes >= SIZE);
    close(world.fd);
    world.fd = -1;
    until(&world, metric(&world, METRIC_CONNECTIONS_OPEN, NULL, NULL) == 0);
    assert_int_equal(world.budget.held_bytes, 0);
    world_stop(&world);
}

static void a_broken_reference_is_a_500_and_a_pool_without_endpoints_a_503(void **state)
{
    (void)state;
    struct world world;
    world_start(&world,
                CLASS GATEWAY POOL_X("p") ROUTE(
                    "r", "{parentRefs: [{name: g}], rules: [\n"
                         "  {matches: [{path: {value: /broken}}], backendRefs: [" POOL_REF(
                             "nowhere") "]},\n"
                                        "  {matches: [{path: {value: /none}}]},\n"
                                        "  {matches: [{path: {value: /empty}}], backendRefs: [" POOL_REF("p") "]}]}"));
    client_send(&world, "GET /broken HTTP/1.1\r\nHost: h\r\n\r\n");
    expect_error(&world, 500, "broken_backend");
    client_send(&world, "GET /none HTTP/1.1\r\nHost: h\r\n\r\n");
    expect_error(&world, 500, "no_backend");
    client_send(&world, "GET /empty HTTP/1.1\r\nHost: h\r\n\r\n");
    until(&world, has_text(&world.got, "}}"));
    assert_true(has_text(&world.got, "HTTP/1.1 503 "));
    assert_true(has_text(&world.got, "x-serin-reason: no_endpoint\r\nx-serin-arm: p\r\nRetry-After: 1\r\n"));
    assert_true(has_text(&world.got, "\"code\":\"no_endpoint\""));
    world_stop(&world);
}

static void a_running_exchange_keeps_its_snapshot_when_another_is_adopted(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL MODEL("m", "{modelName: m, poolRef: {name: p}, targetModels: [{name: old}]}"));
    set_origins(&world, "p", 0, 1);
    client_post(&world, "", "{\"model\":\"m\"}");
    until(&world, has_text(&world.origins[0].got, "{\"model\":\"old\"}"));
    add_objects(&world, MODEL("m", "{modelName: m, poolRef: {name: p}, targetModels: [{name: new}]}"));
    answer_hello(&world, &world.origins[0]);
    assert_true(has_text(&world.got, "x-serin-arm: p/old\r\n"));
    buffer_clear(&world.got);
    buffer_clear(&world.origins[0].got);
    client_post(&world, "", "{\"model\":\"m\"}");
    answer_hello(&world, &world.origins[0]);
    assert_true(has_text(&world.got, "x-serin-arm: p/new\r\n"));
    world_stop(&world);
}

/* The old arm may be empty by the time the body is here. */
static void a_body_that_came_slowly_is_drawn_by_the_weights_of_its_end(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    set_origins(&world, "p", 0, 1);
    client_send(&world, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 13\r\n\r\n{\"model\"");
    until(&world, metric(&world, METRIC_REQUESTS_ACTIVE, NULL, NULL) == 1);
    add_objects(&world,
                POOL_X("q") ROUTE("r", "{parentRefs: [{name: g}], rules: [{backendRefs: [" POOL_REF("q") "]}]}"));
    set_origins(&world, "p", 0, 0);
    set_origins(&world, "q", 1, 1);
    client_send(&world, ":\"m\"}");
    answer_hello(&world, &world.origins[1]);
    assert_true(has_text(&world.got, "x-serin-arm: q/m\r\n"));
    world_stop(&world);
}

static void what_the_server_refuses_by_itself_is_counted(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, ONE_POOL);
    client_send(&world, "GET / HTTP/1.1\r\n\r\n");
    until(&world, has_text(&world.got, "HTTP/1.1 400 "));
    struct buffer text = {0};
    metrics_write(world.metrics, &text);
    assert_true(has_text(&text, "serin_bad_requests_total{reason="));
    buffer_deinit(&text);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_without_routes_is_told_so),
        cmocka_unit_test(a_request_crosses_and_its_answer_names_the_arm),
        cmocka_unit_test(the_arm_is_hidden_on_request_and_for_services),
        cmocka_unit_test(ten_requests_are_split_as_the_weights_say),
        cmocka_unit_test(a_session_key_keeps_its_arm),
        cmocka_unit_test(the_target_of_the_model_is_written_into_the_body),
        cmocka_unit_test(a_model_that_no_object_names_passes_and_is_counted_under_its_pool),
        cmocka_unit_test(bodies_that_are_no_json_object_are_refused_with_the_reason),
        cmocka_unit_test(bodies_of_other_types_pass_unread),
        cmocka_unit_test(an_empty_body_is_no_bad_json),
        cmocka_unit_test(compressed_json_is_refused),
        cmocka_unit_test(a_chunked_body_arrives_with_its_length),
        cmocka_unit_test(a_model_beyond_the_buffer_limit_is_refused_whether_announced_or_not),
        cmocka_unit_test(a_model_within_the_buffer_limit_lets_the_rest_pass),
        cmocka_unit_test(a_body_in_large_pieces_arrives_as_it_was_sent),
        cmocka_unit_test(a_spent_body_budget_refuses_large_bodies_and_lets_small_ones_pass),
        cmocka_unit_test(where_the_budget_is_spent_a_request_is_refused_at_its_head),
        cmocka_unit_test(a_large_body_leaves_room_for_small_ones),
        cmocka_unit_test(a_held_body_is_counted_until_its_exchange_ends),
        cmocka_unit_test(a_buffer_that_is_used_again_is_counted_as_a_whole),
        cmocka_unit_test(a_broken_reference_is_a_500_and_a_pool_without_endpoints_a_503),
        cmocka_unit_test(a_running_exchange_keeps_its_snapshot_when_another_is_adopted),
        cmocka_unit_test(a_body_that_came_slowly_is_drawn_by_the_weights_of_its_end),
        cmocka_unit_test(what_the_server_refuses_by_itself_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
