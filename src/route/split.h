/* SPDX-License-Identifier: Apache-2.0 */
/* split.h: the two draws: first the pool arm of a rule, then that pool's model arm.  Any thread. */
#ifndef ROUTE_SPLIT_H
#define ROUTE_SPLIT_H

#include "route/snapshot.h"

enum split_outcome {
    SPLIT_ARM,     /* arm and, when a model rule took the name, target */
    SPLIT_INVALID, /* an arm whose reference is broken drew: 500 */
    SPLIT_NO_ARM   /* no backendRefs, or all weights 0: 500 */
};

struct split_choice {
    enum split_outcome outcome;
    const struct pool_arm *arm;        /* also for SPLIT_INVALID */
    const struct model_rule *model;    /* NULL: the name passes unchanged */
    const struct model_target *target; /* NULL with model */
    struct bytes arm_text;             /* for x-serin-arm: in the arena when it had to be made */
};

/* model: as requested, "" when the request named none.  key: the session key, "" for a keyless draw.
 *
 * Model-aware: an InferencePool arm that does not know the model is left out while another one with weight knows it;
 * services and broken references keep their share. */
void route_split(const struct route_rule *rule, struct bytes model, struct bytes key, struct arena *arena,
                 struct split_choice *ret_choice);
/* The bits of the arms that may be drawn for the model. */
uint32_t route_eligible_arms(const struct route_rule *rule, struct bytes model);
/* The pool of this arm knows the model: a model rule's name or target, or listed by an endpoint. */
bool pool_arm_knows_model(const struct pool_arm *arm, struct bytes model);

#endif
