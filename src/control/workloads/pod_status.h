/* SPDX-License-Identifier: Apache-2.0 */
/* pod_status.h: what a kubelet reports of a Pod, as a JSON status.  Pure. */
#ifndef CONTROL_WORKLOADS_POD_STATUS_H
#define CONTROL_WORKLOADS_POD_STATUS_H

#include "kube/api/core.h"

/* How a process ended. */
struct pod_exit {
    bool is_set;
    int code;        /* 128 + signal when a signal ended it */
    int signal;      /* 0 none */
    const char *why; /* reason; NULL: Completed or Error, by the code */
    uint64_t started_wall_ms, ended_wall_ms;
};

enum container_state { CONTAINER_WAITING, CONTAINER_RUNNING, CONTAINER_ENDED };

struct pod_report {
    const char *phase;
    const char *ip; /* "" none yet */
    bool is_ready;
    enum container_state state;
    const char *waiting_reason;  /* of CONTAINER_WAITING */
    const char *waiting_message; /* "" */
    uint64_t started_wall_ms;    /* of CONTAINER_RUNNING */
    struct pod_exit last;        /* lastState; of CONTAINER_ENDED: the state */
    unsigned restarts;
};

/* Times of conditions that did not change are taken from the pod's present status. */
json_t *pod_status_build(const struct kube_object *pod, const struct pod_report *report, uint64_t now_wall_ms);
/* Of a pod that finds no place: only PodScheduled, False. */
json_t *pod_status_unschedulable(const struct kube_object *pod, const char *message, uint64_t now_wall_ms);
/* Of a pod whose process ended with an earlier run of this program: not ready, about to be started again.  NULL when it
 * says so already. */
json_t *pod_status_lost(const struct kube_object *pod, uint64_t now_wall_ms);

/* From wait(2). */
struct pod_exit pod_exit_of(int wait_status, uint64_t started_wall_ms, uint64_t ended_wall_ms);
/* lastState and restartCount of the first container as stored. */
unsigned pod_status_restarts(const struct kube_object *pod);
struct pod_exit pod_status_last(const struct kube_object *pod);

#endif
