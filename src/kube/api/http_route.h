/* SPDX-License-Identifier: Apache-2.0 */
/* http_route.h: HTTPRoute, decoded and defaulted. */
#ifndef KUBE_API_HTTP_ROUTE_H
#define KUBE_API_HTTP_ROUTE_H

#include "kube/api/object.h"

struct parent_ref {
    const char *group;      /* default gateway.networking.k8s.io */
    const char *kind;       /* default Gateway */
    const char *namespace_; /* default: the route's */
    const char *name;
    const char *section_name; /* "" = all listeners */
    uint16_t port;            /* 0 = any */
    bool namespace_given;     /* status copies the reference as it was written */
};

enum path_match_type { PATH_EXACT, PATH_PREFIX, PATH_REGEX };
enum value_match_type { VALUE_EXACT, VALUE_REGEX };

struct value_match { /* of a header or query parameter */
    enum value_match_type type;
    const char *name;
    const char *value;
};

struct http_route_match {
    enum path_match_type path_type; /* default PATH_PREFIX "/" */
    const char *path;
    const char *method; /* "" = any */
    struct value_match *headers;
    unsigned header_count;
    struct value_match *query;
    unsigned query_count;
};

struct backend_ref {
    const char *group;      /* "" = core */
    const char *kind;       /* default Service */
    const char *namespace_; /* default: the route's */
    const char *name;
    uint16_t port;   /* 0 = not given */
    uint32_t weight; /* 0..1000000, default 1 */
    unsigned filter_count;
};

struct http_route_rule {
    const char *name;                 /* "" */
    struct http_route_match *matches; /* at least one after defaulting */
    unsigned match_count;
    struct backend_ref *backends;
    unsigned backend_count;
    const char **filter_types; /* spec.rules[].filters[].type, for a clear refusal until filters exist */
    unsigned filter_count;
    uint64_t request_timeout_ms; /* timeouts.request; 0 = none */
    uint64_t backend_timeout_ms; /* timeouts.backendRequest; 0 = none */
    bool has_request_timeout;    /* "0s" given counts: it overrides a policy */
};

struct http_route_spec {
    struct parent_ref *parents;
    unsigned parent_count;
    const char **hostnames; /* lower case */
    unsigned hostname_count;
    struct http_route_rule *rules; /* at least one after defaulting */
    unsigned rule_count;
};

#endif
