/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c: decodes ClientTrafficPolicy and BackendTrafficPolicy.
 *
 * These kinds have far more fields than are built.  The tables below name them, so that a user learns "not supported
 * yet" from a real field and "unknown field" from a typing error; neither passes in silence. */
#include "kube/api/policy.h"

#include <string.h>

#include "kube/api/kinds.h"

#define GATEWAY_GROUP "gateway.networking.k8s.io"

enum { TARGETS_MAX = 16 };

static void decode_target(struct field *ref, struct policy_target *target, const char *const *kinds)
{
    static const char *const groups[] = {GATEWAY_GROUP, NULL};
    int kind = decode_enum(ref, "kind", REQUIRED, kinds, 0);
    (void)decode_enum(ref, "group", REQUIRED, groups, 0);
    target->group = GATEWAY_GROUP;
    target->kind = kinds[kind];
    target->name = decode_text(ref, "name", REQUIRED, &syntax_reference_name);
    target->section_name = decode_text(ref, "sectionName", OPTIONAL, &syntax_dns_subdomain);
    decode_end(ref);
}

static struct policy_target *decode_targets(struct field *spec, const char *const *kinds, unsigned *ret_count)
{
    static const char *const unsupported[] = {"targetSelectors", NULL};
    struct field one = decode_object(spec, "targetRef", OPTIONAL);
    struct field list = decode_list(spec, "targetRefs", OPTIONAL, 1, TARGETS_MAX);
    struct policy_target *targets = ARENA_ARRAY(spec->decoder->arena, struct policy_target, list.len + 1);
    unsigned count = 0;
    decode_unsupported(spec, unsupported);
    if (one.value != NULL && list.value != NULL)
        field_problem(&list, NULL, "Invalid", "must not be given together with targetRef");
    else if (one.value == NULL && list.value == NULL && spec->value != NULL &&
             json_object_get(spec->value, "targetSelectors") == NULL)
        field_problem(&list, NULL, "Required", "required");
    if (one.value != NULL)
        decode_target(&one, &targets[count++], kinds);
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        decode_target(&item, &targets[count++], kinds);
    }
    *ret_count = count;
    return targets;
}

/* The CRD's pattern: a whole number that does not start with 0, and a suffix or none. */
static bool is_buffer_limit(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[0] == '0')
        return false;
    const char *suffix = text + digits;
    if (suffix[0] == '\0')
        return true;
    if (strchr("EPTGMk", suffix[0]) != NULL && suffix[1] == '\0')
        return true;
    return strchr("EPTGMK", suffix[0]) != NULL && suffix[1] == 'i' && suffix[2] == '\0';
}

static void decode_buffer_limit(struct field *connection, struct client_traffic_policy_spec *policy)
{
    json_t *value = connection->value != NULL ? json_object_get(connection->value, "bufferLimit") : NULL;
    if (value == NULL || !json_is_string(value)) {
        policy->has_buffer_limit = field_has(connection, "bufferLimit");
        policy->buffer_limit_bytes = (uint64_t)decode_int(connection, "bufferLimit", OPTIONAL, 1, UINT32_MAX, 0);
        return;
    }
    const char *text = decode_text(connection, "bufferLimit", OPTIONAL, &syntax_given);
    uint64_t bytes = 0;
    if (text[0] == '\0')
        return;
    if (!is_buffer_limit(text) || !kube_quantity(text, &bytes))
        field_problem(connection, "bufferLimit", "Invalid", "must be a whole quantity such as 20Mi or 32768");
    else if (bytes > UINT32_MAX)
        field_problem(connection, "bufferLimit", "Invalid", "must be at most %u bytes", UINT32_MAX);
    policy->has_buffer_limit = true;
    policy->buffer_limit_bytes = bytes;
}

const void *client_traffic_policy_decode(struct field *root, const struct kube_object *object)
{
    static const char *const kinds[] = {"Gateway", NULL};
    static const char *const unsupported[] = {"tcpKeepalive",
                                              "enableProxyProtocol",
                                              "proxyProtocol",
                                              "clientIPDetection",
                                              "tls",
                                              "path",
                                              "headers",
                                              "timeout",
                                              "http1",
                                              "http2",
                                              "http3",
                                              "grpc",
                                              "scheme",
                                              "healthCheck",
                                              NULL};
    static const char *const connection_unsupported[] = {"connectionLimit", "socketBufferLimit",
                                                         "maxAcceptPerSocketEvent", NULL};
    struct client_traffic_policy_spec *policy = ARENA_NEW(object->arena, struct client_traffic_policy_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    policy->targets = decode_targets(&spec, kinds, &policy->target_count);
    struct field connection = decode_object(&spec, "connection", OPTIONAL);
    decode_buffer_limit(&connection, policy);
    decode_unsupported(&connection, connection_unsupported);
    decode_end(&connection);
    decode_unsupported(&spec, unsupported);
    decode_end(&spec);
    return policy;
}

static void decode_backend_timeout(struct field *spec, struct backend_traffic_policy_spec *policy)
{
    static const char *const tcp_unsupported[] = {"tcp", NULL};
    static const char *const http_unsupported[] = {"connectionIdleTimeout", "maxConnectionDuration",
                                                   "maxStreamDuration", NULL};
    struct field timeout = decode_object(spec, "timeout", OPTIONAL);
    struct field http = decode_object(&timeout, "http", OPTIONAL);
    policy->has_request_timeout = decode_duration(&http, "requestTimeout", &policy->request_timeout_ms);
    decode_duration(&http, "streamIdleTimeout", &policy->stream_idle_timeout_ms);
    decode_unsupported(&http, http_unsupported);
    decode_end(&http);
    decode_unsupported(&timeout, tcp_unsupported);
    decode_end(&timeout);
}

static void decode_retry_statuses(struct field *retry_on, struct backend_traffic_policy_spec *policy)
{
    struct field list = decode_list(retry_on, "httpStatusCodes", OPTIONAL, 1, POLICY_MAX_RETRY_STATUSES);
    for (size_t i = 0; i < list.len; i++) {
        const json_t *item = json_array_get(list.value, i);
        json_int_t status = json_is_integer(item) ? json_integer_value(item) : 0;
        if (status < 400 || status > 599) {
            field_problem(&list, NULL, "Invalid", "must be statuses of failed requests, 400..599");
            return;
        }
        policy->retry_statuses[policy->retry_status_count++] = (uint16_t)status;
    }
}

static void decode_retry(struct field *spec, struct backend_traffic_policy_spec *policy)
{
    static const char *const unsupported[] = {"perRetry", "numAttemptsPerPriority", NULL};
    static const char *const on_unsupported[] = {"triggers", NULL};
    struct field retry = decode_object(spec, "retry", OPTIONAL);
    policy->has_retries = field_has(&retry, "numRetries");
    policy->retries = (unsigned)decode_int(&retry, "numRetries", OPTIONAL, 0, POLICY_MAX_RETRIES, 0);
    struct field retry_on = decode_object(&retry, "retryOn", OPTIONAL);
    decode_retry_statuses(&retry_on, policy);
    decode_unsupported(&retry_on, on_unsupported);
    decode_end(&retry_on);
    decode_unsupported(&retry, unsupported);
    decode_end(&retry);
}

/* No field of the kind says it. */
static void decode_first_token_timeout(struct field *root, struct backend_traffic_policy_spec *policy)
{
    struct field metadata = decode_object(root, "metadata", OPTIONAL);
    struct field annotations = decode_object(&metadata, "annotations", OPTIONAL);
    decode_duration(&annotations, "serin.dev/first-token-timeout", &policy->first_token_timeout_ms);
}

const void *backend_traffic_policy_decode(struct field *root, const struct kube_object *object)
{
    static const char *const kinds[] = {"Gateway", "HTTPRoute", NULL};
    static const char *const unsupported[] = {"loadBalancer",
                                              "healthCheck",
                                              "circuitBreaker",
                                              "connection",
                                              "tcpKeepalive",
                                              "proxyProtocol",
                                              "dns",
                                              "http2",
                                              "rateLimit",
                                              "bandwidthLimit",
                                              "faultInjection",
                                              "admissionControl",
                                              "useClientProtocol",
                                              "compressor",
                                              "compression",
                                              "responseOverride",
                                              "httpUpgrade",
                                              "requestBuffer",
                                              "telemetry",
                                              "routingType",
                                              "mergeType",
                                              NULL};
    struct backend_traffic_policy_spec *policy = ARENA_NEW(object->arena, struct backend_traffic_policy_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    policy->targets = decode_targets(&spec, kinds, &policy->target_count);
    decode_backend_timeout(&spec, policy);
    decode_first_token_timeout(root, policy);
    decode_retry(&spec, policy);
    decode_unsupported(&spec, unsupported);
    decode_end(&spec);
    return policy;
}
