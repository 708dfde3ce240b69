/* SPDX-License-Identifier: Apache-2.0 */
/* field_changes.h: which fields a write set and which it removed. */
#ifndef KUBE_PATCH_FIELD_CHANGES_H
#define KUBE_PATCH_FIELD_CHANGES_H

#include <jansson.h>

/* Field sets, NULL when empty.  Owned. */
struct field_changes {
    json_t *written; /* added or with another value; maps and keyed lists that are new are in it themselves */
    json_t *removed; /* gone, with all that was below */
};

/* Of the fields that field_set_of() would list.  before may be NULL: all of after is new.  The order of keyed lists
 * does not count. */
void field_changes_between(json_t *before, json_t *after, const char *group, const char *kind, const char *subresource,
                           struct field_changes *ret_changes);
void field_changes_deinit(struct field_changes *changes);

#endif
