/* SPDX-License-Identifier: Apache-2.0 */
/* strategic_internal.h: what the parts of strategic merge patch share: maps (strategic_patch.c), lists
 * (strategic_list.c), and lists that come in new (strategic_plain.c).  Internal to kube/patch. */
#ifndef KUBE_PATCH_STRATEGIC_INTERNAL_H
#define KUBE_PATCH_STRATEGIC_INTERNAL_H

#include "base/arena.h"
#include "kube/patch/patch_schema.h"
#include "kube/patch/tree.h"

/* One patch being applied. */
struct strategic_run {
    struct arena *arena; /* keys of list items */
    char *error;
    bool has_failed; /* error says why */
};

/* "$patch" in a map or in an item of a list. */
enum strategic_directive {
    DIRECTIVE_NONE,
    DIRECTIVE_MERGE, /* what happens anyway */
    DIRECTIVE_REPLACE,
    DIRECTIVE_DELETE,
    DIRECTIVE_BAD, /* the run has failed */
};
enum strategic_directive strategic_directive_of(struct strategic_run *run, const struct place *place, json_t *value);

/* Directives that are about a field beside them: "$setElementOrder/ports". */
#define STRATEGIC_ORDER_PREFIX  "$setElementOrder/"
#define STRATEGIC_REMOVE_PREFIX "$deleteFromPrimitiveList/"
#define STRATEGIC_RETAIN_KEYS   "$retainKeys"
/* The field that such a directive is about; NULL when name is none of these. */
const char *strategic_field_of(const char *name);
/* name starts with "$" and is a directive with a value that it can have; the run fails when it is not. */
bool strategic_check_member(struct strategic_run *run, const struct place *place, const char *name, json_t *value);

/* Fails the run; always NULL. */
void *strategic_fail(struct strategic_run *run, const struct place *place, const char *format, ...) PRINTF_LIKE(3, 4);

/* These return a new reference, or NULL when the run has failed. */

/* original NULL: there is nothing to merge with; then the result is also NULL, without failure, when the patch says
 * `$patch: delete`. */
json_t *strategic_object(struct strategic_run *run, const struct place *place, const struct patch_type *type,
                         json_t *original, json_t *patch);
/* A list whose field has a merge key.  original NULL: there is nothing to merge with.  Of patch and order
 * ($setElementOrder) one may be NULL; patch must not when original is. */
json_t *strategic_list(struct strategic_run *run, const struct place *place, const struct patch_field *field,
                       json_t *original, json_t *patch, json_t *order);
/* A list that meets nothing to merge with or is replaced whole.  field may be NULL. */
json_t *strategic_plain_list(struct strategic_run *run, const struct place *place, const struct patch_field *field,
                             json_t *list);

/* The identity of an item by the field's merge key.  data is NULL when it has none, which fails the run. */
struct bytes strategic_key(struct strategic_run *run, const struct place *place, const struct patch_field *field,
                           json_t *item);
/* The same without failure. */
struct bytes strategic_key_try(struct strategic_run *run, const struct patch_field *field, json_t *item);

#endif
