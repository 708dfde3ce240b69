/* SPDX-License-Identifier: Apache-2.0 */
/* pod_process.h: starts the simulator process of a pod, and picks loopback addresses for pods. */
#ifndef CONTROL_POD_PROCESS_H
#define CONTROL_POD_PROCESS_H

#include <sys/types.h>

#include "base/random.h"
#include "control/command_line.h"

struct pod_process {
    const char *program; /* this binary */
    const char *pod_name;
    const char *namespace_;
    const char *ip;
    const struct command_line *command;
    const char *behaviour; /* annotation serin.dev/sim, or NULL */
    double speed;
    const char *log_path; /* standard output and error are appended here */
};

/* Starts it; dies with this thread's process.  The pid, or -errno. */
pid_t pod_process_start(const struct pod_process *process, struct arena *arena);
/* A 127.x.y.z that nobody listens on at this port; text has room for 16 bytes.  false when none was found. */
bool pod_address_find(struct random_state *random, uint16_t port, char text[16]);

#endif
