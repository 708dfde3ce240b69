/* SPDX-License-Identifier: Apache-2.0 */
/* schema_policy.c: fields of ClientTrafficPolicy and BackendTrafficPolicy, as kube/api/policy.c decodes them.  These
 * kinds have many more; the rest is refused ("not supported yet") and not listed. */
#include "kube/apiserver/schema.h"

/* clang-format off */
#define TARGET_FIELDS(kinds)                                                                                           \
    {"group", T_STRING | T_REQUIRED, "API group.", .values = "gateway.networking.k8s.io"},                             \
    {"kind", T_STRING | T_REQUIRED, "Kind.", .values = kinds},                                                         \
    {"name", T_STRING | T_REQUIRED, "Name, in the same namespace."},                                                   \
    {"sectionName", T_STRING, "Only this listener or rule; all when not given."}

static const struct schema_field client_target[] = {TARGET_FIELDS("Gateway")};
static const struct schema schema_client_target = {
    .name = "io.envoyproxy.gateway.v1alpha1.ClientPolicyTarget",
    .description = "A Gateway, or one of its listeners.",
    SCHEMA_FIELDS(client_target),
};

static const struct schema_field backend_target[] = {TARGET_FIELDS("Gateway|HTTPRoute")};
static const struct schema schema_backend_target = {
    .name = "io.envoyproxy.gateway.v1alpha1.BackendPolicyTarget",
    .description = "A Gateway or route, or a part of it.",
    SCHEMA_FIELDS(backend_target),
};

static const struct schema_field policy_ancestor[] = {
    {"ancestorRef", T_OBJECT | T_REQUIRED, "The Gateway.", .of = &schema_parent_reference},
    {"controllerName", T_STRING | T_REQUIRED, "Who wrote this."},
    {"conditions", T_OBJECT | T_LIST | T_REQUIRED, "Accepted: the policy is in force.", .of = &schema_condition},
};
static const struct schema schema_policy_ancestor = {
    .name = "io.k8s.networking.gateway.v1.PolicyAncestorStatus",
    .description = "State of a policy towards one Gateway.",
    SCHEMA_FIELDS(policy_ancestor),
};

static const struct schema_field client_traffic_policy[] = {
    {"spec", T_OBJECT | T_REQUIRED, "What is wanted."},
    {".targetRef", T_OBJECT, "What the policy is for; this or targetRefs.", .of = &schema_client_target},
    {".targetRefs", T_OBJECT | T_LIST, "What the policy is for; 1 to 16.", .of = &schema_client_target},
    {".connection", T_OBJECT, "Connections of clients."},
    {"..bufferLimit", T_INT_OR_STRING, "How much of a request's body may be held, such as 20Mi; a longer one whose "
     "model is not known by then answers 413."},
    {"status", T_OBJECT, "What is."},
    {".ancestors", T_OBJECT | T_LIST | T_REQUIRED, "State towards each Gateway.", .of = &schema_policy_ancestor},
};
const struct schema schema_client_traffic_policy = {
    .description = "How clients of a Gateway are treated.",
    SCHEMA_FIELDS(client_traffic_policy),
};

static const struct schema_field backend_traffic_policy[] = {
    {"spec", T_OBJECT | T_REQUIRED, "What is wanted."},
    {".targetRef", T_OBJECT, "What the policy is for; this or targetRefs.", .of = &schema_backend_target},
    {".targetRefs", T_OBJECT | T_LIST, "What the policy is for; 1 to 16.", .of = &schema_backend_target},
    {".timeout", T_OBJECT, "When to give up."},
    {"..http", T_OBJECT, "For HTTP."},
    {"...requestTimeout", T_STRING, "Time for the whole exchange, such as 24h; 0s for no limit. Streams are cut as well. "
     "A route's own timeout wins."},
    {"...streamIdleTimeout", T_STRING, "Time without a byte in the middle of an event stream, such as 60s."},
    {".retry", T_OBJECT, "When to ask another endpoint."},
    {"..numRetries", T_INT, "Tries beyond the first, at most 8; 3 when not given."},
    {"..retryOn", T_OBJECT, "Besides connections that fail before an answer."},
    {"...httpStatusCodes", T_INT | T_LIST, "Statuses of an endpoint after which another one is asked, such as 503."},
    {"status", T_OBJECT, "What is."},
    {".ancestors", T_OBJECT | T_LIST | T_REQUIRED, "State towards each Gateway.", .of = &schema_policy_ancestor},
};
const struct schema schema_backend_traffic_policy = {
    .description = "How requests to backends are treated.",
    SCHEMA_FIELDS(backend_traffic_policy),
};
/* clang-format on */
