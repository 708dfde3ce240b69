/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h: ClientTrafficPolicy and BackendTrafficPolicy: the fields that are used.  Other fields of these kinds are
 * errors that name the field: a policy is never half-applied in silence. */
#ifndef KUBE_API_POLICY_H
#define KUBE_API_POLICY_H

#include "kube/api/object.h"

struct policy_target {
    const char *group;
    const char *kind; /* Gateway, HTTPRoute */
    const char *name;
    const char *section_name; /* "" = whole */
};

struct client_traffic_policy_spec {
    struct policy_target *targets; /* targetRef and targetRefs together */
    unsigned target_count;
    bool has_buffer_limit;
    uint64_t buffer_limit_bytes; /* connection.bufferLimit */
};

#define POLICY_MAX_RETRIES        8
#define POLICY_MAX_RETRY_STATUSES 16

struct backend_traffic_policy_spec {
    struct policy_target *targets;
    unsigned target_count;
    bool has_request_timeout;
    uint64_t request_timeout_ms;     /* timeout.http.requestTimeout; 0 = none */
    uint64_t stream_idle_timeout_ms; /* timeout.http.streamIdleTimeout; 0 = none */
    uint64_t first_token_timeout_ms; /* annotation serin.dev/first-token-timeout; 0 = none */
    bool has_retries;
    unsigned retries;                                   /* retry.numRetries */
    uint16_t retry_statuses[POLICY_MAX_RETRY_STATUSES]; /* retry.retryOn.httpStatusCodes */
    unsigned retry_status_count;
};

#endif
