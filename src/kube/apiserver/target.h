/* SPDX-License-Identifier: Apache-2.0 */
/* target.h: what a request's URL asks of the API server.  Pure. */
#ifndef KUBE_APISERVER_TARGET_H
#define KUBE_APISERVER_TARGET_H

#include "base/arena.h"
#include "kube/apiserver/resources.h"

enum target_kind {
    TARGET_UNKNOWN, /* 404 */
    TARGET_RESOURCE,
    TARGET_HEALTH, /* /healthz, /livez, /readyz and what is below them */
    TARGET_READY,
    TARGET_VERSION,
    TARGET_API,             /* /api */
    TARGET_APIS,            /* /apis */
    TARGET_GROUP,           /* /apis/<group> */
    TARGET_GROUP_VERSION,   /* /api/v1, /apis/<group>/<version> */
    TARGET_OPENAPI_V2,      /* /openapi/v2 */
    TARGET_OPENAPI_INDEX,   /* /openapi/v3 */
    TARGET_OPENAPI_DOCUMENT /* /openapi/v3/<group version> */
};

struct target_query {
    const char *label_selector; /* texts are "" when absent */
    const char *field_selector;
    const char *continue_;
    const char *resource_version;
    const char *resource_version_match;
    const char *field_manager;
    const char *field_validation;
    const char *include_object;
    const char *propagation_policy;
    const char *container; /* of pods/log */
    uint64_t limit;        /* 0: none */
    uint64_t timeout_s;    /* 0: none */
    uint64_t limit_bytes;  /* 0: none */
    int64_t grace_s;       /* -1: none */
    int64_t tail_lines;    /* -1: all */
    bool is_watch;
    bool allows_bookmarks;
    bool wants_initial_events;
    bool is_dry_run;
    bool is_forced;
    bool follows;
    bool is_previous;
    bool is_timestamped; /* timestamps */
    bool is_since;       /* sinceSeconds or sinceTime is given */
};

struct target {
    enum target_kind kind;
    struct bytes group;                  /* of GROUP, GROUP_VERSION and RESOURCE; "" is core */
    struct bytes version;                /* of GROUP_VERSION and RESOURCE */
    const struct api_resource *resource; /* of RESOURCE; NULL: the group has no such resource */
    struct bytes document;               /* of OPENAPI_DOCUMENT: "apis/apps/v1" */
    const char *plural;                  /* as the URL names it */
    const char *namespace_;              /* "": all namespaces, or a cluster-scoped resource */
    const char *name;                    /* "": the collection */
    const char *subresource;             /* "" */
    struct target_query query;
};

/* path and query as received.  Texts go into the arena.  False with a sentence in *ret_why: 400 (a malformed escape, a
 * parameter that is no number, ...). */
bool target_parse(struct bytes path, struct bytes query, struct arena *arena, struct target *ret_target,
                  const char **ret_why);

#endif
