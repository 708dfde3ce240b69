/* SPDX-License-Identifier: Apache-2.0 */
/* apply_internal.h: the steps of an apply on trees: config, merge, prune.  Internal to kube/patch.
 *
 * All return new references that share what did not change. */
#ifndef KUBE_PATCH_APPLY_INTERNAL_H
#define KUBE_PATCH_APPLY_INTERNAL_H

#include <jansson.h>

#include "base/arena.h"
#include "kube/patch/patch_schema.h"

/* apply_config.c: what of config this request may set: without nulls, without the server's fields, only status or all
 * but it.  NULL with a sentence when config is no object, brings managedFields, or has items without or with equal
 * keys. */
json_t *apply_config(struct arena *arena, const struct patch_type *type, json_t *config, const char *subresource,
                     char error[300]);
/* apply_config.c: what an object starts from when config is the first to be applied. */
json_t *apply_first(json_t *config);

/* apply_merge.c: live with config in it.  Keyed lists: config's items in config's order, the others where they were.
 * live itself (counted) when it has all of config already. */
json_t *apply_merge(struct arena *arena, const struct patch_type *type, json_t *live, json_t *config);
/* apply_merge.c: object without the fields of `last` that are not in `kept` (field sets, may be NULL). */
json_t *apply_prune(struct arena *arena, const struct patch_type *type, json_t *object, json_t *last, json_t *kept);

#endif
