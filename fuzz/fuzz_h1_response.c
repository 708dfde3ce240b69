/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_h1_response.c: any bytes as a response head; the answer may not depend on how the bytes were cut, nor on the
 * request's method in more than the framing. */
/* uses: http_codec base */
#include <stdlib.h>

#include "http/codec/h1_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_limits small_limits = {
    .max_target_bytes = 24, .max_line_bytes = 48, .max_head_bytes = 160, .max_fields = 4};

struct outcome {
    enum h1_status status;
    enum h1_error error;
    size_t head_bytes;
    struct http_response response;
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* step: bytes that each call adds; 0 for all at once. */
static struct outcome parse(struct bytes input, size_t step, enum http_method method, const struct h1_limits *limits,
                            struct arena *arena)
{
    struct outcome outcome = {.status = H1_NEED_MORE};
    struct h1_head_parser parser;
    h1_head_parser_init(&parser, limits);
    size_t len = 0;
    do {
        len = step > 0 && input.len - len > step ? len + step : input.len;
        outcome.status = h1_parse_response_head(&parser, bytes_make(input.data, len), method, arena, &outcome.response);
    } while (outcome.status == H1_NEED_MORE && len < input.len);
    if (outcome.status == H1_BAD)
        outcome.error = parser.error;
    if (outcome.status == H1_DONE)
        outcome.head_bytes = parser.head_bytes;
    return outcome;
}

static void require_same(const struct outcome *a, const struct outcome *b)
{
    require(a->status == b->status && a->error == b->error && a->head_bytes == b->head_bytes);
    if (a->status != H1_DONE)
        return;
    const struct http_response *left = &a->response;
    const struct http_response *right = &b->response;
    require(left->status == right->status && bytes_equal(left->reason, right->reason));
    require(left->framing == right->framing && left->content_length == right->content_length);
    require(left->keep_alive == right->keep_alive && left->version_minor == right->version_minor);
    require(left->fields.len == right->fields.len);
    for (unsigned i = 0; i < left->fields.len; i++) {
        require(left->fields.items[i].id == right->fields.items[i].id);
        require(bytes_equal(left->fields.items[i].name, right->fields.items[i].name));
        require(bytes_equal(left->fields.items[i].value, right->fields.items[i].value));
    }
}

static void check(struct bytes input, const struct h1_limits *limits)
{
    struct arena *arena = arena_new(0);
    struct outcome whole = parse(input, 0, HTTP_GET, limits, arena);
    struct outcome bytewise = parse(input, 1, HTTP_GET, limits, arena);
    struct outcome sevens = parse(input, 7, HTTP_GET, limits, arena);
    require_same(&whole, &bytewise);
    require_same(&whole, &sevens);

    struct outcome head = parse(input, 0, HTTP_HEAD, limits, arena);
    require(head.status == whole.status && head.error == whole.error && head.head_bytes == whole.head_bytes);
    require(head.status != H1_DONE || head.response.framing == HTTP_BODY_NONE);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_make((const char *)data, size);
    check(input, &h1_default_limits);
    check(input, &small_limits);
    return 0;
}
