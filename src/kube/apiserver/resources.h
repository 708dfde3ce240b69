/* SPDX-License-Identifier: Apache-2.0 */
/* resources.h: the resources that the API server serves: one row for each resource in each of its versions.
 *
 * The table is constant: every type is served always, whatever is configured, since clients cache what they found. */
#ifndef KUBE_APISERVER_RESOURCES_H
#define KUBE_APISERVER_RESOURCES_H

#include "base/bytes.h"
#include "kube/api/object.h"

/* In the order of their names, which is how they are listed. */
#define API_VERBS(X)                                                                                                   \
    X(CREATE, "create")                                                                                                \
    X(DELETE, "delete")                                                                                                \
    X(DELETE_COLLECTION, "deletecollection")                                                                           \
    X(GET, "get")                                                                                                      \
    X(LIST, "list")                                                                                                    \
    X(PATCH, "patch")                                                                                                  \
    X(UPDATE, "update")                                                                                                \
    X(WATCH, "watch")

enum api_verb {
#define X(id, name) API_##id,
    API_VERBS(X)
#undef X
        API_VERB_COUNT
};

enum api_subresource_id { API_STATUS, API_SCALE, API_LOG, API_FINALIZE, API_SUBRESOURCE_COUNT };

/* "verb" or "subresource" -> its bit in the sets below. */
#define API_BIT(id) (1u << (id))

struct api_resource {
    enum kube_kind kind;     /* what is stored; KUBE_KIND_COUNT: answered on the spot, never stored (reviews) */
    const char *group;       /* "" = core */
    const char *version;     /* the first of a group is the preferred one */
    const char *api_version; /* "v1", "apps/v1" */
    const char *plural;
    const char *singular;
    const char *kind_name;      /* "HTTPRoute" */
    const char *list_kind;      /* "HTTPRouteList" */
    const char *short_names[3]; /* NULL-ended */
    const char *category;       /* of `kubectl get <category>`; NULL: none */
    unsigned verbs;             /* API_BIT(API_GET) | ... */
    unsigned subresources;      /* API_BIT(API_STATUS) | ... */
    bool is_namespaced;
    bool is_built_in;    /* of Kubernetes itself: takes strategic merge patches (custom resources answer 415) */
    bool is_events_view; /* events.k8s.io: the core kind in other words (events_view.h) */
};

/* What a subresource answers and takes.  group_, version and kind are NULL where they are the resource's own. */
struct api_subresource {
    const char *name;
    unsigned verbs;
    const char *group;
    const char *version;
    const char *kind_name;
};
const struct api_subresource *resource_subresource(enum api_subresource_id id);
const char *resource_verb_name(enum api_verb verb);

/* A run of the table. */
struct api_resources {
    const struct api_resource *items;
    size_t len;
};
/* All, in the order of discovery: groups together, in them versions together. */
struct api_resources resource_all(void);
/* Of one group (of one version of it); empty when it is not served. */
struct api_resources resource_group(struct bytes group);
struct api_resources resource_group_version(struct bytes group, struct bytes version);

/* NULL when there is none. */
const struct api_resource *resource_find(struct bytes group, struct bytes version, struct bytes plural);
/* By the apiVersion ("apps/v1") and kind of a body. */
const struct api_resource *resource_find_kind(struct bytes api_version, struct bytes kind);
/* The preferred version of a stored kind; for events the core one. */
const struct api_resource *resource_of_kind(enum kube_kind kind);
/* API_SUBRESOURCE_COUNT when the resource has no such subresource. */
enum api_subresource_id resource_find_subresource(const struct api_resource *resource, struct bytes name);

static inline bool resource_has(const struct api_resource *resource, enum api_subresource_id subresource)
{
    return (resource->subresources & API_BIT(subresource)) != 0;
}

static inline bool resource_can(const struct api_resource *resource, enum api_verb verb)
{
    return (resource->verbs & API_BIT(verb)) != 0;
}

#endif
