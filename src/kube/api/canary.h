/* SPDX-License-Identifier: Apache-2.0 */
/* canary.h: Canary (serin.dev/v1alpha1), decoded and defaulted: the plan of a release and how its arms are judged.
 *
 * Says what the user wrote, in units that need no parsing; what it means is decided elsewhere.  Which arms the target
 * has is not known here. */
#ifndef KUBE_API_CANARY_H
#define KUBE_API_CANARY_H

#include "kube/api/object.h"

#define CANARY_GROUP "serin.dev"

/* X(ID, "name", unit, at_least): what a guard can look at, and which way is worse by default. */
#define CANARY_METRICS(X)                                                                                              \
    X(ERROR_RATE, "errorRate", SHARE, false)                                                                           \
    X(THROTTLED_RATE, "throttledRate", SHARE, false)                                                                   \
    X(EMPTY_RATE, "emptyRate", SHARE, false)                                                                           \
    X(FINISH_STOP, "finishStop", SHARE, true)                                                                          \
    X(FINISH_LENGTH, "finishLength", SHARE, false)                                                                     \
    X(FINISH_TOOL_CALLS, "finishToolCalls", SHARE, false)                                                              \
    X(FINISH_CONTENT_FILTER, "finishContentFilter", SHARE, false)                                                      \
    X(FINISH_OTHER, "finishOther", SHARE, false)                                                                       \
    X(CLIENT_ERROR_RATE, "clientErrorRate", SHARE, false)                                                              \
    X(CANCELLED_RATE, "cancelledRate", SHARE, false)                                                                   \
    X(RETRIED_RATE, "retriedRate", SHARE, false)                                                                       \
    X(CACHE_HIT_SHARE, "cacheHitShare", SHARE, true)                                                                   \
    X(TTFT, "ttft", TIME, false)                                                                                       \
    X(TPOT, "tpot", TIME, false)                                                                                       \
    X(TOTAL, "total", TIME, false)                                                                                     \
    X(QUEUE, "queue", TIME, false)                                                                                     \
    X(OUTPUT_TOKENS, "outputTokens", NUMBER, false)                                                                    \
    X(COST, "cost", MILLIONTHS, false)

enum canary_target_kind { CANARY_HTTP_ROUTE, CANARY_INFERENCE_MODEL, CANARY_MODEL_REWRITE };

struct canary_target {
    enum canary_target_kind kind;
    const char *group; /* "": either spelling (InferenceModelRewrite) */
    const char *name;  /* in the Canary's namespace */
    const char *rule;  /* a rule's name or its index in digits; "": not given, fine where there is only one */
};

enum canary_hold { CANARY_HOLD_DURATION, CANARY_HOLD_REQUESTS, CANARY_HOLD_APPROVAL };

struct canary_step {
    unsigned weight_bp; /* 1..10000 basis points, above the step before */
    enum canary_hold hold;
    uint64_t hold_ms;
    uint64_t hold_requests;
};

/* Figures are shares (0.01 is 1 %), microseconds, tokens or millionths of cost, by the metric. */
struct canary_guard {
    const char *metric; /* one of CANARY_METRICS */
    double quantile;    /* 0: the mean, or a share */
    bool is_at_least;   /* the canary must have as much, not as little */
    bool has_relative;
    double ratio;    /* to stable */
    double increase; /* what is allowed on top; with is_at_least: what may be missing */
    bool has_absolute;
    double absolute;
    bool holds; /* severity hold: stay; else roll back */
};

struct canary_analysis {
    bool is_enabled;
    uint64_t interval_ms;
    uint64_t window_ms;
    unsigned min_samples;
    double max_slack;
    struct canary_guard *guards; /* none: the defaults of whoever judges */
    unsigned guard_count;
};

/* Of a million tokens, in millionths of the operator's unit. */
struct canary_price {
    bool is_given;
    uint64_t input_micros, cached_micros, output_micros;
};

/* What makes requests belong together, most wanted first: header, cookie, the built-in names, the opt-ins. */
struct canary_stickiness {
    const char *header; /* "" = none */
    const char *cookie; /* "" = none */
    bool default_keys;
    bool user;
    bool api_key;
    bool derived_key;
    bool new_conversations_only;
};

struct canary_pin {
    const char *header;      /* "<arm> <token>", arm = stable or canary; "": no pins */
    const char *secret_name; /* in the Canary's namespace */
    const char *secret_key;
};

struct canary_warmup {
    unsigned endpoints; /* that must be ready, or hold the adapter; 0: not given, which is one, or all */
    uint64_t timeout_ms;
    uint64_t slow_start_ms;
    const char *adapter_path; /* where model servers find the adapter; "": by its name */
};

struct canary_capacity {
    double max_queue;    /* waiting requests per endpoint, on average */
    double max_kv_cache; /* 0..1, on average */
};

struct canary_spec {
    struct canary_target target;
    const char *stable; /* "": the only other arm */
    const char *canary;
    struct canary_step *steps; /* 1..32, rising */
    unsigned step_count;
    struct canary_analysis analysis;
    struct canary_price stable_price, canary_price;
    struct canary_stickiness stickiness;
    const char *salt; /* "<namespace>/<name>" unless given: canaries with one salt draw one key alike */
    struct canary_pin pin;
    struct canary_warmup warmup;
    struct canary_capacity capacity;
    bool holds_on_failure; /* onFailure: hold */
    bool is_suspended;
};

/* The annotation by which routes and pools without a Canary are sticky, and its words:
 * "header=X-User,cookie=sid,user,api-key,derived-key,new-conversations,no-default-keys". */
#define CANARY_STICKINESS_ANNOTATION "serin.dev/stickiness"
/* NULL, or what is wrong with the text, as a sentence in the arena; names are copied into the arena. */
const char *canary_stickiness_parse(const char *text, struct arena *arena, struct canary_stickiness *ret_stickiness);

#endif
