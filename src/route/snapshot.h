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
#include "canary/observation.h"
#include "inference/pool.h"
#include "route/split_counters.h"
#include "route/stickiness.h"

struct canary_tap;

/* What a draw chooses from: the arms of a rule or the targets of a model, in their order. */
struct split {
    const struct stickiness *stickiness;
    uint64_t identity; /* of the rule or model: what is remembered is remembered for it */
    unsigned count;
    uint32_t weighted; /* bits of those with weight */
    uint32_t working;  /* bits of those that a pin or a memory may name */
    struct bytes *ids;
    uint32_t *weights;
    uint64_t *hashes;                /* of the ids; never 0 */
    uint64_t *seeds;                 /* of the ids and the salt, for keyed draws */
    struct split_counters *counters; /* keyless draws: one counter per set of eligible arms */
    struct canary_tap *tap;          /* of the Canary that moves the weights, held by the snapshot; NULL: none does */
    unsigned roles[ARM_ROLES];       /* which arms are its own; count: that one is absent */
};

/* A target of an InferenceModel: the second draw. */
struct model_target {
    struct bytes name;
    uint32_t weight;
    struct bytes arm_text;  /* "<pool>/<target model>", for x-serin-arm and metrics */
    struct bytes arm_id;    /* "model/<namespace>/<pool>/<target>", for rendezvous hashing */
    struct canary_tap *tap; /* of the Canary that judges this arm, held by the snapshot; NULL: none does */
    enum arm_role role;
};

/* What a pool does with one model name. */
struct model_rule {
    struct bytes model;
    const char *object; /* "InferenceModel default/loramodel" */
    struct model_target *targets;
    unsigned target_count;
    struct split split;
    int32_t priority; /* by criticality: 1, 0 or, sheddable, -1 */
    bool has_criticality;
};

struct objective {
    struct bytes name;
    const char *object; /* "InferenceObjective default/batch" */
    int32_t priority;
};

/* Of a pool.  Values: struct objective. */
struct objectives {
    struct hashmap *by_name;  /* as a header names them */
    struct hashmap *by_model; /* as they name the models that clients ask for */
};

enum pool_arm_kind { POOL_ARM_POOL, POOL_ARM_SERVICE, POOL_ARM_INVALID };

/* A backendRef: the first draw. */
struct pool_arm {
    enum pool_arm_kind kind;
    uint32_t weight;
    struct pool *pool;                  /* NULL when invalid */
    const char *invalid_reason;         /* "BackendNotFound", "InvalidKind", "RefNotPermitted" */
    struct bytes text;                  /* "<pool>" */
    struct bytes id;                    /* "pool/<namespace>/<name>" */
    struct hashmap *models;             /* requested model -> struct model_rule; NULL for services */
    const struct model_rule *any_model; /* for what models does not name; NULL: such names pass unchanged */
    struct hashmap *targets; /* target model names, direct requests for which the pool also knows; value: itself */
    const struct objectives *objectives; /* NULL: the pool has none */
    struct canary_tap *tap;              /* of the Canary that judges this arm, held by the snapshot; NULL: none does */
    enum arm_role role;
};

#define ROUTE_MAX_ARMS        16 /* CRD: at most 16 backendRefs */
#define ROUTE_MAX_TARGETS     32 /* CRD: at most 10, in a Rewrite 32; a bit for each in a draw */
#define ROUTE_MAX_PIN_HEADERS 64 /* different names among the Canaries behind one rule */

struct route_rule {
    const char *route;     /* "default/inference-route" */
    const char *rule_name; /* "rules[0]" or its name */
    struct pool_arm *arms;
    unsigned arm_count;
    struct split split;
    bool reads_conversation;         /* it, or a model of its pools, wants the messages read */
    const struct bytes *pin_headers; /* of it and of those models: they go no further */
    unsigned pin_header_count;
    uint64_t request_timeout_ms;     /* 0 = none */
    uint64_t backend_timeout_ms;     /* 0 = none */
    uint64_t first_token_timeout_ms; /* from a try's start to the first byte of its answer's body; 0 = none */
    uint64_t stream_idle_timeout_ms; /* between bytes of an event stream; 0 = none */
    unsigned max_tries;              /* the first included; 0: the proxy's own */
    const uint16_t *retry_statuses;  /* of an endpoint's answer, after which another one is asked */
    unsigned retry_status_count;
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
