/* SPDX-License-Identifier: Apache-2.0 */
/* pod_runner.h: the kubelet (and the scheduler: there is one node): Pods of the store -> processes.
 *
 * Keeps a run for each Pod that was given to this node; everything else is in the store.  Control thread. */
#ifndef CONTROL_WORKLOADS_POD_RUNNER_H
#define CONTROL_WORKLOADS_POD_RUNNER_H

#include "control/workloads/pass.h"
#include "control/workloads/pod_run.h"

struct pod_runner;

/* Borrows context, for its life. */
struct pod_runner *pod_runner_new(struct run_context *context);
/* Kills what still runs.  Accepts NULL. */
void pod_runner_free(struct pod_runner *runner);
void pod_runner_sync(struct pod_runner *runner, struct pass *pass);
void pod_runner_reap(struct pod_runner *runner);
/* As workloads_stop(). */
void pod_runner_stop(struct pod_runner *runner, uint32_t wait_ms, void (*on_done)(void *data), void *data);

/* At the start, before anything runs: what an earlier run left.  Its Pods lose their readiness. */
void pods_take_back(struct pass *pass);
/* Instead of a runner: Pods that are being deleted go at once, since nothing runs; with is_start also those that an
 * earlier run had on this node. */
void pods_release(struct pass *pass, bool is_start);
/* Removes the logs of Pods that are no more. */
void pods_sweep_logs(struct store *store, const char *log_dir);

#endif
