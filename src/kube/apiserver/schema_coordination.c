/* SPDX-License-Identifier: Apache-2.0 */
/* schema_coordination.c: fields of the small built-in groups: Lease, EndpointSlice, the events.k8s.io view of Event,
 * and the reviews by which clients ask what they may do. */
#include "kube/apiserver/schema.h"

/* clang-format off */
static const struct schema_field lease[] = {
    {"spec", T_OBJECT | T_OPEN, "Who holds the lease."},
    {".holderIdentity", T_STRING, "The holder; empty when it was given up."},
    {".leaseDurationSeconds", T_INT, "How long after renewTime others must wait."},
    {".acquireTime", T_TIME, "When the holder took it."},
    {".renewTime", T_TIME, "When the holder last said that it is alive."},
    {".leaseTransitions", T_INT, "How often the holder changed."},
};
const struct schema schema_lease = {
    .description = "A lock with an end, by which one of several instances is elected.",
    SCHEMA_FIELDS(lease),
};

static const struct schema_field endpoint_slice[] = {
    {"addressType", T_STRING | T_REQUIRED, "Family of all addresses. Cannot be changed.", .values = "IPv4|IPv6"},
    {"endpoints", T_OBJECT | T_LIST | T_OPEN, "Who serves; at most 1000."},
    {".addresses", T_STRING | T_LIST | T_REQUIRED, "Addresses of the endpoint, any of which will do."},
    {".conditions", T_OBJECT, "State of the endpoint."},
    {"..ready", T_BOOL, "Takes new requests; not given counts as true."},
    {"..serving", T_BOOL, "Answers, though it may be about to end."},
    {"..terminating", T_BOOL, "Is about to end."},
    {".hostname", T_STRING, "Host name of the endpoint."},
    {".nodeName", T_STRING, "Node on which it runs."},
    {".zone", T_STRING, "Zone in which it runs."},
    {".targetRef", T_OBJECT, "The pod behind it.", .of = &schema_object_reference},
    {"ports", T_OBJECT | T_LIST | T_OPEN, "Ports of every endpoint."},
    {".name", T_STRING, "Unique in the slice; the name of the Service's port."},
    {".port", T_INT | T_REQUIRED, "Port, 1 to 65535."},
    {".protocol", T_STRING, "Transport.", .values = "TCP|UDP|SCTP", .fallback = "\"TCP\""},
    {".appProtocol", T_STRING, "Protocol above the transport, such as kubernetes.io/h2c."},
};
const struct schema schema_endpoint_slice = {
    .description = "Addresses that serve. The label kubernetes.io/service-name makes them a Service's; labels that an "
                   "InferencePool selects make them members of the pool.",
    SCHEMA_FIELDS(endpoint_slice),
};

static const struct schema_field events_event[] = {
    {"regarding", T_OBJECT, "What the event is about.", .of = &schema_object_reference},
    {"reason", T_STRING, "Why, in one word for programs."},
    {"note", T_STRING, "What happened, for people."},
    {"type", T_STRING, "Normal or Warning."},
    {"eventTime", T_TIME | T_REQUIRED, "When it first happened, to the microsecond."},
    {"series", T_OBJECT, "That it goes on."},
    {".count", T_INT | T_REQUIRED, "How often so far."},
    {".lastObservedTime", T_TIME | T_REQUIRED, "When it last happened."},
    {"action", T_STRING, "What was done or failed."},
    {"related", T_OBJECT, "A second object that it is about.", .of = &schema_object_reference},
    {"reportingController", T_STRING, "Name of the controller that reported it."},
    {"reportingInstance", T_STRING, "Which instance of the controller."},
    {"deprecatedSource", T_OBJECT, "Who reported it, in core/v1."},
    {".component", T_STRING, "Name of the program."},
    {".host", T_STRING, "Where it runs."},
    {"deprecatedFirstTimestamp", T_TIME, "When it first happened, in core/v1."},
    {"deprecatedLastTimestamp", T_TIME, "When it last happened, in core/v1."},
    {"deprecatedCount", T_INT, "How often it happened, in core/v1."},
};
const struct schema schema_events_event = {
    .description = "Something that happened to an object: the same events as in core/v1.",
    SCHEMA_FIELDS(events_event),
};

static const struct schema_field access_review[] = {
    {"spec", T_OBJECT | T_REQUIRED, "The question: one of the two."},
    {".resourceAttributes", T_OBJECT | T_OPEN, "An access to a resource."},
    {"..verb", T_STRING, "get, list, create, ...; * for all."},
    {"..group", T_STRING, "API group; * for all."},
    {"..version", T_STRING, "Version; * for all."},
    {"..resource", T_STRING, "Plural of the resource; * for all."},
    {"..subresource", T_STRING, "Subresource."},
    {"..namespace", T_STRING, "Namespace; empty for all."},
    {"..name", T_STRING, "Name; empty for all."},
    {".nonResourceAttributes", T_OBJECT, "An access to a path."},
    {"..path", T_STRING, "The path."},
    {"..verb", T_STRING, "The HTTP method."},
    {"status", T_OBJECT, "The answer."},
    {".allowed", T_BOOL | T_REQUIRED, "Whether it is allowed."},
    {".denied", T_BOOL, "Whether it is forbidden, whatever else allows it."},
    {".reason", T_STRING, "Why."},
    {".evaluationError", T_STRING, "What went wrong in answering."},
};
const struct schema schema_access_review = {
    .description = "Asks whether the one who asks may do something.",
    SCHEMA_FIELDS(access_review),
};

static const struct schema_field rules_review[] = {
    {"spec", T_OBJECT | T_REQUIRED, "The question."},
    {".namespace", T_STRING, "Where."},
    {"status", T_OBJECT, "The answer."},
    {".resourceRules", T_OBJECT | T_LIST | T_REQUIRED, "What may be done to resources."},
    {"..verbs", T_STRING | T_LIST | T_REQUIRED, "Verbs; * for all."},
    {"..apiGroups", T_STRING | T_LIST, "API groups; * for all."},
    {"..resources", T_STRING | T_LIST, "Plurals; * for all."},
    {"..resourceNames", T_STRING | T_LIST, "Names; none for all."},
    {".nonResourceRules", T_OBJECT | T_LIST | T_REQUIRED, "What may be done to paths."},
    {"..verbs", T_STRING | T_LIST | T_REQUIRED, "HTTP methods; * for all."},
    {"..nonResourceURLs", T_STRING | T_LIST, "Paths; * for all."},
    {".incomplete", T_BOOL | T_REQUIRED, "Whether more may be allowed than is listed."},
    {".evaluationError", T_STRING, "What went wrong in answering."},
};
const struct schema schema_rules_review = {
    .description = "Asks what the one who asks may do in a namespace.",
    SCHEMA_FIELDS(rules_review),
};

static const struct schema_field self_review[] = {
    {"status", T_OBJECT, "The answer."},
    {".userInfo", T_OBJECT | T_OPEN, "The user."},
    {"..username", T_STRING, "Name."},
    {"..uid", T_STRING, "Identity over time."},
    {"..groups", T_STRING | T_LIST, "Groups."},
};
const struct schema schema_self_review = {
    .description = "Asks who the one who asks is.",
    SCHEMA_FIELDS(self_review),
};
/* clang-format on */
