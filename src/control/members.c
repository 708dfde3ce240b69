/* SPDX-License-Identifier: Apache-2.0 */
/* members.c: selectors against Pods and EndpointSlices. */
#include "control/members.h"

#include "base/buffer.h"
#include "kube/api/core.h"
#include "kube/api/inference.h"

static struct pool_member *add_member(struct member_list *list, struct arena *arena, const char *ip, uint16_t port,
                                      const char *owner, bool is_ready, bool is_checked)
{
    /* The same address by Pod and by slice is one endpoint: the Pod, seen first, tells more. */
    for (unsigned i = 0; i < list->len; i++)
        if (list->items[i].port == port && strcmp(list->items[i].ip, ip) == 0)
            return &list->items[i];
    if (list->len == list->capacity) {
        unsigned capacity = list->capacity > 0 ? list->capacity * 2 : 8;
        struct pool_member *items = ARENA_ARRAY(arena, struct pool_member, capacity);
        if (list->len > 0)
            memcpy(items, list->items, list->len * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->len] =
        (struct pool_member){.ip = ip, .port = port, .pod = owner, .is_ready = is_ready, .is_checked = is_checked};
    return &list->items[list->len++];
}

static const char *owner_text(const struct kube_object *object, struct arena *arena)
{
    return arena_printf(arena, "%s/%s", object->namespace_, object->name);
}

/* The label by which controllers tell pods of one template from those of another. */
static const char *revision_of(const struct kube_object *pod)
{
    const char *hash = kube_labels_get(&pod->labels, "pod-template-hash");                  /* Deployment */
    return hash != NULL ? hash : kube_labels_get(&pod->labels, "controller-revision-hash"); /* StatefulSet, DaemonSet */
}

/* As endpoints keep them. */
static const char *labels_of(const struct kube_object *object, struct arena *arena)
{
    struct buffer text = {0};
    buffer_append_char(&text, '\n');
    for (unsigned i = 0; i < object->labels.len; i++)
        buffer_printf(&text, "%s=%s\n", object->labels.items[i].key, object->labels.items[i].value);
    const char *copy = object->labels.len > 0 ? arena_strndup(arena, buffer_bytes(&text)) : NULL;
    buffer_deinit(&text);
    return copy;
}

static bool is_member_pod(const struct kube_object *object, const char *namespace_, const struct kube_labels *selector)
{
    const struct pod_spec *pod = object->spec;
    return strcmp(object->namespace_, namespace_) == 0 && pod->pod_ip[0] != '\0' && !pod->is_deleting &&
           kube_labels_match(selector, &object->labels);
}

/* A slice that a controller made of the same Pods that are looked at here: it says nothing new, and says it later. */
static bool is_mirror(const struct kube_object *slice)
{
    const char *manager = kube_labels_get(&slice->labels, "endpointslice.kubernetes.io/managed-by");
    return manager != NULL && strncmp(manager, "endpointslice-controller.", strlen("endpointslice-controller.")) == 0;
}

static void add_slice_of_pool(struct member_list *list, struct arena *arena, const struct kube_object *object,
                              const struct inference_pool_spec *spec)
{
    const struct endpoint_slice_spec *slice = object->spec;
    const char *labels = labels_of(object, arena);
    for (unsigned i = 0; i < slice->endpoint_count; i++)
        for (unsigned a = 0; a < slice->endpoints[i].address_count; a++)
            for (unsigned p = 0; p < spec->port_count; p++) {
                struct pool_member *member = add_member(list, arena, slice->endpoints[i].addresses[a], spec->ports[p],
                                                        owner_text(object, arena), slice->endpoints[i].is_ready, true);
                /* A Pod of this address has its own. */
                if (member->labels == NULL)
                    member->labels = labels;
            }
}

void members_of_pool(const struct object_cache *cache, const struct kube_object *pool, struct arena *arena,
                     struct member_list *ret_members)
{
    const struct inference_pool_spec *spec = pool->spec;
    const struct kube_object *object;
    *ret_members = (struct member_list){0};
    for (size_t cursor = 0; (object = object_cache_next(cache, KUBE_POD, &cursor)) != NULL;) {
        const struct pod_spec *pod = object->spec;
        if (!is_member_pod(object, pool->namespace_, &spec->selector))
            continue;
        const char *labels = labels_of(object, arena);
        for (unsigned i = 0; i < spec->port_count; i++) {
            struct pool_member *member = add_member(ret_members, arena, pod->pod_ip, spec->ports[i],
                                                    owner_text(object, arena), pod->is_ready, false);
            member->revision = revision_of(object);
            member->labels = labels;
        }
    }
    for (size_t cursor = 0; (object = object_cache_next(cache, KUBE_ENDPOINT_SLICE, &cursor)) != NULL;) {
        if (strcmp(object->namespace_, pool->namespace_) != 0 || !kube_labels_match(&spec->selector, &object->labels) ||
            is_mirror(object))
            continue;
        add_slice_of_pool(ret_members, arena, object, spec);
    }
}

/* The port number of a pod for a Service port: 0 when the pod has no port of that name. */
static uint16_t target_port(const struct pod_spec *pod, const struct service_port *port)
{
    if (port->target_port != 0)
        return port->target_port;
    for (unsigned c = 0; c < pod->pod.container_count; c++)
        for (unsigned p = 0; p < pod->pod.containers[c].port_count; p++)
            if (strcmp(pod->pod.containers[c].ports[p].name, port->target_port_name) == 0)
                return pod->pod.containers[c].ports[p].port;
    return 0;
}

static void add_slice(struct member_list *list, struct arena *arena, const struct kube_object *object,
                      const struct service_port *port)
{
    const struct endpoint_slice_spec *slice = object->spec;
    for (unsigned p = 0; p < slice->port_count; p++) {
        if (strcmp(slice->ports[p].name, port->name) != 0)
            continue;
        for (unsigned i = 0; i < slice->endpoint_count; i++)
            for (unsigned a = 0; a < slice->endpoints[i].address_count; a++)
                add_member(list, arena, slice->endpoints[i].addresses[a], slice->ports[p].port,
                           owner_text(object, arena), slice->endpoints[i].is_ready, false);
    }
}

void members_of_service(const struct object_cache *cache, const struct kube_object *service, uint16_t port,
                        struct arena *arena, struct member_list *ret_members)
{
    const struct service_spec *spec = service->spec;
    const struct service_port *wanted = NULL;
    const struct kube_object *object;
    *ret_members = (struct member_list){0};
    for (unsigned i = 0; i < spec->port_count; i++)
        if (spec->ports[i].port == port)
            wanted = &spec->ports[i];
    if (wanted == NULL)
        return;
    /* A Service without a selector has only the slices that somebody wrote for it. */
    for (size_t cursor = 0; spec->selector.len > 0 && (object = object_cache_next(cache, KUBE_POD, &cursor)) != NULL;) {
        const struct pod_spec *pod = object->spec;
        uint16_t number = target_port(pod, wanted);
        if (number != 0 && is_member_pod(object, service->namespace_, &spec->selector))
            add_member(ret_members, arena, pod->pod_ip, number, owner_text(object, arena), pod->is_ready, false)
                ->revision = revision_of(object);
    }
    for (size_t cursor = 0; (object = object_cache_next(cache, KUBE_ENDPOINT_SLICE, &cursor)) != NULL;) {
        const struct endpoint_slice_spec *slice = object->spec;
        if (strcmp(object->namespace_, service->namespace_) == 0 && strcmp(slice->service_name, service->name) == 0 &&
            !is_mirror(object))
            add_slice(ret_members, arena, object, wanted);
    }
}
