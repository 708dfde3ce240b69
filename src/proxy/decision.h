/* SPDX-License-Identifier: Apache-2.0 */
/* decision.h: a sampled pick as a line of JSON: what each scorer said of each endpoint, and what it went by.  Private
 * to src/proxy; only where there is a decision log. */
#ifndef PROXY_DECISION_H
#define PROXY_DECISION_H

#include "proxy/proxied.h"

struct decisions;

/* A worker's; log NULL: NULL. */
struct decisions *decisions_new(struct decision_log *log);
/* Accepts NULL. */
void decisions_free(struct decisions *decisions);
/* Before a pick.  NULL: this one is not told; else who listens to it. */
const struct profile_listener *decisions_listen(struct decisions *decisions);
/* After it: the line. */
void decisions_tell(struct decisions *decisions, const struct proxied *proxied);

#endif
