/* SPDX-License-Identifier: Apache-2.0 */
/* managed_fields.c: ownership after writes that are no apply.  Any thread; owns nothing.  No conflicts here: such a
 * write takes what it changes. */
#include "kube/patch/managed_fields.h"

#include "kube/patch/field_changes.h"
#include "kube/patch/field_set.h"
#include "kube/patch/managed_entries.h"
#include "kube/patch/tree.h"

static json_t *managed_list(json_t *object)
{
    return json_object_get(json_object_get(object, "metadata"), "managedFields");
}

/* A client asks for ownership to be forgotten: [] or [{}]. */
static bool is_reset(json_t *list)
{
    size_t len = json_array_size(list);
    return json_is_array(list) && (len == 0 || (len == 1 && json_object_size(json_array_get(list, 0)) == 0 &&
                                                json_is_object(json_array_get(list, 0))));
}

static void read_entries(struct managed_entries *entries, struct arena *arena, json_t *before, json_t *after)
{
    json_t *list = managed_list(after);
    if (!is_reset(list) && managed_entries_read(entries, arena, list))
        return;
    (void)managed_entries_read(entries, arena, is_reset(list) ? NULL : managed_list(before));
}

/* What an entry still owns; a new reference. */
static json_t *remaining_fields(const struct managed_entry *entry, const struct field_changes *changes, bool is_own)
{
    json_t *kept = field_set_subtract(entry->fields, changes->removed);
    json_t *rest = is_own ? field_set_union(kept, changes->written) : field_set_subtract(kept, changes->written);
    json_decref(kept);
    return rest;
}

static void account(struct managed_entries *entries, const struct field_changes *changes,
                    const struct apply_request *request)
{
    struct managed_entry *own = managed_entries_find(entries, request, false);
    if (own == NULL && changes->written != NULL)
        own = managed_entries_add(entries, request, false);
    for (size_t i = 0; i < entries->len; i++) {
        struct managed_entry *entry = &entries->items[i];
        bool is_own = own != NULL && entry == own;
        managed_entry_set_fields(entry, remaining_fields(entry, changes, is_own));
    }
    if (changes->written != NULL)
        managed_entry_stamp(own, request);
}

json_t *managed_fields_update(json_t *before, json_t *after, const struct apply_request *request)
{
    struct arena *arena = arena_new(0);
    struct managed_entries entries;
    struct field_changes changes;
    read_entries(&entries, arena, before, after);
    field_changes_between(before, after, request->group, request->kind, request->subresource, &changes);
    account(&entries, &changes, request);
    (void)managed_entries_trim(&entries);
    json_t *result = managed_entries_write(&entries, after);
    managed_entries_deinit(&entries);
    field_changes_deinit(&changes);
    arena_free(arena);
    return result;
}
