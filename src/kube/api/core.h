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

enum env_source { ENV_VALUE, ENV_CONFIG_MAP, ENV_SECRET, ENV_FIELD, ENV_RESOURCE };

struct env_var {
    const char *name;
    enum env_source source;
    const char *value; /* of ENV_VALUE; else "" */
    const char *from;  /* the name of the ConfigMap or Secret, or the path of the field; else "" */
    const char *key;   /* in the ConfigMap or Secret; else "" */
    bool is_optional;  /* a missing object or key is no error */
};

struct env_from { /* every key of an object */
    enum env_source source;
    const char *from;
    const char *prefix; /* "" */
    bool is_optional;
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
    struct env_from *env_from;
    unsigned env_from_count;
    struct probe_spec readiness;
};

enum restart_policy { RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_NEVER };

struct pod_template {
    struct kube_labels labels;
    struct kube_labels annotations;
    struct container_spec *containers;
    unsigned container_count;
    uint32_t termination_grace_s; /* default 30 */
    enum restart_policy restart_policy;
};

struct pod_spec {
    struct pod_template pod; /* labels and annotations: the object's own */
    const char *node_name;   /* "" while nobody runs it */
    const char *phase;       /* status.phase, "" */
    const char *pod_ip;      /* status.podIP, "" */
    bool is_ready;           /* status.conditions Ready=True */
    uint64_t ready_since_ms; /* when that became so (wall clock); 0 */
    bool is_deleting;        /* metadata.deletionTimestamp */
};

/* maxSurge and maxUnavailable: pods, or a part of the replicas. */
struct count_or_percent {
    uint32_t value;
    bool is_percent;
};

struct deployment_spec { /* of a Deployment, and (without what only a Deployment has) of a ReplicaSet */
    uint32_t replicas;   /* default 1 */
    struct label_selector selector;
    struct pod_template pod;
    uint32_t min_ready_s; /* default 0 */
    /* Deployment only: */
    bool is_recreate; /* strategy Recreate; else RollingUpdate */
    struct count_or_percent max_surge, max_unavailable;
    bool is_paused;
    uint32_t revision_history_limit; /* default 10 */
    uint32_t progress_deadline_s;    /* default 600 */
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
