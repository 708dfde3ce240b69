/* SPDX-License-Identifier: Apache-2.0 */
/* object_cache.h: the objects in force, by kind, namespace and name.  One thread (control).
 *
 * Filled from the store's durable changes, or by whoever reads manifests without a store (check, explain). */
#ifndef KUBE_API_OBJECT_CACHE_H
#define KUBE_API_OBJECT_CACHE_H

#include "kube/api/object.h"

struct object_cache;

enum object_change {
    OBJECT_UNCHANGED,
    OBJECT_ADDED,
    OBJECT_CHANGED,        /* the spec (everything but metadata and status), labels, annotations, uid or generation */
    OBJECT_STATUS_CHANGED, /* nothing but the status and what the server keeps in metadata */
    OBJECT_REMOVED
};

struct object_cache *object_cache_new(void);
void object_cache_free(struct object_cache *cache);
/* Takes over the caller's count of object, which stays as it is: uid, generation and creation time are its own. */
enum object_change object_cache_put(struct object_cache *cache, struct kube_object *object);
enum object_change object_cache_remove(struct object_cache *cache, enum kube_kind kind, const char *namespace_,
                                       const char *name);
/* Borrowed; NULL when absent. */
const struct kube_object *object_cache_get(const struct object_cache *cache, enum kube_kind kind,
                                           const char *namespace_, const char *name);
/* All of a kind in order of namespace, then name; borrowed until the next change.  Start with *cursor = 0, NULL at the
 * end. */
const struct kube_object *object_cache_next(const struct object_cache *cache, enum kube_kind kind, size_t *cursor);
size_t object_cache_count(const struct object_cache *cache, enum kube_kind kind);

#endif
