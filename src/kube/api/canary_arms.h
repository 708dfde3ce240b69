/* SPDX-License-Identifier: Apache-2.0 */
/* canary_arms.h: what a Canary's targetRef may mean, and where those kinds keep their arms and weights.
 *
 * For whoever reads or moves weights in the objects themselves: the controller, and commands of people.  Pure; trees
 * may be of any shape. */
#ifndef KUBE_API_CANARY_ARMS_H
#define KUBE_API_CANARY_ARMS_H

#include "kube/api/canary.h"

/* The kinds of that name, one for each group that has it, the default group's first; KUBE_KIND_COUNT ends. */
const enum kube_kind *canary_target_kinds(enum canary_target_kind kind);

struct arm_shape {
    const char *rules; /* the list in spec whose items hold arms; NULL: the spec does */
    const char *arms;  /* the list of arms */
    const char *name;  /* the member that names an arm */
    bool has_zero;     /* a weight of 0 may be written; otherwise that arm is absent */
};
/* NULL for kinds that are no targets. */
const struct arm_shape *arm_shape_of(enum kube_kind kind);

/* How many lists of arms the object has room for. */
size_t arm_rule_count(const struct arm_shape *shape, const json_t *tree);
/* What holds the list: the rule, or the spec; NULL when there is none. */
json_t *arm_owner(const struct arm_shape *shape, const json_t *tree, size_t rule);
/* NULL when there is none. */
json_t *arm_list(const struct arm_shape *shape, const json_t *tree, size_t rule);

enum arm_rule {
    ARM_RULE_FOUND,
    ARM_RULE_UNKNOWN, /* none has that name or index */
    ARM_RULE_UNCLEAR  /* none is named, and there is not exactly one */
};
/* wanted: a rule's name, or its index in digits; "" the only one. */
enum arm_rule arm_rule_find(const struct arm_shape *shape, const json_t *tree, const char *wanted, size_t *ret_rule);

/* "" when it says none. */
const char *arm_name(const struct arm_shape *shape, const json_t *arm);
/* The first of that name; NULL when there is none. */
json_t *arm_find(const struct arm_shape *shape, const json_t *arms, const char *name);
/* 1 when none is given; kept within what the API server lets in, 0..1000000. */
uint32_t arm_weight(const json_t *arm);

#endif
