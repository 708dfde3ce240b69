/* SPDX-License-Identifier: Apache-2.0 */
/* schema_gateway.c: fields of GatewayClass, Gateway and ReferenceGrant, as kube/api/gateway.c decodes them.  Fields of
 * the CRDs that it refuses ("not supported yet") are not listed. */
#include "kube/apiserver/schema.h"

#define GATEWAY_GROUP "\"gateway.networking.k8s.io\""

/* clang-format off */
static const struct schema_field parent_reference[] = {
    {"group", T_STRING, "API group of the parent.", .fallback = GATEWAY_GROUP},
    {"kind", T_STRING, "Kind of the parent.", .fallback = "\"Gateway\""},
    {"namespace", T_STRING, "Namespace of the parent; the one of this object when not given."},
    {"name", T_STRING | T_REQUIRED, "Name of the parent."},
    {"sectionName", T_STRING, "Only this listener of the Gateway; all when not given."},
    {"port", T_INT, "Only listeners on this port, 1 to 65535."},
};
const struct schema schema_parent_reference = {
    .name = "io.k8s.networking.gateway.v1.ParentReference",
    .description = "The Gateway, or a part of it, to which something is attached.",
    SCHEMA_FIELDS(parent_reference),
};

static const struct schema_field parameters_reference[] = {
    {"group", T_STRING | T_REQUIRED, "API group."},
    {"kind", T_STRING | T_REQUIRED, "Kind."},
    {"name", T_STRING | T_REQUIRED, "Name."},
    {"namespace", T_STRING, "Namespace, for namespaced kinds."},
};
static const struct schema schema_parameters_reference = {
    .name = "io.k8s.networking.gateway.v1.ParametersReference",
    .description = "An object with further settings.",
    SCHEMA_FIELDS(parameters_reference),
};

static const struct schema_field gateway_class[] = {
    {"spec", T_OBJECT | T_REQUIRED, "What is wanted."},
    {".controllerName", T_STRING | T_REQUIRED, "Who serves Gateways of the class, as domain/path. Stand-alone, Serin "
     "serves every class. Cannot be changed."},
    {".parametersRef", T_OBJECT, "Further settings of the class.", .of = &schema_parameters_reference},
    {".description", T_STRING, "For people; at most 64 characters."},
    {"status", T_OBJECT, "What is."},
    {".conditions", T_OBJECT | T_LIST, "Accepted says whether the class is served.", .of = &schema_condition},
    {".supportedFeatures", T_OBJECT | T_LIST, "What the controller can do."},
    {"..name", T_STRING | T_REQUIRED, "Name of the feature in the Gateway API."},
};
const struct schema schema_gateway_class = {
    .description = "A kind of Gateway that a controller serves.",
    SCHEMA_FIELDS(gateway_class),
};

static const struct schema_field route_kind[] = {
    {"group", T_STRING, "API group of the route.", .fallback = GATEWAY_GROUP},
    {"kind", T_STRING | T_REQUIRED, "Kind of the route."},
};
static const struct schema schema_route_kind = {
    .name = "io.k8s.networking.gateway.v1.RouteGroupKind",
    .description = "A kind of route.",
    SCHEMA_FIELDS(route_kind),
};

static const struct schema_field gateway[] = {
    {"spec", T_OBJECT | T_REQUIRED, "What is wanted."},
    {".gatewayClassName", T_STRING | T_REQUIRED, "The GatewayClass."},
    {".listeners", T_OBJECT | T_LIST | T_REQUIRED, "Where clients connect: 1 to 64, each with another port, protocol "
     "and hostname."},
    {"..name", T_STRING | T_REQUIRED, "Unique in the Gateway; routes refer to it as sectionName."},
    {"..hostname", T_STRING, "Only requests for this host, such as example.com or *.example.com; any when empty."},
    {"..port", T_INT | T_REQUIRED, "Port to listen on, 1 to 65535."},
    {"..protocol", T_STRING | T_REQUIRED, "HTTP, HTTPS, TLS, TCP, UDP or domain/name; an unsupported one is told in "
     "the listener's status."},
    {"..tls", T_OBJECT, "TLS settings; for HTTPS and TLS only."},
    {"...mode", T_STRING, "Where TLS ends: here or in the backend.", .values = "Terminate|Passthrough",
     .fallback = "\"Terminate\""},
    {"...certificateRefs", T_OBJECT | T_LIST, "Certificates with their keys; required to terminate TLS."},
    {"....group", T_STRING, "API group.", .fallback = "\"\""},
    {"....kind", T_STRING, "Kind.", .fallback = "\"Secret\""},
    {"....name", T_STRING | T_REQUIRED, "Name."},
    {"....namespace", T_STRING, "Namespace; another one than the Gateway's needs a ReferenceGrant there."},
    {"...options", T_STRING | T_MAP, "Settings of one implementation."},
    {"...frontendValidation", T_ANY, "How certificates of clients are checked."},
    {"..allowedRoutes", T_OBJECT, "Which routes may be attached."},
    {"...namespaces", T_OBJECT, "From which namespaces."},
    {"....from", T_STRING, "Which ones.", .values = "Same|All|Selector|None", .fallback = "\"Same\""},
    {"....selector", T_OBJECT, "Labels of the namespaces; required with from Selector.",
     .of = &schema_label_selector},
    {"...kinds", T_OBJECT | T_LIST, "Which kinds; those that fit the protocol when not given. At most 8.",
     .of = &schema_route_kind},
    {".addresses", T_OBJECT | T_LIST, "Addresses that are asked for; at most 16."},
    {"..type", T_STRING, "IPAddress, Hostname or domain/name.", .fallback = "\"IPAddress\""},
    {"..value", T_STRING, "The address; one is chosen when empty."},
    {".infrastructure", T_OBJECT, "About what is made for the Gateway in a cluster."},
    {"..labels", T_STRING | T_MAP, "Labels; at most 8."},
    {"..annotations", T_STRING | T_MAP, "Annotations."},
    {"..parametersRef", T_OBJECT, "Further settings.", .of = &schema_parameters_reference},
    {"status", T_OBJECT, "What is."},
    {".addresses", T_OBJECT | T_LIST, "Where clients connect."},
    {"..type", T_STRING, "IPAddress, Hostname or domain/name."},
    {"..value", T_STRING | T_REQUIRED, "The address."},
    {".conditions", T_OBJECT | T_LIST, "Accepted: the spec is good. Programmed: traffic is served.",
     .of = &schema_condition},
    {".listeners", T_OBJECT | T_LIST, "State of each listener."},
    {"..name", T_STRING | T_REQUIRED, "The listener."},
    {"..supportedKinds", T_OBJECT | T_LIST, "Kinds of routes that it takes.", .of = &schema_route_kind},
    {"..attachedRoutes", T_INT | T_REQUIRED, "Number of routes attached to it."},
    {"..conditions", T_OBJECT | T_LIST | T_REQUIRED, "Accepted, Programmed, ResolvedRefs, Conflicted.",
     .of = &schema_condition},
};
const struct schema schema_gateway = {
    .description = "Addresses and ports on which traffic is taken in.",
    SCHEMA_FIELDS(gateway),
};

static const struct schema_field reference_grant[] = {
    {"spec", T_OBJECT | T_REQUIRED, "What is permitted."},
    {".from", T_OBJECT | T_LIST | T_REQUIRED, "Who may refer; 1 to 16, any of them."},
    {"..group", T_STRING | T_REQUIRED, "API group; \"\" for core."},
    {"..kind", T_STRING | T_REQUIRED, "Kind, such as HTTPRoute."},
    {"..namespace", T_STRING | T_REQUIRED, "Namespace of those who refer."},
    {".to", T_OBJECT | T_LIST | T_REQUIRED, "What they may refer to in this namespace; 1 to 16, any of them."},
    {"..group", T_STRING | T_REQUIRED, "API group; \"\" for core."},
    {"..kind", T_STRING | T_REQUIRED, "Kind, such as Service."},
    {"..name", T_STRING, "Name; all of the kind when not given."},
};
const struct schema schema_reference_grant = {
    .description = "Lets objects of other namespaces refer to objects of this one.",
    SCHEMA_FIELDS(reference_grant),
};
/* clang-format on */
