/* SPDX-License-Identifier: Apache-2.0 */
/* resources.c: the table of served resources and the ways to look into it.  Constant; any thread.
 *
 * The order of groups decides what a bare plural means to kubectl: `get inferencepools` takes the first group that has
 * it, so the group that most manifests use stands before its successor. */
#include "kube/apiserver/resources.h"

#include <assert.h>

#define ALL_VERBS  (API_BIT(API_VERB_COUNT) - 1)
#define STATUS     API_BIT(API_STATUS)
#define SCALE      API_BIT(API_SCALE)
#define NAMESPACED .is_namespaced = true

/* What rows of one group, or of one name, have in common. */
#define CORE(id)                                                                                                       \
    .kind = KUBE_##id, .group = "", .version = "v1", .api_version = "v1", .is_built_in = true, .verbs = ALL_VERBS
#define CUSTOM(id, group_, version_)                                                                                   \
    .kind = KUBE_##id, .group = group_, .version = version_, .api_version = group_ "/" version_, .verbs = ALL_VERBS
#define BUILT_IN(id, group_) CUSTOM(id, group_, "v1"), .is_built_in = true
#define REVIEW(group_)                                                                                                 \
    .kind = KUBE_KIND_COUNT, .group = group_, .version = "v1", .api_version = group_ "/v1", .is_built_in = true,       \
    .verbs = API_BIT(API_CREATE)
#define NAMES(plural_, singular_, kind_)                                                                               \
    .plural = plural_, .singular = singular_, .kind_name = kind_, .list_kind = kind_ "List"

#define GATEWAY(id, version) CUSTOM(id, "gateway.networking.k8s.io", version), .category = "gateway-api"
#define ENVOY(id)            CUSTOM(id, "gateway.envoyproxy.io", "v1alpha1"), .category = "envoy-gateway"

/* clang-format off */
#define GATEWAY_KINDS(v)                                                                                               \
    {GATEWAY(GATEWAY_CLASS, v), NAMES("gatewayclasses", "gatewayclass", "GatewayClass"), .short_names = {"gc"},        \
     .subresources = STATUS},                                                                                          \
    {GATEWAY(GATEWAY, v), NAMES("gateways", "gateway", "Gateway"), .short_names = {"gtw"}, NAMESPACED,                 \
     .subresources = STATUS},                                                                                          \
    {GATEWAY(HTTP_ROUTE, v), NAMES("httproutes", "httproute", "HTTPRoute"), NAMESPACED, .subresources = STATUS},       \
    {GATEWAY(REFERENCE_GRANT, v), NAMES("referencegrants", "referencegrant", "ReferenceGrant"),                        \
     .short_names = {"refgrant"}, NAMESPACED}

#define MODEL_REWRITES                                                                                                 \
    NAMES("inferencemodelrewrites", "inferencemodelrewrite", "InferenceModelRewrite"), NAMESPACED,                     \
     .subresources = STATUS
#define OBJECTIVES                                                                                                     \
    NAMES("inferenceobjectives", "inferenceobjective", "InferenceObjective"), NAMESPACED, .subresources = STATUS

static const struct api_resource resources[] = {
    {CORE(CONFIG_MAP), NAMES("configmaps", "configmap", "ConfigMap"), .short_names = {"cm"}, NAMESPACED},
    {CORE(EVENT), NAMES("events", "event", "Event"), .short_names = {"ev"}, NAMESPACED},
    {CORE(NAMESPACE), NAMES("namespaces", "namespace", "Namespace"), .short_names = {"ns"},
     .subresources = STATUS | API_BIT(API_FINALIZE)},
    {CORE(POD), NAMES("pods", "pod", "Pod"), .short_names = {"po"}, .category = "all", NAMESPACED,
     .subresources = STATUS | API_BIT(API_LOG)},
    {CORE(SECRET), NAMES("secrets", "secret", "Secret"), NAMESPACED},
    {CORE(SERVICE_ACCOUNT), NAMES("serviceaccounts", "serviceaccount", "ServiceAccount"), .short_names = {"sa"},
     NAMESPACED},
    {CORE(SERVICE), NAMES("services", "service", "Service"), .short_names = {"svc"}, .category = "all", NAMESPACED,
     .subresources = STATUS},

    {BUILT_IN(DEPLOYMENT, "apps"), NAMES("deployments", "deployment", "Deployment"), .short_names = {"deploy"},
     .category = "all", NAMESPACED, .subresources = STATUS | SCALE},
    {BUILT_IN(REPLICA_SET, "apps"), NAMES("replicasets", "replicaset", "ReplicaSet"), .short_names = {"rs"},
     .category = "all", NAMESPACED, .subresources = STATUS | SCALE},

    {BUILT_IN(LEASE, "coordination.k8s.io"), NAMES("leases", "lease", "Lease"), NAMESPACED},
    {BUILT_IN(ENDPOINT_SLICE, "discovery.k8s.io"), NAMES("endpointslices", "endpointslice", "EndpointSlice"),
     NAMESPACED},
    /* No short name: kubectl warns when one could mean two resources. */
    {BUILT_IN(EVENT, "events.k8s.io"), NAMES("events", "event", "Event"), NAMESPACED, .is_events_view = true},
    {REVIEW("authorization.k8s.io"),
     NAMES("selfsubjectaccessreviews", "selfsubjectaccessreview", "SelfSubjectAccessReview")},
    {REVIEW("authorization.k8s.io"),
     NAMES("selfsubjectrulesreviews", "selfsubjectrulesreview", "SelfSubjectRulesReview")},
    {REVIEW("authentication.k8s.io"), NAMES("selfsubjectreviews", "selfsubjectreview", "SelfSubjectReview")},

    GATEWAY_KINDS("v1"),
    GATEWAY_KINDS("v1beta1"),

    {CUSTOM(INFERENCE_MODEL, "inference.networking.x-k8s.io", "v1alpha2"),
     NAMES("inferencemodels", "inferencemodel", "InferenceModel"), NAMESPACED, .subresources = STATUS},
    {CUSTOM(MODEL_REWRITE_X, "inference.networking.x-k8s.io", "v1alpha2"), MODEL_REWRITES},
    {CUSTOM(OBJECTIVE_X, "inference.networking.x-k8s.io", "v1alpha2"), OBJECTIVES},
    {CUSTOM(INFERENCE_POOL_X, "inference.networking.x-k8s.io", "v1alpha2"),
     NAMES("inferencepools", "inferencepool", "InferencePool"), .short_names = {"xinfpool"}, NAMESPACED,
     .subresources = STATUS},
    {CUSTOM(INFERENCE_POOL, "inference.networking.k8s.io", "v1"),
     NAMES("inferencepools", "inferencepool", "InferencePool"), .short_names = {"infpool"}, NAMESPACED,
     .subresources = STATUS},
    {CUSTOM(MODEL_REWRITE, "llm-d.ai", "v1alpha2"), MODEL_REWRITES},
    {CUSTOM(OBJECTIVE, "llm-d.ai", "v1alpha2"), OBJECTIVES},

    {ENVOY(BACKEND_TRAFFIC_POLICY), NAMES("backendtrafficpolicies", "backendtrafficpolicy", "BackendTrafficPolicy"),
     .short_names = {"btp"}, NAMESPACED, .subresources = STATUS},
    {ENVOY(CLIENT_TRAFFIC_POLICY), NAMES("clienttrafficpolicies", "clienttrafficpolicy", "ClientTrafficPolicy"),
     .short_names = {"ctp"}, NAMESPACED, .subresources = STATUS},

    {CUSTOM(CANARY, "serin.dev", "v1alpha1"), NAMES("canaries", "canary", "Canary"), .short_names = {"cn"},
     .category = "all", NAMESPACED, .subresources = STATUS},
};
/* clang-format on */

#define READ_WRITE (API_BIT(API_GET) | API_BIT(API_PATCH) | API_BIT(API_UPDATE))

const struct api_subresource *resource_subresource(enum api_subresource_id id)
{
    static const struct api_subresource subresources[] = {
        [API_STATUS] = {"status", READ_WRITE},
        [API_SCALE] = {"scale", READ_WRITE, "autoscaling", "v1", "Scale"},
        [API_LOG] = {"log", API_BIT(API_GET)},
        [API_FINALIZE] = {"finalize", API_BIT(API_UPDATE)},
    };
    assert(id < API_SUBRESOURCE_COUNT);
    return &subresources[id];
}

const char *resource_verb_name(enum api_verb verb)
{
    static const char *const names[] = {
#define X(id, name) name,
        API_VERBS(X)
#undef X
    };
    assert(verb < API_VERB_COUNT);
    return names[verb];
}

struct api_resources resource_all(void)
{
    return (struct api_resources){resources, ARRAY_LEN(resources)};
}

struct api_resources resource_group(struct bytes group)
{
    size_t first = 0;
    while (first < ARRAY_LEN(resources) && !bytes_equal_str(group, resources[first].group))
        first++;
    size_t end = first;
    while (end < ARRAY_LEN(resources) && bytes_equal_str(group, resources[end].group))
        end++;
    return (struct api_resources){resources + first, end - first};
}

struct api_resources resource_group_version(struct bytes group, struct bytes version)
{
    struct api_resources all = resource_group(group);
    size_t first = 0;
    while (first < all.len && !bytes_equal_str(version, all.items[first].version))
        first++;
    size_t end = first;
    while (end < all.len && bytes_equal_str(version, all.items[end].version))
        end++;
    return (struct api_resources){all.items + first, end - first};
}

const struct api_resource *resource_find(struct bytes group, struct bytes version, struct bytes plural)
{
    struct api_resources among = resource_group_version(group, version);
    for (size_t i = 0; i < among.len; i++) {
        if (bytes_equal_str(plural, among.items[i].plural))
            return among.items + i;
    }
    return NULL;
}

const struct api_resource *resource_find_kind(struct bytes api_version, struct bytes kind)
{
    for (size_t i = 0; i < ARRAY_LEN(resources); i++) {
        if (bytes_equal_str(kind, resources[i].kind_name) && bytes_equal_str(api_version, resources[i].api_version))
            return &resources[i];
    }
    return NULL;
}

const struct api_resource *resource_of_kind(enum kube_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(resources); i++) {
        if (resources[i].kind == kind && kind != KUBE_KIND_COUNT && !resources[i].is_events_view)
            return &resources[i];
    }
    return NULL;
}

enum api_subresource_id resource_find_subresource(const struct api_resource *resource, struct bytes name)
{
    for (unsigned id = 0; id < API_SUBRESOURCE_COUNT; id++) {
        if (resource_has(resource, (enum api_subresource_id)id) &&
            bytes_equal_str(name, resource_subresource((enum api_subresource_id)id)->name))
            return (enum api_subresource_id)id;
    }
    return API_SUBRESOURCE_COUNT;
}
