/* SPDX-License-Identifier: Apache-2.0 */
/* hop_headers.h: what may cross the proxy: builds the upstream's request head and the client's response fields. */
#ifndef PROXY_HOP_HEADERS_H
#define PROXY_HOP_HEADERS_H

#include "base/buffer.h"
#include "http/exchange.h"

/* Writes the whole request head.  Dropped: hop-by-hop fields (RFC 9110 7.6.1, with those that Connection names),
 * framing fields, Expect, the fields that would steer an endpoint picker, and those named in withheld.  Added:
 * X-Forwarded-For and -Proto, and X-Request-Id when absent (request_id: 32 hex digits).  host: for HTTP/1.0 clients
 * that named none.  content_length: of the body, or one of these. */
enum { HOP_NO_BODY = -1, HOP_CHUNKED = -2 };
void hop_write_request(struct buffer *out, const struct exchange *exchange, struct bytes host, int64_t content_length,
                       const char *request_id, const struct bytes *withheld, unsigned withheld_count);
/* The response fields that go to the client, with x-serin-arm and x-serin-revision added (those that are not empty),
 * in the arena. */
void hop_copy_response(struct http_fields *ret_fields, const struct http_response *response, struct bytes arm,
                       struct bytes revision, struct arena *arena);

#endif
