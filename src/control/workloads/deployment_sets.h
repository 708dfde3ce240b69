/* SPDX-License-Identifier: Apache-2.0 */
/* deployment_sets.h: the ReplicaSets of a Deployment: which one has the present template, how one is made, and the
 * annotations by which `kubectl rollout` finds its way.  All lives in a pass. */
#ifndef CONTROL_WORKLOADS_DEPLOYMENT_SETS_H
#define CONTROL_WORKLOADS_DEPLOYMENT_SETS_H

#include "control/workloads/pass.h"
#include "control/workloads/rollout_plan.h"

#define REVISION_ANNOTATION "deployment.kubernetes.io/revision"
#define HASH_LABEL          "pod-template-hash"

struct deployment_set {
    const struct kube_object *object; /* the present head */
    unsigned replicas;                /* spec.replicas */
    unsigned running, ready, available;
    uint64_t revision;
};

struct deployment_sets {
    const struct kube_object *deployment; /* the present head */
    struct deployment_set *items;         /* oldest first; none that is being deleted */
    unsigned len;
    int newest; /* the one with the Deployment's template; -1: there is none yet */
};

/* Reads what owned holds; room for one more. */
void deployment_sets_read(struct deployment_sets *sets, struct pass *pass, const struct kube_object *deployment,
                          struct owned_list owned);
/* Makes sure that there is one with the present template and that it has the highest revision.  The Deployment's own
 * revision follows.  False when that was refused, or must wait for another pass. */
bool deployment_sets_renew(struct deployment_sets *sets, struct pass *pass, const struct rollout_limits *limits);
/* Writes spec.replicas (with an Event when it changes) and the annotations that remember of how many this is. */
void deployment_set_scale(struct deployment_sets *sets, unsigned position, struct pass *pass, unsigned replicas,
                          const struct rollout_limits *limits);
/* An active set was last scaled for another number of replicas. */
bool deployment_sets_are_resized(const struct deployment_sets *sets, unsigned desired);
/* desired + surge when it was last scaled; 0: not known. */
unsigned deployment_set_most_before(const struct deployment_set *set);

#endif
