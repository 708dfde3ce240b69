/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint_slices.c: Service with a selector -> EndpointSlices of its Pods.
 *
 * A slice holds at most 100 endpoints that have the same ports (a named target port may be another number in another
 * Pod).  Slices that others wrote for the Service are left alone: ours have the Service as their controller and our
 * managed-by label.  They do not get the Service's labels, as a cluster's would: an InferencePool selects
 * EndpointSlices by label too (hosts without Pods), and a Service mostly has the very labels of its Pods; each Pod
 * would then be in the pool a second time, as a host. */
#include "control/workloads/controllers.h"
#include "control/workloads/metadata.h"
#include "control/workloads/pod_facts.h"

#define SERVICE_LABEL    "kubernetes.io/service-name"
#define MANAGED_BY_LABEL "endpointslice.kubernetes.io/managed-by"
#define HEADLESS_LABEL   "service.kubernetes.io/headless"
#define MANAGER          "endpointslice-controller.serin.dev"

enum { MAX_ENDPOINTS = 100 };

/* Pods with the same ports and the same kind of address. */
struct group {
    const char *address_type;
    json_t *ports;
    json_t **slices; /* endpoints, by slice */
    unsigned slice_count;
    struct group *next;
};

struct service_sync {
    struct pass *pass;
    const struct kube_object *service;
    const struct kube_object **present; /* our slices; NULL: has its place already */
    unsigned present_count;
    struct group *groups;
};

/* 0: the Pod has no port of that name. */
static uint16_t port_number(const struct pod_spec *pod, const struct service_port *port)
{
    if (port->target_port != 0 || pod == NULL)
        return port->target_port;
    for (unsigned c = 0; c < pod->pod.container_count; c++)
        for (unsigned p = 0; p < pod->pod.containers[c].port_count; p++)
            if (strcmp(pod->pod.containers[c].ports[p].name, port->target_port_name) == 0)
                return pod->pod.containers[c].ports[p].port;
    return 0;
}

/* pod NULL: the ports that need no Pod. */
static json_t *ports_of(const struct service_spec *service, const struct pod_spec *pod)
{
    json_t *ports = json_array();
    for (unsigned i = 0; i < service->port_count; i++) {
        const struct service_port *port = &service->ports[i];
        uint16_t number = port_number(pod, port);
        if (number == 0)
            continue;
        json_t *item =
            json_pack("{s:s, s:i, s:s}", "name", port->name, "port", (int)number, "protocol", port->protocol);
        if (port->app_protocol[0] != '\0')
            json_set_text(item, "appProtocol", port->app_protocol);
        json_array_append_new(ports, item);
    }
    return ports;
}

static struct group *group_of(struct service_sync *sync, const char *address_type, json_t *ports)
{
    for (struct group *group = sync->groups; group != NULL; group = group->next) {
        if (group->address_type == address_type && json_equal(group->ports, ports)) {
            json_decref(ports);
            return group;
        }
    }
    struct group *group = ARENA_NEW(sync->pass->arena, struct group);
    *group = (struct group){.address_type = address_type, .ports = ports, .next = sync->groups};
    sync->groups = group;
    return group;
}

static void add_slice(struct service_sync *sync, struct group *group)
{
    json_t **slices = ARENA_ARRAY(sync->pass->arena, json_t *, group->slice_count + 1);
    for (unsigned i = 0; i < group->slice_count; i++)
        slices[i] = group->slices[i];
    slices[group->slice_count++] = json_array();
    group->slices = slices;
}

static json_t *endpoint_of(const struct kube_object *pod, bool is_always_ready)
{
    const struct pod_spec *spec = pod->spec;
    bool is_ready = is_always_ready || (spec->is_ready && !spec->is_deleting);
    return json_pack("{s:[s], s:{s:b, s:b, s:b}, s:s, s:{s:s, s:s, s:s, s:s}}", "addresses", spec->pod_ip, "conditions",
                     "ready", is_ready, "serving", is_always_ready || spec->is_ready, "terminating", spec->is_deleting,
                     "nodeName", spec->node_name[0] != '\0' ? spec->node_name : NODE_NAME, "targetRef", "kind", "Pod",
                     "namespace", pod->namespace_, "name", pod->name, "uid", pod->uid);
}

static void add_pod(struct service_sync *sync, const struct kube_object *pod)
{
    const struct pod_spec *spec = pod->spec;
    const char *address_type = strchr(spec->pod_ip, ':') != NULL ? "IPv6" : "IPv4";
    bool is_always_ready = json_is_true(json_object_get(spec_of(sync->service), "publishNotReadyAddresses"));
    struct group *group = group_of(sync, address_type, ports_of(sync->service->spec, spec));
    if (group->slice_count == 0 || json_array_size(group->slices[group->slice_count - 1]) == MAX_ENDPOINTS)
        add_slice(sync, group);
    json_array_append_new(group->slices[group->slice_count - 1], endpoint_of(pod, is_always_ready));
}

static void gather(struct service_sync *sync, const struct heads *pods)
{
    const struct service_spec *spec = sync->service->spec;
    for (unsigned i = 0; i < pods->len; i++) {
        const struct kube_object *pod = pods->items[i]->object;
        if (strcmp(pod->namespace_, sync->service->namespace_) == 0 &&
            kube_labels_match(&spec->selector, &pod->labels) &&
            ((const struct pod_spec *)pod->spec)->pod_ip[0] != '\0' && !pod_is_over(pod))
            add_pod(sync, pod);
    }
    if (sync->groups == NULL) /* an empty slice says that somebody has looked */
        add_slice(sync, group_of(sync, "IPv4", ports_of(spec, NULL)));
}

/* The next of our slices that has this group's ports. */
static const struct kube_object *take_present(struct service_sync *sync, const struct group *group)
{
    for (unsigned i = 0; i < sync->present_count; i++) {
        const struct kube_object *slice = sync->present[i];
        if (slice != NULL && strcmp(json_text(slice->tree, "addressType"), group->address_type) == 0 &&
            json_equal(json_object_get(slice->tree, "ports"), group->ports)) {
            sync->present[i] = NULL;
            return slice;
        }
    }
    return NULL;
}

static json_t *labels_of(const struct kube_object *service)
{
    json_t *labels = json_pack("{s:s, s:s}", SERVICE_LABEL, service->name, MANAGED_BY_LABEL, MANAGER);
    if (strcmp(json_text(spec_of(service), "clusterIP"), "None") == 0)
        json_set_text(labels, HEADLESS_LABEL, "");
    return labels;
}

static void create_slice(struct service_sync *sync, const struct group *group, json_t *endpoints)
{
    json_t *metadata = json_pack("{s:s+, s:s, s:o, s:[o]}", "generateName", sync->service->name, "-", "namespace",
                                 sync->service->namespace_, "labels", labels_of(sync->service), "ownerReferences",
                                 metadata_owner_reference(sync->service));
    pass_create(sync->pass, KUBE_ENDPOINT_SLICE,
                json_pack("{s:o, s:s, s:O, s:O}", "metadata", metadata, "addressType", group->address_type, "endpoints",
                          endpoints, "ports", group->ports));
}

static void write_slice(struct service_sync *sync, const struct group *group, json_t *endpoints)
{
    const struct kube_object *present = take_present(sync, group);
    if (present == NULL) {
        create_slice(sync, group, endpoints);
    } else if (!json_equal(json_object_get(present->tree, "endpoints"), endpoints)) {
        json_t *tree = tree_edit(present);
        json_object_set(tree, "endpoints", endpoints);
        pass_update(sync->pass, present, tree);
    }
}

static void reconcile(struct service_sync *sync)
{
    for (struct group *group = sync->groups; group != NULL; group = group->next) {
        for (unsigned i = 0; i < group->slice_count; i++) {
            write_slice(sync, group, group->slices[i]);
            json_decref(group->slices[i]);
        }
        json_decref(group->ports);
    }
    for (unsigned i = 0; i < sync->present_count; i++)
        if (sync->present[i] != NULL)
            pass_delete(sync->pass, sync->present[i], NULL, -1);
}

static bool is_managed(const struct kube_object *slice)
{
    const char *manager = kube_labels_get(&slice->labels, MANAGED_BY_LABEL);
    return manager != NULL && strcmp(manager, MANAGER) == 0 && !metadata_is_deleting(slice);
}

static void sync_service(struct pass *pass, const struct kube_object *service, struct owned_list owned,
                         const struct heads *pods)
{
    const struct service_spec *spec = service->spec;
    struct service_sync sync = {.pass = pass, .service = service};
    if (metadata_is_deleting(service))
        return;
    sync.present = ARENA_ARRAY(pass->arena, const struct kube_object *, owned.len + 1);
    for (unsigned i = 0; i < owned.len; i++)
        if (is_managed(owned.items[i].stored->object))
            sync.present[sync.present_count++] = owned.items[i].stored->object;
    /* Without a selector it has only the slices that somebody writes for it. */
    if (spec->selector.len > 0 && strcmp(spec->type, "ExternalName") != 0)
        gather(&sync, pods);
    reconcile(&sync);
}

void endpoint_slices_sync(struct pass *pass)
{
    const struct heads *services = pass_heads(pass, KUBE_SERVICE, "");
    struct owned_index slices;
    if (services->len == 0)
        return;
    owned_index_init(&slices, pass, KUBE_ENDPOINT_SLICE);
    const struct heads *pods = pass_heads(pass, KUBE_POD, "");
    for (unsigned i = 0; i < services->len; i++)
        sync_service(pass, services->items[i]->object, owned_by(&slices, services->items[i]->object->uid), pods);
}
