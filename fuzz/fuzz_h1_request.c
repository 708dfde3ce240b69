/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_h1_request.c: any bytes as a request head.
 *
 * The answer may not depend on how the bytes were cut, and a head that was accepted must read the same after it was
 * written again: what is passed on is what was understood. */
/* uses: http_codec base */
#include <stdlib.h>

#include "http/codec/h1_parse.h"
#include "http/codec/h1_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_limits small_limits = {
    .max_target_bytes = 24, .max_line_bytes = 48, .max_head_bytes = 160, .max_fields = 4};

struct outcome {
    enum h1_status status;
    enum h1_error error;
    size_t head_bytes;
    struct http_request request;
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* step: bytes that each call adds; 0 for all at once. */
static struct outcome parse(struct bytes input, size_t step, const struct h1_limits *limits, struct arena *arena)
{
    struct outcome outcome = {.status = H1_NEED_MORE};
    struct h1_head_parser parser;
    h1_head_parser_init(&parser, limits);
    size_t len = 0;
    do {
        len = step > 0 && input.len - len > step ? len + step : input.len;
        outcome.status = h1_parse_request_head(&parser, bytes_make(input.data, len), arena, &outcome.request);
    } while (outcome.status == H1_NEED_MORE && len < input.len);
    if (outcome.status == H1_BAD)
        outcome.error = parser.error;
    if (outcome.status == H1_DONE)
        outcome.head_bytes = parser.head_bytes;
    return outcome;
}

static void require_same_request(const struct http_request *a, const struct http_request *b)
{
    require(a->method == b->method && bytes_equal(a->method_text, b->method_text));
    require(bytes_equal(a->target, b->target) && bytes_equal(a->path, b->path) && bytes_equal(a->query, b->query));
    require(bytes_equal(a->authority, b->authority) && bytes_equal(a->host, b->host));
    require(a->framing == b->framing && a->content_length == b->content_length);
    require(a->fields.len == b->fields.len);
    for (unsigned i = 0; i < a->fields.len; i++) {
        require(a->fields.items[i].id == b->fields.items[i].id);
        require(bytes_equal(a->fields.items[i].name, b->fields.items[i].name));
        require(bytes_equal(a->fields.items[i].value, b->fields.items[i].value));
    }
}

static void require_same(const struct outcome *a, const struct outcome *b)
{
    require(a->status == b->status && a->error == b->error && a->head_bytes == b->head_bytes);
    if (a->status != H1_DONE)
        return;
    require_same_request(&a->request, &b->request);
    require(a->request.version_minor == b->request.version_minor);
    require(a->request.keep_alive == b->request.keep_alive);
    require(a->request.expects_continue == b->request.expects_continue);
}

/* Lines that are copied as they came are those that would be written, whichever fields between them are left out. */
static void require_same_lines(const struct http_fields *fields, unsigned kept)
{
    struct buffer one_by_one = {0}, in_runs = {0};
    struct h1_lines lines = {0};
    for (unsigned i = 0; i < fields->len; i++) {
        const struct http_field *field = &fields->items[i];
        if ((kept >> (i % 32) & 1) == 0)
            continue;
        h1_write_field(&one_by_one, field->name, field->value);
        h1_write_lines_field(&in_runs, &lines, field);
    }
    h1_write_lines_end(&in_runs, &lines);
    require(bytes_equal(buffer_bytes(&one_by_one), buffer_bytes(&in_runs)));
    buffer_deinit(&one_by_one);
    buffer_deinit(&in_runs);
}

static void require_round_trip(const struct http_request *request, struct arena *arena)
{
    struct buffer out;
    buffer_init(&out);
    h1_write_request_line(&out, request->method_text, request->target);
    for (unsigned i = 0; i < request->fields.len; i++)
        h1_write_field(&out, request->fields.items[i].name, request->fields.items[i].value);
    require_same_lines(&request->fields, UINT32_MAX);
    require_same_lines(&request->fields, 0xb6db6db6); /* two of three */
    h1_write_end_of_head(&out);
    struct h1_limits wide = h1_default_limits;
    wide.max_line_bytes += 8; /* "a:b" is written as "a: b" */
    wide.max_head_bytes *= 2;
    struct outcome again = parse(buffer_bytes(&out), 0, &wide, arena);
    require(again.status == H1_DONE && again.head_bytes == buffer_len(&out));
    require_same_request(request, &again.request);
    buffer_deinit(&out);
}

static void check(struct bytes input, const struct h1_limits *limits)
{
    struct arena *arena = arena_new(0);
    struct outcome whole = parse(input, 0, limits, arena);
    struct outcome bytewise = parse(input, 1, limits, arena);
    struct outcome halves = parse(input, input.len / 2 + 1, limits, arena);
    struct outcome sevens = parse(input, 7, limits, arena);
    require_same(&whole, &bytewise);
    require_same(&whole, &halves);
    require_same(&whole, &sevens);
    require(whole.status != H1_NEED_MORE || input.len <= limits->max_head_bytes);
    if (whole.status == H1_DONE && whole.request.version_minor == 1)
        require_round_trip(&whole.request, arena);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_make((const char *)data, size);
    check(input, &h1_default_limits);
    check(input, &small_limits);
    return 0;
}
