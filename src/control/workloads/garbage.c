/* SPDX-License-Identifier: Apache-2.0 */
/* garbage.c: owner references.
 *
 * An object whose owners are all gone is deleted.  An owner that is deleted in the foreground waits for its dependents
 * (those with blockOwnerDeletion hold it); one that is deleted with "Orphan" first lets them go.  Owners of kinds that
 * this server does not have cannot be looked up: they count as there. */
#include <stdlib.h>

#include "control/workloads/controllers.h"
#include "control/workloads/metadata.h"

/* One owner reference of one object. */
struct edge {
    const char *owner_uid;
    const struct kube_object *dependent;
    const json_t *reference;
};

struct graph {
    struct pass *pass;
    struct edge *edges; /* sorted by owner */
    unsigned len, capacity;
};

static void add_edge(struct graph *graph, const struct kube_object *dependent, const json_t *reference)
{
    if (graph->len == graph->capacity) {
        unsigned capacity = graph->capacity > 0 ? graph->capacity * 2 : 64;
        struct edge *edges = ARENA_ARRAY(graph->pass->arena, struct edge, capacity);
        if (graph->len > 0)
            memcpy(edges, graph->edges, graph->len * sizeof *edges);
        graph->edges = edges;
        graph->capacity = capacity;
    }
    graph->edges[graph->len++] = (struct edge){json_text(reference, "uid"), dependent, reference};
}

static void add_edges(struct graph *graph, const struct kube_object *object)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(metadata_of(object), "ownerReferences"), index, item)
    {
        add_edge(graph, object, item);
    }
}

static bool is_owner_dying(const struct kube_object *object)
{
    return metadata_is_deleting(object) &&
           (metadata_has_finalizer(object, FINALIZER_FOREGROUND) || metadata_has_finalizer(object, FINALIZER_ORPHAN));
}

/* The owner that a reference of dependent names; NULL when it is gone.  *ret_is_known false: nobody can tell. */
static const struct kube_object *find_owner(const struct graph *graph, const struct edge *edge, bool *ret_is_known)
{
    enum kube_kind kind = kube_kind_find(json_text(edge->reference, "apiVersion"), json_text(edge->reference, "kind"));
    *ret_is_known = kind != KUBE_KIND_COUNT;
    if (!*ret_is_known)
        return NULL;
    const char *namespace_ = kube_kind_info(kind)->is_namespaced ? edge->dependent->namespace_ : "";
    const struct stored *head = store_head(graph->pass->store, kind, namespace_, json_text(edge->reference, "name"));
    return head != NULL && strcmp(head->object->uid, edge->owner_uid) == 0 ? head->object : NULL;
}

static int by_owner(const void *a, const void *b)
{
    const struct edge *left = a, *right = b;
    int order = strcmp(left->owner_uid, right->owner_uid);
    return order != 0 ? order : strcmp(left->dependent->name, right->dependent->name);
}

static struct edge *edges_of(const struct graph *graph, const char *uid, unsigned *ret_count)
{
    unsigned low = 0, high = graph->len, count = 0;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (strcmp(graph->edges[middle].owner_uid, uid) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + count < graph->len && strcmp(graph->edges[low + count].owner_uid, uid) == 0)
        count++;
    *ret_count = count;
    return &graph->edges[low];
}

/* It may have been changed or removed since the graph was read. */
static const struct kube_object *present(const struct graph *graph, const struct kube_object *object)
{
    const struct stored *stored = pass_head(graph->pass, object->kind, object->namespace_, object->name, object->uid);
    return stored != NULL ? stored->object : NULL;
}

static void drop_owner(const struct graph *graph, const struct kube_object *dependent, const char *owner_uid)
{
    const struct kube_object *object = present(graph, dependent);
    if (object == NULL)
        return;
    json_t *tree = tree_edit(object);
    tree_drop_owner(tree, owner_uid);
    pass_update(graph->pass, object, tree);
}

static void drop_finalizer(const struct graph *graph, const struct kube_object *owner, const char *finalizer)
{
    const struct kube_object *object = present(graph, owner);
    if (object == NULL)
        return;
    json_t *tree = tree_edit(object);
    tree_drop_finalizer(tree, finalizer);
    pass_update(graph->pass, object, tree);
}

/* What keeps the object: an owner that is there and does not wait for it to go. */
static bool has_other_owner(const struct graph *graph, const struct kube_object *object, const char *but_uid)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(metadata_of(object), "ownerReferences"), index, item)
    {
        struct edge edge = {json_text(item, "uid"), object, item};
        bool is_known;
        const struct kube_object *owner = find_owner(graph, &edge, &is_known);
        bool is_there = !is_known || (owner != NULL && !is_owner_dying(owner));
        if (is_there && strcmp(edge.owner_uid, but_uid) != 0)
            return true;
    }
    return false;
}

static void delete_dependent(const struct graph *graph, const struct edge *edge)
{
    const struct kube_object *object = present(graph, edge->dependent);
    unsigned below = 0;
    if (object == NULL)
        return;
    if (has_other_owner(graph, object, edge->owner_uid)) {
        drop_owner(graph, object, edge->owner_uid);
        return;
    }
    edges_of(graph, object->uid, &below);
    if (!metadata_is_deleting(object))
        pass_delete(graph->pass, object, below > 0 ? "Foreground" : "Background", -1);
}

static void sync_foreground(const struct graph *graph, const struct kube_object *owner)
{
    unsigned count = 0;
    struct edge *edges = edges_of(graph, owner->uid, &count);
    bool is_held = false;
    for (unsigned i = 0; i < count; i++) {
        delete_dependent(graph, &edges[i]);
        const struct kube_object *left = present(graph, edges[i].dependent);
        is_held = is_held || (left != NULL && json_is_true(json_object_get(edges[i].reference, "blockOwnerDeletion")) &&
                              !has_other_owner(graph, left, owner->uid));
    }
    if (!is_held)
        drop_finalizer(graph, owner, FINALIZER_FOREGROUND);
}

static void sync_orphans(const struct graph *graph, const struct kube_object *owner)
{
    unsigned count = 0;
    struct edge *edges = edges_of(graph, owner->uid, &count);
    for (unsigned i = 0; i < count; i++)
        drop_owner(graph, edges[i].dependent, owner->uid);
    drop_finalizer(graph, owner, FINALIZER_ORPHAN);
}

/* Every owner is gone. */
static bool is_abandoned(const struct graph *graph, const struct kube_object *object)
{
    size_t index;
    json_t *item;
    const json_t *references = json_object_get(metadata_of(object), "ownerReferences");
    json_array_foreach((json_t *)(uintptr_t)references, index, item)
    {
        struct edge edge = {json_text(item, "uid"), object, item};
        bool is_known;
        if (find_owner(graph, &edge, &is_known) != NULL || !is_known)
            return false;
    }
    return json_array_size(references) > 0;
}

static void sync_object(const struct graph *graph, const struct kube_object *read)
{
    if (!metadata_is_deleting(read) && json_object_get(metadata_of(read), "ownerReferences") == NULL)
        return;
    /* What this pass did to it before counts: an orphan must not be judged by the owner that it has just lost. */
    const struct kube_object *object = present(graph, read);
    if (object == NULL)
        return;
    if (!metadata_is_deleting(object)) {
        if (is_abandoned(graph, object))
            pass_delete(graph->pass, object, "Background", -1);
    } else if (metadata_has_finalizer(object, FINALIZER_ORPHAN)) {
        sync_orphans(graph, object);
    } else if (metadata_has_finalizer(object, FINALIZER_FOREGROUND)) {
        sync_foreground(graph, object);
    }
}

void garbage_sync(struct pass *pass)
{
    struct graph graph = {.pass = pass};
    const struct heads *by_kind[KUBE_KIND_COUNT] = {NULL};
    for (unsigned kind = 0; kind < KUBE_KIND_COUNT; kind++) {
        if (kind == KUBE_EVENT) /* many, and they own nothing and are owned by nobody */
            continue;
        by_kind[kind] = pass_heads(pass, (enum kube_kind)kind, "");
        for (unsigned i = 0; i < by_kind[kind]->len; i++)
            add_edges(&graph, by_kind[kind]->items[i]->object);
    }
    if (graph.len > 1)
        qsort(graph.edges, graph.len, sizeof *graph.edges, by_owner);
    for (unsigned kind = 0; kind < KUBE_KIND_COUNT; kind++)
        for (unsigned i = 0; by_kind[kind] != NULL && i < by_kind[kind]->len; i++)
            sync_object(&graph, by_kind[kind]->items[i]->object);
}
