/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.c: decodes GatewayClass, Gateway and ReferenceGrant with the limits and rules of their CRDs.
 *
 * What this gateway cannot do but the CRD allows (a protocol, a listener's TLS) decodes: whether a listener is usable
 * is a condition of its status, decided by the controller. */
#include "kube/api/gateway.h"

#include <string.h>

#include "kube/api/kinds.h"

#define GATEWAY_GROUP "gateway.networking.k8s.io"

enum { LISTENERS_MAX = 64, ADDRESSES_MAX = 16, KINDS_MAX = 8, CERTIFICATES_MAX = 64, GRANT_REFERENCES_MAX = 16 };

static const struct text_syntax syntax_description = {.max_len = 64, .may_be_empty = true};

static void decode_parameters_ref(struct field *ref)
{
    (void)decode_text(ref, "group", REQUIRED, &syntax_group);
    (void)decode_text(ref, "kind", REQUIRED, &syntax_kind);
    (void)decode_text(ref, "name", REQUIRED, &syntax_reference_name);
    (void)decode_text(ref, "namespace", OPTIONAL, &syntax_dns_label);
    decode_end(ref);
}

const void *gateway_class_decode(struct field *root, const struct kube_object *object)
{
    struct gateway_class_spec *class = ARENA_NEW(object->arena, struct gateway_class_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    class->controller_name = decode_text(&spec, "controllerName", REQUIRED, &syntax_controller_name);
    struct field parameters = decode_object(&spec, "parametersRef", OPTIONAL);
    decode_parameters_ref(&parameters);
    (void)decode_text(&spec, "description", OPTIONAL, &syntax_description);
    decode_end(&spec);
    return class;
}

static void decode_route_kinds(struct field *allowed, struct gateway_listener *listener)
{
    struct field list = decode_list(allowed, "kinds", OPTIONAL, 0, KINDS_MAX);
    listener->kinds = ARENA_ARRAY(allowed->decoder->arena, struct route_group_kind, list.len);
    listener->kind_count = (unsigned)list.len;
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        listener->kinds[i].group = decode_text_or(&item, "group", &syntax_group, GATEWAY_GROUP);
        listener->kinds[i].kind = decode_text(&item, "kind", REQUIRED, &syntax_kind);
        decode_end(&item);
    }
}

static void decode_allowed_routes(struct field *parent, struct gateway_listener *listener)
{
    static const char *const from_names[] = {[NAMESPACES_SAME] = "Same",
                                             [NAMESPACES_ALL] = "All",
                                             [NAMESPACES_SELECTOR] = "Selector",
                                             [NAMESPACES_NONE] = "None",
                                             NULL};
    struct field allowed = decode_object(parent, "allowedRoutes", OPTIONAL);
    struct field namespaces = decode_object(&allowed, "namespaces", OPTIONAL);
    listener->from = (enum route_namespaces)decode_enum(&namespaces, "from", OPTIONAL, from_names, NAMESPACES_SAME);
    enum presence selector = listener->from == NAMESPACES_SELECTOR ? REQUIRED : OPTIONAL;
    listener->namespace_selector = decode_selector(&namespaces, "selector", selector);
    decode_end(&namespaces);
    decode_route_kinds(&allowed, listener);
    decode_end(&allowed);
}

static void decode_certificate_refs(struct field *tls)
{
    struct field list = decode_list(tls, "certificateRefs", OPTIONAL, 0, CERTIFICATES_MAX);
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        (void)decode_text(&item, "group", OPTIONAL, &syntax_group);
        (void)decode_text(&item, "kind", OPTIONAL, &syntax_kind);
        (void)decode_text(&item, "name", REQUIRED, &syntax_reference_name);
        (void)decode_text(&item, "namespace", OPTIONAL, &syntax_dns_label);
        decode_end(&item);
    }
}

static void decode_listener_tls(struct field *parent, const struct gateway_listener *listener)
{
    enum { TERMINATE, PASSTHROUGH };
    static const char *const modes[] = {[TERMINATE] = "Terminate", [PASSTHROUGH] = "Passthrough", NULL};
    static const char *const kept[] = {"options", "frontendValidation", NULL};
    const char *protocol = listener->protocol;
    struct field tls = decode_object(parent, "tls", OPTIONAL);
    if (tls.value != NULL &&
        (strcmp(protocol, "HTTP") == 0 || strcmp(protocol, "TCP") == 0 || strcmp(protocol, "UDP") == 0)) {
        field_problem(&tls, NULL, "Invalid", "must not be given for protocol %s", protocol);
        return;
    }
    bool is_tls = strcmp(protocol, "TLS") == 0;
    if (tls.value == NULL && is_tls)
        field_problem(&tls, NULL, "Required", "required for protocol TLS");
    int mode = decode_enum(&tls, "mode", is_tls ? REQUIRED : OPTIONAL, modes, TERMINATE);
    if (mode == PASSTHROUGH && strcmp(protocol, "HTTPS") == 0)
        field_problem(&tls, "mode", "Invalid", "must be Terminate for protocol HTTPS");
    decode_certificate_refs(&tls);
    decode_kept(&tls, kept);
    if (tls.value != NULL && mode == TERMINATE && json_array_size(json_object_get(tls.value, "certificateRefs")) == 0 &&
        json_object_size(json_object_get(tls.value, "options")) == 0)
        field_problem(&tls, "certificateRefs", "Required", "required to terminate TLS");
    decode_end(&tls);
}

static void decode_listener(struct field *item, struct gateway_listener *listener)
{
    listener->name = decode_text(item, "name", REQUIRED, &syntax_dns_subdomain);
    listener->hostname = decode_text(item, "hostname", OPTIONAL, &syntax_hostname);
    listener->port = decode_port(item, "port", REQUIRED);
    listener->protocol = decode_text(item, "protocol", REQUIRED, &syntax_protocol);
    if (listener->hostname[0] != '\0' &&
        (strcmp(listener->protocol, "TCP") == 0 || strcmp(listener->protocol, "UDP") == 0))
        field_problem(item, "hostname", "Invalid", "must not be given for protocol %s", listener->protocol);
    decode_listener_tls(item, listener);
    decode_allowed_routes(item, listener);
    decode_end(item);
}

/* Reports the later one of two listeners that clash. */
static void check_distinct_listeners(const struct field *list, const struct gateway_listener *listeners, size_t last)
{
    const struct gateway_listener *added = &listeners[last];
    struct field item = {.decoder = list->decoder, .parent = list, .index = last};
    for (size_t i = 0; i < last && added->name[0] != '\0'; i++) {
        if (strcmp(listeners[i].name, added->name) == 0) {
            field_problem(&item, "name", "Invalid", "must be unique; listeners[%zu] has the same name", i);
            break;
        }
    }
    for (size_t i = 0; i < last && added->port != 0 && added->protocol[0] != '\0'; i++) {
        if (listeners[i].port == added->port && strcmp(listeners[i].protocol, added->protocol) == 0 &&
            strcmp(listeners[i].hostname, added->hostname) == 0) {
            field_problem(&item, NULL, "Invalid",
                          "port, protocol and hostname must be unique; listeners[%zu] has the same", i);
            break;
        }
    }
}

static void decode_listeners(struct field *spec, struct gateway_spec *gateway)
{
    struct field list = decode_list(spec, "listeners", REQUIRED, 1, LISTENERS_MAX);
    gateway->listeners = ARENA_ARRAY(spec->decoder->arena, struct gateway_listener, list.len);
    gateway->listener_count = (unsigned)list.len;
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        decode_listener(&item, &gateway->listeners[i]);
        check_distinct_listeners(&list, gateway->listeners, i);
    }
}

static void decode_addresses(struct field *spec, struct gateway_spec *gateway)
{
    static const struct text_syntax address_type = {.max_len = 253, .is_valid = NULL};
    struct field list = decode_list(spec, "addresses", OPTIONAL, 0, ADDRESSES_MAX);
    gateway->addresses = ARENA_ARRAY(spec->decoder->arena, struct gateway_address, list.len);
    gateway->address_count = (unsigned)list.len;
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        struct gateway_address *address = &gateway->addresses[i];
        address->type = decode_text_or(&item, "type", &address_type, "IPAddress");
        address->value = decode_text(&item, "value", OPTIONAL, &syntax_any);
        if (strcmp(address->type, "IPAddress") == 0 && address->value[0] != '\0')
            (void)decode_check_text(&item, "value", bytes_of(address->value), &syntax_ip_address);
        if (strcmp(address->type, "Hostname") == 0 && address->value[0] != '\0')
            (void)decode_check_text(&item, "value", bytes_of(address->value), &syntax_dns_subdomain);
        decode_end(&item);
    }
}

/* Labels and annotations of it are for objects made in a cluster; here none are made. */
static void decode_infrastructure(struct field *spec, struct gateway_spec *gateway)
{
    struct field infrastructure = decode_object(spec, "infrastructure", OPTIONAL);
    (void)decode_labels(&infrastructure, "labels", OPTIONAL, 0, KINDS_MAX);
    (void)decode_annotations(&infrastructure, "annotations");
    struct field parameters = decode_object(&infrastructure, "parametersRef", OPTIONAL);
    decode_parameters_ref(&parameters);
    gateway->has_parameters_ref = parameters.value != NULL;
    decode_end(&infrastructure);
}

const void *gateway_decode(struct field *root, const struct kube_object *object)
{
    static const char *const unsupported[] = {"tls", "backendTLS", "allowedListeners", "defaultScope", NULL};
    struct gateway_spec *gateway = ARENA_NEW(object->arena, struct gateway_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    gateway->class_name = decode_text(&spec, "gatewayClassName", REQUIRED, &syntax_reference_name);
    decode_listeners(&spec, gateway);
    decode_addresses(&spec, gateway);
    decode_infrastructure(&spec, gateway);
    decode_unsupported(&spec, unsupported);
    decode_end(&spec);
    return gateway;
}

const void *reference_grant_decode(struct field *root, const struct kube_object *object)
{
    struct reference_grant_spec *grant = ARENA_NEW(object->arena, struct reference_grant_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    struct field from = decode_list(&spec, "from", REQUIRED, 1, GRANT_REFERENCES_MAX);
    grant->from = arena_zalloc(object->arena, sizeof grant->from[0] * from.len);
    grant->from_count = (unsigned)from.len;
    for (size_t i = 0; i < from.len; i++) {
        struct field item = decode_item(&from, i);
        grant->from[i].group = decode_text(&item, "group", REQUIRED, &syntax_group);
        grant->from[i].kind = decode_text(&item, "kind", REQUIRED, &syntax_kind);
        grant->from[i].namespace_ = decode_text(&item, "namespace", REQUIRED, &syntax_dns_label);
        decode_end(&item);
    }
    struct field to = decode_list(&spec, "to", REQUIRED, 1, GRANT_REFERENCES_MAX);
    grant->to = arena_zalloc(object->arena, sizeof grant->to[0] * to.len);
    grant->to_count = (unsigned)to.len;
    for (size_t i = 0; i < to.len; i++) {
        struct field item = decode_item(&to, i);
        grant->to[i].group = decode_text(&item, "group", REQUIRED, &syntax_group);
        grant->to[i].kind = decode_text(&item, "kind", REQUIRED, &syntax_kind);
        grant->to[i].name = decode_text(&item, "name", OPTIONAL, &syntax_reference_name);
        decode_end(&item);
    }
    decode_end(&spec);
    return grant;
}
