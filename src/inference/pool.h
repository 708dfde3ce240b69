/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h: the endpoints of an InferencePool (or of a Service backend), changed in place while snapshots come and go.
 *
 * Shared by all threads; `lock` guards the member list and is held for a pick's few dozen nanoseconds.  Pools are found
 * by key in a registry and counted: each snapshot that names one holds it. */
#ifndef INFERENCE_POOL_H
#define INFERENCE_POOL_H

#include "inference/endpoint.h"
#include "inference/prefix_index.h"

/* Of all pools of a registry together. */
enum { POOL_PREFIX_OWNERS = 1024, POOL_PREFIX_ENTRIES = 1 << 20 };
/* An endpoint's share of the prefix index until the size of its KV cache is known: 262,144 tokens in units of 64. */
enum { POOL_PREFIX_CAPACITY = 4096 };

struct pool_schedule;
struct pool_gate;

struct pool {
    char *key;             /* "pool/default/mymodel-pool-v1" or "service/default/web:80" */
    char *namespace_;      /* of the object */
    char *name;            /* of the object: shown in x-serin-arm */
    bool is_service;       /* a Service: no scraping, no models */
    uint16_t service_port; /* of the Service; 0 for an InferencePool */
    atomic_uint users;
    pthread_mutex_t lock;
    struct endpoint **members;
    unsigned member_count;
    unsigned rotation;             /* spreads ties */
    struct prefix_index *prefixes; /* the registry's: shared by all pools */
    uint64_t settings_hash;        /* of what pool_settings.c read last; the control thread's */
    /* What schedule/ keeps per pool, under `lock`; it sets schedule_free with it.  NULL: nothing yet. */
    struct pool_schedule *schedule;
    void (*schedule_free)(struct pool_schedule *schedule);
    atomic_bool wants_sessions;   /* its profile asks for keys: finding one costs */
    atomic_bool ignores_prefixes; /* as its profile says: prompts need not be hashed */
    /* What flow/ keeps per pool: made once under `lock`, then with a lock of its own.  NULL: nothing yet. */
    struct pool_gate *gate;
    atomic_bool has_queue; /* as the gate's settings say: most requests need to know no more */
    void (*gate_free)(struct pool_gate *gate);
};

struct pool_member {
    const char *ip;
    uint16_t port;
    const char *pod;
    const char *revision; /* of its pod template; NULL: not known */
    const char *labels;   /* "\nkey=value\nkey=value\n"; NULL: none */
    bool is_ready;
    bool is_checked;
};

struct pool_registry;

struct pool_registry *pool_registry_new(void);
void pool_registry_free(struct pool_registry *registry);
/* Finds or makes; the caller gets one count.  Control thread only. */
struct pool *pool_registry_take(struct pool_registry *registry, bool is_service, const char *namespace_,
                                const char *name, uint16_t service_port);
void pool_take(struct pool *pool);
/* From any thread; a pool without users stays in the registry until pool_registry_sweep() on the control thread. */
void pool_give_back(struct pool *pool);
void pool_registry_sweep(struct pool_registry *registry);
/* Walks; *cursor = 0 at first; NULL at the end.  Control thread only. */
struct pool *pool_registry_next(const struct pool_registry *registry, size_t *cursor);

/* What changed, for who scrapes and checks. */
struct pool_change {
    void (*on_added)(void *context, struct pool *pool, struct endpoint *endpoint);
    void *context;
};
/* Makes the members exactly these.  Known ones keep their load: the same ip, port, pod and is_checked; another pod on a
 * reused address is a new endpoint.  Of members with one address the first counts, what is no address is left out.
 * on_added is called after the list was replaced.  Control thread. */
void pool_set_members(struct pool *pool, const struct pool_member *members, unsigned count,
                      const struct pool_change *change);
/* Some member lists the model at /v1/models. */
bool pool_lists_model(struct pool *pool, struct bytes model);
unsigned pool_usable_count(struct pool *pool);

#endif
