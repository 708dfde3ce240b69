/* SPDX-License-Identifier: Apache-2.0 */
/* response_owner.h: which model server made a response: it keeps what it said in its own memory, so that only there one
 * can go on with it, or ask about it.  Private to src/proxy. */
#ifndef PROXY_RESPONSE_OWNER_H
#define PROXY_RESPONSE_OWNER_H

#include "proxy/proxied.h"
#include "route/split.h"

/* The answer will have an id that is worth remembering. */
bool response_owner_is_wanted(const struct proxied *proxied);
/* The answer of this id came from the exchange's endpoint. */
void response_owner_remember(struct proxied *proxied, struct bytes response_id, uint64_t now_ms);
/* Narrows the pick down to the server that has what the request goes on with, while it is there and usable. */
void response_owner_narrow(struct proxied *proxied);

#endif
