/* SPDX-License-Identifier: Apache-2.0 */
/* h1_head.h: what request heads and response heads share: lines, limits, field lines, body framing.
 *
 * Internal to http/codec. */
#ifndef HTTP_CODEC_H1_HEAD_H
#define HTTP_CODEC_H1_HEAD_H

#include "base/compiler.h"
#include "http/codec/h1_parse.h"

enum h1_kind { H1_REQUEST, H1_RESPONSE };

/* What a start line says, borrowed from the line. */
struct h1_start_line {
    struct bytes method; /* requests */
    struct bytes target; /* requests, as sent */
    unsigned status;     /* responses */
    struct bytes reason; /* responses */
    unsigned version_minor;
};

/* Fields that decide about framing and routing, noted while the fields are read. */
struct h1_notes {
    struct http_field *host;
    const struct http_field *length;
    const struct http_field *coding;
    unsigned hosts;
    unsigned lengths;
    unsigned codings;
    bool says_close;
    bool says_keep_alive;
    bool expects_continue;
};

/* data: everything since the head's first byte.  On H1_DONE the head was copied into the arena, the results point into
 * that copy, and parser->head_bytes is set; on H1_BAD parser->error is. */
enum h1_status h1_head_read(struct h1_head_parser *parser, struct bytes data, enum h1_kind kind, struct arena *arena,
                            struct h1_start_line *ret_start, struct http_fields *ret_fields,
                            struct h1_notes *ret_notes);

/* line: without its CRLF.  Pure syntax; what a target may be is decided later. */
MUST_CHECK enum h1_error h1_request_line_read(struct bytes line, struct h1_start_line *ret_start);
MUST_CHECK enum h1_error h1_status_line_read(struct bytes line, struct h1_start_line *ret_start);
/* "HTTP/1.0" or "HTTP/1.1"; otherwise: malformed, or H1_ERROR_VERSION when it is a version all the same. */
MUST_CHECK enum h1_error h1_version_read(struct bytes text, enum h1_error malformed, unsigned *ret_minor);

/* RFC 9112 6.3, the rules that are the same for both directions; HTTP_BODY_NONE when no field speaks of a body. */
MUST_CHECK enum h1_error h1_framing_decide(const struct h1_notes *notes, unsigned version_minor,
                                           enum http_framing *ret_framing, uint64_t *ret_length);
/* RFC 9112 9.3 */
bool h1_keeps_alive(const struct h1_notes *notes, unsigned version_minor);

#endif
