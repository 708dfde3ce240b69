/* SPDX-License-Identifier: Apache-2.0 */
/* schema_core.c: fields of Namespace, ConfigMap, Secret, ServiceAccount, Service and Event.  Built-in kinds keep what
 * is not listed here. */
#include "kube/apiserver/schema.h"

/* clang-format off */
static const struct schema_field namespace_[] = {
    {"spec", T_OBJECT | T_OPEN, "What is wanted."},
    {".finalizers", T_STRING | T_LIST, "Who must finish before a deleted namespace goes away."},
    {"status", T_OBJECT | T_OPEN, "What is."},
    {".phase", T_STRING, "Terminating while the namespace's objects are removed.", .values = "Active|Terminating"},
    {".conditions", T_OBJECT | T_LIST, "What hinders the removal.", .of = &schema_condition},
};
const struct schema schema_namespace = {
    .description = "A space of names; most kinds live in one.",
    SCHEMA_FIELDS(namespace_),
};

static const struct schema_field config_map[] = {
    {"data", T_STRING | T_MAP, "Keys and texts."},
    {"binaryData", T_BYTES | T_MAP, "Keys and bytes, in base64."},
    {"immutable", T_BOOL, "Once true, nothing in it can be changed."},
};
const struct schema schema_config_map = {
    .description = "Settings that others refer to.",
    SCHEMA_FIELDS(config_map),
};

static const struct schema_field secret[] = {
    {"type", T_STRING, "What the keys mean, such as kubernetes.io/tls.", .fallback = "\"Opaque\""},
    {"data", T_BYTES | T_MAP, "Keys and values, in base64."},
    {"stringData", T_STRING | T_MAP, "Keys and values as texts, put into data when written; never read back."},
    {"immutable", T_BOOL, "Once true, nothing in it can be changed."},
};
const struct schema schema_secret = {
    .description = "Keys, certificates and passwords that others refer to.",
    SCHEMA_FIELDS(secret),
};

static const struct schema_field service_account[] = {
    {"secrets", T_OBJECT | T_LIST, "Secrets for its pods.", .of = &schema_object_reference},
    {"imagePullSecrets", T_OBJECT | T_LIST, "Secrets for fetching images."},
    {".name", T_STRING, "Name of the Secret."},
    {"automountServiceAccountToken", T_BOOL, "Whether pods get a token."},
};
const struct schema schema_service_account = {
    .description = "An identity for pods.",
    SCHEMA_FIELDS(service_account),
};

static const struct schema_field service[] = {
    {"spec", T_OBJECT | T_OPEN, "What is wanted."},
    {".type", T_STRING, "How the service is reached.", .values = "ClusterIP|NodePort|LoadBalancer|ExternalName",
     .fallback = "\"ClusterIP\""},
    {".selector", T_STRING | T_MAP, "Labels of the pods that serve. Without it, EndpointSlices are made by hand."},
    {".ports", T_OBJECT | T_LIST | T_OPEN, "Ports of the service."},
    {"..name", T_STRING, "A DNS label; required when there are several ports."},
    {"..port", T_INT | T_REQUIRED, "Port of the service, 1 to 65535."},
    {"..protocol", T_STRING, "Transport.", .values = "TCP|UDP|SCTP", .fallback = "\"TCP\""},
    {"..targetPort", T_INT_OR_STRING, "Port of the pods, by number or name; the same as port when not given."},
    {"..nodePort", T_INT, "Port on every node, for NodePort and LoadBalancer."},
    {"..appProtocol", T_STRING, "Protocol above the transport, such as kubernetes.io/h2c."},
    {".clusterIP", T_STRING, "Address inside; \"None\" for a headless service."},
    {".clusterIPs", T_STRING | T_LIST, "Addresses inside, one for each IP family."},
    {".ipFamilies", T_STRING | T_LIST, "IPv4, IPv6."},
    {".ipFamilyPolicy", T_STRING, "How many families.", .values = "SingleStack|PreferDualStack|RequireDualStack"},
    {".externalIPs", T_STRING | T_LIST, "Addresses outside that lead here."},
    {".externalName", T_STRING, "DNS name that the service stands for, with type ExternalName."},
    {".sessionAffinity", T_STRING, "Whether a client keeps its pod.", .values = "ClientIP|None",
     .fallback = "\"None\""},
    {".publishNotReadyAddresses", T_BOOL, "Whether pods that are not ready take part."},
    {"status", T_OBJECT | T_OPEN, "What is."},
    {".loadBalancer", T_OBJECT, "The load balancer."},
    {"..ingress", T_OBJECT | T_LIST | T_OPEN, "Where clients connect."},
    {"...ip", T_STRING, "Address."},
    {"...hostname", T_STRING, "DNS name."},
    {".conditions", T_OBJECT | T_LIST, "State in detail.", .of = &schema_condition},
};
const struct schema schema_service = {
    .description = "A name and ports for a set of pods.",
    SCHEMA_FIELDS(service),
};

static const struct schema_field event[] = {
    {"involvedObject", T_OBJECT | T_REQUIRED, "What the event is about.", .of = &schema_object_reference},
    {"reason", T_STRING, "Why, in one word for programs."},
    {"message", T_STRING, "What happened, for people."},
    {"type", T_STRING, "Normal or Warning."},
    {"count", T_INT, "How often it happened."},
    {"firstTimestamp", T_TIME, "When it first happened."},
    {"lastTimestamp", T_TIME, "When it last happened."},
    {"eventTime", T_TIME, "When it first happened, to the microsecond."},
    {"series", T_OBJECT, "That it goes on."},
    {".count", T_INT, "How often so far."},
    {".lastObservedTime", T_TIME, "When it last happened."},
    {"source", T_OBJECT, "Who reported it."},
    {".component", T_STRING, "Name of the program."},
    {".host", T_STRING, "Where it runs."},
    {"action", T_STRING, "What was done or failed."},
    {"related", T_OBJECT, "A second object that it is about.", .of = &schema_object_reference},
    {"reportingComponent", T_STRING, "Name of the controller that reported it."},
    {"reportingInstance", T_STRING, "Which instance of the controller."},
};
const struct schema schema_event = {
    .description = "Something that happened to an object. Events are kept for a while only.",
    SCHEMA_FIELDS(event),
};
/* clang-format on */
