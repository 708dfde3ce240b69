/* SPDX-License-Identifier: Apache-2.0 */
/* stored.h: how a version of an object is made; for the store alone.  Others hold and read it by store.h. */
#ifndef KUBE_STORE_STORED_H
#define KUBE_STORE_STORED_H

#include "kube/store/store.h"

/* Writes version into the tree of object and takes over the caller's count of it.  Counted once, for the caller. */
struct stored *stored_new(struct kube_object *object, uint64_t version);
/* The last state of an object under the version of its deletion; `last` stays as it is. */
struct stored *stored_new_removed(const struct stored *last, uint64_t version);
/* With apiVersion and kind, as it goes to the disk; lives as long as stored. */
struct bytes stored_whole(const struct stored *stored);

#endif
