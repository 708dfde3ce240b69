/* SPDX-License-Identifier: Apache-2.0 */
/* pool_settings.h: how a pool picks, as the annotations of its InferencePool say.
 *
 *   serin.dev/picker          an EndpointPickerConfig
 *   serin.dev/picker-config   NAME or NAME/KEY of a ConfigMap in the pool's namespace that holds one
 *   serin.dev/scorers         queue-scorer=2, prefix-cache-scorer=3
 *   serin.dev/metrics         waiting=NAME,running=NAME,kv=NAME{label="value"}
 *   serin.dev/stale-metrics   own-counts, keep or exclude, perhaps with an age: exclude,5s
 *   serin.dev/flow-control    shed (the default) or queue, perhaps with: ttl=60s,order=fcfs|deadline,requests=5000,
 *                             bytes=1G,full-queue=5,full-cache=0.8
 *
 * Of the first three one may be there.  Control thread. */
#ifndef CONTROL_POOL_SETTINGS_H
#define CONTROL_POOL_SETTINGS_H

#include "inference/flow/pool_gate.h"
#include "inference/schedule/picker_config.h"
#include "inference/schedule/scheduler.h"
#include "kube/api/object_cache.h"

struct pool_settings {
    struct profile profile;
    uint64_t prefix_tokens; /* 0: as many as the engines say */
    struct stale_policy stale;
    struct gate_settings gate;
    const char *metric_names; /* of the object; "": none */
};

/* False, with a problem for each thing that is wrong. */
bool pool_settings_read(const struct object_cache *cache, const struct kube_object *object, struct problems *problems,
                        struct pool_settings *ret_settings);
/* Puts them in force in the pool and its members; does nothing when they are as they were.  What is wrong is logged
 * once, and the former ones stay. */
void pool_settings_follow(const struct object_cache *cache, const struct kube_object *object, struct pool *pool);
/* Of all InferencePools there are, for `serin check`. */
void pool_settings_check(const struct object_cache *cache, struct problems *problems);

#endif
