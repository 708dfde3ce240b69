/* SPDX-License-Identifier: Apache-2.0 */
/* managed_fields.h: metadata.managedFields: who owns which field of an object. */
#ifndef KUBE_PATCH_MANAGED_FIELDS_H
#define KUBE_PATCH_MANAGED_FIELDS_H

#include <jansson.h>
#include <stdbool.h>

/* Entries of one object.  More Update entries become one ("ancient-changes"), more Apply entries are refused. */
enum { MANAGED_FIELDS_MAX = 30, FIELD_MANAGER_MAX_LEN = 128 };

/* Who writes, and how.  The texts must be UTF-8 and live as long as the call; all but subresource and group are needed.
 */
struct apply_request {
    const char *manager;     /* "kubectl"; the API allows 1..128 bytes */
    const char *api_version; /* of the request: "apps/v1" */
    const char *time;        /* RFC 3339, for the entry if it changes */
    bool force;              /* apply only: take fields from other managers */
    const char *subresource; /* "status"; NULL or "": the object itself */
    const char *kind;        /* "Deployment" */
    const char *group;       /* "apps"; NULL: the kind decides alone */
};

/* Accounts for a write that is no apply, from `before` (NULL: a creation) to `after`: fields that were added or changed
 * go to the manager's Update entry and leave all others, removed ones leave all, empty entries go.
 *
 * The list that is continued is that of `after` when it has a valid one (a client may rewrite it), else that of
 * `before`; an empty list, or one with an empty entry, starts anew.  Returns `after` with the list: a new reference
 * with root and metadata of its own, or `after` itself when its list is right already.  A write that changed nothing
 * changes no entry. */
json_t *managed_fields_update(json_t *before, json_t *after, const struct apply_request *request);

#endif
