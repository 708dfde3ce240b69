/* SPDX-License-Identifier: Apache-2.0 */
/* tables_core.c: core/v1 without pods: Namespace, ConfigMap, Secret, ServiceAccount, Service, Endpoints, Event.
 * Constant data. */
#include "kube/protobuf/tables.h"

#include <stddef.h>

/* clang-format off */
static const struct message_field namespace_spec[] = {
    {1, "finalizers", TEXT, LIST}, {0},
};

static const struct message_field namespace_condition[] = {
    {1, "type", TEXT}, {2, "status", TEXT}, {4, "lastTransitionTime", TIME}, {5, "reason", TEXT, OMIT},
    {6, "message", TEXT, OMIT}, {0},
};

static const struct message_field namespace_status[] = {
    {1, "phase", TEXT, OMIT}, {2, "conditions", MESSAGE, LIST, namespace_condition}, {0},
};

const struct message_field message_namespace[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "spec", MESSAGE, ONE, namespace_spec},
    {3, "status", MESSAGE, ONE, namespace_status}, {0},
};

const struct message_field message_config_map[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "data", TEXT, MAP}, {3, "binaryData", BASE64, MAP},
    {4, "immutable", BOOL}, {0},
};

const struct message_field message_secret[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "data", BASE64, MAP}, {3, "type", TEXT, OMIT},
    {4, "stringData", TEXT, MAP}, {5, "immutable", BOOL}, {0},
};

const struct message_field message_object_reference[] = {
    {1, "kind", TEXT, OMIT}, {2, "namespace", TEXT, OMIT}, {3, "name", TEXT, OMIT}, {4, "uid", TEXT, OMIT},
    {5, "apiVersion", TEXT, OMIT}, {6, "resourceVersion", TEXT, OMIT}, {7, "fieldPath", TEXT, OMIT}, {0},
};

const struct message_field message_local_object_reference[] = {
    {1, "name", TEXT, OMIT}, {0},
};

const struct message_field message_service_account[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta},
    {2, "secrets", MESSAGE, LIST, message_object_reference},
    {3, "imagePullSecrets", MESSAGE, LIST, message_local_object_reference},
    {4, "automountServiceAccountToken", BOOL},
    {0},
};

static const struct message_field service_port[] = {
    {1, "name", TEXT, OMIT}, {2, "protocol", TEXT, OMIT}, {3, "port", INT}, {4, "targetPort", INT_OR_STRING},
    {5, "nodePort", INT, OMIT}, {6, "appProtocol", TEXT}, {0},
};

static const struct message_field client_ip_config[] = {
    {1, "timeoutSeconds", INT}, {0},
};

static const struct message_field session_affinity_config[] = {
    {1, "clientIP", MESSAGE, ONE, client_ip_config}, {0},
};

static const struct message_field service_spec[] = {
    {1, "ports", MESSAGE, LIST, service_port},
    {2, "selector", TEXT, MAP},
    {3, "clusterIP", TEXT, OMIT},
    {4, "type", TEXT, OMIT},
    {5, "externalIPs", TEXT, LIST},
    {7, "sessionAffinity", TEXT, OMIT},
    {8, "loadBalancerIP", TEXT, OMIT},
    {9, "loadBalancerSourceRanges", TEXT, LIST},
    {10, "externalName", TEXT, OMIT},
    {11, "externalTrafficPolicy", TEXT, OMIT},
    {12, "healthCheckNodePort", INT, OMIT},
    {13, "publishNotReadyAddresses", BOOL, OMIT},
    {14, "sessionAffinityConfig", MESSAGE, ONE, session_affinity_config},
    {17, "ipFamilyPolicy", TEXT},
    {18, "clusterIPs", TEXT, LIST},
    {19, "ipFamilies", TEXT, LIST},
    {20, "allocateLoadBalancerNodePorts", BOOL},
    {21, "loadBalancerClass", TEXT},
    {22, "internalTrafficPolicy", TEXT},
    {23, "trafficDistribution", TEXT},
    {0},
};

static const struct message_field port_status[] = {
    {1, "port", INT}, {2, "protocol", TEXT}, {3, "error", TEXT}, {0},
};

static const struct message_field load_balancer_ingress[] = {
    {1, "ip", TEXT, OMIT}, {2, "hostname", TEXT, OMIT}, {3, "ipMode", TEXT}, {4, "ports", MESSAGE, LIST, port_status},
    {0},
};

static const struct message_field load_balancer_status[] = {
    {1, "ingress", MESSAGE, LIST, load_balancer_ingress}, {0},
};

static const struct message_field service_status[] = {
    {1, "loadBalancer", MESSAGE, ONE, load_balancer_status}, {2, "conditions", MESSAGE, LIST, message_condition}, {0},
};

const struct message_field message_service[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "spec", MESSAGE, ONE, service_spec},
    {3, "status", MESSAGE, ONE, service_status}, {0},
};

static const struct message_field endpoints_address[] = {
    {1, "ip", TEXT}, {2, "targetRef", MESSAGE, ONE, message_object_reference}, {3, "hostname", TEXT, OMIT},
    {4, "nodeName", TEXT}, {0},
};

static const struct message_field endpoints_port[] = {
    {1, "name", TEXT, OMIT}, {2, "port", INT}, {3, "protocol", TEXT, OMIT}, {4, "appProtocol", TEXT}, {0},
};

static const struct message_field endpoints_subset[] = {
    {1, "addresses", MESSAGE, LIST, endpoints_address}, {2, "notReadyAddresses", MESSAGE, LIST, endpoints_address},
    {3, "ports", MESSAGE, LIST, endpoints_port}, {0},
};

const struct message_field message_endpoints[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "subsets", MESSAGE, LIST, endpoints_subset}, {0},
};

const struct message_field message_event_source[] = {
    {1, "component", TEXT, OMIT}, {2, "host", TEXT, OMIT}, {0},
};

static const struct message_field event_series[] = {
    {1, "count", INT, OMIT}, {2, "lastObservedTime", MICRO_TIME}, {0},
};

const struct message_field message_core_event[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta},
    {2, "involvedObject", MESSAGE, ONE, message_object_reference},
    {3, "reason", TEXT, OMIT},
    {4, "message", TEXT, OMIT},
    {5, "source", MESSAGE, ONE, message_event_source},
    {6, "firstTimestamp", TIME},
    {7, "lastTimestamp", TIME},
    {8, "count", INT, OMIT},
    {9, "type", TEXT, OMIT},
    {10, "eventTime", MICRO_TIME},
    {11, "series", MESSAGE, ONE, event_series},
    {12, "action", TEXT, OMIT},
    {13, "related", MESSAGE, ONE, message_object_reference},
    {14, "reportingComponent", TEXT},
    {15, "reportingInstance", TEXT},
    {0},
};
/* clang-format on */
