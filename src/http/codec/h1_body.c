/* SPDX-License-Identifier: Apache-2.0 */
/* h1_body.c: where the bytes of a body begin and end (RFC 9112 6 and 7.1), in any pieces.
 *
 * Body bytes are handed out where they lie.  Chunk lines and trailers are read byte by byte: they are short.  Nothing
 * is kept of them but counters and the start of the present trailer's name. */
#include <assert.h>

#include "http/codec/chars.h"
#include "http/codec/field_lookup.h"
#include "http/codec/h1_parse.h"

enum state {
    SIZE_FIRST, /* before the first digit of a chunk size */
    SIZE,
    SIZE_SPACE,     /* spaces behind the size, which only an extension may follow */
    EXT_NAME_START, /* of an extension, ';' seen */
    EXT_NAME,
    EXT_NAME_SPACE,
    EXT_VALUE_START, /* of its value, '=' seen */
    EXT_VALUE,
    QUOTED,
    QUOTED_PAIR,
    EXT_VALUE_SPACE, /* behind either form: only another extension may follow spaces */
    QUOTED_END,
    SIZE_LF, /* CR seen */
    DATA,
    DATA_CR, /* all bytes of the chunk seen */
    DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF, /* CR of the empty line seen */
    FINISHED,
    FAILED
};

void h1_body_init(struct h1_body *body, enum http_framing framing, uint64_t content_length,
                  const struct h1_limits *limits)
{
    *body = (struct h1_body){.framing = framing, .limits = limits, .state = SIZE_FIRST};
    if (framing == HTTP_BODY_LENGTH)
        body->left = content_length;
}

static enum state fail(struct h1_body *body, enum h1_error error)
{
    body->error = error;
    return FAILED;
}

/* A byte that may not stand where a line holds text or ends. */
static enum state fail_at(struct h1_body *body, char c, enum h1_error error)
{
    return fail(body, c == '\n' ? H1_ERROR_BARE_LF : error);
}

/* The byte after a CR. */
static enum state expect_lf(struct h1_body *body, char c, enum state next)
{
    return c == '\n' ? next : fail(body, H1_ERROR_BARE_CR);
}

/* Sizes above INT64_MAX are refused: others may read a negative number. */
static enum state take_size_digit(struct h1_body *body, char c)
{
    int digit = char_hex_digit(c);
    assert(digit >= 0);
    if (body->left > (uint64_t)INT64_MAX >> 4 || body->line_bytes > 16)
        return fail(body, H1_ERROR_CHUNK_SIZE);
    body->left = body->left << 4 | (unsigned)digit;
    return SIZE;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Behind a size, a name or a value: the line's end, or spaces and then another extension or a value (`spaces`: the
 * state that remembers them). */
static enum state after_part(struct h1_body *body, char c, enum state spaces)
{
    if (c == '\r' && body->state != spaces)
        return SIZE_LF;
    if (c == ';')
        return EXT_NAME_START;
    if (c == '=' && spaces == EXT_NAME_SPACE)
        return EXT_VALUE_START;
    return is_space(c) ? spaces : fail_at(body, c, H1_ERROR_CHUNK_SIZE);
}

static enum state step_quoted(struct h1_body *body, char c)
{
    if (!char_is(c, CHAR_VALUE))
        return fail_at(body, c, H1_ERROR_CHUNK_SIZE);
    if (body->state == QUOTED_PAIR)
        return QUOTED;
    return c == '\\' ? QUOTED_PAIR : c == '"' ? QUOTED_END : QUOTED;
}

/* chunk-ext (RFC 9112 7.1.1), understood by nobody here, but others may stumble over what is none.  Spaces may stand
 * around ';' and '=', never before the line's end. */
static enum state step_extension(struct h1_body *body, char c)
{
    bool is_token = char_is(c, CHAR_TOKEN);
    switch (body->state) {
    case EXT_NAME_START:
        return is_token ? EXT_NAME : is_space(c) ? EXT_NAME_START : fail_at(body, c, H1_ERROR_CHUNK_SIZE);
    case EXT_NAME:
    case EXT_NAME_SPACE:
        return is_token && body->state == EXT_NAME ? EXT_NAME : after_part(body, c, EXT_NAME_SPACE);
    case EXT_VALUE_START:
        if (c == '"')
            return QUOTED;
        return is_token ? EXT_VALUE : is_space(c) ? EXT_VALUE_START : fail_at(body, c, H1_ERROR_CHUNK_SIZE);
    case EXT_VALUE:
        return is_token ? EXT_VALUE : after_part(body, c, EXT_VALUE_SPACE);
    case QUOTED:
    case QUOTED_PAIR:
        return step_quoted(body, c);
    case QUOTED_END:
    case EXT_VALUE_SPACE:
        return after_part(body, c, EXT_VALUE_SPACE);
    default:
        return after_part(body, c, SIZE_SPACE);
    }
}

/* Framing, routing, authentication and content format may not come after the content (RFC 9110 6.5.1). */
static bool is_forbidden_trailer(const struct h1_body *body)
{
    size_t len = body->line_bytes - 1; /* without the colon */
    if (len > sizeof(body->trailer_name))
        return false;
    switch (field_lookup(bytes_make(body->trailer_name, len))) {
    case HTTP_FIELD_AUTHORIZATION:
    case HTTP_FIELD_CONNECTION:
    case HTTP_FIELD_CONTENT_ENCODING:
    case HTTP_FIELD_CONTENT_LENGTH:
    case HTTP_FIELD_CONTENT_TYPE:
    case HTTP_FIELD_COOKIE:
    case HTTP_FIELD_EXPECT:
    case HTTP_FIELD_HOST:
    case HTTP_FIELD_KEEP_ALIVE:
    case HTTP_FIELD_PROXY_AUTHORIZATION:
    case HTTP_FIELD_PROXY_CONNECTION:
    case HTTP_FIELD_TE:
    case HTTP_FIELD_TRAILER:
    case HTTP_FIELD_TRANSFER_ENCODING:
    case HTTP_FIELD_UPGRADE:
        return true;
    default:
        return false;
    }
}

static enum state take_name_byte(struct h1_body *body, char c)
{
    if (!char_is(c, CHAR_TOKEN))
        return fail_at(body, c, H1_ERROR_TRAILER);
    if (body->line_bytes <= sizeof(body->trailer_name))
        body->trailer_name[body->line_bytes - 1] = c;
    return TRAILER_NAME;
}

static enum state step_trailer(struct h1_body *body, char c)
{
    switch (body->state) {
    case TRAILER_START:
        if (c == '\r')
            return LAST_LF;
        if (++body->trailer_fields > body->limits->max_fields)
            return fail(body, H1_ERROR_TOO_MANY_FIELDS);
        return take_name_byte(body, c);
    case TRAILER_NAME:
        if (c == ':')
            return is_forbidden_trailer(body) ? fail(body, H1_ERROR_TRAILER) : TRAILER_VALUE;
        return take_name_byte(body, c);
    case TRAILER_VALUE:
        if (c == '\r')
            return TRAILER_LF;
        return char_is(c, CHAR_VALUE) ? TRAILER_VALUE : fail_at(body, c, H1_ERROR_TRAILER);
    case TRAILER_LF:
        return expect_lf(body, c, TRAILER_START);
    default:
        return expect_lf(body, c, FINISHED);
    }
}

static enum state step(struct h1_body *body, char c)
{
    switch (body->state) {
    case SIZE_FIRST:
        body->left = 0;
        return char_hex_digit(c) >= 0 ? take_size_digit(body, c) : fail_at(body, c, H1_ERROR_CHUNK_SIZE);
    case SIZE:
        return char_hex_digit(c) >= 0 ? take_size_digit(body, c) : step_extension(body, c);
    case SIZE_SPACE:
    case EXT_NAME_START:
    case EXT_NAME:
    case EXT_NAME_SPACE:
    case EXT_VALUE_START:
    case EXT_VALUE:
    case QUOTED:
    case QUOTED_PAIR:
    case EXT_VALUE_SPACE:
    case QUOTED_END:
        return step_extension(body, c);
    case SIZE_LF:
        return expect_lf(body, c, body->left > 0 ? DATA : TRAILER_START);
    case DATA_CR:
        return c == '\r' ? DATA_LF : fail(body, H1_ERROR_CHUNK_END);
    case DATA_LF:
        return c == '\n' ? SIZE_FIRST : fail(body, H1_ERROR_CHUNK_END);
    default:
        return step_trailer(body, c);
    }
}

/* Counts a byte of a chunk line or trailer against its limits. */
static bool is_within_limits(struct h1_body *body, char c)
{
    body->line_bytes = body->state == SIZE_FIRST || body->state == TRAILER_START ? 1 : body->line_bytes + 1;
    if (body->state >= TRAILER_START && ++body->trailer_bytes > body->limits->max_head_bytes) {
        body->error = H1_ERROR_HEAD_TOO_LARGE;
        return false;
    }
    if (body->line_bytes > body->limits->max_line_bytes && c != '\r' && c != '\n') {
        body->error = H1_ERROR_LINE_TOO_LONG;
        return false;
    }
    return true;
}

static enum h1_body_status take_data(struct h1_body *body, struct bytes *input, struct bytes *ret_data)
{
    if (input->len == 0)
        return H1_BODY_NEED_MORE;
    size_t len = body->left < input->len ? (size_t)body->left : input->len;
    *ret_data = bytes_make(input->data, len);
    *input = bytes_skip(*input, len);
    body->left -= len;
    return H1_BODY_DATA;
}

/* Up to eight digits and CRLF, as everybody writes a chunk's size; how many bytes that are.  0: some are missing, it is
 * another form or the last chunk: step() reads it. */
static size_t skip_plain_size(struct h1_body *body, const char *at, size_t len)
{
    const char *start = at;
    uint64_t size = 0;
    int digit;
    if (len < 10 || body->limits->max_line_bytes < 10)
        return 0;
    for (int i = 0; i < 8 && (digit = char_hex_digit(*at)) >= 0; i++, at++)
        size = size << 4 | (unsigned)digit;
    if (size == 0 || at[0] != '\r' || at[1] != '\n')
        return 0;
    body->left = size;
    body->state = DATA;
    body->line_bytes = (unsigned)(at + 2 - start);
    return body->line_bytes;
}

/* What stands between the bytes of two chunks, as far as it is plain. */
static size_t skip_plain(struct h1_body *body, struct bytes input)
{
    size_t taken = 0;
    if (body->state == DATA_CR && input.len >= 2 && input.data[0] == '\r' && input.data[1] == '\n') {
        body->state = SIZE_FIRST;
        taken = 2;
    }
    return body->state == SIZE_FIRST ? taken + skip_plain_size(body, input.data + taken, input.len - taken) : taken;
}

static enum h1_body_status next_chunked(struct h1_body *body, struct bytes *input, struct bytes *ret_data)
{
    size_t taken = skip_plain(body, *input);
    while (body->state != DATA && body->state < FINISHED && taken < input->len) {
        char c = input->data[taken++];
        body->state = is_within_limits(body, c) ? step(body, c) : FAILED;
    }
    if (taken > 0)
        *input = bytes_skip(*input, taken);
    if (body->state == FINISHED)
        return H1_BODY_END;
    if (body->state == FAILED)
        return H1_BODY_BAD;
    if (body->state != DATA)
        return H1_BODY_NEED_MORE;
    enum h1_body_status status = take_data(body, input, ret_data);
    if (body->left == 0)
        body->state = DATA_CR;
    return status;
}

enum h1_body_status h1_body_next(struct h1_body *body, struct bytes *input, struct bytes *ret_data)
{
    switch (body->framing) {
    case HTTP_BODY_CHUNKED:
        return next_chunked(body, input, ret_data);
    case HTTP_BODY_LENGTH:
        return body->left > 0 ? take_data(body, input, ret_data) : H1_BODY_END;
    case HTTP_BODY_UNTIL_CLOSE:
        body->left = UINT64_MAX;
        return take_data(body, input, ret_data);
    case HTTP_BODY_NONE:
        break;
    }
    return H1_BODY_END;
}
