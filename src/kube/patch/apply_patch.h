/* SPDX-License-Identifier: Apache-2.0 */
/* apply_patch.h: server-side apply: an object becomes what a manager wants it to be, field by field. */
#ifndef KUBE_PATCH_APPLY_PATCH_H
#define KUBE_PATCH_APPLY_PATCH_H

#include "base/arena.h"
#include "base/buffer.h"
#include "kube/patch/managed_fields.h"

/* A field that the apply would change and another manager owns.  Texts live in the arena of the call. */
struct apply_conflict {
    const char *manager;
    const char *api_version;
    const char *time;        /* "" when unknown */
    const char *subresource; /* "" for the object itself */
    bool is_apply;           /* the manager applied; else it updated */
    const char *path;        /* ".spec.rules" */
    struct apply_conflict *next;
};

/* The object after the apply, a new reference; target is NULL when there is none yet.  config is the whole of what the
 * manager wants: fields that it owned before, no longer lists and nobody else owns go; nulls in it count as absent.
 * status is left out, except with subresource "status", where only it counts.
 *
 * The result shares subtrees with the inputs (tree.h says what is its own) and has the manager's Apply entry in
 * metadata.managedFields.  When nothing changes, neither a value nor an entry, it is target itself.
 *
 * NULL with a sentence: config cannot be applied (then there are no conflicts), or other managers own what would change
 * and force is not set; these are the conflicts, in the order of the entries. */
json_t *apply_patch(json_t *target, json_t *config, const struct apply_request *request, struct arena *arena,
                    struct apply_conflict **ret_conflicts, char error[300]);

/* `conflict with "kubectl-edit" using apps/v1 at 2026-01-02T03:04:05Z`, the text of a cause. */
void apply_conflict_cause(const struct apply_conflict *conflict, struct buffer *out);
/* The message of the Status that a failed apply is answered with: all conflicts, by manager. */
void apply_conflicts_message(const struct apply_conflict *conflicts, struct buffer *out);

#endif
