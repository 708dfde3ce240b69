/* SPDX-License-Identifier: Apache-2.0 */
/* entries.h: the keys of one kind in order of namespace, then name, each with its head and its durable version.
 *
 * Lookups halve; adding and removing move pointers only. */
#ifndef KUBE_STORE_ENTRIES_H
#define KUBE_STORE_ENTRIES_H

#include "kube/store/store.h"

/* Lives as long as any of the three says that there is something. */
struct entry {
    enum kube_kind kind;
    const struct stored *head; /* the newest pending change's, or durable; that one counts it.  NULL: there is none */
    struct stored *durable;    /* counted; NULL: there is none */
    unsigned pending;          /* changes on their way */
    const char *namespace_;
    const char *name;
    char texts[]; /* both */
};

struct entries {
    struct entry **items;
    size_t len;
    size_t capacity;
    size_t durable_len; /* those that have a durable version */
};

void entries_deinit(struct entries *entries);
/* Where the key is (true), or where it would have to be (false). */
bool entries_find(const struct entries *entries, const char *namespace_, const char *name, size_t *ret_position);
/* NULL when there is none. */
struct entry *entries_get(const struct entries *entries, const char *namespace_, const char *name);
/* The key is copied.  position: from entries_find(). */
struct entry *entries_add(struct entries *entries, size_t position, enum kube_kind kind, const char *namespace_,
                          const char *name);
void entries_set_durable(struct entries *entries, struct entry *entry, struct stored *durable);
/* Frees the entry when nothing is left of it. */
void entries_drop_if_empty(struct entries *entries, struct entry *entry);

#endif
