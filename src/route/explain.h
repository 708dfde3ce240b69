/* SPDX-License-Identifier: Apache-2.0 */
/* explain.h: tells people which listener, route and rule take a request and why the others do not. */
#ifndef ROUTE_EXPLAIN_H
#define ROUTE_EXPLAIN_H

#include "base/buffer.h"
#include "route/match.h"
#include "route/split.h"

/* Short aligned text.  Every listener and every match with a verdict: "taken", "host differs", "path /x does not start
 * with /v1", "header x-y is absent", "beaten by ..."; then what makes the winning rule sticky, what decides for this
 * request, and the arms with their shares for the model, or the one arm when that is sure; the model arms below.  Every
 * socket is tried when request->socket_id is EXPLAIN_ALL_SOCKETS.  Returns the rule that takes the request, or NULL. */
#define EXPLAIN_ALL_SOCKETS UINT32_MAX
const struct route_rule *route_explain(const struct route_snapshot *snapshot, const struct route_request *request,
                                       const struct split_request *split, struct buffer *out);

#endif
