/* SPDX-License-Identifier: Apache-2.0 */
/* object.h: a Kubernetes object as stored (JSON tree) and as decoded (typed spec).
 *
 * Decoding validates and defaults; defaults live only in the typed form, the tree stays as the user wrote it.  An
 * object is immutable once made, and counted (atomically: workers never see one, but other threads may read). */
#ifndef KUBE_API_OBJECT_H
#define KUBE_API_OBJECT_H

#include <jansson.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

enum kind_trait {
    KIND_NAMESPACED = 1,
    KIND_STRICT = 2,    /* unknown fields are errors */
    KIND_STATUS = 4,    /* status is a subresource */
    KIND_GENERATION = 8 /* metadata.generation counts the changes of the spec */
};

/* id, group, version, kind, plural, traits */
#define KUBE_KINDS(X)                                                                                                  \
    X(NAMESPACE, "", "v1", "Namespace", "namespaces", KIND_STATUS)                                                     \
    X(CONFIG_MAP, "", "v1", "ConfigMap", "configmaps", KIND_NAMESPACED)                                                \
    X(SECRET, "", "v1", "Secret", "secrets", KIND_NAMESPACED)                                                          \
    X(SERVICE_ACCOUNT, "", "v1", "ServiceAccount", "serviceaccounts", KIND_NAMESPACED)                                 \
    X(EVENT, "", "v1", "Event", "events", KIND_NAMESPACED)                                                             \
    X(LEASE, "coordination.k8s.io", "v1", "Lease", "leases", KIND_NAMESPACED)                                          \
    X(SERVICE, "", "v1", "Service", "services", KIND_NAMESPACED | KIND_STATUS)                                         \
    X(POD, "", "v1", "Pod", "pods", KIND_NAMESPACED | KIND_STATUS)                                                     \
    X(ENDPOINT_SLICE, "discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", KIND_NAMESPACED)                    \
    X(DEPLOYMENT, "apps", "v1", "Deployment", "deployments", KIND_NAMESPACED | KIND_STATUS | KIND_GENERATION)          \
    X(REPLICA_SET, "apps", "v1", "ReplicaSet", "replicasets", KIND_NAMESPACED | KIND_STATUS | KIND_GENERATION)         \
    X(GATEWAY_CLASS, "gateway.networking.k8s.io", "v1", "GatewayClass", "gatewayclasses",                              \
      KIND_STRICT | KIND_STATUS | KIND_GENERATION)                                                                     \
    X(GATEWAY, "gateway.networking.k8s.io", "v1", "Gateway", "gateways",                                               \
      KIND_NAMESPACED | KIND_STRICT | KIND_STATUS | KIND_GENERATION)                                                   \
    X(HTTP_ROUTE, "gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes",                                        \
      KIND_NAMESPACED | KIND_STRICT | KIND_STATUS | KIND_GENERATION)                                                   \
    X(REFERENCE_GRANT, "gateway.networking.k8s.io", "v1beta1", "ReferenceGrant", "referencegrants",                    \
      KIND_NAMESPACED | KIND_STRICT | KIND_GENERATION)                                                                 \
    X(INFERENCE_POOL, "inference.networking.k8s.io", "v1", "InferencePool", "inferencepools",                          \
      KIND_NAMESPACED | KIND_STRICT | KIND_STATUS | KIND_GENERATION)                                                   \
    X(INFERENCE_POOL_X, "inference.networking.x-k8s.io", "v1alpha2", "InferencePool", "inferencepools",                \
      KIND_NAMESPACED | KIND_STRICT | KIND_STATUS | KIND_GENERATION)                                                   \
    X(INFERENCE_MODEL, "inference.networking.x-k8s.io", "v1alpha2", "InferenceModel", "inferencemodels",               \
      KIND_NAMESPACED | KIND_STRICT | KIND_STATUS | KIND_GENERATION)                                                   \
    X(MODEL_REWRITE_X, "inference.networking.x-k8s.io", "v1alpha2", "InferenceModelRewrite", "inferencemodelrewrites", \
      KIND_NAMESPACED | KIND_STRICT | KIND_STATUS | KIND_GENERATION)                                                   \
    X(MODEL_REWRITE, "llm-d.ai", "v1alpha2", "InferenceModelRewrite", "inferencemodelrewrites",                        \
      KIND_NAMESPACED | KIND_STRICT | KIND_STATUS | KIND_GENERATION)                                                   \
    X(OBJECTIVE_X, "inference.networking.x-k8s.io", "v1alpha2", "InferenceObjective", "inferenceobjectives",           \
      KIND_NAMESPACED | KIND_STRICT | KIND_STATUS | KIND_GENERATION)                                                   \
    X(OBJECTIVE, "llm-d.ai", "v1alpha2", "InferenceObjective", "inferenceobjectives",                                  \
      KIND_NAMESPACED | KIND_STRICT | KIND_STATUS | KIND_GENERATION)                                                   \
    X(CLIENT_TRAFFIC_POLICY, "gateway.envoyproxy.io", "v1alpha1", "ClientTrafficPolicy", "clienttrafficpolicies",      \
      KIND_NAMESPACED | KIND_STRICT | KIND_STATUS | KIND_GENERATION)                                                   \
    X(BACKEND_TRAFFIC_POLICY, "gateway.envoyproxy.io", "v1alpha1", "BackendTrafficPolicy", "backendtrafficpolicies",   \
      KIND_NAMESPACED | KIND_STRICT | KIND_STATUS | KIND_GENERATION)                                                   \
    X(CANARY, "serin.dev", "v1alpha1", "Canary", "canaries",                                                           \
      KIND_NAMESPACED | KIND_STRICT | KIND_STATUS | KIND_GENERATION)

enum kube_kind {
#define X(id, group, version, kind, plural, traits) KUBE_##id,
    KUBE_KINDS(X)
#undef X
        KUBE_KIND_COUNT
};

struct kube_kind_info {
    const char *group;
    const char *version;
    const char *kind;
    const char *plural;
    bool is_namespaced;
    bool is_strict;
    bool has_status;
    bool has_generation;
};
const struct kube_kind_info *kube_kind_info(enum kube_kind kind);
/* By apiVersion ("apps/v1") and kind; KUBE_KIND_COUNT when unknown. v1beta1 Gateway kinds are read as v1, v1
 * ReferenceGrant as v1beta1: same fields. */
enum kube_kind kube_kind_find(const char *api_version, const char *kind);

struct kube_label {
    const char *key;
    const char *value;
};
struct kube_labels {
    struct kube_label *items; /* sorted by key */
    unsigned len;
};

struct kube_object {
    enum kube_kind kind;
    const char *name;
    const char *namespace_; /* "" for cluster-scoped kinds; "default" when the manifest has none */
    const char *uid;        /* "" until a store gives one */
    uint64_t generation;    /* counted by the store; 1 when the tree has none */
    uint64_t created_ms;    /* wall clock; metadata.creationTimestamp, 0 when there is none */
    struct kube_labels labels;
    struct kube_labels annotations;
    json_t *tree;     /* the whole object, owned */
    const void *spec; /* struct gateway_spec, http_route_spec, ... by kind, in the arena */
    struct arena *arena;
    unsigned users; /* atomic */
};

/* Takes over nothing: keeps a reference to tree.  Reports every problem with its field path and returns NULL when there
 * is any; a tree that is no object of a known kind is a problem too (reason "UnknownKind"). */
struct kube_object *kube_object_decode(json_t *tree, struct problems *problems);
struct kube_object *kube_object_take(const struct kube_object *object);
void kube_object_give_back(struct kube_object *object);

/* "HTTPRoute default/inference-route" into the arena. */
char *kube_object_text(const struct kube_object *object, struct arena *arena);
/* NULL when absent. */
const char *kube_labels_get(const struct kube_labels *labels, const char *key);
/* All of selector is in labels; an empty selector matches everything. */
bool kube_labels_match(const struct kube_labels *selector, const struct kube_labels *labels);
/* GEP-2257 duration ("1h30m", "500ms") in milliseconds; false when it is none. */
bool kube_duration_ms(const char *text, uint64_t *ret_ms);
/* Kubernetes quantity ("20Mi", "1500k", "1") in whole units; false when it is none or not whole. */
bool kube_quantity(const char *text, uint64_t *ret_value);

/* matchLabels and matchExpressions. */
struct label_selector_term {
    const char *key;
    enum { SELECTOR_IN, SELECTOR_NOT_IN, SELECTOR_EXISTS, SELECTOR_DOES_NOT_EXIST } op;
    const char **values;
    unsigned value_count;
};
struct label_selector {
    struct label_selector_term *terms; /* ANDed; none: everything */
    unsigned len;
};
bool label_selector_match(const struct label_selector *selector, const struct kube_labels *labels);

#endif
