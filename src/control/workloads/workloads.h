/* SPDX-License-Identifier: Apache-2.0 */
/* workloads.h: the controllers that a cluster would run: Deployment, ReplicaSet, kubelet (simulated model servers),
 * EndpointSlice, garbage collector, Namespace.
 *
 * All state is in the store's objects; what is lost with the process (the processes of pods) is made anew from them.
 * A change of the store marks what may be stale; one task at the end of the turn looks at it.  Control thread. */
#ifndef CONTROL_WORKLOADS_WORKLOADS_H
#define CONTROL_WORKLOADS_WORKLOADS_H

#include "control/workloads/pod_process.h"
#include "kube/apiserver/event_recorder.h"
#include "kube/store/store.h"
#include "observe/metrics.h"

struct workloads;

struct workloads_config {
    /* False (--workloads none): garbage collector, Namespaces and EndpointSlices only. */
    bool runs_pods;
    const char *program; /* this binary */
    const char *log_dir; /* of pod logs; exists */
    double speed;        /* divides probe delays and periods, start-up times and restart back-offs */
    /* Once, after workloads_start() and never from inside it: no durable Pod says Ready any more whose process ended
     * with an earlier run of this program (or the disk refuses to be told).  Traffic may be routed from now on.  NULL:
     * nobody wants to know. */
    void (*on_repaired)(void *context);
    void *context;
    struct metrics *metrics;
    unsigned shard;
    const struct process_ops *processes; /* NULL: real ones */
};

/* Borrows all that is given, for its life. */
struct workloads *workloads_new(struct reactor *reactor, struct store *store, struct event_recorder *recorder,
                                const struct workloads_config *config);
/* Makes the Namespaces that always exist, takes readiness from the Pods of an earlier run (their heads say so at once),
 * and follows the store from here on. */
void workloads_start(struct workloads *workloads);
/* Children have ended (SIGCHLD). */
void workloads_reap(struct workloads *workloads);
/* Every replica of every Deployment and ReplicaSet is a Ready pod, or can never be one.  Asked again after each change
 * of the store. */
bool workloads_are_ready(const struct workloads *workloads);
/* No more passes; SIGTERM to all processes, SIGKILL after grace_ms.  on_done(config.context) once the last has ended,
 * maybe from inside.  Pod objects stay: the next start runs them again. */
void workloads_stop(struct workloads *workloads, uint32_t grace_ms, void (*on_done)(void *context));
/* Kills what still runs.  Before the store closes.  Accepts NULL. */
void workloads_free(struct workloads *workloads);

#endif
