/* SPDX-License-Identifier: Apache-2.0 */
/* pod_run_internal.h: what pod_run.c, pod_start.c and pod_readiness.c share. */
#ifndef CONTROL_WORKLOADS_POD_RUN_INTERNAL_H
#define CONTROL_WORKLOADS_POD_RUN_INTERNAL_H

#include "control/workloads/pod_run.h"

#define KUBELET "kubelet"

const struct kube_object *pod_run_object(const struct pod_run *run);
const struct pod_template *pod_run_template(const struct pod_run *run);
const struct container_spec *pod_run_container(const struct pod_run *run);
/* Divided by the speed; at least 1. */
uint64_t pod_run_scaled_ms(const struct pod_run *run, uint64_t ms);
void pod_run_set_timer(struct pod_run *run, uint64_t delay_ms);
/* The Pod's present head; NULL when this Pod is no more. */
const struct stored *pod_run_head(const struct pod_run *run);
void pod_run_hold(struct pod_run *run, const struct stored *pod);
/* Writes the status; true when it differs from what was there. */
bool pod_run_publish(struct pod_run *run);
/* It does not run, and why. */
void pod_run_wait(struct pod_run *run, enum run_state state, const char *reason, const char *why);
/* Tried again after a while, longer each time. */
void pod_run_back_off(struct pod_run *run, const char *reason, const char *why);

/* pod_start.c: makes the Pod's process, or waits for what is missing. */
void pod_run_start(struct pod_run *run);

/* pod_readiness.c: the process has just started. */
void pod_run_begin_probing(struct pod_run *run);
/* The time for a probe has come. */
void pod_run_probe(struct pod_run *run);
void pod_run_on_probed(struct probe_attempt *attempt, bool ok);

#endif
