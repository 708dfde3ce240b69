/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.h: GatewayClass, Gateway and ReferenceGrant, decoded and defaulted. */
#ifndef KUBE_API_GATEWAY_H
#define KUBE_API_GATEWAY_H

#include "kube/api/object.h"

struct gateway_class_spec {
    const char *controller_name;
};

enum route_namespaces { NAMESPACES_SAME, NAMESPACES_ALL, NAMESPACES_SELECTOR, NAMESPACES_NONE };

struct route_group_kind {
    const char *group;
    const char *kind;
};

struct gateway_listener {
    const char *name;
    const char *hostname; /* lower case; "" = any */
    uint16_t port;
    const char *protocol; /* as written: an unsupported one is a listener condition, not a decode error */
    enum route_namespaces from;
    struct label_selector namespace_selector;
    struct route_group_kind *kinds; /* allowedRoutes.kinds */
    unsigned kind_count;            /* 0: by protocol */
};

struct gateway_address {
    const char *type;  /* "IPAddress", "Hostname", ... */
    const char *value; /* "" = assign one */
};

struct gateway_spec {
    const char *class_name;
    struct gateway_listener *listeners;
    unsigned listener_count;
    struct gateway_address *addresses;
    unsigned address_count;
    bool has_parameters_ref;
};

struct reference_grant_spec {
    struct {
        const char *group, *kind, *namespace_;
    } * from;
    unsigned from_count;
    struct {
        const char *group, *kind, *name; /* name "" = all */
    } * to;
    unsigned to_count;
};

#endif
