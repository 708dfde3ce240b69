/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.h: the compiled, immutable routing configuration.
 *
 * Built whole by route_compile() on the control thread, then only read.  Each worker holds it through a lease
 * (lease.h); the last hold frees the arena and gives back pools and split counters. */
#ifndef ROUTE_SNAPSHOT_H
#define ROUTE_SNAPSHOT_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hashmap.h"
#include "inference/pool.h"
#include "route/split_counters.h"

/* A target of an InferenceModel: the second draw. */
struct model_target {
    struct bytes name;
    uint32_t weight;
    struct bytes arm_text; /* "<pool>/<target model>", for x-serin-arm and metrics */
    struct bytes arm_id;   /* "model/<namespace>/<pool>/<target>", for rendezvous hashing */
};

/* What a pool does with one model name. */
struct model_rule {
    struct bytes model;
    const char *object; /* "InferenceModel default/loramodel" */
    struct model_target *targets;
    unsigned target_count;
    struct split_counters *counters; /* keyless draw over the targets */
    struct bytes salt;               /* "<namespace>/<object name>" */
};

enum pool_arm_kind { POOL_ARM_POOL, POOL_ARM_SERVICE, POOL_ARM_INVALID };

/* A backendRef: the first draw. */
struct pool_arm {
    enum pool_arm_kind kind;
    uint32_t weight;
    struct pool *pool;          /* NULL when invalid */
    const char *invalid_reason; /* "BackendNotFound", "InvalidKind", "RefNotPermitted" */
    struct bytes text;          /* "<pool>" */
    struct bytes id;            /* "pool/<namespace>/<name>" */
    struct hashmap *models;     /* requested model -> struct model_rule; NULL for services */
    struct hashmap *targets;    /* target model names, direct requests for which the pool also knows; value: itself */
};

#define ROUTE_MAX_ARMS 16 /* CRD: at most 16 backendRefs */

struct route_rule {
    const char *route;     /* "default/inference-route" */
    const char *rule_name; /* "rules[0]" or its name */
    struct pool_arm *arms;
    unsigned arm_count;
    struct split_counters *counters; /* keyless draw, one counter per set of eligible arms */
    struct bytes salt;               /* the route's "namespace/name" */
    uint64_t request_timeout_ms;     /* 0 = none */
    uint64_t backend_timeout_ms;     /* 0 = none */
};

struct route_port;     /* match tables of one socket; port_tables.h */
struct snapshot_owned; /* what dies with the snapshot besides its arena; snapshot.c */

struct route_snapshot {
    struct arena *arena;
    uint64_t generation;
    struct route_port **ports; /* by socket id; NULL where nothing listens */
    unsigned port_count;
    atomic_uint holds;
    struct snapshot_owned *owned;
};

/* Empty, held once.  For route_compile(). */
struct route_snapshot *route_snapshot_new(uint64_t generation);
/* release(object) is called when the snapshot dies, in the thread of the last hold. */
void route_snapshot_own(struct route_snapshot *snapshot, void (*release)(void *object), void *object);

void route_snapshot_take(struct route_snapshot *snapshot);
/* From any thread. */
void route_snapshot_give_back(struct route_snapshot *snapshot);

#endif
