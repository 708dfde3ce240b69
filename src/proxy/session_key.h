/* SPDX-License-Identifier: Apache-2.0 */
/* session_key.h: the explicit key that makes a split sticky.
 *
 * The default chain: x-claude-code-session-id, session-id, session_id, x-session-id, x-session-affinity, then the
 * body's prompt_cache_key and conversation id.  Nothing is derived from prompts or addresses: that would send a whole
 * office, or a whole test, into one arm. */
#ifndef PROXY_SESSION_KEY_H
#define PROXY_SESSION_KEY_H

#include "http/codec/fields.h"
#include "inference/payload/openai_scan.h"

/* "" when the request has no explicit key.  Borrowed from the fields or the scan. */
struct bytes session_key(const struct http_fields *fields, const struct openai_scan *scan);

#endif
