/* SPDX-License-Identifier: Apache-2.0 */
/* metadata.h: what controllers read of an object's tree beyond its typed form, and how they make a changed one.  Pure;
 * trees of stored objects are never edited: what changes is copied first. */
#ifndef CONTROL_WORKLOADS_METADATA_H
#define CONTROL_WORKLOADS_METADATA_H

#include "kube/api/object.h"

/* "" when absent or no text. */
const char *json_text(const json_t *object, const char *key);
/* 0 when absent, no integer or below 0. */
unsigned json_count(const json_t *object, const char *key);
/* Milliseconds of an RFC 3339 time; 0 when absent or none. */
uint64_t json_time(const json_t *object, const char *key);
void json_set_text(json_t *object, const char *key, const char *value);
void json_set_time(json_t *object, const char *key, uint64_t wall_ms);
/* Leaves 0 out, as Kubernetes does. */
void json_set_count(json_t *object, const char *key, unsigned value);

const json_t *metadata_of(const struct kube_object *object);
const json_t *spec_of(const struct kube_object *object);
const json_t *status_of(const struct kube_object *object); /* NULL when there is none */
bool metadata_is_deleting(const struct kube_object *object);
bool metadata_has_finalizer(const struct kube_object *object, const char *finalizer);
/* The owner reference that says controller: true; NULL when there is none. */
const json_t *metadata_controller(const struct kube_object *object);
const char *metadata_controller_uid(const struct kube_object *object); /* "" */
/* Names owner as the controller. */
json_t *metadata_owner_reference(const struct kube_object *owner);

/* A copy whose metadata (and nothing deeper) may be changed. */
json_t *tree_edit(const struct kube_object *object);
/* A member that is an object, as a copy of its own in parent (made when missing); for going one step deeper. */
json_t *tree_edit_member(json_t *parent, const char *name);
/* Without this entry; tree is one of tree_edit(). */
void tree_drop_finalizer(json_t *tree, const char *finalizer);
/* Without the owner references to this uid. */
void tree_drop_owner(json_t *tree, const char *uid);

#endif
