/* SPDX-License-Identifier: Apache-2.0 */
/* pod_process.h: starts the simulator process of a pod, picks loopback addresses for pods, and says where logs are. */
#ifndef CONTROL_WORKLOADS_POD_PROCESS_H
#define CONTROL_WORKLOADS_POD_PROCESS_H

#include <sys/types.h>

#include "base/random.h"
#include "control/workloads/command_line.h"

struct pod_process {
    const char *program; /* this binary */
    const char *pod_name;
    const char *namespace_;
    const char *ip;
    const struct command_line *command;
    const char *behaviour; /* annotation serin.dev/sim, or NULL */
    double speed;
    const char *log_path;     /* standard output and error are appended here */
    const char *const *extra; /* of the environment, "NAME=value", NULL-ended; NULL: none */
};

/* What is done to processes, so that tests can do it without any. */
struct process_ops {
    /* The pid, or -errno. */
    pid_t (*start)(const struct pod_process *process, struct arena *arena);
    /* As kill(2). */
    int (*signal)(pid_t pid, int signal);
    /* A child that has ended (pid -1: any) and its wait status; 0 or less when there is none, which comes at once
     * unless is_waiting. */
    pid_t (*reap)(pid_t pid, bool is_waiting, int *ret_status);
};
extern const struct process_ops process_ops_real;

/* Starts it; dies with this thread's process.  The pid, or -errno. */
pid_t pod_process_start(const struct pod_process *process, struct arena *arena);
/* A 127.x.y.z that nobody listens on at this port; text has room for 16 bytes.  false when none was found. */
bool pod_address_find(struct random_state *random, uint16_t port, char text[16]);
/* Nobody listens there. */
bool pod_address_is_free(const char *ip, uint16_t port);

#define POD_LOG_PATH_SIZE 4096
/* Where a container's output goes: <log_dir>/<namespace>_<pod>_<container>.log; what was rotated out has ".1" behind
 * it.  false when it does not fit. */
bool pod_log_path(const char *log_dir, const char *namespace_, const char *pod, const char *container,
                  char out[POD_LOG_PATH_SIZE]);

#endif
