/* SPDX-License-Identifier: Apache-2.0 */
/* field_changes.c: from objects to field sets: all fields of one, and the difference of two.
 *
 * The steps follow the schema: through maps and keyed lists, never into atomic values.  Equal subtrees that are shared
 * are passed over without a look.  Any thread; owns nothing. */
#include "kube/patch/field_changes.h"

#include <string.h>

#include "kube/patch/field_set.h"
#include "kube/patch/list_index.h"
#include "kube/patch/list_key.h"
#include "kube/patch/tree.h"

struct building {
    struct arena *arena; /* names of steps */
    json_t *leaf;        /* shared by all that is built */
    bool names_maps;     /* maps and lists are in the set themselves, not only what is in them */
};

static void building_init(struct building *building, bool names_maps)
{
    *building = (struct building){arena_new(0), must(json_object()), names_maps};
}

static void building_deinit(struct building *building)
{
    json_decref(building->leaf);
    arena_free(building->arena);
}

static const char *member_step(const struct building *building, const char *name)
{
    size_t len = strlen(name);
    char *step = arena_alloc(building->arena, len + 3);
    memcpy(step, "f:", 2);
    memcpy(step + 2, name, len + 1);
    return step;
}

static json_t *leaf(const struct building *building)
{
    return json_incref(building->leaf);
}

static bool is_absent(json_t *value)
{
    return value == NULL || json_is_null(value);
}

/* ---- all fields ---- */

static json_t *fields_of_value(const struct building *building, const struct patch_field *field, json_t *value);

/* Into node: the members of a map. */
static void add_members(const struct building *building, const struct patch_type *type, json_t *object, json_t *node)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        const struct patch_field *field = patch_field_find(type, name);
        if (!json_is_null(value) && (field == NULL || !field->is_system))
            tree_set(node, member_step(building, name), fields_of_value(building, field, value));
    }
}

static json_t *fields_of_item(const struct building *building, const struct patch_field *field, json_t *item)
{
    if (!json_is_object(item) || patch_field_is_atomic(field))
        return leaf(building);
    json_t *node = must(json_object());
    tree_set(node, ".", leaf(building));
    add_members(building, patch_field_type(field), item, node);
    return node;
}

static void add_items(const struct building *building, const struct patch_field *field, json_t *list,
                      const struct bytes *keys, json_t *node)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        tree_set(node, keys[i].data, fields_of_item(building, field, item));
    }
}

static json_t *fields_of_value(const struct building *building, const struct patch_field *field, json_t *value)
{
    struct bytes *keys = list_keys_for_apply(building->arena, field, value);
    if (keys == NULL && (!json_is_object(value) || patch_field_is_atomic(field)))
        return leaf(building);
    json_t *node = must(json_object());
    if (building->names_maps)
        tree_set(node, ".", leaf(building));
    if (keys != NULL)
        add_items(building, field, value, keys, node);
    else
        add_members(building, patch_field_type(field), value, node);
    if (json_object_size(node) == (building->names_maps ? 1 : 0))
        json_object_clear(node); /* an empty map is a value of its own */
    return node;
}

/* ---- the difference of two values ---- */

/* Two nodes under construction, made when something is put into them. */
struct difference {
    json_t *written;
    json_t *removed;
};

/* Takes over node. */
static void put(json_t **parent, const char *step, json_t *node)
{
    if (node == NULL)
        return;
    if (*parent == NULL)
        *parent = must(json_object());
    tree_set(*parent, step, node);
}

static struct difference difference_of_values(const struct building *building, const struct patch_field *field,
                                              json_t *before, json_t *after);

/* What became of one member or item. */
static void compare(const struct building *building, const struct patch_field *field, const char *step, json_t *before,
                    json_t *after, struct difference *difference)
{
    if (before == after || (is_absent(before) && is_absent(after)))
        return;
    if (is_absent(after)) {
        put(&difference->removed, step, leaf(building));
    } else if (is_absent(before)) {
        bool is_item = step[0] != 'f';
        put(&difference->written, step,
            is_item ? fields_of_item(building, field, after) : fields_of_value(building, field, after));
    } else {
        struct difference below = difference_of_values(building, field, before, after);
        put(&difference->written, step, below.written);
        put(&difference->removed, step, below.removed);
    }
}

static struct difference difference_of_maps(const struct building *building, const struct patch_type *type,
                                            json_t *before, json_t *after)
{
    struct difference difference = {NULL, NULL};
    const char *name;
    json_t *value;
    json_object_foreach(after, name, value)
    {
        const struct patch_field *field = patch_field_find(type, name);
        if (field == NULL || !field->is_system)
            compare(building, field, member_step(building, name), json_object_get(before, name), value, &difference);
    }
    json_object_foreach(before, name, value)
    {
        const struct patch_field *field = patch_field_find(type, name);
        if (json_object_get(after, name) == NULL && (field == NULL || !field->is_system))
            compare(building, field, member_step(building, name), value, NULL, &difference);
    }
    return difference;
}

/* The first item with each key. */
static void index_items(const struct building *building, json_t *list, const struct bytes *keys,
                        struct list_index *index)
{
    size_t i;
    json_t *item;
    list_index_init(index, building->arena, json_array_size(list));
    json_array_foreach(list, i, item)
    {
        list_index_add(index, keys[i], item);
    }
}

static struct difference difference_of_lists(const struct building *building, const struct patch_field *field,
                                             json_t *before, const struct bytes *before_keys, json_t *after,
                                             const struct bytes *after_keys)
{
    struct difference difference = {NULL, NULL};
    struct list_index old, new;
    size_t i;
    json_t *item;
    index_items(building, before, before_keys, &old);
    index_items(building, after, after_keys, &new);
    json_array_foreach(after, i, item)
    {
        if (list_index_get(&new, after_keys[i]) == item)
            compare(building, field, after_keys[i].data, list_index_get(&old, after_keys[i]), item, &difference);
    }
    json_array_foreach(before, i, item)
    {
        if (list_index_get(&new, before_keys[i]) == NULL)
            compare(building, field, before_keys[i].data, item, NULL, &difference);
    }
    list_index_deinit(&old);
    list_index_deinit(&new);
    return difference;
}

static struct difference difference_of_values(const struct building *building, const struct patch_field *field,
                                              json_t *before, json_t *after)
{
    if (json_is_object(before) && json_is_object(after) && !patch_field_is_atomic(field))
        return difference_of_maps(building, patch_field_type(field), before, after);
    struct bytes *before_keys = list_keys_for_apply(building->arena, field, before);
    struct bytes *after_keys = list_keys_for_apply(building->arena, field, after);
    if (before_keys != NULL && after_keys != NULL)
        return difference_of_lists(building, field, before, before_keys, after, after_keys);
    if (json_equal(before, after))
        return (struct difference){NULL, NULL};
    /* Another value: whoever owned something below the old one does no longer. */
    return (struct difference){fields_of_value(building, field, after), leaf(building)};
}

/* ---- whole objects ---- */

/* What is written through /status, and what is not. */
static bool is_in_scope(const char *name, const char *subresource)
{
    bool is_status_write = subresource != NULL && strcmp(subresource, "status") == 0;
    return (strcmp(name, "status") == 0) == is_status_write;
}

static json_t *scoped_copy(json_t *object, const char *subresource)
{
    json_t *copy = must(json_object());
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (is_in_scope(name, subresource))
            tree_set(copy, name, json_incref(value));
    }
    return copy;
}

/* metadata itself is nobody's: an object without it has an empty one. */
static void ensure_metadata(json_t *object, json_t *other)
{
    if (json_is_object(json_object_get(other, "metadata")) && json_object_get(object, "metadata") == NULL)
        tree_set(object, "metadata", must(json_object()));
}

static struct difference difference_of_objects(const struct building *building, const struct patch_type *type,
                                               json_t *before, json_t *after, const char *subresource)
{
    json_t *old = scoped_copy(before, subresource), *new = scoped_copy(after, subresource);
    ensure_metadata(old, new);
    ensure_metadata(new, old);
    struct difference difference = difference_of_maps(building, type, old, new);
    json_decref(old);
    json_decref(new);
    return difference;
}

json_t *field_set_of(json_t *object, const char *group, const char *kind, const char *subresource)
{
    struct building building;
    building_init(&building, false);
    struct difference difference =
        difference_of_objects(&building, patch_schema_find(group, kind), NULL, object, subresource);
    json_decref(difference.removed);
    building_deinit(&building);
    return difference.written;
}

void field_changes_between(json_t *before, json_t *after, const char *group, const char *kind, const char *subresource,
                           struct field_changes *ret_changes)
{
    struct building building;
    building_init(&building, true);
    struct difference difference =
        difference_of_objects(&building, patch_schema_find(group, kind), before, after, subresource);
    building_deinit(&building);
    *ret_changes = (struct field_changes){difference.written, difference.removed};
}

void field_changes_deinit(struct field_changes *changes)
{
    json_decref(changes->written);
    json_decref(changes->removed);
    *changes = (struct field_changes){NULL, NULL};
}
