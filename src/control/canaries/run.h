/* SPDX-License-Identifier: Apache-2.0 */
/* run.h: one Canary at work: gathers facts, asks the rollout what to do, does it.
 *
 * What must survive is in the object's status and nowhere else: a decision is written there and read back durable
 * before the weight it announces is moved.  What a process loses with its life is evidence (the analysis starts its
 * step anew) and the figures of the last minutes.  Control thread. */
#ifndef CONTROL_CANARIES_RUN_H
#define CONTROL_CANARIES_RUN_H

#include "base/json_write.h"
#include "canary/tap.h"
#include "inference/pool.h"
#include "kube/apiserver/event_recorder.h"
#include "observe/metrics.h"

/* What all runs share; borrowed. */
struct run_context {
    struct reactor *reactor;
    struct store *store;
    struct event_recorder *recorder;
    struct pool_registry *pools;
    struct canary_taps *taps;
    const struct strata_options *strata;
    /* A pool that no route names yet was taken: its members are to be filled in. */
    void (*on_pool_taken)(void *context);
    void *context;
};

struct canary_run;

struct canary_run *run_new(const struct run_context *context, const struct kube_object *canary);
void run_free(struct canary_run *run);
bool run_is_for(const struct canary_run *run, const struct kube_object *canary);
/* Its object is not in the store any more. */
bool run_is_gone(const struct canary_run *run);
/* Looks at the durable object and does what is due.  now_ms: monotonic; now_wall_ms: of the statuses and the rollout.
 */
void run_sync(struct canary_run *run, const struct kube_object *canary, uint64_t now_ms, uint64_t now_wall_ms);
/* Something is due now: an interval, or what the rollout asked to be called for. */
bool run_is_due(const struct canary_run *run, uint64_t now_ms);
/* Its gauges, which somebody has cleared. */
void run_set_gauges(const struct canary_run *run, struct metrics *metrics, unsigned shard);
/* For /debug/canaries: what is in no status. */
void run_write(const struct canary_run *run, struct json_writer *json);

#endif
