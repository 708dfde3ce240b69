/* SPDX-License-Identifier: Apache-2.0 */
/* measure.h: what is seen of an exchange on its way: counted by arm, told to the arm's Canaries and to the access log.
 * Private to src/proxy. */
#ifndef PROXY_MEASURE_H
#define PROXY_MEASURE_H

#include "proxy/proxied.h"

/* Its arm is drawn and it goes to a model server. */
STAYS_APART void measure_begin(struct proxied *proxied);
/* The head of the answer came: from here on it is read, where it is of a kind that can be. */
STAYS_APART void measure_head(struct proxied *proxied, const struct http_response *response);
STAYS_APART void measure_body(struct proxied *proxied, struct bytes chunk);
/* proxied->held goes before the end: what is measured of it is kept. */
void measure_request(struct proxied *proxied);
/* A Canary's operator ended the arm's streams since this exchange began. */
bool measure_is_cut(const struct proxied *proxied);
/* The exchange ends: while it still holds its endpoint and its body. */
STAYS_APART void measure_end(struct proxied *proxied, enum end_reason reason);

#endif
