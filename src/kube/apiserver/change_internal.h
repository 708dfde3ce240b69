/* SPDX-License-Identifier: Apache-2.0 */
/* change_internal.h: what change.c, deletion.c and managers.c share. */
#ifndef KUBE_APISERVER_CHANGE_INTERNAL_H
#define KUBE_APISERVER_CHANGE_INTERNAL_H

#include "kube/apiserver/change.h"

/* tree as an object; unknown fields as change->validation says.  NULL: change->failure. */
struct kube_object *change_decode(struct change *change, enum kube_kind kind, json_t *tree);
/* Writes object (taken over), or keeps it as the outcome of a dry run. */
void change_put(struct change *change, struct kube_object *object);
/* Removes what head is. */
void change_remove(struct change *change, const struct stored *head);
void change_store_failed(struct change *change, int error);
/* tree (taken over) with managedFields as change->manager's write leaves them; before NULL: a new object. */
json_t *change_note_manager(struct change *change, enum kube_kind kind, const json_t *before, json_t *tree);

#endif
