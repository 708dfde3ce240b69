/* SPDX-License-Identifier: Apache-2.0 */
/* compile_gateway.c: GatewayClasses and Gateways: which listeners are valid, which address a Gateway gets, which
 * sockets it has, and the statuses of all that.
 *
 * Gateways are served oldest first, so a new one never takes an address and port away from one that serves. */
#include "route/compile_internal.h"

#include <stdio.h>

static bool is_our_class(const struct compile *compile, const struct kube_object *object)
{
    const struct gateway_class_spec *spec = object->spec;
    const char *ours = compile->input->controller_name;
    return ours == NULL || strcmp(spec->controller_name, ours) == 0;
}

void compile_classes(struct compile *compile)
{
    size_t cursor = 0;
    const struct kube_object *object;
    while ((object = object_cache_next(compile->input->cache, KUBE_GATEWAY_CLASS, &cursor)) != NULL) {
        if (!is_our_class(compile, object))
            continue;
        struct object_status *status = status_add_object(compile->report, object, 1, 0);
        status_condition(compile->report, status, status_add_parent(status), "Accepted", true, "Accepted",
                         "the class is served");
    }
}

static bool is_http(const struct gateway_listener *listener)
{
    return strcmp(listener->protocol, "HTTP") == 0;
}

static void check_protocol(struct compile *compile, struct listener_build *listener)
{
    if (is_http(listener->spec)) {
        listener->takes_http_routes = true;
        return;
    }
    const char *message = compile_text(compile, "protocol %s is not supported, only HTTP is", listener->spec->protocol);
    listener->refused = (struct verdict){"UnsupportedProtocol", message};
}

/* allowedRoutes.kinds: what we do not serve is an error, what remains is still served. */
static void check_kinds(struct compile *compile, struct listener_build *listener)
{
    const struct gateway_listener *spec = listener->spec;
    if (spec->kind_count == 0)
        return;
    bool has_http_route = false;
    for (unsigned i = 0; i < spec->kind_count; i++) {
        const struct route_group_kind *kind = &spec->kinds[i];
        if (strcmp(kind->kind, "HTTPRoute") == 0 && strcmp(kind->group, GATEWAY_GROUP) == 0) {
            has_http_route = true;
        } else if (listener->kinds.reason == NULL) {
            const char *message = compile_text(compile, "allowedRoutes.kinds[%u]: %s is not supported", i, kind->kind);
            listener->kinds = (struct verdict){"InvalidRouteKinds", message};
        }
    }
    listener->takes_http_routes = listener->takes_http_routes && has_http_route;
}

static bool is_known_protocol(const char *protocol)
{
    return strcmp(protocol, "HTTP") == 0 || strcmp(protocol, "HTTPS") == 0 || strcmp(protocol, "TLS") == 0 ||
           strcmp(protocol, "TCP") == 0;
}

/* Port, protocol and hostname together must be distinct, and a port speaks one protocol. */
static const char *conflict_reason(const struct gateway_listener *a, const struct gateway_listener *b)
{
    if (a->port != b->port || !is_known_protocol(a->protocol) || !is_known_protocol(b->protocol))
        return NULL;
    if (strcmp(a->protocol, b->protocol) != 0)
        return "ProtocolConflict";
    return strcmp(a->hostname, b->hostname) == 0 ? "HostnameConflict" : NULL;
}

/* Neither of two conflicting listeners wins. */
static void check_conflicts(struct compile *compile, struct gateway_build *gateway)
{
    for (unsigned i = 0; i < gateway->spec->listener_count; i++) {
        for (unsigned j = 0; j < gateway->spec->listener_count; j++) {
            struct listener_build *listener = &gateway->listeners[i];
            const struct gateway_listener *other = &gateway->spec->listeners[j];
            const char *reason = i != j ? conflict_reason(listener->spec, other) : NULL;
            if (reason == NULL || listener->conflict.reason != NULL)
                continue;
            const char *message = compile_text(compile, "listener %s has the same port%s", other->name,
                                               strcmp(reason, "ProtocolConflict") == 0 ? " with another protocol"
                                                                                       : ", protocol and hostname");
            listener->conflict = (struct verdict){reason, message};
            if (listener->refused.reason == NULL)
                listener->refused = listener->conflict;
        }
    }
}

static bool may_serve(const struct listener_build *listener)
{
    return listener->refused.reason == NULL && listener->takes_http_routes;
}

static void check_gateway(struct compile *compile, struct gateway_build *gateway)
{
    const struct gateway_spec *spec = gateway->spec;
    if (object_cache_get(compile->input->cache, KUBE_GATEWAY_CLASS, "", spec->class_name) == NULL) {
        gateway->refused = (struct verdict){"NotReconciled",
                                            compile_text(compile, "GatewayClass %s does not exist", spec->class_name)};
        return;
    }
    if (spec->has_parameters_ref) {
        gateway->refused =
            (struct verdict){"InvalidParameters", "spec.infrastructure.parametersRef: no kind of parameters is known"};
        return;
    }
    for (unsigned i = 0; i < spec->address_count; i++) {
        if (strcmp(spec->addresses[i].type, "IPAddress") == 0)
            continue;
        const char *message = compile_text(compile, "spec.addresses[%u]: type %s is not supported, only IPAddress is",
                                           i, spec->addresses[i].type);
        gateway->refused = (struct verdict){"UnsupportedAddress", message};
        return;
    }
    for (unsigned i = 0; i < spec->listener_count; i++) {
        if (gateway->listeners[i].refused.reason == NULL)
            return;
    }
    gateway->refused = (struct verdict){"ListenersNotValid", "no listener is valid"};
}

/* Another Gateway has the port of one of our listeners at this address. */
static const struct gateway_build *port_owner(const struct compile *compile, const struct gateway_build *gateway,
                                              const char *address)
{
    for (const struct gateway_build *other = compile->gateways; other != gateway; other = other->next) {
        if (other->address == NULL || strcmp(other->address, address) != 0)
            continue;
        for (unsigned i = 0; i < other->spec->listener_count; i++) {
            for (unsigned j = 0; j < gateway->spec->listener_count; j++) {
                if (other->listeners[i].table != NULL && may_serve(&gateway->listeners[j]) &&
                    other->listeners[i].spec->port == gateway->listeners[j].spec->port)
                    return other;
            }
        }
    }
    return NULL;
}

static const char *free_address(const struct compile *compile, const struct gateway_build *gateway)
{
    for (unsigned i = 0; i < compile->input->address_count; i++) {
        if (port_owner(compile, gateway, compile->input->addresses[i]) == NULL)
            return compile->input->addresses[i];
    }
    return NULL;
}

static bool is_offered_address(const struct compile *compile, const char *value)
{
    for (unsigned i = 0; i < compile->input->address_count; i++) {
        if (strcmp(compile->input->addresses[i], value) == 0)
            return true;
    }
    return false;
}

static struct verdict check_requested_address(struct compile *compile, const struct gateway_build *gateway)
{
    const struct gateway_spec *spec = gateway->spec;
    for (unsigned i = 0; i < spec->address_count; i++) {
        const char *value = spec->addresses[i].value;
        if (value[0] != '\0' && !is_offered_address(compile, value))
            return (struct verdict){
                "AddressNotUsable",
                compile_text(compile, "spec.addresses[%u]: %s is not an address of this gateway", i, value)};
    }
    if (spec->address_count > 1)
        return (struct verdict){"AddressNotUsable", "spec.addresses: a Gateway has one address"};
    const struct gateway_build *owner = port_owner(compile, gateway, spec->addresses[0].value);
    if (owner != NULL)
        return (struct verdict){"AddressNotUsable",
                                compile_text(compile, "Gateway %s/%s has a port of this one on %s",
                                             owner->object->namespace_, owner->object->name, spec->addresses[0].value)};
    return (struct verdict){0};
}

static void assign_address(struct compile *compile, struct gateway_build *gateway)
{
    const struct gateway_spec *spec = gateway->spec;
    if (spec->address_count > 1 || (spec->address_count == 1 && spec->addresses[0].value[0] != '\0')) {
        gateway->unprogrammed = check_requested_address(compile, gateway);
        if (gateway->unprogrammed.reason == NULL)
            gateway->address = spec->addresses[0].value;
        return;
    }
    gateway->address = free_address(compile, gateway);
    if (gateway->address == NULL)
        gateway->unprogrammed =
            (struct verdict){"AddressNotAssigned", "on every address another Gateway has a port of this one"};
}

static void put_port(struct compile *compile, struct route_port *port)
{
    struct route_snapshot *snapshot = compile->snapshot;
    if (port->id >= snapshot->port_count) {
        struct route_port **ports = ARENA_ARRAY(compile->arena, struct route_port *, port->id + 1);
        for (unsigned i = 0; i < snapshot->port_count; i++)
            ports[i] = snapshot->ports[i];
        snapshot->ports = ports;
        snapshot->port_count = port->id + 1;
    }
    snapshot->ports[port->id] = port;
}

static int bind_port(struct compile *compile, const char *ip, uint16_t port)
{
    const struct compile_input *input = compile->input;
    /* Without sockets the ids only count. */
    return input->bind != NULL ? input->bind(input->context, ip, port) : (int)compile->snapshot->port_count;
}

/* The tables of one socket of the Gateway; its listeners are the Gateway's on that port. */
static void open_port(struct compile *compile, struct gateway_build *gateway, unsigned first)
{
    const struct gateway_listener *spec = gateway->listeners[first].spec;
    int id = bind_port(compile, gateway->address, spec->port);
    struct route_port *port = id >= 0 ? ARENA_NEW(compile->arena, struct route_port) : NULL;
    const char *message = NULL;
    if (port == NULL)
        message = compile_text(compile, "cannot listen on %s port %u: %s", gateway->address, spec->port, strerror(-id));
    else
        *port = (struct route_port){
            .id = (unsigned)id, .ip = arena_strdup(compile->arena, gateway->address), .port = spec->port};
    for (unsigned i = first; i < gateway->spec->listener_count; i++) {
        struct listener_build *listener = &gateway->listeners[i];
        if (!may_serve(listener) || listener->spec->port != spec->port)
            continue;
        if (port == NULL) {
            listener->unprogrammed = (struct verdict){"Invalid", message};
            continue;
        }
        listener->table = ARENA_NEW(compile->arena, struct port_listener);
        *listener->table = (struct port_listener){
            .gateway = arena_printf(compile->arena, "%s/%s", gateway->object->namespace_, gateway->object->name),
            .name = arena_strdup(compile->arena, listener->spec->name),
            .hostname = arena_strdup(compile->arena, listener->spec->hostname),
            .buffer_limit_bytes = compile_buffer_limit(compile, gateway->object, listener->spec->name)};
        port->listener_count++;
    }
    if (port != NULL) {
        port->listeners = ARENA_ARRAY(compile->arena, struct port_listener *, port->listener_count);
        put_port(compile, port);
    }
}

static void open_ports(struct compile *compile, struct gateway_build *gateway)
{
    struct verdict failed = {0};
    bool any_open = false;
    for (unsigned i = 0; i < gateway->spec->listener_count; i++) {
        struct listener_build *listener = &gateway->listeners[i];
        if (may_serve(listener) && listener->table == NULL && listener->unprogrammed.reason == NULL)
            open_port(compile, gateway, i);
        any_open = any_open || listener->table != NULL;
        if (listener->unprogrammed.reason != NULL)
            failed = listener->unprogrammed;
    }
    if (any_open)
        return;
    gateway->address = NULL;
    gateway->unprogrammed = failed.reason != NULL ? (struct verdict){"AddressNotUsable", failed.message}
                                                  : (struct verdict){"Invalid", "no listener can be served"};
}

static struct gateway_build *make_gateway(struct compile *compile, const struct kube_object *object)
{
    struct gateway_build *gateway = ARENA_NEW(compile->scratch, struct gateway_build);
    gateway->object = object;
    gateway->spec = object->spec;
    gateway->listeners = ARENA_ARRAY(compile->scratch, struct listener_build, gateway->spec->listener_count);
    for (unsigned i = 0; i < gateway->spec->listener_count; i++) {
        struct listener_build *listener = &gateway->listeners[i];
        listener->spec = &gateway->spec->listeners[i];
        listener->gateway = gateway;
        check_protocol(compile, listener);
        check_kinds(compile, listener);
    }
    check_conflicts(compile, gateway);
    check_gateway(compile, gateway);
    return gateway;
}

/* Stand-alone every Gateway is ours, also one whose class is missing: somebody has to say so. */
static bool is_ours(const struct compile *compile, const struct kube_object *object)
{
    const struct gateway_spec *spec = object->spec;
    const struct kube_object *class = object_cache_get(compile->input->cache, KUBE_GATEWAY_CLASS, "", spec->class_name);
    return class != NULL ? is_our_class(compile, class) : compile->input->controller_name == NULL;
}

void compile_gateways(struct compile *compile)
{
    unsigned count = 0;
    const struct kube_object **objects = compile_by_age(compile, KUBE_GATEWAY, &count);
    struct gateway_build **link = &compile->gateways;
    for (unsigned i = 0; i < count; i++) {
        if (!is_ours(compile, objects[i]))
            continue;
        struct gateway_build *gateway = make_gateway(compile, objects[i]);
        *link = gateway;
        link = &gateway->next;
        compile->gateway_count++;
        if (gateway->refused.reason != NULL) {
            gateway->unprogrammed = (struct verdict){"Invalid", gateway->refused.message};
            continue;
        }
        assign_address(compile, gateway);
        if (gateway->address != NULL)
            open_ports(compile, gateway);
    }
}

struct gateway_build *compile_find_gateway(const struct compile *compile, const char *namespace_, const char *name)
{
    for (struct gateway_build *gateway = compile->gateways; gateway != NULL; gateway = gateway->next) {
        if (strcmp(gateway->object->name, name) == 0 && strcmp(gateway->object->namespace_, namespace_) == 0)
            return gateway;
    }
    return NULL;
}

static void add_listener_verdict(struct compile *compile, struct object_status *status,
                                 struct status_listener *listener, const char *type, struct verdict verdict,
                                 const char *good_message)
{
    bool is_good = verdict.reason == NULL;
    status_listener_condition(compile->report, status, listener, type, is_good, is_good ? type : verdict.reason,
                              is_good ? good_message : verdict.message);
}

static struct verdict listener_unprogrammed(const struct listener_build *listener)
{
    if (listener->table != NULL)
        return (struct verdict){0};
    if (listener->refused.reason != NULL)
        return (struct verdict){"Invalid", listener->refused.message};
    if (listener->unprogrammed.reason != NULL)
        return listener->unprogrammed;
    if (!listener->takes_http_routes)
        return (struct verdict){"Invalid", listener->kinds.message};
    return (struct verdict){"Invalid", listener->gateway->unprogrammed.message};
}

static void add_listener_status(struct compile *compile, struct object_status *status,
                                const struct listener_build *listener)
{
    struct status_report *report = compile->report;
    struct status_listener *out = status_add_listener(status, arena_strdup(report->arena, listener->spec->name));
    out->supports_http_route = listener->takes_http_routes;
    out->attached_routes = listener->attached_routes;
    add_listener_verdict(compile, status, out, "Accepted", listener->refused, "the listener is valid");
    bool has_conflict = listener->conflict.reason != NULL;
    status_listener_condition(report, status, out, "Conflicted", has_conflict,
                              has_conflict ? listener->conflict.reason : "NoConflicts",
                              has_conflict ? listener->conflict.message : "no other listener is in the way");
    add_listener_verdict(compile, status, out, "ResolvedRefs", listener->kinds, "all references are resolved");
    add_listener_verdict(compile, status, out, "Programmed", listener_unprogrammed(listener), "the listener serves");
}

static void add_gateway_conditions(struct compile *compile, struct object_status *status,
                                   const struct gateway_build *gateway)
{
    struct status_report *report = compile->report;
    struct status_parent *own = status_add_parent(status);
    unsigned refused = 0;
    for (unsigned i = 0; i < gateway->spec->listener_count; i++)
        refused += gateway->listeners[i].refused.reason != NULL;
    if (gateway->refused.reason != NULL)
        status_condition(report, status, own, "Accepted", false, gateway->refused.reason, gateway->refused.message);
    else if (refused > 0)
        status_condition(report, status, own, "Accepted", true, "ListenersNotValid", "some listeners are not valid");
    else
        status_condition(report, status, own, "Accepted", true, "Accepted", "the Gateway is valid");
    bool is_programmed = gateway->unprogrammed.reason == NULL;
    status_condition(report, status, own, "Programmed", is_programmed,
                     is_programmed ? "Programmed" : gateway->unprogrammed.reason,
                     is_programmed ? "the Gateway serves" : gateway->unprogrammed.message);
}

void compile_gateway_statuses(struct compile *compile)
{
    for (const struct gateway_build *gateway = compile->gateways; gateway != NULL; gateway = gateway->next) {
        unsigned count = gateway->spec->listener_count;
        struct object_status *status = status_add_object(compile->report, gateway->object, 1, count);
        add_gateway_conditions(compile, status, gateway);
        if (gateway->address != NULL)
            status->address = arena_strdup(compile->report->arena, gateway->address);
        for (unsigned i = 0; i < count; i++)
            add_listener_status(compile, status, &gateway->listeners[i]);
    }
}
