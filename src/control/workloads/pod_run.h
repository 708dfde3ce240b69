/* SPDX-License-Identifier: Apache-2.0 */
/* pod_run.h: one Pod on this machine: its process from the first start to the last signal, its probes, its restarts,
 * and the status that tells of them.
 *
 * Owned by the runner, which tells it what the store says of its Pod and how its process ended.  Control thread. */
#ifndef CONTROL_WORKLOADS_POD_RUN_H
#define CONTROL_WORKLOADS_POD_RUN_H

#include "control/workloads/pod_env.h"
#include "control/workloads/pod_process.h"
#include "control/workloads/pod_status.h"
#include "control/workloads/probe.h"
#include "kube/apiserver/event_recorder.h"
#include "observe/metrics.h"

enum run_state {
    RUN_UNABLE,    /* nothing here can stand for its command: stays so */
    RUN_NO_CONFIG, /* a ConfigMap or Secret is missing */
    RUN_RUNNING,
    RUN_BACK_OFF, /* it ended; the timer starts it again */
    RUN_OVER,     /* it ended and its restart policy leaves it at that */
    RUN_ENDING,   /* the Pod is being deleted: SIGTERM when readers know, SIGKILL when its grace is over */
    RUN_GONE      /* the Pod is no more: SIGKILL when readers know */
};

/* What all runs share. */
struct run_context {
    struct reactor *reactor;
    struct store *store;
    struct event_recorder *recorder;
    const char *program;
    const char *log_dir;
    double speed;
    struct metrics *metrics;
    unsigned shard;
    const struct process_ops *processes;
    struct random_state random;
};

struct pod_run {
    struct list link; /* the runner's */
    unsigned seen;    /* the same: the pass that saw its Pod last */
    struct run_context *context;
    char *uid;          /* of the Pod */
    struct stored *pod; /* the newest head; the last one once it is gone */
    uint64_t published; /* version of the head whose status is ours */
    enum run_state state;
    bool is_ready;
    bool is_signalled; /* RUN_ENDING: SIGTERM was sent */
    pid_t pid;         /* 0 = none */
    char ip[16];       /* "" none yet */
    unsigned restarts, failures, successes;
    uint64_t back_off_ms;
    uint64_t ready_at_ms;     /* monotonic */
    uint64_t signalled_at_ms; /* monotonic */
    uint64_t started_wall_ms;
    struct pod_exit last;
    const char *why;    /* RUN_UNABLE, RUN_NO_CONFIG, RUN_BACK_OFF: a sentence */
    const char *reason; /* of waiting; NULL in RUN_BACK_OFF: it starts again at once */
    struct command_line command;
    struct arena *arena; /* of the present start */
    struct wheel_timer timer;
    struct probe_attempt probe;
};

/* A run of a Pod that was given to this node, started at once. */
struct pod_run *pod_run_new(struct run_context *context, const struct stored *pod);
/* Kills what still runs, and waits for it. */
void pod_run_free(struct pod_run *run);
/* The Pod's present head.  May remove the Pod, when it is being deleted and nothing runs any more. */
void pod_run_update(struct pod_run *run, const struct stored *pod);
/* The Pod has no head any more. */
void pod_run_lose(struct pod_run *run);
/* Its process has ended. */
void pod_run_exited(struct pod_run *run, int wait_status);
/* The program ends: SIGTERM now, SIGKILL after wait_ms; the Pod stays as it is. */
void pod_run_stop(struct pod_run *run, uint32_t wait_ms);
/* Neither a process nor a Pod is left: it may be freed. */
bool pod_run_is_over(const struct pod_run *run);
bool pod_run_log_path(const struct pod_run *run, char out[POD_LOG_PATH_SIZE]);

#endif
