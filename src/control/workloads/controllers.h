/* SPDX-License-Identifier: Apache-2.0 */
/* controllers.h: the controllers that are nothing but a function of a pass: each makes the store a step more like what
 * its objects ask for, and is called again when the store has changed (or when it asked to be woken). */
#ifndef CONTROL_WORKLOADS_CONTROLLERS_H
#define CONTROL_WORKLOADS_CONTROLLERS_H

#include "control/workloads/pass.h"

/* Each replica is a process of this machine: a mistyped number must not fill it. */
enum { MAX_REPLICAS = 256 };

/* Deployment -> ReplicaSets: revisions, rollouts, status. */
void deployments_sync(struct pass *pass);
/* ReplicaSet -> Pods, status. */
void replica_sets_sync(struct pass *pass);
/* Service with a selector -> EndpointSlices. */
void endpoint_slices_sync(struct pass *pass);
/* Owner references: what lost its owner goes; deletions in the foreground and with orphans. */
void garbage_sync(struct pass *pass);
/* Empties and removes Namespaces that are deleted; gives the others what every Namespace has. */
void namespaces_sync(struct pass *pass);
/* Makes `default` and `kube-system`, in which objects live whatever users do. */
void namespaces_make(struct pass *pass);

#endif
