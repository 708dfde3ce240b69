/* SPDX-License-Identifier: Apache-2.0 */
/* tables_pod.c: core/v1: the spec of a pod, its affinities, and the template that workloads hold.
 * Constant data. */
#include "kube/protobuf/tables.h"

#include <stddef.h>

/* clang-format off */
static const struct message_field node_selector_requirement[] = {
    {1, "key", TEXT}, {2, "operator", TEXT}, {3, "values", TEXT, LIST}, {0},
};

static const struct message_field node_selector_term[] = {
    {1, "matchExpressions", MESSAGE, LIST, node_selector_requirement},
    {2, "matchFields", MESSAGE, LIST, node_selector_requirement}, {0},
};

static const struct message_field node_selector[] = {
    {1, "nodeSelectorTerms", MESSAGE, LIST, node_selector_term}, {0},
};

static const struct message_field preferred_scheduling_term[] = {
    {1, "weight", INT}, {2, "preference", MESSAGE, ONE, node_selector_term}, {0},
};

static const struct message_field node_affinity[] = {
    {1, "requiredDuringSchedulingIgnoredDuringExecution", MESSAGE, ONE, node_selector},
    {2, "preferredDuringSchedulingIgnoredDuringExecution", MESSAGE, LIST, preferred_scheduling_term}, {0},
};

static const struct message_field pod_affinity_term[] = {
    {1, "labelSelector", MESSAGE, ONE, message_label_selector},
    {2, "namespaces", TEXT, LIST},
    {3, "topologyKey", TEXT},
    {4, "namespaceSelector", MESSAGE, ONE, message_label_selector},
    {5, "matchLabelKeys", TEXT, LIST},
    {6, "mismatchLabelKeys", TEXT, LIST},
    {0},
};

static const struct message_field weighted_pod_affinity_term[] = {
    {1, "weight", INT}, {2, "podAffinityTerm", MESSAGE, ONE, pod_affinity_term}, {0},
};

static const struct message_field pod_affinity[] = {
    {1, "requiredDuringSchedulingIgnoredDuringExecution", MESSAGE, LIST, pod_affinity_term},
    {2, "preferredDuringSchedulingIgnoredDuringExecution", MESSAGE, LIST, weighted_pod_affinity_term}, {0},
};

static const struct message_field affinity[] = {
    {1, "nodeAffinity", MESSAGE, ONE, node_affinity}, {2, "podAffinity", MESSAGE, ONE, pod_affinity},
    {3, "podAntiAffinity", MESSAGE, ONE, pod_affinity}, {0},
};

static const struct message_field toleration[] = {
    {1, "key", TEXT, OMIT}, {2, "operator", TEXT, OMIT}, {3, "value", TEXT, OMIT}, {4, "effect", TEXT, OMIT},
    {5, "tolerationSeconds", INT}, {0},
};

static const struct message_field host_alias[] = {
    {1, "ip", TEXT}, {2, "hostnames", TEXT, LIST}, {0},
};

static const struct message_field pod_dns_config_option[] = {
    {1, "name", TEXT, OMIT}, {2, "value", TEXT}, {0},
};

static const struct message_field pod_dns_config[] = {
    {1, "nameservers", TEXT, LIST}, {2, "searches", TEXT, LIST}, {3, "options", MESSAGE, LIST, pod_dns_config_option},
    {0},
};

static const struct message_field pod_readiness_gate[] = {
    {1, "conditionType", TEXT}, {0},
};

static const struct message_field topology_spread_constraint[] = {
    {1, "maxSkew", INT},
    {2, "topologyKey", TEXT},
    {3, "whenUnsatisfiable", TEXT},
    {4, "labelSelector", MESSAGE, ONE, message_label_selector},
    {5, "minDomains", INT},
    {6, "nodeAffinityPolicy", TEXT},
    {7, "nodeTaintsPolicy", TEXT},
    {8, "matchLabelKeys", TEXT, LIST},
    {0},
};

static const struct message_field named[] = {
    {1, "name", TEXT}, {0},
};

static const struct message_field pod_resource_claim[] = {
    {1, "name", TEXT}, {3, "resourceClaimName", TEXT}, {4, "resourceClaimTemplateName", TEXT}, {0},
};

static const struct message_field pod_scheduling_group[] = {
    {1, "podGroupName", TEXT}, {0},
};

static const struct message_field eviction_responder[] = {
    {1, "name", TEXT}, {2, "priority", INT}, {0},
};

static const struct message_field pod_spec[] = {
    {1, "volumes", MESSAGE, LIST, message_volume},
    {2, "containers", MESSAGE, LIST, message_container},
    {3, "restartPolicy", TEXT, OMIT},
    {4, "terminationGracePeriodSeconds", INT},
    {5, "activeDeadlineSeconds", INT},
    {6, "dnsPolicy", TEXT, OMIT},
    {7, "nodeSelector", TEXT, MAP},
    {8, "serviceAccountName", TEXT, OMIT},
    {9, "serviceAccount", TEXT, OMIT},
    {10, "nodeName", TEXT, OMIT},
    {11, "hostNetwork", BOOL, OMIT},
    {12, "hostPID", BOOL, OMIT},
    {13, "hostIPC", BOOL, OMIT},
    {14, "securityContext", MESSAGE, ONE, message_pod_security_context},
    {15, "imagePullSecrets", MESSAGE, LIST, message_local_object_reference},
    {16, "hostname", TEXT, OMIT},
    {17, "subdomain", TEXT, OMIT},
    {18, "affinity", MESSAGE, ONE, affinity},
    {19, "schedulerName", TEXT, OMIT},
    {20, "initContainers", MESSAGE, LIST, message_container},
    {21, "automountServiceAccountToken", BOOL},
    {22, "tolerations", MESSAGE, LIST, toleration},
    {23, "hostAliases", MESSAGE, LIST, host_alias},
    {24, "priorityClassName", TEXT, OMIT},
    {25, "priority", INT},
    {26, "dnsConfig", MESSAGE, ONE, pod_dns_config},
    {27, "shareProcessNamespace", BOOL},
    {28, "readinessGates", MESSAGE, LIST, pod_readiness_gate},
    {29, "runtimeClassName", TEXT},
    {30, "enableServiceLinks", BOOL},
    {31, "preemptionPolicy", TEXT},
    {32, "overhead", QUANTITY, MAP},
    {33, "topologySpreadConstraints", MESSAGE, LIST, topology_spread_constraint},
    {34, "ephemeralContainers", MESSAGE, LIST, message_ephemeral_container},
    {35, "setHostnameAsFQDN", BOOL},
    {36, "os", MESSAGE, ONE, named},
    {37, "hostUsers", BOOL},
    {38, "schedulingGates", MESSAGE, LIST, named},
    {39, "resourceClaims", MESSAGE, LIST, pod_resource_claim},
    {40, "resources", MESSAGE, ONE, message_resource_requirements},
    {41, "hostnameOverride", TEXT},
    {43, "schedulingGroup", MESSAGE, ONE, pod_scheduling_group},
    {44, "evictionResponders", MESSAGE, LIST, eviction_responder},
    {0},
};

const struct message_field message_pod[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "spec", MESSAGE, ONE, pod_spec},
    {3, "status", MESSAGE, ONE, message_pod_status}, {0},
};

const struct message_field message_pod_template_spec[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "spec", MESSAGE, ONE, pod_spec}, {0},
};
/* clang-format on */
