/* SPDX-License-Identifier: Apache-2.0 */
/* compile_internal.h: what the steps of one compile share.  Private to the compile_*.c files.
 *
 * Order: classes, policies, Gateways (addresses, sockets), pools and models, routes (attachment, rules), tables, then
 * the statuses that depend on who attached.  Everything here lives in the scratch arena and dies with the compile; what
 * the snapshot keeps is in the snapshot's arena, what the report keeps is in the report's. */
#ifndef ROUTE_COMPILE_INTERNAL_H
#define ROUTE_COMPILE_INTERNAL_H

#include "canary/tap.h"
#include "kube/api/canary.h"
#include "kube/api/core.h"
#include "kube/api/gateway.h"
#include "kube/api/http_route.h"
#include "kube/api/inference.h"
#include "kube/api/policy.h"
#include "route/compile.h"
#include "route/port_tables.h"
#include "route/status_build.h"

#define GATEWAY_GROUP "gateway.networking.k8s.io"
#define POOL_V1_GROUP "inference.networking.k8s.io"
#define POOL_X_GROUP  "inference.networking.x-k8s.io"

/* A reason and a sentence; reason NULL: nothing to say. */
struct verdict {
    const char *reason;
    const char *message;
};

/* A candidate under one effective hostname of a listener. */
struct candidate_entry {
    struct route_candidate *candidate;
    const char *hostname;
    const char *route_hostname;
    struct candidate_entry *next;
};

struct listener_build {
    const struct gateway_listener *spec;
    struct gateway_build *gateway;
    bool takes_http_routes;
    struct verdict refused;      /* Accepted=False */
    struct verdict conflict;     /* Conflicted=True */
    struct verdict kinds;        /* ResolvedRefs=False */
    struct verdict unprogrammed; /* Programmed=False */
    unsigned attached_routes;
    const struct kube_object *last_route; /* counted: several references of one route may select this listener */
    struct port_listener *table;          /* NULL: not served */
    struct candidate_entry *entries;
    unsigned entry_count;
};

struct gateway_build {
    const struct kube_object *object;
    const struct gateway_spec *spec;
    struct listener_build *listeners; /* as in the spec */
    struct verdict refused;           /* Accepted=False */
    struct verdict unprogrammed;      /* Programmed=False */
    const char *address;              /* NULL: none */
    struct gateway_build *next;
};

/* The Gateways through which accepted routes refer to a pool object. */
struct pool_parents {
    const struct kube_object *object; /* NULL: this spelling does not exist */
    const struct gateway_build **gateways;
    unsigned count;
};

enum pool_spelling { POOL_V1, POOL_X, POOL_SPELLINGS };

struct pool_build {
    const char *namespace_;
    const char *name;
    struct pool_parents spellings[POOL_SPELLINGS];
    struct hashmap *models;
    struct hashmap *targets;
    struct objectives *objectives;       /* NULL: none */
    const struct model_rule *any_model;  /* for models that no rule names; NULL: they pass unchanged */
    const struct stickiness *stickiness; /* by annotation, of its models; NULL: none */
    const char *ignored;                 /* what is wrong with the annotation; NULL: nothing */
};

/* A backendRef looked up. */
struct backend {
    enum pool_arm_kind kind;
    struct verdict unresolved; /* ResolvedRefs=False of the route */
    const char *invalid_reason;
    struct pool_build *pool;
    enum pool_spelling spelling;
};

struct compile {
    const struct compile_input *input;
    struct route_snapshot *snapshot;
    struct arena *arena;   /* the snapshot's */
    struct arena *scratch; /* of the compile */
    struct status_report *report;
    struct gateway_build *gateways; /* oldest first */
    unsigned gateway_count;
    struct hashmap *pools;           /* "namespace/name" -> struct pool_build */
    struct hashmap *client_policies; /* "kind/namespace/name/section" -> the policy in force there */
    struct hashmap *backend_policies;
};

/* Objects of a kind, oldest first, then by namespace and name: who wins among equals. */
const struct kube_object **compile_by_age(struct compile *compile, enum kube_kind kind, unsigned *ret_count);
/* The map dies with the snapshot; the second makes it first. */
void compile_own_map(struct compile *compile, struct hashmap *map);
struct hashmap *compile_snapshot_map(struct compile *compile);
const char *compile_text(struct compile *compile, const char *format, ...) PRINTF_LIKE(2, 3);

/* compile_gateway.c */
void compile_classes(struct compile *compile);
void compile_gateways(struct compile *compile);
void compile_gateway_statuses(struct compile *compile);
/* NULL when it does not exist or is not served by us. */
struct gateway_build *compile_find_gateway(const struct compile *compile, const char *namespace_, const char *name);

/* compile_backends.c */
void compile_pools(struct compile *compile);
/* NULL when there is none in either group. */
struct pool_build *compile_find_pool(const struct compile *compile, const char *namespace_, const char *name);
void compile_pool_statuses(struct compile *compile);
struct backend compile_backend(struct compile *compile, const struct kube_object *route, const struct backend_ref *ref,
                               const char *field);
/* route: whose rule it is, the index-th of rule_count. */
struct rule_place {
    const struct kube_object *route;
    const char *name; /* of the rule, "" = none */
    unsigned index;
    unsigned rule_count;
    const struct stickiness *annotated; /* NULL: none */
};
void compile_arms(struct compile *compile, struct route_rule *rule, const struct rule_place *place,
                  const struct backend_ref *refs, const struct backend *backends, unsigned count);
void compile_add_pool_parent(const struct backend *backend, const struct gateway_build *gateway);

/* compile_models.c */
void compile_models(struct compile *compile);
/* The InferencePool that the object names; NULL: *ret_refused says what is wrong. */
struct pool_build *compile_pool_of(struct compile *compile, const struct kube_object *object,
                                   const struct pool_ref *ref, struct verdict *ret_refused);
/* Its Accepted condition; without a reason to refuse it, with this message. */
void compile_accept(struct compile *compile, const struct kube_object *object, struct verdict refused,
                    const char *message);

/* compile_objectives.c */
void compile_objectives(struct compile *compile);

/* compile_canary.c */
/* The Canary of a rule (or of a model: rule 0 of 1); the oldest where there are several.  NULL: none. */
const struct kube_object *compile_find_canary(struct compile *compile, enum canary_target_kind kind,
                                              const struct kube_object *target, const char *rule, unsigned index,
                                              unsigned rule_count);
/* By the object's annotation; NULL without one.  *ret_wrong: what is wrong with it, then it is ignored. */
const struct stickiness *compile_annotated(struct compile *compile, const struct kube_object *object,
                                           const char **ret_wrong);
const struct stickiness *compile_default_stickiness(struct compile *compile, struct bytes salt);
/* The same with another salt. */
const struct stickiness *compile_salted(struct compile *compile, const struct stickiness *stickiness,
                                        struct bytes salt);
/* Names of the arms of a canary; stable may be "": nothing says which one it is. */
struct canary_arms {
    const char *names[ARM_ROLES];
};
struct canary_arms compile_canary_arms(struct compile *compile, const struct kube_object *canary,
                                       const struct bytes *names, unsigned count);
/* What a Canary says about its arms: hashes of their ids, 0 for one that is not there. */
const struct stickiness *compile_canary_stickiness(struct compile *compile, const struct kube_object *canary,
                                                   const uint64_t arms[ARM_ROLES]);
/* Held by the snapshot; NULL when nobody drains. */
struct canary_tap *compile_tap(struct compile *compile, const struct kube_object *canary, struct split *split);
/* All but the stickiness.  ids and weights: the snapshot's. */
void compile_split(struct compile *compile, struct split *split, const char *identity, struct bytes *ids,
                   uint32_t *weights, unsigned count);
/* And the stickiness, the snapshot's too. */
void compile_split_stick(struct compile *compile, struct split *split, const struct stickiness *stickiness);
/* Gathers what the rule and the models of its pools want of a request. */
void compile_rule_wants(struct compile *compile, struct route_rule *rule);

/* compile_policies.c */
void compile_policies(struct compile *compile);
void compile_policy_statuses(struct compile *compile);
uint64_t compile_buffer_limit(const struct compile *compile, const struct kube_object *gateway, const char *listener);
/* What applies to a rule that reaches the listener: the most specific policy wins whole. */
void compile_backend_policy(const struct compile *compile, const struct kube_object *route, const char *rule_name,
                            const struct kube_object *gateway, const char *listener, struct route_rule *ret_rule);

/* compile_http_route.c */
void compile_routes(struct compile *compile);

/* compile_tables.c */
void compile_tables(struct compile *compile);

#endif
