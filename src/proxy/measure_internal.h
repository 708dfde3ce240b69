/* SPDX-License-Identifier: Apache-2.0 */
/* measure_internal.h: what measure.c sums up at an exchange's end, for measure_log.c.  Private to the two. */
#ifndef PROXY_MEASURE_INTERNAL_H
#define PROXY_MEASURE_INTERNAL_H

#include "canary/observation.h"
#include "proxy/measure.h"

struct measured {
    enum end_reason reason;
    bool has_usage;
    uint64_t now_us;
    struct observation observation; /* arm, warm-up: of the Canary that is told */
};

void measure_log(struct proxied *proxied, const struct measured *measured);
/* The one that answered, or was tried last; NULL when there was none. */
struct endpoint *measure_endpoint(const struct proxied *proxied);

#endif
