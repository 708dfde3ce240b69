/* SPDX-License-Identifier: Apache-2.0 */
/* match.h: finds the rule that takes a request (HTTPRoute precedence).  Pure; any thread. */
#ifndef ROUTE_MATCH_H
#define ROUTE_MATCH_H

#include "route/snapshot.h"

/* What matching asks of a request; the proxy fills it from whatever HTTP version is below. */
struct route_request {
    unsigned socket_id;
    struct bytes host;   /* without port, any case */
    struct bytes path;   /* without query, as sent */
    struct bytes query;  /* "" when none */
    struct bytes method; /* "GET" */
    /* Joined value of a header, any case of name; false when absent. */
    bool (*header)(void *context, struct bytes name, struct bytes *ret_value);
    void *context;
    struct arena *arena; /* scratch for decoded query values */
};

enum route_outcome {
    ROUTE_MATCHED,
    ROUTE_NO_LISTENER, /* no listener of the socket takes the host: 404 */
    ROUTE_NO_MATCH     /* 404 */
};

struct route_match {
    enum route_outcome outcome;
    const struct route_rule *rule; /* when matched */
    uint64_t buffer_limit_bytes;   /* of the listener's Gateway */
};

void route_match(const struct route_snapshot *snapshot, const struct route_request *request,
                 struct route_match *ret_match);

#endif
