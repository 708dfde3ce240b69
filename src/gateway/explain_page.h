/* SPDX-License-Identifier: Apache-2.0 */
/* explain_page.h: /debug/explain: what the running gateway would do with a request, down to the endpoints' scores.
 *
 * The request is described by the query: path (with its own query), host, method, model, tokens (of the prompt),
 * header=NAME:VALUE (may repeat), the session members of the body by name, turns=(hashes of its messages).
 * `serin explain --admin` asks here. */
#ifndef GATEWAY_EXPLAIN_PAGE_H
#define GATEWAY_EXPLAIN_PAGE_H

#include "base/buffer.h"
#include "http/exchange.h"
#include "route/arm_memory.h"
#include "route/snapshot.h"

/* Writes plain text; the status is 200, 400 (no path) or 404 (no rule takes it).  snapshot may be NULL. */
unsigned explain_page_write(const struct route_snapshot *snapshot, const struct arm_memories *memories,
                            struct exchange *exchange, struct buffer *out);

#endif
