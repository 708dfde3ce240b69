/* SPDX-License-Identifier: Apache-2.0 */
/* pod_facts.h: what the controllers agree on about Pods.  Pure. */
#ifndef CONTROL_WORKLOADS_POD_FACTS_H
#define CONTROL_WORKLOADS_POD_FACTS_H

#include "kube/api/core.h"

/* The node that this program plays. */
#define NODE_NAME "serin"

/* Reasons of a container that waits for something that only a user can change. */
#define REASON_NOT_SIMULATED "NotSimulated"
#define REASON_NO_CONFIG     "CreateContainerConfigError"
#define REASON_UNSCHEDULABLE "Unschedulable"
/* Waits for its next start. */
#define CRASH_LOOP "CrashLoopBackOff"

/* Neither being deleted nor at its end: it counts as a replica. */
bool pod_is_active(const struct kube_object *pod);
/* Succeeded or Failed. */
bool pod_is_over(const struct kube_object *pod);
/* It is not Ready and will not be before somebody changes an object. */
bool pod_is_stuck(const struct kube_object *pod);

#endif
