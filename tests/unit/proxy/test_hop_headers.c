/* SPDX-License-Identifier: Apache-2.0 */
/* What crosses the proxy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/codec/h1_parse.h"
#include "proxy/hop_headers.h"

static const struct bytes withheld[] = {{"x-pin", 5}, {"X-Other-Pin", 11}};
static const char request_id[] = "0123456789abcdef0123456789abcdef";

static struct bytes forward(struct arena *arena, const char *head, struct buffer *out)
{
    struct h1_head_parser parser;
    struct address peer;
    struct exchange exchange = {.arena = arena, .peer = &peer};
    assert_true(address_make(&peer, BYTES("10.1.2.3"), 4000));
    h1_head_parser_init(&parser, &h1_default_limits);
    assert_int_equal(h1_parse_request_head(&parser, bytes_of(head), arena, &exchange.request), H1_DONE);
    hop_write_request(out, &exchange, BYTES("10.0.0.1:80"), 5, request_id, withheld, ARRAY_LEN(withheld));
    buffer_append_char(out, '\0');
    return buffer_bytes(out);
}

static void hop_by_hop_and_steering_fields_stop_here(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct buffer out = {0};
    const char *text = forward(arena,
                               "POST /v1/x?y=1 HTTP/1.1\r\nHost: h:8080\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\n"
                               "Keep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n"
                               "X-Gateway-Destination-Endpoint: 1.2.3.4:80\r\nx-prefiller-host-port: a\r\n"
                               "x-data-parallel-rank: 1\r\nX-Pin: canary secret\r\nx-other-pin: stable "
                               "secret\r\nExpect: 100-continue\r\nX-Session-Id: s\r\n"
                               "x-forwarded-for: 8.8.8.8\r\nx-forwarded-for: 9.9.9.9\r\n\r\n",
                               &out)
                           .data;
    assert_non_null(strstr(text, "POST /v1/x?y=1 HTTP/1.1\r\nHost: h:8080\r\n"));
    for (unsigned i = 0; i < 9; i++) {
        static const char *const gone[] = {"Connection", "X-Mine",  "Keep-Alive",  "TE:",   "Upgrade",
                                           "chunked",    "1.2.3.4", "x-prefiller", "Expect"};
        assert_null(strstr(text, gone[i]));
    }
    assert_null(strstr(text, "x-data-parallel"));
    assert_null(strstr(text, "secret"));
    assert_non_null(strstr(text, "X-Session-Id: s\r\n"));
    assert_non_null(strstr(text, "X-Forwarded-For: 8.8.8.8,9.9.9.9, 10.1.2.3\r\n"));
    assert_non_null(strstr(text, "Content-Length: 5\r\n"));
    assert_non_null(strstr(text, "X-Request-Id: 0123456789abcdef0123456789abcdef\r\n"));
    buffer_deinit(&out);
    arena_free(arena);
}

/* Lines that stand together are copied in one piece: what stops between them must not come along, and a line in
 * another form than ours is written in ours. */
static void what_passes_keeps_its_order_and_is_written_plainly(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct buffer out = {0};
    const char *text =
        forward(arena,
                "POST / HTTP/1.1\r\nA: 1\r\nB: 2\r\nHost: h\r\nC: 3\r\nTE: gone\r\nD:4\r\nE:   5\r\n"
                "F: 6 \t\r\nG:\t7\r\nH:\r\nI: \r\nJ: 8\r\nx-prefiller-a: gone\r\nK: 9\r\nContent-Length: 5"
                "\r\n\r\n",
                &out)
            .data;
    assert_string_equal(text, "POST / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\n"
                              "H: \r\nI: \r\nJ: 8\r\nK: 9\r\nX-Forwarded-For: 10.1.2.3\r\nX-Forwarded-Proto: http\r\n"
                              "X-Request-Id: 0123456789abcdef0123456789abcdef\r\nContent-Length: 5\r\n\r\n");
    buffer_deinit(&out);
    arena_free(arena);
}

static void a_request_id_of_the_client_is_kept(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct buffer out = {0};
    const char *text = forward(arena, "GET / HTTP/1.1\r\nHost: h\r\nX-Request-ID: mine\r\n\r\n", &out).data;
    assert_non_null(strstr(text, "X-Request-ID: mine\r\n"));
    assert_null(strstr(text, request_id));
    buffer_deinit(&out);
    arena_free(arena);
}

static void a_client_without_a_host_gets_the_endpoint_s(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct buffer out = {0};
    const char *text = forward(arena, "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n", &out).data;
    assert_non_null(strstr(text, "\r\nHost: 10.0.0.1:80\r\n"));
    buffer_deinit(&out);
    arena_free(arena);
}

static void responses_gain_the_arm_and_lose_hop_fields(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct h1_head_parser parser;
    struct http_response response;
    struct http_fields fields;
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nContent-Length: 2\r\n"
                               "Content-Type: text/plain\r\nX-Keep: 1\r\n\r\n";
    h1_head_parser_init(&parser, &h1_default_limits);
    assert_int_equal(h1_parse_response_head(&parser, BYTES(head), HTTP_GET, arena, &response), H1_DONE);
    hop_copy_response(&fields, &response, BYTES("pool/model"), BYTES("7d4b9"), arena);
    assert_int_equal(fields.len, 4);
    assert_true(bytes_equal_str(fields.items[2].name, "x-serin-arm"));
    assert_true(bytes_equal_str(fields.items[2].value, "pool/model"));
    assert_true(bytes_equal_str(fields.items[3].name, "x-serin-revision"));
    assert_true(bytes_equal_str(fields.items[3].value, "7d4b9"));
    hop_copy_response(&fields, &response, BYTES(""), BYTES(""), arena);
    assert_int_equal(fields.len, 2);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hop_by_hop_and_steering_fields_stop_here),
        cmocka_unit_test(what_passes_keeps_its_order_and_is_written_plainly),
        cmocka_unit_test(a_request_id_of_the_client_is_kept),
        cmocka_unit_test(a_client_without_a_host_gets_the_endpoint_s),
        cmocka_unit_test(responses_gain_the_arm_and_lose_hop_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
