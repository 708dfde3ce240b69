/* SPDX-License-Identifier: Apache-2.0 */
/* workloads.h: plays kubelet and Deployment controller for simulated model servers: one process per replica.
 *
 * Pods are objects in the cache like any others, so that pools find them by their labels.  Control thread. */
#ifndef CONTROL_WORKLOADS_H
#define CONTROL_WORKLOADS_H

#include "kube/api/object_cache.h"
#include "net/reactor.h"
#include "observe/metrics.h"

struct workloads;

struct workloads_config {
    const char *program; /* this binary */
    const char *log_dir; /* of pod logs; exists */
    double speed;        /* divides probe delays and periods, start-up times and restart back-offs */
    /* A Pod object appeared, changed or went: endpoints must be looked at again. */
    void (*on_pods_changed)(void *context);
    void *context;
    struct metrics *metrics;
    unsigned shard;
};

struct workloads *workloads_new(struct reactor *reactor, struct object_cache *cache,
                                const struct workloads_config *config);
/* Kills what still runs. */
void workloads_free(struct workloads *workloads);
/* Makes the pods what the cache's Deployments say. */
void workloads_sync(struct workloads *workloads);
/* A child has ended (from SIGCHLD). */
void workloads_reap(struct workloads *workloads);
/* Every replica of every Deployment is a Ready pod, or can never be one. */
bool workloads_are_ready(const struct workloads *workloads);
/* SIGTERM to all; on_done once the last has ended (or was killed after grace_ms). */
void workloads_stop(struct workloads *workloads, uint32_t grace_ms, void (*on_done)(void *context));

#endif
