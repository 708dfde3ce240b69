/* SPDX-License-Identifier: Apache-2.0 */
/* tables_groups.c: discovery.k8s.io/v1 EndpointSlice, events.k8s.io/v1 Event, coordination.k8s.io/v1 Lease.
 * Constant data. */
#include "kube/protobuf/tables.h"

#include <stddef.h>

/* clang-format off */
static const struct message_field endpoint_conditions[] = {
    {1, "ready", BOOL}, {2, "serving", BOOL}, {3, "terminating", BOOL}, {0},
};

static const struct message_field hint[] = {
    {1, "name", TEXT}, {0},
};

static const struct message_field endpoint_hints[] = {
    {1, "forZones", MESSAGE, LIST, hint}, {2, "forNodes", MESSAGE, LIST, hint}, {0},
};

static const struct message_field endpoint[] = {
    {1, "addresses", TEXT, LIST},
    {2, "conditions", MESSAGE, ONE, endpoint_conditions},
    {3, "hostname", TEXT},
    {4, "targetRef", MESSAGE, ONE, message_object_reference},
    {5, "deprecatedTopology", TEXT, MAP},
    {6, "nodeName", TEXT},
    {7, "zone", TEXT},
    {8, "hints", MESSAGE, ONE, endpoint_hints},
    {0},
};

static const struct message_field endpoint_port[] = {
    {1, "name", TEXT}, {2, "protocol", TEXT}, {3, "port", INT}, {4, "appProtocol", TEXT}, {0},
};

const struct message_field message_endpoint_slice[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "endpoints", MESSAGE, LIST, endpoint},
    {3, "ports", MESSAGE, LIST, endpoint_port}, {4, "addressType", TEXT}, {0},
};

static const struct message_field event_series[] = {
    {1, "count", INT}, {2, "lastObservedTime", MICRO_TIME}, {0},
};

const struct message_field message_event[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta},
    {2, "eventTime", MICRO_TIME},
    {3, "series", MESSAGE, ONE, event_series},
    {4, "reportingController", TEXT, OMIT},
    {5, "reportingInstance", TEXT, OMIT},
    {6, "action", TEXT, OMIT},
    {7, "reason", TEXT, OMIT},
    {8, "regarding", MESSAGE, ONE, message_object_reference},
    {9, "related", MESSAGE, ONE, message_object_reference},
    {10, "note", TEXT, OMIT},
    {11, "type", TEXT, OMIT},
    {12, "deprecatedSource", MESSAGE, ONE, message_event_source},
    {13, "deprecatedFirstTimestamp", TIME},
    {14, "deprecatedLastTimestamp", TIME},
    {15, "deprecatedCount", INT, OMIT},
    {0},
};

static const struct message_field lease_spec[] = {
    {1, "holderIdentity", TEXT},
    {2, "leaseDurationSeconds", INT},
    {3, "acquireTime", MICRO_TIME},
    {4, "renewTime", MICRO_TIME},
    {5, "leaseTransitions", INT},
    {6, "strategy", TEXT},
    {7, "preferredHolder", TEXT},
    {0},
};

const struct message_field message_lease[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "spec", MESSAGE, ONE, lease_spec}, {0},
};
/* clang-format on */
