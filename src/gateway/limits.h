/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h: what the data plane allows its peers, by the names of limits.def. */
#ifndef GATEWAY_LIMITS_H
#define GATEWAY_LIMITS_H

#include "proxy/proxy.h"

struct limits {
    struct http_server_config server;
    struct proxy_config proxy;
};

/* The defaults of both. */
struct limits limits_default(void);
/* "NAME=VALUE": a number, with KiB, MiB, ms, s or m where the limit has that unit.  NULL, or what it should have been;
 * limits is unchanged then. */
const char *limits_set(struct limits *limits, const char *text);

#endif
