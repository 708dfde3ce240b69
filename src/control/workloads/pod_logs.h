/* SPDX-License-Identifier: Apache-2.0 */
/* pod_logs.h: bounds and removes the log files of pods.
 *
 * A process appends to its file itself (a pipe would make the control thread carry every line, and a slow control
 * thread would stop a model server).  A file that has grown too large is copied to <file>.1 and emptied; what is
 * written between the two is lost.  Whoever follows a file sees it shrink. */
#ifndef CONTROL_WORKLOADS_POD_LOGS_H
#define CONTROL_WORKLOADS_POD_LOGS_H

#include <stdbool.h>
#include <stddef.h>

enum { POD_LOG_MAX_BYTES = 10 * 1024 * 1024 };

/* Rotates the file when it is larger than max_bytes.  True when it did. */
bool pod_log_rotate(const char *path, size_t max_bytes);
/* The file and what was rotated out of it. */
void pod_log_remove(const char *path);
/* Removes every pod log in the directory whose pod is not alive (is_alive says no), and nothing else. */
void pod_logs_sweep(const char *log_dir, bool (*is_alive)(void *context, const char *namespace_, const char *pod),
                    void *context);

#endif
