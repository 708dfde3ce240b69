/* SPDX-License-Identifier: Apache-2.0 */
/* schema_http_route.c: fields of HTTPRoute, as kube/api/http_route*.c decodes them. */
#include "kube/apiserver/schema.h"

/* clang-format off */
static const struct schema_field http_header[] = {
    {"name", T_STRING | T_REQUIRED, "Name of the header, without regard to case."},
    {"value", T_STRING | T_REQUIRED, "Its value."},
};
static const struct schema schema_http_header = {
    .name = "io.k8s.networking.gateway.v1.HTTPHeader",
    .description = "A header.",
    SCHEMA_FIELDS(http_header),
};

static const struct schema_field header_modifier[] = {
    {"set", T_OBJECT | T_LIST, "Headers that replace what is there; at most 16.", .of = &schema_http_header},
    {"add", T_OBJECT | T_LIST, "Headers whose values are added to what is there; at most 16.",
     .of = &schema_http_header},
    {"remove", T_STRING | T_LIST, "Names of headers that are taken out; at most 16."},
};
static const struct schema schema_header_modifier = {
    .name = "io.k8s.networking.gateway.v1.HTTPHeaderFilter",
    .description = "Changes headers.",
    SCHEMA_FIELDS(header_modifier),
};

static const struct schema_field path_modifier[] = {
    {"type", T_STRING | T_REQUIRED, "How.", .values = "ReplaceFullPath|ReplacePrefixMatch"},
    {"replaceFullPath", T_STRING, "The new path, with type ReplaceFullPath."},
    {"replacePrefixMatch", T_STRING, "What stands for the matched prefix, with type ReplacePrefixMatch."},
};
static const struct schema schema_path_modifier = {
    .name = "io.k8s.networking.gateway.v1.HTTPPathModifier",
    .description = "Changes a path.",
    SCHEMA_FIELDS(path_modifier),
};

static const struct schema_field filter[] = {
    {"type", T_STRING | T_REQUIRED, "Which filter; the field of that name holds its settings, no other is given.",
     .values = "RequestHeaderModifier|ResponseHeaderModifier|RequestMirror|RequestRedirect|URLRewrite|ExtensionRef|"
               "CORS|ExternalAuth"},
    {"requestHeaderModifier", T_OBJECT, "Changes the request's headers.", .of = &schema_header_modifier},
    {"responseHeaderModifier", T_OBJECT, "Changes the response's headers.", .of = &schema_header_modifier},
    {"requestMirror", T_OBJECT, "Sends a copy elsewhere; its response is dropped."},
    {".backendRef", T_OBJECT | T_REQUIRED, "Where the copy goes."},
    {"..group", T_STRING, "API group.", .fallback = "\"\""},
    {"..kind", T_STRING, "Kind.", .fallback = "\"Service\""},
    {"..namespace", T_STRING, "Namespace; the route's when not given."},
    {"..name", T_STRING | T_REQUIRED, "Name."},
    {"..port", T_INT, "Port; required for a Service."},
    {".percent", T_INT, "How many of 100 requests are copied; all when not given."},
    {".fraction", T_OBJECT, "The same as a fraction."},
    {"..numerator", T_INT | T_REQUIRED, "How many."},
    {"..denominator", T_INT, "Of how many.", .fallback = "100"},
    {"requestRedirect", T_OBJECT, "Answers with a redirect; not together with backendRefs."},
    {".scheme", T_STRING, "http or https; the request's when not given.", .values = "http|https"},
    {".hostname", T_STRING, "Host; the request's when not given."},
    {".path", T_OBJECT, "Path; the request's when not given.", .of = &schema_path_modifier},
    {".port", T_INT, "Port; the one of the scheme or the listener when not given."},
    {".statusCode", T_INT, "301, 302, 303, 307 or 308.", .fallback = "302"},
    {"urlRewrite", T_OBJECT, "Changes where the request goes before it is sent on."},
    {".hostname", T_STRING, "Value of the Host header."},
    {".path", T_OBJECT, "Path.", .of = &schema_path_modifier},
    {"cors", T_OBJECT, "Answers preflight requests, and lets pages of other origins read responses."},
    {".allowOrigins", T_STRING | T_LIST, "Origins, such as https://*.example.com; * for all."},
    {".allowCredentials", T_BOOL, "Whether cookies and the like may be sent."},
    {".allowMethods", T_STRING | T_LIST, "Methods; * for all."},
    {".allowHeaders", T_STRING | T_LIST, "Request headers; * for all."},
    {".exposeHeaders", T_STRING | T_LIST, "Response headers that pages may read; * for all."},
    {".maxAge", T_INT, "Seconds for which the answer to a preflight request holds.", .fallback = "5"},
    {"externalAuth", T_ANY, "Asks a service whether the request may pass."},
    {"extensionRef", T_OBJECT, "A filter of one implementation, defined by an object of the same namespace."},
    {".group", T_STRING | T_REQUIRED, "API group."},
    {".kind", T_STRING | T_REQUIRED, "Kind."},
    {".name", T_STRING | T_REQUIRED, "Name."},
};
static const struct schema schema_filter = {
    .name = "io.k8s.networking.gateway.v1.HTTPRouteFilter",
    .description = "Changes a request or response on its way.",
    SCHEMA_FIELDS(filter),
};

static const struct schema_field http_route[] = {
    {"spec", T_OBJECT | T_REQUIRED, "What is wanted."},
    {".parentRefs", T_OBJECT | T_LIST, "Gateways to which the route is attached; at most 32.",
     .of = &schema_parent_reference},
    {".hostnames", T_STRING | T_LIST, "Hosts whose requests the route takes, such as example.com or *.example.com; "
     "those of the listener when not given. At most 16."},
    {".rules", T_OBJECT | T_LIST, "Which requests go where; 1 to 16. Over all routes the most specific match wins.",
     .fallback = "[{\"matches\":[{\"path\":{\"type\":\"PathPrefix\",\"value\":\"/\"}}]}]"},
    {"..name", T_STRING, "Unique in the route."},
    {"..matches", T_OBJECT | T_LIST, "Which requests the rule takes: any of these, at most 64.",
     .fallback = "[{\"path\":{\"type\":\"PathPrefix\",\"value\":\"/\"}}]"},
    {"...path", T_OBJECT, "The path of the request."},
    {"....type", T_STRING, "How it is compared. A prefix matches whole path elements.",
     .values = "Exact|PathPrefix|RegularExpression", .fallback = "\"PathPrefix\""},
    {"....value", T_STRING, "The path, prefix or expression; at most 1024 characters.", .fallback = "\"/\""},
    {"...headers", T_OBJECT | T_LIST, "Headers of the request: all of them, at most 16."},
    {"....type", T_STRING, "How the value is compared.", .values = "Exact|RegularExpression",
     .fallback = "\"Exact\""},
    {"....name", T_STRING | T_REQUIRED, "Name of the header, without regard to case."},
    {"....value", T_STRING | T_REQUIRED, "The value or expression."},
    {"...queryParams", T_OBJECT | T_LIST, "Parameters of the query: all of them, at most 16."},
    {"....type", T_STRING, "How the value is compared.", .values = "Exact|RegularExpression",
     .fallback = "\"Exact\""},
    {"....name", T_STRING | T_REQUIRED, "Name of the parameter."},
    {"....value", T_STRING | T_REQUIRED, "The value or expression."},
    {"...method", T_STRING, "Only this method; any when not given.",
     .values = "GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH"},
    {"..filters", T_OBJECT | T_LIST, "What is done to requests of the rule; at most 16.", .of = &schema_filter},
    {"..backendRefs", T_OBJECT | T_LIST, "Arms among which the rule's requests are split; at most 16. A broken one "
     "answers 500 for its share."},
    {"...group", T_STRING, "API group: \"\" for Services, inference.networking.k8s.io or inference.networking.x-k8s.io "
     "for InferencePools.", .fallback = "\"\""},
    {"...kind", T_STRING, "Service or InferencePool.", .fallback = "\"Service\""},
    {"...namespace", T_STRING, "Namespace; another one than the route's needs a ReferenceGrant there."},
    {"...name", T_STRING | T_REQUIRED, "Name."},
    {"...port", T_INT, "Port of a Service, 1 to 65535; not used for pools."},
    {"...weight", T_INT, "Share of the requests: weight / sum of all weights. 0 takes the arm out. At most 1000000.",
     .fallback = "1"},
    {"...filters", T_OBJECT | T_LIST, "What is done to requests of this arm; at most 16.", .of = &schema_filter},
    {"..timeouts", T_OBJECT, "When to give up."},
    {"...request", T_STRING, "Time for the whole exchange, such as 30s; 0s for no limit. Streams are cut as well."},
    {"...backendRequest", T_STRING, "Time for one attempt; not longer than request."},
    {"status", T_OBJECT, "What is."},
    {".parents", T_OBJECT | T_LIST | T_REQUIRED, "State towards each parent; shared by the controllers of all parents."},
    {"..parentRef", T_OBJECT | T_REQUIRED, "The parent as spec names it.", .of = &schema_parent_reference},
    {"..controllerName", T_STRING | T_REQUIRED, "Who wrote this."},
    {"..conditions", T_OBJECT | T_LIST | T_REQUIRED, "Accepted: attached. ResolvedRefs: all backends are there.",
     .of = &schema_condition},
};
const struct schema schema_http_route = {
    .description = "Which HTTP requests go to which backends, and in which shares.",
    SCHEMA_FIELDS(http_route),
};
/* clang-format on */
