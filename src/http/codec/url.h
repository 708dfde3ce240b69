/* SPDX-License-Identifier: Apache-2.0 */
/* url.h: percent-decoding of pieces of a target and a walk over query parameters.
 *
 * Decode after splitting, never before (RFC 3986 2.4).  Dot segments and doubled slashes are left as they are: paths
 * are not normalised here. */
#ifndef HTTP_CODEC_URL_H
#define HTTP_CODEC_URL_H

#include "base/arena.h"
#include "base/buffer.h"

enum url_piece {
    URL_PATH, /* '+' is a plus */
    URL_QUERY /* '+' is a space, as in application/x-www-form-urlencoded */
};

/* The decoded piece; what has nothing to decode is returned as it is, without a copy.  False and ret_piece untouched
 * when a '%' is not followed by two hex digits.  The result may hold any byte, '/' and NUL too. */
MUST_CHECK bool url_decode(struct bytes text, enum url_piece piece, struct arena *arena, struct bytes *ret_piece);

/* Appends the text with everything but unreserved characters (RFC 3986 2.3) as %XX. */
void url_encode(struct buffer *out, struct bytes text);

struct url_query {
    struct bytes rest;
};

/* query: without the '?', borrowed. */
void url_query_init(struct url_query *query, struct bytes text);
/* The next "name=value" or "name" (value "") between '&'s, decoded; empty pieces are passed over.  A name or value with
 * a malformed escape is given as it was sent.  False at the end. */
bool url_query_next(struct url_query *query, struct arena *arena, struct bytes *ret_name, struct bytes *ret_value);
/* The first value of the decoded name. */
bool url_query_find(struct bytes text, struct bytes name, struct arena *arena, struct bytes *ret_value);

#endif
