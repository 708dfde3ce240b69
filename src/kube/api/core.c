/* SPDX-License-Identifier: Apache-2.0 */
/* core.c: decodes Namespace, Service and EndpointSlice: the fields that routing uses.  Other fields are kept unseen. */
#include "kube/api/core.h"

#include <string.h>

#include "kube/api/kinds.h"

enum { SLICE_ENDPOINTS_MAX = 1000, SLICE_ADDRESSES_MAX = 100, SLICE_PORTS_MAX = 20000 };

static const char *const transport_protocols[] = {"TCP", "UDP", "SCTP", NULL};

/* Nothing but the metadata is used. */
const void *kept_decode(struct field *root, const struct kube_object *object)
{
    (void)root;
    (void)object;
    return NULL;
}

static void decode_service_port(struct field *item, struct service_port *port)
{
    port->name = decode_text(item, "name", OPTIONAL, &syntax_dns_label);
    port->port = decode_port(item, "port", REQUIRED);
    int protocol = decode_enum(item, "protocol", OPTIONAL, transport_protocols, 0);
    port->protocol = transport_protocols[protocol];
    port->app_protocol = decode_text(item, "appProtocol", OPTIONAL, &syntax_any);
    if (!decode_port_or_name(item, "targetPort", OPTIONAL, &port->target_port, &port->target_port_name))
        port->target_port = port->port;
}

/* The rules of the API server: names tell the ports of one Service apart, and so do port and protocol. */
static void check_service_port(const struct field *item, const struct service_port *ports, size_t last, size_t count)
{
    const struct service_port *added = &ports[last];
    if (added->name[0] == '\0' && count > 1)
        field_problem(item, "name", "Required", "required when there is more than one port");
    for (size_t i = 0; i < last; i++) {
        if (added->name[0] != '\0' && strcmp(ports[i].name, added->name) == 0) {
            field_problem(item, "name", "Invalid", "must be unique; ports[%zu] has the same name", i);
            return;
        }
        if (added->port != 0 && ports[i].port == added->port && strcmp(ports[i].protocol, added->protocol) == 0) {
            field_problem(item, "port", "Invalid", "must be unique for its protocol; ports[%zu] has the same", i);
            return;
        }
    }
}

const void *service_decode(struct field *root, const struct kube_object *object)
{
    static const char *const types[] = {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName", NULL};
    struct service_spec *service = ARENA_NEW(object->arena, struct service_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    service->type = types[decode_enum(&spec, "type", OPTIONAL, types, 0)];
    service->selector = decode_labels(&spec, "selector", OPTIONAL, 0, SIZE_MAX);
    bool is_headless = strcmp(decode_text(&spec, "clusterIP", OPTIONAL, &syntax_any), "None") == 0;
    bool needs_ports = !is_headless && strcmp(service->type, "ExternalName") != 0;
    struct field list = decode_list(&spec, "ports", needs_ports ? REQUIRED : OPTIONAL, needs_ports ? 1 : 0, SIZE_MAX);
    service->ports = ARENA_ARRAY(object->arena, struct service_port, list.len);
    service->port_count = (unsigned)list.len;
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        decode_service_port(&item, &service->ports[i]);
        if (item.value != NULL)
            check_service_port(&item, service->ports, i, list.len);
    }
    return service;
}

static bool is_ipv4_text(struct bytes text)
{
    return syntax_is_ipv4(text.data);
}

static bool is_ipv6_text(struct bytes text)
{
    return syntax_is_ipv6(text.data);
}

/* The texts come from the tree, so they end in NUL as inet_pton() wants. */
static const struct text_syntax slice_ipv4 = {.is_valid = is_ipv4_text, .expected = "must be an IPv4 address"};
static const struct text_syntax slice_ipv6 = {.is_valid = is_ipv6_text, .expected = "must be an IPv6 address"};

static void decode_slice_endpoint(struct field *item, struct slice_endpoint *endpoint,
                                  const struct text_syntax *address)
{
    endpoint->addresses = decode_texts(item, "addresses", SLICE_ADDRESSES_MAX, address, &endpoint->address_count);
    if (item->value != NULL && json_array_size(json_object_get(item->value, "addresses")) == 0)
        field_problem(item, "addresses", "Required", "required");
    struct field conditions = decode_object(item, "conditions", OPTIONAL);
    endpoint->is_ready = decode_bool(&conditions, "ready", true);
    endpoint->is_serving = decode_bool(&conditions, "serving", endpoint->is_ready);
    endpoint->is_terminating = decode_bool(&conditions, "terminating", false);
}

static void decode_slice_ports(struct field *root, struct endpoint_slice_spec *slice)
{
    struct field list = decode_list(root, "ports", OPTIONAL, 0, SLICE_PORTS_MAX);
    slice->ports = ARENA_ARRAY(root->decoder->arena, struct slice_port, list.len);
    slice->port_count = (unsigned)list.len;
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        slice->ports[i].name = decode_text(&item, "name", OPTIONAL, &syntax_any);
        slice->ports[i].port = decode_port(&item, "port", REQUIRED);
        (void)decode_enum(&item, "protocol", OPTIONAL, transport_protocols, 0);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(slice->ports[j].name, slice->ports[i].name) == 0) {
                field_problem(&item, "name", "Invalid", "must be unique; ports[%zu] has the same name", j);
                break;
            }
        }
    }
}

const void *endpoint_slice_decode(struct field *root, const struct kube_object *object)
{
    enum { IPV4, IPV6 };
    static const char *const types[] = {[IPV4] = "IPv4", [IPV6] = "IPv6", NULL};
    struct endpoint_slice_spec *slice = ARENA_NEW(object->arena, struct endpoint_slice_spec);
    const char *service_name = kube_labels_get(&object->labels, "kubernetes.io/service-name");
    slice->service_name = service_name != NULL ? service_name : "";
    int type = decode_enum(root, "addressType", REQUIRED, types, -1);
    slice->address_type = type < 0 ? "" : types[type];
    const struct text_syntax *address = type == IPV4 ? &slice_ipv4 : type == IPV6 ? &slice_ipv6 : &syntax_given;
    struct field list = decode_list(root, "endpoints", OPTIONAL, 0, SLICE_ENDPOINTS_MAX);
    slice->endpoints = ARENA_ARRAY(object->arena, struct slice_endpoint, list.len);
    slice->endpoint_count = (unsigned)list.len;
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        decode_slice_endpoint(&item, &slice->endpoints[i], address);
    }
    decode_slice_ports(root, slice);
    return slice;
}
