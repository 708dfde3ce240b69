/* SPDX-License-Identifier: Apache-2.0 */
/* object_rules.h: what the server itself does to an object's tree on its way into the store.  Pure but for randomness
 * in uids and generated names.  Internal to kube/apiserver. */
#ifndef KUBE_APISERVER_OBJECT_RULES_H
#define KUBE_APISERVER_OBJECT_RULES_H

#include "kube/api/object.h"

/* metadata as an object of its own (made when missing or of another type). */
json_t *rules_metadata(json_t *tree);
const char *rules_text(const json_t *object, const char *key); /* "" when absent or no text */
void rules_set_text(json_t *object, const char *key, const char *value);
void rules_set_time(json_t *object, const char *key, uint64_t wall_ms);
/* Members that are null go, at every level; empty labels and annotations go (they would show as differences). */
void rules_drop_empty(json_t *tree);
/* A new life: uid, creationTimestamp, generation; everything of an older life goes.  A name from generateName. */
void rules_begin_life(json_t *tree, const struct kube_kind_info *info, uint64_t wall_ms);
/* What only the server may change is taken from older. */
void rules_inherit(json_t *tree, const json_t *older);
/* Anything outside metadata and status differs. */
bool rules_spec_differs(const json_t *a, const json_t *b);
/* Equal but for metadata.resourceVersion. */
bool rules_is_same(const json_t *a, const json_t *b);
/* Removes the member at a problem's field path ("spec.rules[0].x"; names with dots: "spec[a.b]"). */
void rules_remove_field(json_t *tree, const char *path);
/* Server-side defaults of built-in kinds that clients rely on; never inside lists (defaults.c). */
void rules_set_defaults(json_t *tree, enum kube_kind kind);
bool rules_has_finalizers(const json_t *tree);
/* Something must still happen before an object that is being deleted may go: see change_delete(). */
bool rules_is_held(const json_t *tree, enum kube_kind kind);

#endif
