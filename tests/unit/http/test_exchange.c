/* SPDX-License-Identifier: Apache-2.0 */
/* test_exchange.c: the answers made of exchange calls: error bodies and the fields that the server adds or keeps back.
 */
#include "unit/http/server_harness.h"

static void error_bodies_follow_the_status(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *type;
    } cases[] = {
        {400, "invalid_request_error"},
        {401, "authentication_error"},
        {403, "permission_error"},
        {404, "not_found_error"},
        {429, "rate_limit_error"},
        {413, "invalid_request_error"},
        {500, "api_error"},
        {503, "api_error"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct buffer json = {0}, wanted = {0};
        http_error_json(&json, cases[i].status, "why", "it \"broke\"");
        buffer_printf(&wanted,
                      "{\"error\":{\"message\":\"it \\\"broke\\\"\",\"type\":\"%s\",\"param\":null,\"code\":\"why\"}}",
                      cases[i].type);
        assert_true(bytes_equal(buffer_bytes(&json), buffer_bytes(&wanted)));
        buffer_deinit(&json);
        buffer_deinit(&wanted);
    }
}

static void a_service_may_add_fields_but_no_framing(void **state)
{
    (void)state;
    struct http_server_config config = http_server_defaults;
    config.server_name = "serin";
    struct world world;
    world_start(&world, &config);
    world_send(&world, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    until(&world, has_text(&world.log, "last"));
    struct arena *arena = world.exchange->arena;
    struct http_fields extra = {0};
    http_fields_add(&extra, arena, BYTES("Retry-After"), BYTES("1"));
    http_fields_add(&extra, arena, BYTES("Connection"), BYTES("upgrade"));
    http_fields_add(&extra, arena, BYTES("Content-Length"), BYTES("7"));
    http_fields_add(&extra, arena, BYTES("Transfer-Encoding"), BYTES("gzip"));
    http_fields_add(&extra, arena, BYTES("Date"), BYTES("long ago"));
    exchange_answer_error(world.exchange, 503, "busy", "come back", &extra);
    until(&world, has_text(&world.got, "}}"));
    assert_true(has_text(&world.got, "HTTP/1.1 503 Service Unavailable\r\n"));
    assert_true(has_text(&world.got, "x-serin-reason: busy\r\n"));
    assert_true(has_text(&world.got, "Retry-After: 1\r\n"));
    assert_true(has_text(&world.got, "Server: serin\r\n"));
    assert_true(has_text(&world.got, "Date: long ago\r\n"));
    assert_int_equal(count_text(&world.got, "Date:"), 1);
    assert_int_equal(count_text(&world.got, "Content-Length:"), 1);
    assert_false(has_text(&world.got, "gzip"));
    assert_false(has_text(&world.got, "upgrade"));
    assert_int_equal(world.refused, 0); /* not the server's own */
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_bodies_follow_the_status),
        cmocka_unit_test(a_service_may_add_fields_but_no_framing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
