/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_body.c: bodies by length, in chunks and until close, in every cut. */
#include "codec_test.h"

struct outcome {
    enum h1_body_status status;
    enum h1_error error;
    size_t left; /* input behind the body's end */
    size_t len;
    char data[4096];
};

static void take(struct outcome *outcome, struct bytes data)
{
    assert_true(data.len > 0 && outcome->len + data.len <= sizeof(outcome->data));
    memcpy(outcome->data + outcome->len, data.data, data.len);
    outcome->len += data.len;
}

/* Feeds the input in two pieces cut at `cut`, or bytewise when cut is SIZE_MAX. */
static struct outcome read_body(struct h1_body *body, struct bytes input, size_t cut)
{
    struct outcome outcome = {.status = H1_BODY_NEED_MORE};
    while (outcome.status == H1_BODY_NEED_MORE && input.len > 0) {
        size_t len = cut == SIZE_MAX ? 1 : cut > 0 && cut < input.len ? cut : input.len;
        cut = cut == SIZE_MAX ? cut : 0;
        char *copy = exact_copy(bytes_make(input.data, len));
        struct bytes piece = bytes_make(copy, len);
        struct bytes data;
        while ((outcome.status = h1_body_next(body, &piece, &data)) == H1_BODY_DATA)
            take(&outcome, data);
        if (outcome.status == H1_BODY_NEED_MORE)
            assert_int_equal(piece.len, 0);
        input = bytes_skip(input, len - piece.len);
        free(copy);
    }
    outcome.error = body->error;
    outcome.left = input.len;
    return outcome;
}

static struct outcome read_chunked(struct bytes input, const struct h1_limits *limits, size_t cut)
{
    struct h1_body body;
    h1_body_init(&body, HTTP_BODY_CHUNKED, 0, limits);
    return read_body(&body, input, cut);
}

static void check_chunked(struct bytes input, const struct h1_limits *limits, enum h1_body_status status,
                          enum h1_error error, const char *text, size_t left)
{
    for (size_t cut = 0; cut <= input.len + 1; cut++) {
        struct outcome got = read_chunked(input, limits, cut <= input.len ? cut : SIZE_MAX);
        if (got.status != status || got.error != error)
            fail_msg("cut %zu: status %d, %s instead of %s for: %.*s", cut, got.status, error_name(got.error),
                     error_name(error), BYTES_ARG(input));
        if (status == H1_BODY_BAD)
            continue;
        assert_int_equal(got.left, left);
        assert_text(bytes_make(got.data, got.len), text);
    }
}

static void test_chunks_are_joined_in_every_cut(void **state)
{
    (void)state;
    static const struct {
        const char *input, *text;
        size_t left;
    } cases[] = {
        {"0\r\n\r\n", "", 0},
        {"5\r\nhello\r\n0\r\n\r\n", "hello", 0},
        {"5\r\nhello\r\n1\r\n!\r\n000\r\n\r\nGET", "hello!", 3},
        {"A\r\n0123456789\r\n0f\r\n0123456789abcde\r\n0\r\n\r\n\r\n", "01234567890123456789abcde", 2},
        {"0000000000000003\r\nabc\r\n0\r\n\r\n", "abc", 0},
        {"3;ext\r\nabc\r\n0;last=\"q;\xe9\"\r\n\r\n", "abc", 0},
        {"3 \t;ext = v\r\nabc\r\n0\r\n\r\n", "abc", 0},
        {"3;a;b=c ; d=\"\\\";\\\\ =\" ;\te\r\nabc\r\n0;\tlast\t=\tv;x=\"\"\r\n\r\n", "abc", 0},
        {"3\r\na\r\n\r\n0\r\n\r\n", "a\r\n", 0},
        {"1\r\nx\r\n0\r\nX-Checksum: 12\r\nServer-Timing:\tdb \r\nZ:\r\n\r\nrest", "x", 4},
        {"0\r\nX-Content-Length: 1\r\nContent-Length-Of-A-Very-Long-Name-Indeed: 1\r\n\r\n", "", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_chunked(bytes_of(cases[i].input), &h1_default_limits, H1_BODY_END, H1_OK, cases[i].text, cases[i].left);
}

static void test_malformed_chunks_are_refused(void **state)
{
    (void)state;
    static const struct {
        enum h1_error error;
        const char *input;
    } cases[] = {
        {H1_ERROR_CHUNK_SIZE, "\r\n"},
        {H1_ERROR_CHUNK_SIZE, "+3\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "-3\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "0x3\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, " 3\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3 \r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3 3\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3_0\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "g\r\n"},
        {H1_ERROR_CHUNK_SIZE, ";ext\r\n"},
        {H1_ERROR_CHUNK_SIZE, "8000000000000000\r\n"},
        {H1_ERROR_CHUNK_SIZE, "ffffffffffffffff\r\n"},
        {H1_ERROR_CHUNK_SIZE, "00000000000000003\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "10000000000000003\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3;a\x01\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3;a\x7f\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3;\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3;;a\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3;\xe9\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3;a \r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3;a b\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3;a=\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3;a=b=c\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3;a=b \r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3;a=b c\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3;a=\"b\"c\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3;a=\"b\r\nabc\r\n"},
        {H1_ERROR_CHUNK_SIZE, "3;a=\"b\\\r\nabc\r\n"},
        {H1_ERROR_BARE_LF, "\n"},
        {H1_ERROR_BARE_LF, "3\nabc\r\n"},
        {H1_ERROR_BARE_LF, "3 \nabc\r\n"},
        {H1_ERROR_BARE_LF, "3;a\nabc\r\n"},
        {H1_ERROR_BARE_CR, "3\rabc\r\n"},
        {H1_ERROR_BARE_CR, "3;a\rb\r\n"},
        {H1_ERROR_CHUNK_END, "3\r\nabcd\r\n"},
        {H1_ERROR_CHUNK_END, "3\r\nabc\n"},
        {H1_ERROR_CHUNK_END, "3\r\nabc\rx"},
        {H1_ERROR_CHUNK_END, "3\r\nabc0\r\n\r\n"},
        {H1_ERROR_TRAILER, "0\r\nA : b\r\n\r\n"},
        {H1_ERROR_TRAILER, "0\r\n: b\r\n\r\n"},
        {H1_ERROR_TRAILER, "0\r\n A: b\r\n\r\n"},
        {H1_ERROR_TRAILER, "0\r\nA: b\r\n c\r\n\r\n"},
        {H1_ERROR_TRAILER, "0\r\nA: \x01\r\n\r\n"},
        {H1_ERROR_TRAILER, "0\r\nA\r\n\r\n"},
        {H1_ERROR_TRAILER, "0\r\nGET / HTTP/1.1\r\n\r\n"},
        {H1_ERROR_TRAILER, "0\r\nContent-Length: 1\r\n\r\n"},
        {H1_ERROR_TRAILER, "0\r\nA: b\r\ntransfer-encoding: chunked\r\n\r\n"},
        {H1_ERROR_TRAILER, "0\r\nHOST: b\r\n\r\n"},
        {H1_ERROR_TRAILER, "0\r\nAuthorization: b\r\n\r\n"},
        {H1_ERROR_BARE_LF, "0\r\n\n"},
        {H1_ERROR_BARE_LF, "0\r\nA: b\n\r\n"},
        {H1_ERROR_BARE_CR, "0\r\nA: b\rc\r\n\r\n"},
        {H1_ERROR_BARE_CR, "0\r\n\rx"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_chunked(bytes_of(cases[i].input), &h1_default_limits, H1_BODY_BAD, cases[i].error, "", 0);
    check_chunked(BYTES("0\r\nA: b\0\r\n\r\n"), &h1_default_limits, H1_BODY_BAD, H1_ERROR_TRAILER, "", 0);
}

static void test_chunk_lines_and_trailers_are_bounded(void **state)
{
    (void)state;
    const struct h1_limits limits = {
        .max_target_bytes = 10, .max_line_bytes = 8, .max_head_bytes = 20, .max_fields = 3};
    check_chunked(BYTES("1;345678\r\nx\r\n0;345678\r\n\r\n"), &limits, H1_BODY_END, H1_OK, "x", 0);
    check_chunked(BYTES("1;3456789\r\nx\r\n0\r\n\r\n"), &limits, H1_BODY_BAD, H1_ERROR_LINE_TOO_LONG, "", 0);
    /* What the line before was is forgotten, however the size is read. */
    const struct h1_limits wider = {
        .max_target_bytes = 10, .max_line_bytes = 12, .max_head_bytes = 20, .max_fields = 3};
    check_chunked(BYTES("1;345678901\r\nx\r\n005\r\nhello?------------"), &wider, H1_BODY_BAD, H1_ERROR_CHUNK_END, "",
                  0);
    check_chunked(BYTES("0\r\nA:345678\r\nB:\r\n\r\n"), &limits, H1_BODY_END, H1_OK, "", 0);
    check_chunked(BYTES("0\r\nA:3456789\r\n\r\n"), &limits, H1_BODY_BAD, H1_ERROR_LINE_TOO_LONG, "", 0);
    check_chunked(BYTES("0\r\nA:34567\r\nB:34567\r\n\r\n"), &limits, H1_BODY_END, H1_OK, "", 0);
    check_chunked(BYTES("0\r\nA:345678\r\nB:34567\r\n\r\n"), &limits, H1_BODY_BAD, H1_ERROR_HEAD_TOO_LARGE, "", 0);
    check_chunked(BYTES("0\r\nA:\r\nB:\r\nC:\r\n\r\n"), &limits, H1_BODY_END, H1_OK, "", 0);
    check_chunked(BYTES("0\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n"), &limits, H1_BODY_BAD, H1_ERROR_TOO_MANY_FIELDS, "", 0);
}

static void test_an_incomplete_chunked_body_waits(void **state)
{
    (void)state;
    struct bytes input = BYTES("3;e\r\nabc\r\n0\r\nA: b\r\n\r\n");
    for (size_t len = 1; len < input.len; len++)
        assert_int_equal(read_chunked(bytes_make(input.data, len), &h1_default_limits, 0).status, H1_BODY_NEED_MORE);
}

static void test_a_length_takes_no_byte_more(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < 6; cut++) {
        struct h1_body body;
        h1_body_init(&body, HTTP_BODY_LENGTH, 5, &h1_default_limits);
        struct outcome got = read_body(&body, BYTES("helloGET"), cut);
        assert_int_equal(got.status, H1_BODY_END);
        assert_int_equal(got.left, 3);
        assert_text(bytes_make(got.data, got.len), "hello");
    }
}

static void test_empty_bodies_end_without_input(void **state)
{
    (void)state;
    struct bytes input = BYTES("");
    struct bytes data;
    struct h1_body body;
    h1_body_init(&body, HTTP_BODY_LENGTH, 0, &h1_default_limits);
    assert_int_equal(h1_body_next(&body, &input, &data), H1_BODY_END);
    h1_body_init(&body, HTTP_BODY_NONE, 0, &h1_default_limits);
    assert_int_equal(h1_body_next(&body, &input, &data), H1_BODY_END);
    h1_body_init(&body, HTTP_BODY_LENGTH, 1, &h1_default_limits);
    assert_int_equal(h1_body_next(&body, &input, &data), H1_BODY_NEED_MORE);
    h1_body_init(&body, HTTP_BODY_CHUNKED, 0, &h1_default_limits);
    assert_int_equal(h1_body_next(&body, &input, &data), H1_BODY_NEED_MORE);
}

static void test_a_body_until_close_never_ends_by_itself(void **state)
{
    (void)state;
    struct h1_body body;
    h1_body_init(&body, HTTP_BODY_UNTIL_CLOSE, 0, &h1_default_limits);
    struct outcome got = read_body(&body, BYTES("HTTP/1.1 200 OK\r\n\r\n"), 7);
    assert_int_equal(got.status, H1_BODY_NEED_MORE);
    assert_text(bytes_make(got.data, got.len), "HTTP/1.1 200 OK\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunks_are_joined_in_every_cut),
        cmocka_unit_test(test_malformed_chunks_are_refused),
        cmocka_unit_test(test_chunk_lines_and_trailers_are_bounded),
        cmocka_unit_test(test_an_incomplete_chunked_body_waits),
        cmocka_unit_test(test_a_length_takes_no_byte_more),
        cmocka_unit_test(test_empty_bodies_end_without_input),
        cmocka_unit_test(test_a_body_until_close_never_ends_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
