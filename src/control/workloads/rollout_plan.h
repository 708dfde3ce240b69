/* SPDX-License-Identifier: Apache-2.0 */
/* rollout_plan.h: the arithmetic of a Deployment: how many replicas each of its ReplicaSets should have next.  Pure.
 *
 * The rules are those of Kubernetes: a step adds new pods up to desired + surge in all, else takes old ones away as far
 * as desired - unavailable pods stay available, the unhealthy ones first. */
#ifndef CONTROL_WORKLOADS_ROLLOUT_PLAN_H
#define CONTROL_WORKLOADS_ROLLOUT_PLAN_H

#include "kube/api/core.h"

struct rollout_limits {
    unsigned desired;
    unsigned surge;       /* pods beyond desired */
    unsigned unavailable; /* pods that may be missing from it */
};

/* One ReplicaSet; replicas is where it is, and after a call below where it should go. */
struct rollout_set {
    unsigned replicas;
    unsigned available;
    unsigned most_before; /* desired + surge when it was last scaled; 0: not known */
    unsigned was;         /* scratch of rollout_scale() */
    bool is_done;         /* the same */
};

/* maxSurge rounds up, maxUnavailable down; at least one of the two is not 0 (then one pod may be missing). */
void rollout_limits_of(const struct deployment_spec *spec, unsigned desired, struct rollout_limits *ret_limits);

/* RollingUpdate.  olds: oldest first.  True when something changes. */
bool rollout_step(const struct rollout_limits *limits, struct rollout_set *newest, struct rollout_set *olds,
                  unsigned old_count);
/* Recreate: first nothing old, then all that is new.  pods_left: of olds, terminating ones too. */
bool rollout_recreate(const struct rollout_limits *limits, struct rollout_set *newest, struct rollout_set *olds,
                      unsigned old_count, bool pods_left);
/* No progress, only the size: of the one active set, or in proportion of several when spec.replicas has changed
 * (is_resized).  sets: oldest first; newest: the position of the one that has the present template, or -1. */
void rollout_scale(const struct rollout_limits *limits, bool is_recreate, bool is_resized, struct rollout_set *sets,
                   unsigned count, int newest);

#endif
