/* SPDX-License-Identifier: Apache-2.0 */
/* base64.h: RFC 4648: base64 (section 4, with padding) and base64url (section 5, without). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/arena.h"
#include "base/buffer.h"

void base64_append(struct buffer *out, struct bytes data);
void base64url_append(struct buffer *out, struct bytes data);
/* Into the arena, with a NUL behind that is not counted; line breaks are passed over, padding must be there.  False,
 * ret_data untouched: it is none. */
bool base64_decode(struct bytes text, struct arena *arena, struct bytes *ret_data);
bool base64url_decode(struct bytes text, struct arena *arena, struct bytes *ret_data);
/* base64_decode() would take it. */
bool base64_is_valid(struct bytes text);

#endif
