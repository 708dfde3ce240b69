/* SPDX-License-Identifier: Apache-2.0 */
/* priority.c: two look-ups in what the snapshot has of a pool's InferenceObjectives.  A pool without any costs nothing:
 * headers are not asked for. */
#include "route/priority.h"

static const struct objective *named_by_header(const struct pool_arm *arm, find_header_fn find_header, void *context)
{
    static const struct bytes names[] = {{"x-llm-d-inference-objective", 27}, {"x-gateway-inference-objective", 29}};
    struct bytes value;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (find_header(context, names[i], &value) && value.len > 0)
            return hashmap_get(arm->objectives->by_name, value);
    return NULL;
}

static const struct objective *find_objective(const struct pool_arm *arm, struct bytes model,
                                              find_header_fn find_header, void *context)
{
    if (arm->objectives == NULL)
        return NULL;
    const struct objective *found = named_by_header(arm, find_header, context);
    return found != NULL || model.len == 0 ? found : hashmap_get(arm->objectives->by_model, model);
}

struct request_priority route_priority(const struct pool_arm *arm, const struct model_rule *rule, struct bytes model,
                                       find_header_fn find_header, void *context)
{
    const struct objective *objective = find_objective(arm, model, find_header, context);
    if (objective != NULL)
        return (struct request_priority){objective->priority, objective->object, objective->name};
    if (rule != NULL && rule->has_criticality)
        return (struct request_priority){rule->priority, rule->object, BYTES("")};
    return (struct request_priority){0, NULL, BYTES("")};
}
