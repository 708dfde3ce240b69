/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_response.c: response heads, good and bad, whole and bytewise. */
#include "codec_test.h"

struct outcome {
    enum h1_status status;
    enum h1_error error;
    struct http_response response;
};

static struct outcome parse_cut(struct bytes input, enum http_method method, struct arena *arena, size_t step)
{
    struct outcome outcome = {.status = H1_NEED_MORE};
    struct h1_head_parser parser;
    h1_head_parser_init(&parser, &h1_default_limits);
    for (size_t len = step; outcome.status == H1_NEED_MORE && len <= input.len; len += step) {
        char *copy = exact_copy(bytes_make(input.data, len));
        outcome.status = h1_parse_response_head(&parser, bytes_make(copy, len), method, arena, &outcome.response);
        free(copy);
    }
    outcome.error = outcome.status == H1_BAD ? parser.error : H1_OK;
    return outcome;
}

static struct outcome parse(const char *input, enum http_method method, struct arena *arena)
{
    struct outcome bytewise = parse_cut(bytes_of(input), method, arena, 1);
    struct outcome whole = parse_cut(bytes_of(input), method, arena, strlen(input));
    assert_int_equal(bytewise.status, whole.status);
    assert_int_equal(bytewise.error, whole.error);
    return whole;
}

struct good_case {
    const char *input;
    enum http_method method;
    unsigned code;
    const char *reason;
    enum http_framing framing;
    uint64_t content_length;
    bool keep_alive;
};

#define OK "HTTP/1.1 200 OK\r\n"

static void test_the_body_of_a_response_follows_the_order_of_rules(void **state)
{
    (void)state;
    static const struct good_case cases[] = {
        {OK "Content-Length: 5\r\n\r\n", HTTP_GET, 200, "OK", HTTP_BODY_LENGTH, 5, true},
        {OK "Content-Length: 0\r\n\r\n", HTTP_POST, 200, "OK", HTTP_BODY_LENGTH, 0, true},
        {OK "Transfer-Encoding: CHUNKED\r\n\r\n", HTTP_GET, 200, "OK", HTTP_BODY_CHUNKED, 0, true},
        {OK "\r\n", HTTP_GET, 200, "OK", HTTP_BODY_UNTIL_CLOSE, 0, false},
        {OK "Content-Length: 5\r\n\r\n", HTTP_HEAD, 200, "OK", HTTP_BODY_NONE, 0, true},
        {OK "Transfer-Encoding: chunked\r\n\r\n", HTTP_HEAD, 200, "OK", HTTP_BODY_NONE, 0, true},
        {OK "Content-Length: 5\r\n\r\n", HTTP_CONNECT, 200, "OK", HTTP_BODY_NONE, 0, true},
        {"HTTP/1.1 403 \r\nContent-Length: 5\r\n\r\n", HTTP_CONNECT, 403, "", HTTP_BODY_LENGTH, 5, true},
        {"HTTP/1.1 100 Continue\r\n\r\n", HTTP_POST, 100, "Continue", HTTP_BODY_NONE, 0, true},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", HTTP_GET, 204, "No Content", HTTP_BODY_NONE, 0, true},
        {"HTTP/1.1 304 Not Modified\r\n\r\n", HTTP_GET, 304, "Not Modified", HTTP_BODY_NONE, 0, true},
        {"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", HTTP_GET, 200, "", HTTP_BODY_LENGTH, 1, true},
        {"HTTP/1.1 599 \tc\xe9 \r\n\r\n", HTTP_GET, 599, "\tc\xe9 ", HTTP_BODY_UNTIL_CLOSE, 0, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", HTTP_GET, 200, "OK", HTTP_BODY_LENGTH, 1, false},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n", HTTP_GET, 200, "OK",
         HTTP_BODY_LENGTH, 1, true},
        {OK "Connection: close\r\nContent-Length: 1\r\n\r\n", HTTP_GET, 200, "OK", HTTP_BODY_LENGTH, 1, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *arena = arena_new(0);
        struct outcome got = parse(cases[i].input, cases[i].method, arena);
        if (got.status != H1_DONE)
            fail_msg("%s: %s", error_name(got.error), cases[i].input);
        assert_int_equal(got.response.status, cases[i].code);
        assert_text(got.response.reason, cases[i].reason);
        assert_int_equal(got.response.framing, cases[i].framing);
        assert_int_equal(got.response.content_length, cases[i].content_length);
        assert_int_equal(got.response.keep_alive, cases[i].keep_alive);
        arena_free(arena);
    }
}

static void test_bad_responses_are_refused(void **state)
{
    (void)state;
    static const struct {
        enum h1_error error;
        const char *input;
    } cases[] = {
        {H1_ERROR_STATUS_LINE, "\r\n" OK "\r\n"},
        {H1_ERROR_STATUS_LINE, "ICY 200 OK\r\n\r\n"},
        {H1_ERROR_STATUS_LINE, "HTTP/1.1\r\n\r\n"},
        {H1_ERROR_STATUS_LINE, "HTTP/1.1 \r\n\r\n"},
        {H1_ERROR_STATUS_LINE, "HTTP/1.1 20\r\n\r\n"},
        {H1_ERROR_STATUS_LINE, "HTTP/1.1  200 OK\r\n\r\n"},
        {H1_ERROR_STATUS_LINE, "HTTP/1.1 2000 OK\r\n\r\n"},
        {H1_ERROR_STATUS_LINE, "HTTP/1.1 2x0 OK\r\n\r\n"},
        {H1_ERROR_STATUS_LINE, "HTTP/1.1 099 OK\r\n\r\n"},
        {H1_ERROR_STATUS_LINE, "HTTP/1.1 600 OK\r\n\r\n"},
        {H1_ERROR_STATUS_LINE, "HTTP/1.1 200\tOK\r\n\r\n"},
        {H1_ERROR_STATUS_LINE, "HTTP/1.1 200 O\x01\r\n\r\n"},
        {H1_ERROR_STATUS_LINE, "HTTP/11 200 OK\r\n\r\n"},
        {H1_ERROR_STATUS_LINE, "HTTP/2 200 OK\r\n\r\n"},
        {H1_ERROR_VERSION, "HTTP/2.0 200 OK\r\n\r\n"},
        {H1_ERROR_BARE_LF, "HTTP/1.1 200 OK\n\n"},
        {H1_ERROR_BARE_CR, "HTTP/1.1 200 O\rK\r\n\r\n"},
        {H1_ERROR_OBS_FOLD, OK "A: b\r\n c\r\n\r\n"},
        {H1_ERROR_FIELD_NAME, OK "A : b\r\n\r\n"},
        {H1_ERROR_BOTH_LENGTHS, OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {H1_ERROR_BOTH_LENGTHS, "HTTP/1.1 204 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {H1_ERROR_CONTENT_LENGTH, OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"},
        {H1_ERROR_CONTENT_LENGTH, OK "Content-Length: 5, 5\r\n\r\n"},
        {H1_ERROR_TRANSFER_ENCODING, OK "Transfer-Encoding: gzip, chunked\r\n\r\n"},
        {H1_ERROR_TRANSFER_ENCODING, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *arena = arena_new(0);
        struct outcome got = parse(cases[i].input, HTTP_GET, arena);
        if (got.status != H1_BAD || got.error != cases[i].error)
            fail_msg("%s instead of %s: %s", error_name(got.error), error_name(cases[i].error), cases[i].input);
        arena_free(arena);
    }
}

static void test_a_second_response_waits_behind_the_first(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct http_response response;
    struct h1_head_parser parser;
    struct bytes input = BYTES("HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\nhi");
    h1_head_parser_init(&parser, &h1_default_limits);
    assert_int_equal(h1_parse_response_head(&parser, input, HTTP_POST, arena, &response), H1_DONE);
    assert_int_equal(response.status, 100);
    input = bytes_skip(input, parser.head_bytes);
    h1_head_parser_init(&parser, &h1_default_limits);
    assert_int_equal(h1_parse_response_head(&parser, input, HTTP_POST, arena, &response), H1_DONE);
    assert_int_equal(response.status, 200);
    assert_text(bytes_skip(input, parser.head_bytes), "hi");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_body_of_a_response_follows_the_order_of_rules),
        cmocka_unit_test(test_bad_responses_are_refused),
        cmocka_unit_test(test_a_second_response_waits_behind_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
