/* SPDX-License-Identifier: Apache-2.0 */
/* priority.h: how important a request is to its pool: what the queue before a saturated pool goes by. */
#ifndef ROUTE_PRIORITY_H
#define ROUTE_PRIORITY_H

#include "route/snapshot.h"

/* As in struct route_request. */
typedef bool (*find_header_fn)(void *context, struct bytes name, struct bytes *ret_value);

struct request_priority {
    int32_t value;          /* higher goes first; below 0: shed */
    const char *from;       /* the object that says so: "InferenceObjective default/batch"; NULL: none, 0 */
    struct bytes objective; /* its name; "" when it is no InferenceObjective */
};

/* The first that there is of: the InferenceObjective that the header x-llm-d-inference-objective (or its former
 * spelling x-gateway-inference-objective) names; the one whose annotation serin.dev/models names the model that was
 * asked for; the criticality of its InferenceModel.  rule: what the pool does with the model, NULL when nothing. */
struct request_priority route_priority(const struct pool_arm *arm, const struct model_rule *rule, struct bytes model,
                                       find_header_fn find_header, void *context);

#endif
