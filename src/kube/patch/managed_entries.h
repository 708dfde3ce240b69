/* SPDX-License-Identifier: Apache-2.0 */
/* managed_entries.h: managedFields taken apart, for updates and applies.  Internal to kube/patch. */
#ifndef KUBE_PATCH_MANAGED_ENTRIES_H
#define KUBE_PATCH_MANAGED_ENTRIES_H

#include "base/arena.h"
#include "kube/patch/managed_fields.h"

/* One entry.  Texts are borrowed from the tree or the request. */
struct managed_entry {
    const char *manager;
    bool is_apply; /* operation: Apply, else Update */
    const char *api_version;
    const char *time;        /* "" when there is none */
    const char *subresource; /* "" for the object itself */
    json_t *fields;          /* owned; NULL: none, the entry goes */
    json_t *source;          /* borrowed: as it was read; NULL once something is different */
};

struct managed_entries {
    struct managed_entry *items; /* in the arena; room for MANAGED_FIELDS_MAX + 1 */
    size_t len;
};

/* false: it is no list of valid entries, or a longer one than we would keep.  entries is empty then. */
bool managed_entries_read(struct managed_entries *entries, struct arena *arena, json_t *list);
void managed_entries_deinit(struct managed_entries *entries);

/* The entry that an apply or an update by this request belongs to (an apply whatever its version); NULL: none. */
struct managed_entry *managed_entries_find(const struct managed_entries *entries, const struct apply_request *request,
                                           bool is_apply);
/* Adds one without fields at the end.  There is room for one more than is kept: call managed_entries_trim() after. */
struct managed_entry *managed_entries_add(struct managed_entries *entries, const struct apply_request *request,
                                          bool is_apply);
/* Takes over fields. */
void managed_entry_set_fields(struct managed_entry *entry, json_t *fields);
/* The entry was written to now. */
void managed_entry_stamp(struct managed_entry *entry, const struct apply_request *request);
/* Drops empty entries; merges the oldest Update entries while there are too many.  false: too many Apply entries. */
bool managed_entries_trim(struct managed_entries *entries);

/* object with these entries: a new reference with root and metadata of its own, or object itself when it has just
 * these. */
json_t *managed_entries_write(const struct managed_entries *entries, json_t *object);

#endif
