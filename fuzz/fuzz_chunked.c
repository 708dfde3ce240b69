/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_chunked.c: any bytes as a chunked body; data, end and error may not depend on how the bytes were cut, and what
 * was read must read the same after it was written again. */
/* uses: http_codec base */
#include <stdlib.h>

#include "http/codec/h1_parse.h"
#include "http/codec/h1_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_limits small_limits = {
    .max_target_bytes = 8, .max_line_bytes = 12, .max_head_bytes = 24, .max_fields = 2};

struct outcome {
    enum h1_body_status status;
    enum h1_error error;
    size_t taken;
    struct buffer content;
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* step: the most bytes that a piece has. */
static struct outcome read_body(struct bytes input, size_t step, const struct h1_limits *limits)
{
    struct outcome outcome = {.status = H1_BODY_NEED_MORE};
    struct h1_body body;
    h1_body_init(&body, HTTP_BODY_CHUNKED, 0, limits);
    buffer_init(&outcome.content);
    buffer_reserve(&outcome.content, 1);
    while (outcome.status == H1_BODY_NEED_MORE && outcome.taken < input.len) {
        size_t rest = input.len - outcome.taken;
        struct bytes piece = bytes_make(input.data + outcome.taken, rest < step ? rest : step);
        const char *start = piece.data;
        struct bytes data;
        while ((outcome.status = h1_body_next(&body, &piece, &data)) == H1_BODY_DATA) {
            require(data.len > 0 && data.data + data.len == piece.data);
            buffer_append(&outcome.content, data);
        }
        require(outcome.status != H1_BODY_NEED_MORE || piece.len == 0);
        outcome.taken += (size_t)(piece.data - start);
    }
    outcome.error = body.error;
    require((outcome.status == H1_BODY_BAD) == (outcome.error != H1_OK));
    return outcome;
}

static void require_same(struct outcome *a, struct outcome *b)
{
    require(a->status == b->status && a->error == b->error && a->taken == b->taken);
    require(bytes_equal(buffer_bytes(&a->content), buffer_bytes(&b->content)));
    buffer_deinit(&b->content);
}

static void require_round_trip(struct outcome *first)
{
    struct buffer out;
    buffer_init(&out);
    if (buffer_len(&first->content) > 0) {
        h1_write_chunk_size(&out, buffer_len(&first->content));
        buffer_append(&out, buffer_bytes(&first->content));
        buffer_append(&out, H1_CHUNK_END);
    }
    buffer_append(&out, H1_LAST_CHUNK);
    struct outcome again = read_body(buffer_bytes(&out), SIZE_MAX, &h1_default_limits);
    require(again.status == H1_BODY_END && again.taken == buffer_len(&out));
    require(bytes_equal(buffer_bytes(&first->content), buffer_bytes(&again.content)));
    buffer_deinit(&again.content);
    buffer_deinit(&out);
}

static void check(struct bytes input, const struct h1_limits *limits)
{
    struct outcome whole = read_body(input, SIZE_MAX, limits);
    struct outcome bytewise = read_body(input, 1, limits);
    require_same(&whole, &bytewise);
    struct outcome threes = read_body(input, 3, limits);
    require_same(&whole, &threes);
    if (whole.status == H1_BODY_END)
        require_round_trip(&whole);
    buffer_deinit(&whole.content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_make((const char *)data, size);
    check(input, &h1_default_limits);
    check(input, &small_limits);
    return 0;
}
