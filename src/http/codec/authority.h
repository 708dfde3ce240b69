/* SPDX-License-Identifier: Apache-2.0 */
/* authority.h: "host", "host:port", "[ipv6]:port" of Host fields and targets (RFC 3986 3.2 without userinfo). */
#ifndef HTTP_CODEC_AUTHORITY_H
#define HTTP_CODEC_AUTHORITY_H

#include "base/bytes.h"
#include "base/compiler.h"

struct authority {
    struct bytes host; /* without brackets, never empty */
    struct bytes port; /* 1 to 5 digits, at most 65535; "" when none */
};

/* False, with *ret_authority untouched, when it is malformed.  Refused although the grammar knows them: an empty host,
 * an empty port, percent-encoding, commas and IPvFuture, which others are known to read in different ways. */
MUST_CHECK bool authority_read(struct bytes text, struct authority *ret_authority);

#endif
