/* SPDX-License-Identifier: Apache-2.0 */
/* apply_patch.c: the course of an apply: merge config in, prune what the manager gave up, look who minds, account.
 *
 * "kubectl" has one privilege, because people move to server-side apply with objects that they made client-side: what
 * its last-applied annotation says, and the object still has, conflicts with nobody.  Any thread; owns nothing. */
#include "kube/patch/apply_patch.h"

#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/utf8.h"
#include "kube/patch/apply_internal.h"
#include "kube/patch/field_changes.h"
#include "kube/patch/field_set.h"
#include "kube/patch/managed_entries.h"
#include "kube/patch/tree.h"

static const char last_applied_annotation[] = "kubectl.kubernetes.io/last-applied-configuration";

/* One apply on its way. */
struct applying {
    struct arena *arena;
    const struct apply_request *request;
    const struct patch_type *type;
    json_t *target; /* borrowed, or NULL */
    struct managed_entries entries;
    struct managed_entry *own; /* one of them */
    struct apply_conflict *conflicts;
    struct apply_conflict **tail;
    size_t conflict_count;
    const struct managed_entry *other; /* whose conflicts are looked for */
};

/* ---- conflicts ---- */

static void add_conflict(void *context, const char *path)
{
    struct applying *applying = context;
    struct arena *arena = applying->arena;
    const struct managed_entry *other = applying->other;
    struct apply_conflict *conflict = ARENA_NEW(arena, struct apply_conflict);
    *conflict = (struct apply_conflict){
        .manager = arena_strdup(arena, other->manager),
        .api_version = arena_strdup(arena, other->api_version),
        .time = arena_strdup(arena, other->time),
        .subresource = arena_strdup(arena, other->subresource),
        .is_apply = other->is_apply,
        .path = arena_strdup(arena, path),
    };
    *applying->tail = conflict;
    applying->tail = &conflict->next;
    applying->conflict_count++;
}

/* What kubectl applied on the client's side and nobody changed since; NULL: nothing. */
static json_t *last_applied_fields(const struct applying *applying)
{
    const struct apply_request *request = applying->request;
    json_t *annotations = json_object_get(json_object_get(applying->target, "metadata"), "annotations");
    const char *text = json_string_value(json_object_get(annotations, last_applied_annotation));
    char error[200];
    if (text == NULL || strcmp(request->manager, "kubectl") != 0)
        return NULL;
    json_t *applied = json_read(bytes_of(text), error);
    if (!json_is_object(applied)) {
        json_decref(applied);
        return NULL;
    }
    json_t *fields = field_set_of(applied, request->group, request->kind, request->subresource);
    struct field_changes since;
    field_changes_between(applied, applying->target, request->group, request->kind, request->subresource, &since);
    json_t *unchanged = field_set_subtract(fields, since.written);
    json_t *result = field_set_subtract(unchanged, since.removed);
    json_decref(unchanged);
    json_decref(fields);
    json_decref(applied);
    field_changes_deinit(&since);
    return result;
}

static void find_conflicts(struct applying *applying, const struct field_changes *changes)
{
    json_t *excepted = last_applied_fields(applying);
    for (size_t i = 0; i < applying->entries.len; i++) {
        applying->other = &applying->entries.items[i];
        if (applying->other != applying->own)
            field_set_meet(applying->other->fields, changes->written, excepted, add_conflict, applying);
    }
    json_decref(excepted);
}

/* ---- the object ---- */

/* All that somebody owns when the apply is done; a new reference or NULL. */
static json_t *owned_by_all(const struct applying *applying, json_t *own_fields)
{
    json_t *all = json_incref(own_fields);
    for (size_t i = 0; i < applying->entries.len; i++) {
        if (&applying->entries.items[i] == applying->own)
            continue;
        json_t *more = field_set_union(all, applying->entries.items[i].fields);
        json_decref(all);
        all = more;
    }
    return all;
}

static json_t *applied_object(const struct applying *applying, json_t *live, json_t *config, json_t *own_fields)
{
    json_t *merged = apply_merge(applying->arena, applying->type, live, config);
    json_t *kept = owned_by_all(applying, own_fields);
    json_t *pruned = apply_prune(applying->arena, applying->type, merged, applying->own->fields, kept);
    json_decref(merged);
    json_decref(kept);
    return pruned;
}

/* ---- the entries ---- */

static void take_from_others(struct applying *applying, const struct field_changes *changes)
{
    for (size_t i = 0; i < applying->entries.len; i++) {
        struct managed_entry *entry = &applying->entries.items[i];
        if (entry == applying->own)
            continue;
        json_t *kept = field_set_subtract(entry->fields, changes->removed);
        managed_entry_set_fields(entry, field_set_subtract(kept, changes->written));
        json_decref(kept);
    }
}

/* The same tree with root and metadata of its own.  Takes over object. */
static json_t *own_copy(json_t *object)
{
    json_t *copy = must(json_copy(object));
    tree_own_metadata(copy);
    json_decref(object);
    return copy;
}

/* Takes over object and own_fields.  The apply's result; NULL with a sentence. */
static json_t *account(struct applying *applying, json_t *object, json_t *own_fields,
                       const struct field_changes *changes, char *error)
{
    struct managed_entry *own = applying->own;
    bool changes_object = applying->target == NULL || !json_equal(object, applying->target);
    take_from_others(applying, changes);
    managed_entry_set_fields(own, own_fields);
    if (changes_object || own->source == NULL || strcmp(own->api_version, applying->request->api_version) != 0)
        managed_entry_stamp(own, applying->request);
    json_t *result = NULL;
    if (changes_object)
        object = own_copy(object);
    if (managed_entries_trim(&applying->entries))
        result = managed_entries_write(&applying->entries, changes_object ? object : applying->target);
    else
        snprintf(error, TREE_ERROR_SIZE, "metadata.managedFields: more than %d managers apply this object",
                 MANAGED_FIELDS_MAX);
    json_decref(object);
    return result;
}

static json_t *apply(struct applying *applying, json_t *live, json_t *config, char *error)
{
    const struct apply_request *request = applying->request;
    json_t *own_fields = field_set_of(config, request->group, request->kind, request->subresource);
    json_t *object = applied_object(applying, live, config, own_fields);
    json_t *result = NULL;
    struct field_changes changes;
    field_changes_between(applying->target, object, request->group, request->kind, request->subresource, &changes);
    if (!request->force)
        find_conflicts(applying, &changes);
    if (applying->conflict_count == 0) {
        result = account(applying, json_incref(object), json_incref(own_fields), &changes, error);
    } else {
        snprintf(error, TREE_ERROR_SIZE, "Apply failed with %zu conflict%s", applying->conflict_count,
                 applying->conflict_count == 1 ? "" : "s");
    }
    json_decref(object);
    json_decref(own_fields);
    field_changes_deinit(&changes);
    return result;
}

static bool check_manager(const char *manager, char *error)
{
    struct bytes name = bytes_of(manager);
    if (name.len > 0 && name.len <= FIELD_MANAGER_MAX_LEN && utf8_is_valid(name))
        return true;
    snprintf(error, TREE_ERROR_SIZE, "fieldManager: must be 1..%d bytes of UTF-8", FIELD_MANAGER_MAX_LEN);
    return false;
}

json_t *apply_patch(json_t *target, json_t *config, const struct apply_request *request, struct arena *arena,
                    struct apply_conflict **ret_conflicts, char error[300])
{
    struct applying applying = {.arena = arena, .request = request, .target = target};
    applying.type = patch_schema_find(request->group, request->kind);
    applying.tail = &applying.conflicts;
    *ret_conflicts = NULL;
    if (!check_manager(request->manager, error))
        return NULL;
    json_t *wanted = apply_config(arena, applying.type, config, request->subresource, error);
    if (wanted == NULL)
        return NULL;
    (void)managed_entries_read(&applying.entries, arena,
                               json_object_get(json_object_get(target, "metadata"), "managedFields"));
    applying.own = managed_entries_find(&applying.entries, request, true);
    if (applying.own == NULL)
        applying.own = managed_entries_add(&applying.entries, request, true);
    json_t *live = target != NULL ? json_incref(target) : apply_first(config);
    json_t *result = apply(&applying, live, wanted, error);
    *ret_conflicts = applying.conflicts;
    managed_entries_deinit(&applying.entries);
    json_decref(live);
    json_decref(wanted);
    return result;
}

/* ---- sentences ---- */

static void append_manager(const struct apply_conflict *conflict, struct buffer *out)
{
    buffer_printf(out, "\"%s\"", conflict->manager);
    if (conflict->subresource[0] != '\0')
        buffer_printf(out, " with subresource \"%s\"", conflict->subresource);
    if (conflict->is_apply)
        return;
    buffer_printf(out, " using %s", conflict->api_version);
    if (conflict->time[0] != '\0')
        buffer_printf(out, " at %s", conflict->time);
}

void apply_conflict_cause(const struct apply_conflict *conflict, struct buffer *out)
{
    buffer_append_str(out, "conflict with ");
    append_manager(conflict, out);
}

static bool is_same_manager(const struct apply_conflict *a, const struct apply_conflict *b)
{
    return a->is_apply == b->is_apply && strcmp(a->manager, b->manager) == 0 &&
           strcmp(a->subresource, b->subresource) == 0 && strcmp(a->api_version, b->api_version) == 0 &&
           strcmp(a->time, b->time) == 0;
}

void apply_conflicts_message(const struct apply_conflict *conflicts, struct buffer *out)
{
    size_t count = 0;
    for (const struct apply_conflict *conflict = conflicts; conflict != NULL; conflict = conflict->next)
        count++;
    buffer_printf(out, "Apply failed with %zu conflict%s: ", count, count == 1 ? "" : "s");
    if (count == 1) {
        apply_conflict_cause(conflicts, out);
        buffer_printf(out, ": %s", conflicts->path);
        return;
    }
    const struct apply_conflict *last = NULL;
    for (const struct apply_conflict *conflict = conflicts; conflict != NULL; conflict = conflict->next) {
        if (last == NULL || !is_same_manager(last, conflict)) {
            buffer_printf(out, "%sconflicts with ", last == NULL ? "" : "\n");
            append_manager(conflict, out);
            buffer_append_char(out, ':');
        }
        buffer_printf(out, "\n- %s", conflict->path);
        last = conflict;
    }
}
