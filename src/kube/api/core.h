/* SPDX-License-Identifier: Apache-2.0 */
/* core.h: the fields that are used of Service, Pod, EndpointSlice, Deployment and Namespace.  Unknown fields of these
 * kinds are kept in the tree and handed back. */
#ifndef KUBE_API_CORE_H
#define KUBE_API_CORE_H

#include "kube/api/object.h"

struct service_port {
    const char *name; /* "" */
    uint16_t port;
    uint16_t target_port;         /* 0 when it is a name */
    const char *target_port_name; /* "" when it is a number; default: port */
    const char *protocol;         /* default TCP */
    const char *app_protocol;     /* "" */
};

struct service_spec {
    const char *type; /* default ClusterIP */
    struct kube_labels selector;
    struct service_port *ports;
    unsigned port_count;
};

enum probe_kind { PROBE_NONE, PROBE_TCP, PROBE_HTTP, PROBE_EXEC };

struct probe_spec {
    enum probe_kind kind;
    uint16_t port;         /* 0 when it is a name */
    const char *port_name; /* "" */
    const char *path;      /* httpGet, default "/" */
    uint32_t initial_delay_s, period_s, timeout_s, success_threshold, failure_threshold;
};

struct container_port {
    const char *name; /* "" */
    uint16_t port;
};

struct env_var {
    const char *name;
    const char *value; /* "" for valueFrom */
};

struct container_spec {
    const char *name;
    const char *image;
    const char **command; /* NULL-ended */
    unsigned command_count;
    const char **args; /* NULL-ended */
    unsigned arg_count;
    struct container_port *ports;
    unsigned port_count;
    struct env_var *env;
    unsigned env_count;
    struct probe_spec readiness;
};

struct pod_template {
    struct kube_labels labels;
    struct kube_labels annotations;
    struct container_spec *containers;
    unsigned container_count;
    uint32_t termination_grace_s; /* default 30 */
};

struct pod_spec {
    struct pod_template pod; /* labels and annotations: the object's own */
    const char *pod_ip;      /* status.podIP, "" */
    bool is_ready;           /* status.conditions Ready=True */
    bool is_deleting;        /* metadata.deletionTimestamp */
};

struct deployment_spec {
    uint32_t replicas; /* default 1 */
    struct label_selector selector;
    struct pod_template pod;
};

struct slice_endpoint {
    const char **addresses;
    unsigned address_count;
    bool is_ready; /* nil counts as ready */
    bool is_serving, is_terminating;
};

struct slice_port {
    const char *name; /* "" */
    uint16_t port;    /* 0 = all ports: refused */
};

struct endpoint_slice_spec {
    const char *address_type; /* IPv4, IPv6; FQDN is refused */
    const char *service_name; /* label kubernetes.io/service-name, "" */
    struct slice_endpoint *endpoints;
    unsigned endpoint_count;
    struct slice_port *ports;
    unsigned port_count;
};

#endif
