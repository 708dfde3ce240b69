/* SPDX-License-Identifier: Apache-2.0 */
/* h1_parse.h: strict HTTP/1.1 heads (RFC 9110, RFC 9112), fed in any pieces.
 *
 * The caller keeps the head's bytes in one growing run and calls again with all of it; the parser remembers how far it
 * looked, so the work is linear.  Nothing is guessed or repaired: what two parsers might read differently is an error.
 * The answer, the error too, does not depend on how the bytes were cut into calls. */
#ifndef HTTP_CODEC_H1_PARSE_H
#define HTTP_CODEC_H1_PARSE_H

#include "http/codec/message.h"

/* id, status to answer, machine reason (metric label, x-serin-reason), sentence. */
#define H1_ERRORS(X)                                                                                                   \
    X(REQUEST_LINE, 400, "bad_request_line", "the request line is malformed")                                          \
    X(STATUS_LINE, 502, "bad_status_line", "the status line is malformed")                                             \
    X(VERSION, 505, "bad_version", "only HTTP/1.0 and HTTP/1.1 are spoken here")                                       \
    X(TARGET, 400, "bad_target", "the request target is malformed")                                                    \
    X(TARGET_TOO_LONG, 414, "target_too_long", "the request target is too long")                                       \
    X(FIELD_NAME, 400, "bad_field_name", "a header name has a forbidden character")                                    \
    X(FIELD_VALUE, 400, "bad_field_value", "a header value has a forbidden character")                                 \
    X(OBS_FOLD, 400, "folded_header", "a header is continued on a second line")                                        \
    X(BARE_LF, 400, "bare_lf", "a line ends in LF without CR")                                                         \
    X(BARE_CR, 400, "bare_cr", "a CR stands without LF")                                                               \
    X(HOST, 400, "bad_host", "the Host header is missing, repeated or malformed")                                      \
    X(CONTENT_LENGTH, 400, "bad_content_length", "Content-Length is malformed or contradicts itself")                  \
    X(TRANSFER_ENCODING, 400, "bad_transfer_encoding", "Transfer-Encoding is not exactly chunked")                     \
    X(BOTH_LENGTHS, 400, "both_lengths", "Content-Length and Transfer-Encoding are both present")                      \
    X(HEAD_TOO_LARGE, 431, "head_too_large", "the header section is too large")                                        \
    X(TOO_MANY_FIELDS, 431, "too_many_headers", "there are too many headers")                                          \
    X(LINE_TOO_LONG, 431, "header_too_long", "a header line is too long")                                              \
    X(CHUNK_SIZE, 400, "bad_chunk_size", "a chunk size is malformed")                                                  \
    X(CHUNK_END, 400, "bad_chunk_end", "a chunk does not end where its size says")                                     \
    X(TRAILER, 400, "bad_trailer", "a trailer is malformed or forbidden")

enum h1_error {
    H1_OK,
#define X(id, status, reason, message) H1_ERROR_##id,
    H1_ERRORS(X)
#undef X
        H1_ERROR_COUNT
};

unsigned h1_error_status(enum h1_error error);
const char *h1_error_reason(enum h1_error error);
const char *h1_error_message(enum h1_error error);

struct h1_limits {
    uint32_t max_target_bytes; /* 414 */
    uint32_t max_line_bytes;   /* 431 */
    uint32_t max_head_bytes;   /* 431 */
    uint32_t max_fields;       /* 431 */
};
extern const struct h1_limits h1_default_limits; /* 8 KiB target, 16 KiB line, 64 KiB head, 100 fields */

enum h1_status { H1_NEED_MORE, H1_DONE, H1_BAD };

struct h1_head_parser {
    const struct h1_limits *limits;
    size_t line_start; /* where the line not yet complete starts */
    size_t searched;   /* bytes of data already searched for its end */
    size_t checked;    /* of an incomplete head: how far its lines were examined */
    unsigned lines;
    enum h1_error error; /* after H1_BAD */
    size_t head_bytes;   /* after H1_DONE: length of the head with its empty line */
};

void h1_head_parser_init(struct h1_head_parser *parser, const struct h1_limits *limits);
/* data: everything since the head's first byte.  On H1_DONE the head was copied into the arena and ret points into that
 * copy.  One empty line before a request line is skipped (RFC 9112 2.2).  With an absolute-form target the Host field
 * in ret_request->fields holds the target's authority (RFC 9112 3.2.2), so that the two cannot disagree later. */
enum h1_status h1_parse_request_head(struct h1_head_parser *parser, struct bytes data, struct arena *arena,
                                     struct http_request *ret_request);
/* request_method: what the response answers (HEAD has no body; RFC 9112 6.3). */
enum h1_status h1_parse_response_head(struct h1_head_parser *parser, struct bytes data, enum http_method request_method,
                                      struct arena *arena, struct http_response *ret_response);

/* Body framing, both directions. */
struct h1_body {
    enum http_framing framing;
    uint64_t left; /* of the body (LENGTH) or of the present chunk (CHUNKED) */
    unsigned state;
    unsigned line_bytes;
    uint32_t trailer_bytes;
    uint32_t trailer_fields;
    char trailer_name[32]; /* of the present trailer: enough to know the forbidden ones */
    const struct h1_limits *limits;
    enum h1_error error;
};

enum h1_body_status { H1_BODY_NEED_MORE, H1_BODY_DATA, H1_BODY_END, H1_BODY_BAD };

void h1_body_init(struct h1_body *body, enum http_framing framing, uint64_t content_length,
                  const struct h1_limits *limits);
/* Takes from the front of *input.  DATA: *ret_data is a run inside the input, already taken.  Trailers are checked and
 * dropped.  END and BAD are told again when asked again; what follows END stays in *input.  UNTIL_CLOSE never ends
 * here. */
enum h1_body_status h1_body_next(struct h1_body *body, struct bytes *input, struct bytes *ret_data);

#endif
