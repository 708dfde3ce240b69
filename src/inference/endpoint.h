/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.h: one model server address and what is known of its load.
 *
 * Shared by all threads.  Protocol: the identity never changes; `load`, `work` and `adapters` are atomics (workers
 * count what they send, the scraper stores what it read, the control thread sets ready and healthy); the adapter and
 * model lists are replaced whole under `lock`.  Counted: the pool's member list, each exchange and each scraper hold
 * one. */
#ifndef INFERENCE_ENDPOINT_H
#define INFERENCE_ENDPOINT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "net/address.h"

/* A pick reads this and the work of each endpoint: one cache line each, side by side in struct endpoint. */
struct endpoint_load {
    atomic_uint in_flight;         /* exchanges of this process */
    atomic_uint in_flight_scraped; /* in_flight at the last good scrape */
    atomic_uint waiting;           /* as scraped */
    atomic_uint running;           /* as scraped */
    atomic_uint kv_permille;       /* as scraped, 0..1000 */
    atomic_uint max_loras;         /* 0 = unknown or none */
    atomic_uint probe;             /* trust.c's: none, wanted, running */
    atomic_uint missing_count;     /* trust.c's: models that were found missing, ever */
    atomic_ullong scraped_ms;      /* monotonic time of the last good scrape; 0 = never */
    atomic_ullong kv_tokens;       /* that its KV cache holds, as scraped; 0 = unknown */
    atomic_ullong avoid_until_ms;  /* after a failed connect: others are preferred until then */
    atomic_bool is_ready;          /* as the Pod or EndpointSlice says */
    atomic_bool is_healthy;        /* as active checks say; true when there are none */
    atomic_bool is_removed;        /* in no pool any more: scrapers let go */
};

/* What this process sent there and what came of it: exact, and without the delay of a scrape. */
struct endpoint_work {
    atomic_uint prefilling;       /* exchanges that wait for their first token */
    _Atomic float taken_in;       /* prompt tokens that its cache did not have, of late; see schedule/turnover.h */
    atomic_ullong prefill_tokens; /* prompt tokens that these probably make the endpoint compute */
    atomic_ullong prompt_tokens;  /* of all exchanges in flight */
    _Atomic double pace;          /* time to first token over what the cost model foresaw, averaged; 0 = unknown */
    _Atomic double ttft_ms;       /* averaged; 0 = unknown */
    _Atomic double token_ms;      /* time per output token, averaged; 0 = unknown */
    atomic_ullong cold_pick;      /* number of the last pick without any prefix hit; 0 = never */
};

enum { ADAPTER_NAMES_MAX = 32, ADAPTER_USES_MAX = 16 };

/* Names as hashes, so that a pick compares numbers; of longer lists the first ones. */
struct adapter_names {
    atomic_uint count;
    atomic_ullong hashes[ADAPTER_NAMES_MAX];
};

/* An adapter that this process has sent requests for.  Places are given out by picks (under the pool's lock) and kept
 * while exchanges are in flight. */
struct adapter_use {
    atomic_ullong hash; /* 0 = free */
    atomic_uint in_flight;
    atomic_bool is_warm;  /* it has answered since it got this place */
    atomic_ullong picked; /* number of the pool's pick that used it last */
};

struct endpoint_adapters {
    _Alignas(CACHE_LINE) atomic_uint use_count; /* of uses: the places that were ever given out */
    struct adapter_names running;               /* as scraped */
    struct adapter_names waiting;
    struct adapter_use uses[ADAPTER_USES_MAX];
};

enum { TRUST_MISSING_MAX = 8 };

/* trust.h */
struct endpoint_trust {
    atomic_uint failures;  /* in a row */
    atomic_uint ejections; /* in a row */
    atomic_ullong probe_until_ms;
    struct {
        atomic_ullong model; /* adapter_hash() */
        atomic_ullong until_ms;
    } missing[TRUST_MISSING_MAX];
};

struct prefix_index;

struct name_list { /* malloc'ed strings */
    char **names;
    unsigned len;
};

struct endpoint {
    _Alignas(2 * CACHE_LINE) struct endpoint_load load;
    struct endpoint_work work;
    uint16_t prefix_owner; /* its number in `prefixes`; PREFIX_NO_OWNER: it has none */
    struct endpoint_adapters adapters;
    struct endpoint_trust trust;
    struct prefix_index *prefixes; /* the pool's; NULL: none */
    char *text;                    /* "127.0.0.5:8000" */
    char *pod;                     /* "default/qwen-abc" or the EndpointSlice's "default/hosts"; for people */
    /* Which pod template the pod was made from, by its label; "" for what is no pod of a controller. */
    char revision[64];
    char *labels;      /* of the Pod or EndpointSlice (label_selector.h), under the pool's lock; NULL: none */
    uint64_t identity; /* a hash of address and pod: the same for the same server in all processes */
    struct address address;
    bool is_checked; /* from an EndpointSlice: actively health-checked */
    atomic_uint users;
    pthread_mutex_t lock;
    struct name_list running_loras; /* resident adapters */
    struct name_list waiting_loras;
    struct name_list models;           /* ids of /v1/models */
    char *metric_names;                /* the operator's, for the scraper; NULL: none */
    atomic_ullong fixed_prefix_tokens; /* 0: as many as the KV cache holds */
    atomic_uint metric_names_changes;
};
_Static_assert(offsetof(struct endpoint, work) == CACHE_LINE &&
                   offsetof(struct endpoint, prefix_owner) + sizeof(uint16_t) <= 2 * CACHE_LINE,
               "a pick reads two lines of an endpoint");

/* Starts with one user, not ready, healthy.  NULL when ip is no address. */
struct endpoint *endpoint_new(const char *ip, uint16_t port, const char *pod, bool is_checked);
struct endpoint *endpoint_take(struct endpoint *endpoint);
void endpoint_give_back(struct endpoint *endpoint);
/* Before others see it; cut at 63 bytes, as labels are. */
void endpoint_set_revision(struct endpoint *endpoint, const char *revision);
bool endpoint_is_usable(const struct endpoint *endpoint); /* ready and healthy */
/* Replace the lists; the names are copied. */
void endpoint_set_loras(struct endpoint *endpoint, struct bytes running_csv, struct bytes waiting_csv);
void endpoint_set_models(struct endpoint *endpoint, const struct bytes *names, unsigned count);
/* As the scraper reads them (metric_names_parse()); "" or NULL: none. */
void endpoint_set_metric_names(struct endpoint *endpoint, const char *text);
/* What its KV cache holds: so many tokens the prefix index keeps of what it is sent. */
void endpoint_set_kv_tokens(struct endpoint *endpoint, uint64_t tokens);
/* Instead of what its KV cache holds; 0: go by that again. */
void endpoint_fix_prefix_tokens(struct endpoint *endpoint, uint64_t tokens);
/* Its server began anew: nothing is cached there. */
void endpoint_forget_prefixes(struct endpoint *endpoint);
bool endpoint_has_lora(struct endpoint *endpoint, struct bytes name); /* running or waiting */
/* Never 0. */
uint64_t adapter_hash(struct bytes name);
bool adapter_names_have(const struct adapter_names *names, uint64_t hash);
bool endpoint_lists_model(struct endpoint *endpoint, struct bytes name);

#endif
