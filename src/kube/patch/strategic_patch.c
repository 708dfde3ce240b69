/* SPDX-License-Identifier: Apache-2.0 */
/* strategic_patch.c: maps of a strategic merge patch, and the fields in them.
 *
 * Maps merge, lists merge where the schema gives them a key and are replaced elsewhere, null deletes.  `$retainKeys`
 * drops the other members of a map, `$patch` replaces or empties it.  A name that starts with "$" is a directive: no
 * field of a built-in kind does.  Any thread; owns nothing. */
#include "kube/patch/strategic_patch.h"

#include <stdio.h>
#include <string.h>

#include "kube/patch/list_index.h"
#include "kube/patch/list_key.h"
#include "kube/patch/strategic_internal.h"

/* What a patch says about one field. */
struct field_patch {
    const char *name;
    json_t *value;   /* NULL: nothing */
    json_t *order;   /* $setElementOrder/name, or NULL */
    json_t *removed; /* $deleteFromPrimitiveList/name, or NULL */
};

static json_t *directive_for(json_t *patch, struct arena *arena, const char *prefix, const char *name)
{
    return json_object_get(patch, arena_printf(arena, "%s%s", prefix, name));
}

static struct field_patch field_patch_of(struct strategic_run *run, json_t *patch, const char *name)
{
    return (struct field_patch){
        .name = name,
        .value = json_object_get(patch, name),
        .order = directive_for(patch, run->arena, STRATEGIC_ORDER_PREFIX, name),
        .removed = directive_for(patch, run->arena, STRATEGIC_REMOVE_PREFIX, name),
    };
}

/* ---- $deleteFromPrimitiveList ---- */

/* The scalars of a list, as a set. */
static void index_scalars(struct strategic_run *run, const struct place *place, json_t *list,
                          struct list_index *scalars)
{
    size_t i;
    json_t *item;
    list_index_init(scalars, run->arena, json_array_size(list));
    json_array_foreach(list, i, item)
    {
        struct bytes key = list_key_of_scalar(run->arena, item);
        if (key.data != NULL)
            list_index_add(scalars, key, item);
        else
            strategic_fail(run, place, "%s takes strings, numbers and booleans", STRATEGIC_REMOVE_PREFIX);
    }
}

/* list may be NULL: there is none. */
static json_t *without_scalars(struct strategic_run *run, const struct place *place, json_t *list, json_t *removed)
{
    if (removed == NULL)
        return json_incref(list);
    struct list_index gone;
    index_scalars(run, place, removed, &gone);
    json_t *result = list != NULL ? must(json_array()) : NULL;
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        struct bytes key = list_key_of_scalar(run->arena, item);
        if (list_index_get(&gone, key) == NULL)
            tree_append(result, json_incref(item));
    }
    list_index_deinit(&gone);
    return result;
}

/* ---- fields ---- */

/* The list of a field, from the original (NULL: there is none, or no list) and what the patch says. */
static json_t *patched_list(struct strategic_run *run, const struct place *place, const struct patch_field *field,
                            json_t *original, const struct field_patch *change)
{
    bool is_merging = field != NULL && field->merge_key != NULL;
    if (change->order != NULL && !is_merging)
        return strategic_fail(run, place, "%s has no meaning here: this list is replaced whole",
                              STRATEGIC_ORDER_PREFIX);
    if (change->value == NULL && (original == NULL || change->order == NULL))
        return json_incref(original);
    if (!is_merging)
        return strategic_plain_list(run, place, field, change->value);
    return strategic_list(run, place, field, original, change->value, change->order);
}

/* The new value of a field; NULL: it goes, or the run has failed. */
static json_t *patched_value(struct strategic_run *run, const struct place *place, const struct patch_field *field,
                             json_t *original, const struct field_patch *change)
{
    json_t *value = change->value;
    if (value != NULL && json_is_null(value))
        return NULL;
    if (json_is_object(value))
        return strategic_object(run, place, patch_field_type(field), json_is_object(original) ? original : NULL, value);
    if (value != NULL && !json_is_array(value))
        return json_incref(value);
    if (value == NULL && !json_is_array(original))
        return json_incref(original);
    json_t *rest = without_scalars(run, place, json_is_array(original) ? original : NULL, change->removed);
    json_t *list = run->has_failed ? NULL : patched_list(run, place, field, rest, change);
    json_decref(rest);
    return list;
}

static void patch_field(struct strategic_run *run, const struct place *place, const struct patch_type *type,
                        json_t *result, const struct field_patch *change)
{
    struct place member = place_member(place, change->name);
    json_t *value = patched_value(run, &member, patch_field_find(type, change->name),
                                  json_object_get(result, change->name), change);
    if (value != NULL)
        tree_set(result, change->name, value);
    else
        json_object_del(result, change->name);
}

/* ---- maps ---- */

/* Drops the members of result that are not in the patch's $retainKeys.  What the patch sets must be among them. */
static void retain_keys(struct strategic_run *run, const struct place *place, json_t *result, json_t *patch)
{
    json_t *retained = json_object_get(patch, STRATEGIC_RETAIN_KEYS);
    if (retained == NULL || !strategic_check_member(run, place, STRATEGIC_RETAIN_KEYS, retained))
        return;
    struct list_index names;
    size_t i;
    json_t *value;
    void *next;
    const char *key;
    list_index_init(&names, run->arena, json_array_size(retained));
    json_array_foreach(retained, i, value)
    {
        if (json_is_string(value))
            list_index_add(&names, bytes_of(json_string_value(value)), value);
    }
    json_object_foreach(patch, key, value)
    {
        if (key[0] != '$' && !json_is_null(value) && list_index_get(&names, bytes_of(key)) == NULL)
            strategic_fail(run, place, "$retainKeys does not list \"%.60s\", which the patch sets", key);
    }
    json_object_foreach_safe(result, next, key, value)
    {
        if (list_index_get(&names, bytes_of(key)) == NULL)
            json_object_del(result, key);
    }
    list_index_deinit(&names);
}

/* Every field once: by its value, else by the directives about it. */
static void patch_member(struct strategic_run *run, const struct place *place, const struct patch_type *type,
                         json_t *result, json_t *patch, const char *key)
{
    const char *name = key;
    if (key[0] == '$') {
        name = strategic_field_of(key);
        if (!strategic_check_member(run, place, key, json_object_get(patch, key)) || name == NULL)
            return;
    }
    struct field_patch change = field_patch_of(run, patch, name);
    bool is_order = strncmp(key, STRATEGIC_ORDER_PREFIX, strlen(STRATEGIC_ORDER_PREFIX)) == 0;
    if (name != key && (change.value != NULL || (is_order && change.removed != NULL)))
        return;
    patch_field(run, place, type, result, &change);
}

json_t *strategic_object(struct strategic_run *run, const struct place *place, const struct patch_type *type,
                         json_t *original, json_t *patch)
{
    enum strategic_directive directive = strategic_directive_of(run, place, patch);
    if (directive == DIRECTIVE_BAD)
        return NULL;
    if (directive == DIRECTIVE_DELETE)
        return original != NULL ? must(json_object()) : NULL;
    bool is_new = original == NULL || directive == DIRECTIVE_REPLACE;
    json_t *result = must(is_new ? json_object() : json_copy(original));
    const char *key;
    json_t *value;
    retain_keys(run, place, result, patch);
    json_object_foreach(patch, key, value)
    {
        if (!run->has_failed)
            patch_member(run, place, type, result, patch, key);
    }
    if (!run->has_failed)
        return result;
    json_decref(result);
    return NULL;
}

json_t *strategic_patch(json_t *target, json_t *patch, const char *kind, char error[300])
{
    if (!json_is_object(patch)) {
        snprintf(error, TREE_ERROR_SIZE, "a strategic merge patch is an object");
        return NULL;
    }
    struct strategic_run run = {.arena = arena_new(0), .error = error};
    const struct place root = {NULL, NULL, 0};
    json_t *original = json_is_object(target) ? json_incref(target) : must(json_object());
    json_t *result = strategic_object(&run, &root, patch_schema_find(NULL, kind), original, patch);
    json_decref(original);
    arena_free(run.arena);
    if (result != NULL)
        tree_own_metadata(result);
    return result;
}
