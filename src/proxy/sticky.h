/* SPDX-License-Identifier: Apache-2.0 */
/* sticky.h: the draw of an exchange's arms, and what its answer leaves for the next turn.  Private to src/proxy. */
#ifndef PROXY_STICKY_H
#define PROXY_STICKY_H

#include "proxy/proxied.h"

void sticky_init(struct proxy *proxy); /* its metrics */
/* The rule is known: what the scan has to read besides. */
void sticky_prepare(struct proxied *proxied);
/* The body was read: fills proxied->choice. */
void sticky_draw(struct proxied *proxied);
/* What holds the request to an endpoint: its session's key, where a pool asks for that; the response that it goes on
 * with. */
void sticky_describe_pick(struct proxied *proxied);
/* The exchange ends; reason as for proxied_end(). */
void sticky_end(struct proxied *proxied, enum end_reason reason);

#endif
