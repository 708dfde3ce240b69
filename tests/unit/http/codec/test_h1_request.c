/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_request.c: request heads, good and bad, whole and in every cut. */
#include "codec_test.h"

struct outcome {
    enum h1_status status;
    enum h1_error error;
    size_t head_bytes;
    struct http_request request;
};

/* Gives the parser each prefix that ends at one of the cuts, as a reader would. */
static struct outcome parse_cut(struct bytes input, const struct h1_limits *limits, struct arena *arena, size_t step)
{
    struct outcome outcome = {.status = H1_NEED_MORE};
    struct h1_head_parser parser;
    h1_head_parser_init(&parser, limits);
    for (size_t len = step < input.len ? step : input.len; outcome.status == H1_NEED_MORE;
         len = len + step < input.len ? len + step : input.len) {
        char *copy = exact_copy(bytes_make(input.data, len));
        outcome.status = h1_parse_request_head(&parser, bytes_make(copy, len), arena, &outcome.request);
        free(copy);
        if (len == input.len)
            break;
    }
    outcome.error = outcome.status == H1_BAD ? parser.error : H1_OK;
    outcome.head_bytes = outcome.status == H1_DONE ? parser.head_bytes : 0;
    return outcome;
}

static struct outcome parse_limited(struct bytes input, const struct h1_limits *limits, struct arena *arena)
{
    return parse_cut(input, limits, arena, input.len > 0 ? input.len : 1);
}

static struct outcome parse(struct bytes input, struct arena *arena)
{
    return parse_limited(input, &h1_default_limits, arena);
}

static void check_outcome(struct bytes input, const struct h1_limits *limits, enum h1_status status,
                          enum h1_error error)
{
    struct arena *arena = arena_new(0);
    struct outcome whole = parse_limited(input, limits, arena);
    struct outcome bytewise = parse_cut(input, limits, arena, 1);
    if (whole.status != status || whole.error != error)
        fail_msg("status %d, %s instead of %s for: %.*s", whole.status, error_name(whole.error), error_name(error),
                 BYTES_ARG(input));
    if (bytewise.status != status || bytewise.error != error)
        fail_msg("bytewise %s instead of %s for: %.*s", error_name(bytewise.error), error_name(error),
                 BYTES_ARG(input));
    arena_free(arena);
}

#define HOST "Host: a.example\r\n"

static void test_a_typical_request_is_taken_apart(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct outcome got = parse(BYTES("POST /v1/chat/completions?beta=1&x=%20y HTTP/1.1\r\n"
                                     "hOsT: models.example.com:8080\r\n"
                                     "Content-Type:application/json\r\n"
                                     "Content-Length: \t 17 \t\r\n"
                                     "X-Odd:\r\n"
                                     "X-Latin: caf\xe9\tau lait\r\n"
                                     "\r\n{\"model\":"),
                               arena);
    assert_int_equal(got.status, H1_DONE);
    struct http_request *request = &got.request;
    assert_int_equal(request->method, HTTP_POST);
    assert_text(request->method_text, "POST");
    assert_text(request->target, "/v1/chat/completions?beta=1&x=%20y");
    assert_text(request->path, "/v1/chat/completions");
    assert_text(request->query, "beta=1&x=%20y");
    assert_text(request->authority, "models.example.com:8080");
    assert_text(request->host, "models.example.com");
    assert_int_equal(request->version_minor, 1);
    assert_int_equal(request->framing, HTTP_BODY_LENGTH);
    assert_int_equal(request->content_length, 17);
    assert_true(request->keep_alive);
    assert_false(request->expects_continue);
    assert_int_equal(request->fields.len, 5);
    assert_int_equal(request->fields.items[0].id, HTTP_FIELD_HOST);
    assert_text(request->fields.items[0].name, "hOsT");
    assert_int_equal(request->fields.items[1].id, HTTP_FIELD_CONTENT_TYPE);
    assert_text(request->fields.items[1].value, "application/json");
    assert_int_equal(request->fields.items[2].id, HTTP_FIELD_CONTENT_LENGTH);
    assert_text(request->fields.items[2].value, "17");
    assert_int_equal(request->fields.items[3].id, HTTP_FIELD_OTHER);
    assert_text(request->fields.items[3].value, "");
    assert_text(request->fields.items[4].value, "caf\xe9\tau lait");
    arena_free(arena);
}

static void test_bytes_after_the_head_are_left_alone(void **state)
{
    (void)state;
    static const char first[] = "\r\nGET /1 HTTP/1.1\r\n" HOST "\r\n";
    static const char both[] = "\r\nGET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n";
    struct arena *arena = arena_new(0);
    struct bytes input = BYTES(both);
    struct outcome got = parse(input, arena);
    assert_int_equal(got.status, H1_DONE);
    assert_int_equal(got.head_bytes, sizeof(first) - 1);
    assert_text(got.request.target, "/1");
    got = parse(bytes_skip(input, got.head_bytes), arena);
    assert_int_equal(got.status, H1_DONE);
    assert_text(got.request.target, "/2");
    arena_free(arena);
}

static void test_every_cut_gives_the_same_head(void **state)
{
    (void)state;
    struct bytes input = BYTES("PUT http://b.example:81/x/y?q HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                               "Transfer-Encoding: chunked\r\nX-A: 1\r\nX-A: 2\r\n\r\n");
    for (size_t step = 1; step <= input.len; step++) {
        struct arena *arena = arena_new(0);
        struct outcome got = parse_cut(input, &h1_default_limits, arena, step);
        assert_int_equal(got.status, H1_DONE);
        assert_int_equal(got.head_bytes, input.len);
        assert_text(got.request.target, "/x/y?q");
        assert_text(got.request.host, "b.example");
        assert_int_equal(got.request.framing, HTTP_BODY_CHUNKED);
        assert_true(got.request.expects_continue);
        assert_int_equal(got.request.fields.len, 5);
        assert_text(got.request.fields.items[4].value, "2");
        arena_free(arena);
    }
}

static void test_an_incomplete_head_waits(void **state)
{
    (void)state;
    struct bytes input = BYTES("\r\nGET / HTTP/1.1\r\n" HOST "A: b\r\n\r");
    for (size_t len = 0; len <= input.len; len++)
        check_outcome(bytes_make(input.data, len), &h1_default_limits, H1_NEED_MORE, H1_OK);
}

struct target_case {
    const char *line;
    const char *target, *path, *query, *authority, *host;
};

static void test_each_form_of_a_target_is_understood(void **state)
{
    (void)state;
    static const struct target_case cases[] = {
        {"GET / HTTP/1.1", "/", "/", "", "a.example", "a.example"},
        {"GET /? HTTP/1.1", "/?", "/", "", "a.example", "a.example"},
        {"GET //x/../y?a?b HTTP/1.1", "//x/../y?a?b", "//x/../y", "a?b", "a.example", "a.example"},
        {"GET /{}|\\^`<>\"[] HTTP/1.1", "/{}|\\^`<>\"[]", "/{}|\\^`<>\"[]", "", "a.example", "a.example"},
        {"GET http://b.example/p?q HTTP/1.1", "/p?q", "/p", "q", "b.example", "b.example"},
        {"GET HTTPS://B.example:8443 HTTP/1.1", "/", "/", "", "B.example:8443", "B.example"},
        {"GET http://b.example?q=/ HTTP/1.1", "/?q=/", "/", "q=/", "b.example", "b.example"},
        {"GET http://[::1]:80/ HTTP/1.1", "/", "/", "", "[::1]:80", "::1"},
        {"OPTIONS http://b.example HTTP/1.1", "*", "*", "", "b.example", "b.example"},
        {"OPTIONS http://b.example/ HTTP/1.1", "/", "/", "", "b.example", "b.example"},
        {"OPTIONS * HTTP/1.1", "*", "*", "", "a.example", "a.example"},
        {"CONNECT b.example:443 HTTP/1.1", "b.example:443", "", "", "b.example:443", "b.example"},
        {"CONNECT [fe80::1]:443 HTTP/1.1", "[fe80::1]:443", "", "", "[fe80::1]:443", "fe80::1"},
    };
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct target_case *it = &cases[i];
        char *head = arena_printf(arena, "%s\r\n" HOST "\r\n", it->line);
        struct outcome got = parse(bytes_of(head), arena);
        if (got.status != H1_DONE)
            fail_msg("%s: %s", it->line, error_name(got.error));
        assert_text(got.request.target, it->target);
        assert_text(got.request.path, it->path);
        assert_text(got.request.query, it->query);
        assert_text(got.request.authority, it->authority);
        assert_text(got.request.host, it->host);
        assert_text(got.request.fields.items[0].value, it->authority);
    }
    arena_free(arena);
}

struct bad_case {
    enum h1_error error;
    const char *input;
};

static void check_bad_cases(const struct bad_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_outcome(bytes_of(cases[i].input), &h1_default_limits, H1_BAD, cases[i].error);
}

#define CHECK_BAD(cases) check_bad_cases((cases), sizeof(cases) / sizeof((cases)[0]))
#define GET              "GET / HTTP/1.1\r\n"
#define LINE(text)       text "\r\n" HOST "\r\n"

static void test_malformed_request_lines_are_refused(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {H1_ERROR_REQUEST_LINE, LINE("GET  / HTTP/1.1")},
        {H1_ERROR_REQUEST_LINE, LINE("GET /  HTTP/1.1")},
        {H1_ERROR_REQUEST_LINE, LINE("GET / HTTP/1.1 ")},
        {H1_ERROR_REQUEST_LINE, LINE(" GET / HTTP/1.1")},
        {H1_ERROR_REQUEST_LINE, LINE("GET\t/ HTTP/1.1")},
        {H1_ERROR_REQUEST_LINE, LINE("G@T / HTTP/1.1")},
        {H1_ERROR_REQUEST_LINE, LINE("G:T / HTTP/1.1")},
        {H1_ERROR_REQUEST_LINE, LINE("GET")},
        {H1_ERROR_REQUEST_LINE, LINE("GET /")},
        {H1_ERROR_REQUEST_LINE, LINE("GET / ")},
        {H1_ERROR_REQUEST_LINE, LINE("GET  HTTP/1.1")},
        {H1_ERROR_REQUEST_LINE, LINE("GET / HTTP/1.1x")},
        {H1_ERROR_REQUEST_LINE, LINE("GET / HTTP/11")},
        {H1_ERROR_REQUEST_LINE, LINE("GET / HTTP/x.1")},
        {H1_ERROR_REQUEST_LINE, LINE("GET / http/1.1")},
        {H1_ERROR_REQUEST_LINE, LINE("GET / HTTP/1,1")},
        {H1_ERROR_REQUEST_LINE, LINE("GET /a b HTTP/1.1")},
        {H1_ERROR_REQUEST_LINE, "\r\n\r\n" GET HOST "\r\n"},
        {H1_ERROR_REQUEST_LINE, "\x16\x03\x01\x02"},
        {H1_ERROR_VERSION, LINE("GET / HTTP/2.0")},
        {H1_ERROR_VERSION, LINE("GET / HTTP/1.2")},
        {H1_ERROR_VERSION, LINE("GET / HTTP/0.9")},
        {H1_ERROR_VERSION, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
    };
    CHECK_BAD(cases);
}

static void test_malformed_targets_are_refused(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {H1_ERROR_TARGET, LINE("GET /a\tb HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET /a\x01z HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET /a\x7f HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET /\xc3\xa9 HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET /0123456789abcdef0123456789abcdef\xe9 HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET /a#b HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET * HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("OPTIONS ** HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET a HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET ?q HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET b.example:80 HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET ftp://b/ HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET http:/b/ HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET http:///p HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET http:// HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET http://u@b/ HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET http://b:x/ HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("GET http://b\\c/ HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("CONNECT / HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("CONNECT b.example HTTP/1.1")},
        {H1_ERROR_TARGET, LINE("CONNECT http://b:1/ HTTP/1.1")},
    };
    CHECK_BAD(cases);
}

static void test_malformed_lines_are_refused(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {H1_ERROR_FIELD_NAME, GET HOST ": v\r\n\r\n"},
        {H1_ERROR_FIELD_NAME, GET HOST "A : v\r\n\r\n"},
        {H1_ERROR_FIELD_NAME, GET HOST "A\t: v\r\n\r\n"},
        {H1_ERROR_FIELD_NAME, GET HOST "A\r\n\r\n"},
        {H1_ERROR_FIELD_NAME, GET HOST "A b: v\r\n\r\n"},
        {H1_ERROR_FIELD_NAME, GET HOST "A\xe9: v\r\n\r\n"},
        {H1_ERROR_FIELD_NAME, GET HOST "A\x01: v\r\n\r\n"},
        {H1_ERROR_FIELD_NAME, GET HOST "(A): v\r\n\r\n"},
        {H1_ERROR_FIELD_NAME, GET HOST "Transfer-Encoding : chunked\r\n\r\n"},
        {H1_ERROR_FIELD_VALUE, GET HOST "A: b\x01\r\n\r\n"},
        {H1_ERROR_FIELD_VALUE, GET HOST "A: \x7f\r\n\r\n"},
        {H1_ERROR_FIELD_VALUE, GET HOST "A: 0123456789abcdef0123456789abcdef\x0b\r\n\r\n"},
        {H1_ERROR_OBS_FOLD, GET HOST "A: b\r\n c\r\n\r\n"},
        {H1_ERROR_OBS_FOLD, GET HOST "A: b\r\n\tc: d\r\n\r\n"},
        {H1_ERROR_OBS_FOLD, GET " " HOST "\r\n"},
        {H1_ERROR_OBS_FOLD, GET HOST " \r\n\r\n"},
        {H1_ERROR_BARE_LF, "\nGET / HTTP/1.1\r\n"},
        {H1_ERROR_BARE_LF, "\r\n\n"},
        {H1_ERROR_BARE_LF, "GET / HTTP/1.1\n" HOST "\r\n"},
        {H1_ERROR_BARE_LF, GET "Host: a\nA: b\r\n\r\n"},
        {H1_ERROR_BARE_LF, GET HOST "\n"},
        {H1_ERROR_BARE_LF, GET HOST "A: b\n\r\n"},
        {H1_ERROR_BARE_CR, "GET / HTTP/1.1\r" HOST "\r\n"},
        {H1_ERROR_BARE_CR, "GET /\rb HTTP/1.1\r\n"},
        {H1_ERROR_BARE_CR, "G\rT / HTTP/1.1\r\n"},
        {H1_ERROR_BARE_CR, "\r\r\n"},
        {H1_ERROR_BARE_CR, "\rGET / HTTP/1.1\r\n" HOST "\r\n"},
        {H1_ERROR_BARE_CR, GET HOST "A: b\rc\r\n\r\n"},
        {H1_ERROR_BARE_CR, GET HOST "A: b\r\r\n\r\n"},
        {H1_ERROR_BARE_CR, GET HOST "A\rb: c\r\n\r\n"},
        {H1_ERROR_BARE_CR, GET HOST "\rA: c\r\n\r\n"},
        /* the first of two mistakes is told */
        {H1_ERROR_REQUEST_LINE, "GET  / HTTP/1.1\r\nA: b\n"},
        {H1_ERROR_FIELD_NAME, GET "A : b\r\nB: \x01\r\nC: d\n"},
    };
    CHECK_BAD(cases);
}

/* RFC 9110 5.6.2, written out. */
static bool is_token_byte(int byte)
{
    return byte > 0 && byte < 0x80 &&
           strchr("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", byte) != NULL;
}

/* Names are walked in runs of sixteen bytes: every byte in every place of two runs and a rest. */
static void test_a_name_holds_token_bytes_only_wherever_they_stand(void **state)
{
    (void)state;
    for (unsigned place = 1; place < 39; place++) {
        for (int byte = 0; byte < 256; byte++) {
            char head[] = "GET / HTTP/1.1\r\nHost: a\r\nX-a_0123456789.abcdefghijklmnopqrstuvwxyz: value\r\n\r\n";
            struct arena *arena = arena_new(0);
            if (byte == ':') /* ends the name: another question */
                byte++;
            head[sizeof("GET / HTTP/1.1\r\nHost: a\r\n") - 1 + place] = (char)byte;
            struct outcome got = parse(bytes_make(head, sizeof head - 1), arena);
            assert_int_equal(got.status == H1_DONE, is_token_byte(byte));
            arena_free(arena);
        }
    }
}

static void test_a_nul_is_refused_anywhere(void **state)
{
    (void)state;
    check_outcome(BYTES(GET HOST "A: b\0c\r\n\r\n"), &h1_default_limits, H1_BAD, H1_ERROR_FIELD_VALUE);
    check_outcome(BYTES(GET HOST "A\0: b\r\n\r\n"), &h1_default_limits, H1_BAD, H1_ERROR_FIELD_NAME);
    check_outcome(BYTES("GET /\0 HTTP/1.1\r\n" HOST "\r\n"), &h1_default_limits, H1_BAD, H1_ERROR_TARGET);
    check_outcome(BYTES("GET / HTTP/1.\0\r\n" HOST "\r\n"), &h1_default_limits, H1_BAD, H1_ERROR_REQUEST_LINE);
}

static void test_bad_hosts_are_refused(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {H1_ERROR_HOST, GET "\r\n"},
        {H1_ERROR_HOST, GET HOST HOST "\r\n"},
        {H1_ERROR_HOST, GET "Host:\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: a,b\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: a b\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: u@a\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: a/b\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: a\xe9\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: a%2e\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: :80\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: a:\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: a:8o\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: a:-1\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: a:65536\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: a:000080\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: a:80:80\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: ::1\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: []\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: [::1\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: [::g]\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: [::1]x\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: [::1]:\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: [fe80::1%25eth0]\r\n\r\n"},
        {H1_ERROR_HOST, GET "Host: [127.0.0.1]\r\n\r\n"},
        {H1_ERROR_HOST, "GET / HTTP/1.0\r\n" HOST HOST "\r\n"},
        {H1_ERROR_HOST, "GET http://b/ HTTP/1.1\r\n\r\n"},
        {H1_ERROR_HOST, "GET http://b/ HTTP/1.1\r\nHost: u@b\r\n\r\n"},
    };
    CHECK_BAD(cases);
}

static void test_ambiguous_body_lengths_are_refused(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {H1_ERROR_CONTENT_LENGTH, GET HOST "Content-Length:\r\n\r\n"},
        {H1_ERROR_CONTENT_LENGTH, GET HOST "Content-Length: +1\r\n\r\n"},
        {H1_ERROR_CONTENT_LENGTH, GET HOST "Content-Length: -1\r\n\r\n"},
        {H1_ERROR_CONTENT_LENGTH, GET HOST "Content-Length: 1 1\r\n\r\n"},
        {H1_ERROR_CONTENT_LENGTH, GET HOST "Content-Length: 0x1\r\n\r\n"},
        {H1_ERROR_CONTENT_LENGTH, GET HOST "Content-Length: 1.0\r\n\r\n"},
        {H1_ERROR_CONTENT_LENGTH, GET HOST "Content-Length: 3, 3\r\n\r\n"},
        {H1_ERROR_CONTENT_LENGTH, GET HOST "Content-Length: 3\r\ncontent-length: 3\r\n\r\n"},
        {H1_ERROR_CONTENT_LENGTH, GET HOST "Content-Length: 9223372036854775808\r\n\r\n"},
        {H1_ERROR_CONTENT_LENGTH, GET HOST "Content-Length: 18446744073709551617\r\n\r\n"},
        {H1_ERROR_TRANSFER_ENCODING, GET HOST "Transfer-Encoding:\r\n\r\n"},
        {H1_ERROR_TRANSFER_ENCODING, GET HOST "Transfer-Encoding: gzip\r\n\r\n"},
        {H1_ERROR_TRANSFER_ENCODING, GET HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"},
        {H1_ERROR_TRANSFER_ENCODING, GET HOST "Transfer-Encoding: chunked, chunked\r\n\r\n"},
        {H1_ERROR_TRANSFER_ENCODING, GET HOST "Transfer-Encoding: chunked,\r\n\r\n"},
        {H1_ERROR_TRANSFER_ENCODING, GET HOST "Transfer-Encoding: \"chunked\"\r\n\r\n"},
        {H1_ERROR_TRANSFER_ENCODING, GET HOST "Transfer-Encoding: xchunked\r\n\r\n"},
        {H1_ERROR_TRANSFER_ENCODING, GET HOST "Transfer-Encoding: identity\r\n\r\n"},
        {H1_ERROR_TRANSFER_ENCODING, GET HOST "Transfer-Encoding: chunked;q=1\r\n\r\n"},
        {H1_ERROR_TRANSFER_ENCODING, GET HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {H1_ERROR_TRANSFER_ENCODING, "GET / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"},
        {H1_ERROR_BOTH_LENGTHS, GET HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {H1_ERROR_BOTH_LENGTHS, GET HOST "Transfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\n"},
        {H1_ERROR_BOTH_LENGTHS, "GET / HTTP/1.0\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"},
    };
    CHECK_BAD(cases);
}

struct good_case {
    const char *input;
    enum http_framing framing;
    uint64_t content_length;
    bool keep_alive;
    bool expects_continue;
};

static void test_framing_and_persistence_follow_version_and_fields(void **state)
{
    (void)state;
    static const struct good_case cases[] = {
        {GET HOST "\r\n", HTTP_BODY_NONE, 0, true, false},
        {GET HOST "Connection: close\r\n\r\n", HTTP_BODY_NONE, 0, false, false},
        {GET HOST "Connection: x, CLOSE ,y\r\n\r\n", HTTP_BODY_NONE, 0, false, false},
        {GET HOST "Connection: x\r\nConnection: close\r\n\r\n", HTTP_BODY_NONE, 0, false, false},
        {GET HOST "Connection: keep-alive, close\r\n\r\n", HTTP_BODY_NONE, 0, false, false},
        {GET HOST "Connection: closed\r\n\r\n", HTTP_BODY_NONE, 0, true, false},
        {GET HOST "Connection:\r\n\r\n", HTTP_BODY_NONE, 0, true, false},
        {GET HOST "Content-Length: 0\r\n\r\n", HTTP_BODY_LENGTH, 0, true, false},
        {GET HOST "Content-Length: 007\r\n\r\n", HTTP_BODY_LENGTH, 7, true, false},
        {GET HOST "Content-Length: 9223372036854775807\r\n\r\n", HTTP_BODY_LENGTH, INT64_MAX, true, false},
        {GET HOST "Transfer-Encoding: Chunked\r\n\r\n", HTTP_BODY_CHUNKED, 0, true, false},
        {GET HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n", HTTP_BODY_LENGTH, 1, true, true},
        {GET HOST "Expect: 200-ok\r\n\r\n", HTTP_BODY_NONE, 0, true, false},
        {"GET / HTTP/1.0\r\n\r\n", HTTP_BODY_NONE, 0, false, false},
        {"GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", HTTP_BODY_NONE, 0, false, false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", HTTP_BODY_NONE, 0, true, false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", HTTP_BODY_NONE, 0, false, false},
        {"BREW / HTTP/1.1\r\nHost: a_b.c-d~!$&'()*+;=:0\r\n\r\n", HTTP_BODY_NONE, 0, true, false},
        {GET "Host: [2001:db8::ffff:127.0.0.1]:65535\r\n\r\n", HTTP_BODY_NONE, 0, true, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena *arena = arena_new(0);
        check_outcome(bytes_of(cases[i].input), &h1_default_limits, H1_DONE, H1_OK);
        struct outcome got = parse(bytes_of(cases[i].input), arena);
        assert_int_equal(got.request.framing, cases[i].framing);
        assert_int_equal(got.request.content_length, cases[i].content_length);
        assert_int_equal(got.request.keep_alive, cases[i].keep_alive);
        assert_int_equal(got.request.expects_continue, cases[i].expects_continue);
        arena_free(arena);
    }
}

/* "prefix" + count times 'a' + "suffix" */
static struct bytes padded(struct arena *arena, const char *prefix, unsigned count, const char *suffix)
{
    char *middle = arena_zalloc(arena, count + 1);
    memset(middle, 'a', count);
    return bytes_of(arena_printf(arena, "%s%s%s", prefix, middle, suffix));
}

static void test_limits_hold_at_their_exact_edges(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct h1_limits limits = {.max_target_bytes = 10, .max_line_bytes = 40, .max_head_bytes = 1000, .max_fields = 3};
    check_outcome(padded(arena, "GET /", 9, " HTTP/1.1\r\nHost: a\r\n\r\n"), &limits, H1_DONE, H1_OK);
    check_outcome(padded(arena, "GET /", 10, " HTTP/1.1\r\nHost: a\r\n\r\n"), &limits, H1_BAD,
                  H1_ERROR_TARGET_TOO_LONG);
    check_outcome(padded(arena, GET "Host: ", 34, "\r\n\r\n"), &limits, H1_DONE, H1_OK);
    check_outcome(padded(arena, GET "Host: ", 35, "\r\n\r\n"), &limits, H1_BAD, H1_ERROR_LINE_TOO_LONG);
    check_outcome(padded(arena, "", 26, " / HTTP/1.1\r\n\r\n"), &limits, H1_BAD, H1_ERROR_HOST);
    check_outcome(padded(arena, "", 32, " / HTTP/1.1\r\n\r\n"), &limits, H1_BAD, H1_ERROR_LINE_TOO_LONG);
    check_outcome(BYTES(GET HOST "A:\r\nB:\r\n\r\n"), &limits, H1_DONE, H1_OK);
    check_outcome(BYTES(GET HOST "A:\r\nB:\r\nC:\r\n\r\n"), &limits, H1_BAD, H1_ERROR_TOO_MANY_FIELDS);

    struct bytes head = BYTES(GET HOST "A: bc\r\n\r\n");
    limits.max_head_bytes = (uint32_t)head.len;
    check_outcome(head, &limits, H1_DONE, H1_OK);
    limits.max_head_bytes = (uint32_t)head.len - 1;
    check_outcome(head, &limits, H1_BAD, H1_ERROR_HEAD_TOO_LARGE);
    arena_free(arena);
}

static void test_a_line_that_never_ends_is_refused_at_its_limit(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct h1_limits limits = {.max_target_bytes = 10, .max_line_bytes = 40, .max_head_bytes = 100, .max_fields = 3};
    check_outcome(padded(arena, "GET /", 9, ""), &limits, H1_NEED_MORE, H1_OK);
    check_outcome(padded(arena, "GET /", 10, ""), &limits, H1_BAD, H1_ERROR_TARGET_TOO_LONG);
    check_outcome(padded(arena, "", 41, ""), &limits, H1_NEED_MORE, H1_OK);
    check_outcome(padded(arena, "", 42, ""), &limits, H1_BAD, H1_ERROR_LINE_TOO_LONG);
    check_outcome(padded(arena, GET HOST, 42, ""), &limits, H1_BAD, H1_ERROR_LINE_TOO_LONG);
    limits.max_head_bytes = 60;
    check_outcome(padded(arena, GET HOST, 26, ""), &limits, H1_NEED_MORE, H1_OK);
    check_outcome(padded(arena, GET HOST, 27, ""), &limits, H1_BAD, H1_ERROR_HEAD_TOO_LARGE);
    arena_free(arena);
}

static void test_default_limits_are_those_documented(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    const struct h1_limits *limits = &h1_default_limits;
    check_outcome(padded(arena, "GET /", 8191, " HTTP/1.1\r\n" HOST "\r\n"), limits, H1_DONE, H1_OK);
    check_outcome(padded(arena, "GET /", 8192, " HTTP/1.1\r\n" HOST "\r\n"), limits, H1_BAD, H1_ERROR_TARGET_TOO_LONG);
    check_outcome(padded(arena, GET HOST "A:", 16382, "\r\n\r\n"), limits, H1_DONE, H1_OK);
    check_outcome(padded(arena, GET HOST "A:", 16383, "\r\n\r\n"), limits, H1_BAD, H1_ERROR_LINE_TOO_LONG);
    assert_int_equal(limits->max_head_bytes, 65536);
    assert_int_equal(limits->max_fields, 100);
    arena_free(arena);
}

static void test_each_error_has_status_reason_and_message(void **state)
{
    (void)state;
    assert_int_equal(h1_error_status(H1_ERROR_VERSION), 505);
    assert_int_equal(h1_error_status(H1_ERROR_TARGET_TOO_LONG), 414);
    assert_int_equal(h1_error_status(H1_ERROR_TOO_MANY_FIELDS), 431);
    assert_string_equal(h1_error_reason(H1_ERROR_BARE_CR), "bare_cr");
    for (unsigned i = 1; i < H1_ERROR_COUNT; i++) {
        assert_in_range(h1_error_status((enum h1_error)i), 400, 505);
        assert_true(strlen(h1_error_reason((enum h1_error)i)) > 0);
        assert_true(strlen(h1_error_message((enum h1_error)i)) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_typical_request_is_taken_apart),
        cmocka_unit_test(test_bytes_after_the_head_are_left_alone),
        cmocka_unit_test(test_every_cut_gives_the_same_head),
        cmocka_unit_test(test_an_incomplete_head_waits),
        cmocka_unit_test(test_each_form_of_a_target_is_understood),
        cmocka_unit_test(test_malformed_request_lines_are_refused),
        cmocka_unit_test(test_malformed_targets_are_refused),
        cmocka_unit_test(test_malformed_lines_are_refused),
        cmocka_unit_test(test_a_name_holds_token_bytes_only_wherever_they_stand),
        cmocka_unit_test(test_a_nul_is_refused_anywhere),
        cmocka_unit_test(test_bad_hosts_are_refused),
        cmocka_unit_test(test_ambiguous_body_lengths_are_refused),
        cmocka_unit_test(test_framing_and_persistence_follow_version_and_fields),
        cmocka_unit_test(test_limits_hold_at_their_exact_edges),
        cmocka_unit_test(test_a_line_that_never_ends_is_refused_at_its_limit),
        cmocka_unit_test(test_default_limits_are_those_documented),
        cmocka_unit_test(test_each_error_has_status_reason_and_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
