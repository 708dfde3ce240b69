/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.h: one model server address and what is known of its load.
 *
 * Shared by all threads.  Protocol: the identity never changes; `load` is atomics on a cache line of its own (workers
 * count what they send, the scraper stores what it read, the control thread sets ready and healthy); the adapter and
 * model lists are replaced whole under `lock`.  Counted: the pool's member list, each exchange and each scraper hold
 * one. */
#ifndef INFERENCE_ENDPOINT_H
#define INFERENCE_ENDPOINT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "net/address.h"

struct endpoint_load {
    _Alignas(CACHE_LINE) atomic_uint in_flight; /* exchanges of this process */
    atomic_uint waiting;                        /* as scraped */
    atomic_uint running;                        /* as scraped */
    atomic_uint kv_permille;                    /* as scraped, 0..1000 */
    atomic_uint max_loras;                      /* 0 = unknown or none */
    atomic_ullong scraped_ms;                   /* monotonic time of the last good scrape; 0 = never */
    atomic_ullong avoid_until_ms;               /* after a failed connect: others are preferred until then */
    atomic_bool is_ready;                       /* as the Pod or EndpointSlice says */
    atomic_bool is_healthy;                     /* as active checks say; true when there are none */
    atomic_bool is_removed;                     /* in no pool any more: scrapers let go */
};

struct name_list { /* malloc'ed strings */
    char **names;
    unsigned len;
};

struct endpoint {
    struct endpoint_load load;
    char *text; /* "127.0.0.5:8000" */
    char *pod;  /* "default/qwen-abc" or the EndpointSlice's "default/hosts"; for people */
    struct address address;
    bool is_checked; /* from an EndpointSlice: actively health-checked */
    atomic_uint users;
    pthread_mutex_t lock;
    struct name_list running_loras; /* resident adapters */
    struct name_list waiting_loras;
    struct name_list models; /* ids of /v1/models */
};

/* Starts with one user, not ready, healthy.  NULL when ip is no address. */
struct endpoint *endpoint_new(const char *ip, uint16_t port, const char *pod, bool is_checked);
struct endpoint *endpoint_take(struct endpoint *endpoint);
void endpoint_give_back(struct endpoint *endpoint);
bool endpoint_is_usable(const struct endpoint *endpoint); /* ready and healthy */
/* Replace the lists; the names are copied. */
void endpoint_set_loras(struct endpoint *endpoint, struct bytes running_csv, struct bytes waiting_csv);
void endpoint_set_models(struct endpoint *endpoint, const struct bytes *names, unsigned count);
bool endpoint_has_lora(struct endpoint *endpoint, struct bytes name); /* running or waiting */
bool endpoint_lists_model(struct endpoint *endpoint, struct bytes name);

#endif
