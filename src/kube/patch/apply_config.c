/* SPDX-License-Identifier: Apache-2.0 */
/* apply_config.c: checks a configuration before it is applied, and reduces it to what counts.  Runs inside
 * apply_patch(); owns nothing. */
#include <stdio.h>
#include <string.h>

#include "kube/patch/apply_internal.h"
#include "kube/patch/list_index.h"
#include "kube/patch/list_key.h"
#include "kube/patch/tree.h"

static bool check_value(struct arena *arena, const struct place *place, const struct patch_field *field, json_t *value,
                        char *error);

/* What the items of a keyed list need. */
static const char *missing_key(const struct patch_field *field, json_t *item)
{
    for (unsigned i = 0; i < PATCH_KEYS_MAX && field->apply_keys[i].name != NULL; i++) {
        json_t *value = json_object_get(item, field->apply_keys[i].name);
        if (value == NULL && field->apply_keys[i].fallback == NULL)
            return field->apply_keys[i].name;
    }
    return NULL;
}

static bool check_key(struct arena *arena, const struct place *place, const struct patch_field *field, json_t *item,
                      struct list_index *seen, char *error)
{
    struct bytes key = list_key_for_apply(arena, field, item);
    const char *missing = missing_key(field, item);
    if (key.data != NULL && list_index_add(seen, key, item))
        return true;
    if (key.data != NULL)
        tree_error(error, place, "another item of the list has the same key %s", key.data + 2);
    else if (field->is_set)
        tree_error(error, place, "must be a string, a number or a boolean");
    else if (missing != NULL)
        tree_error(error, place, "the key \"%s\" is missing", missing);
    else
        tree_error(error, place, "a key of the item is no string, number or boolean");
    return false;
}

static bool check_list(struct arena *arena, const struct place *place, const struct patch_field *field, json_t *list,
                       char *error)
{
    struct list_index seen;
    size_t i;
    json_t *item;
    bool is_valid = true;
    list_index_init(&seen, arena, json_array_size(list));
    for (i = 0; is_valid && i < json_array_size(list); i++) {
        struct place at = place_item(place, i);
        item = json_array_get(list, i);
        is_valid = check_key(arena, &at, field, item, &seen, error) && check_value(arena, &at, field, item, error);
    }
    list_index_deinit(&seen);
    return is_valid;
}

static bool check_map(struct arena *arena, const struct place *place, const struct patch_type *type, json_t *map,
                      char *error)
{
    const char *name;
    json_t *value;
    json_object_foreach(map, name, value)
    {
        struct place member = place_member(place, name);
        if (!check_value(arena, &member, patch_field_find(type, name), value, error))
            return false;
    }
    return true;
}

/* Atomic lists are not looked into: there are no keys below them. */
static bool check_value(struct arena *arena, const struct place *place, const struct patch_field *field, json_t *value,
                        char *error)
{
    if (json_is_array(value) && list_is_keyed(field))
        return check_list(arena, place, field, value, error);
    if (json_is_object(value))
        return check_map(arena, place, patch_field_type(field), value, error);
    return true;
}

/* Drops what the server sets, and what belongs to the other subresource.  copy and its metadata are the caller's own.
 */
static void reduce(const struct patch_type *type, json_t *copy, bool is_status_write)
{
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(copy, next, name, value)
    {
        const struct patch_field *field = patch_field_find(type, name);
        if ((field != NULL && field->is_system) || (strcmp(name, "status") == 0) != is_status_write)
            json_object_del(copy, name);
    }
    json_t *metadata = json_object_get(copy, "metadata");
    const struct patch_field *metadata_field = patch_field_find(type, "metadata");
    json_object_foreach_safe(metadata, next, name, value)
    {
        const struct patch_field *field = metadata_field != NULL ? patch_field_find(metadata_field->type, name) : NULL;
        if (field != NULL && field->is_system)
            json_object_del(metadata, name);
    }
    if (json_object_size(metadata) == 0)
        json_object_del(copy, "metadata");
}

json_t *apply_config(struct arena *arena, const struct patch_type *type, json_t *config, const char *subresource,
                     char error[300])
{
    const struct place root = {NULL, NULL, 0};
    json_t *metadata = json_object_get(config, "metadata");
    json_t *managed = json_object_get(metadata, "managedFields");
    if (!json_is_object(config)) {
        snprintf(error, TREE_ERROR_SIZE, "an applied configuration is an object");
        return NULL;
    }
    if (metadata != NULL && !json_is_object(metadata)) {
        snprintf(error, TREE_ERROR_SIZE, "metadata: must be an object");
        return NULL;
    }
    if (json_array_size(managed) > 0 || (managed != NULL && !json_is_array(managed) && !json_is_null(managed))) {
        snprintf(error, TREE_ERROR_SIZE, "metadata.managedFields: an applied configuration must not have it");
        return NULL;
    }
    json_t *clean = tree_without_nulls(config);
    json_t *copy = must(json_copy(clean));
    json_decref(clean);
    tree_own_metadata(copy);
    reduce(type, copy, subresource != NULL && strcmp(subresource, "status") == 0);
    if (check_map(arena, &root, type, copy, error))
        return copy;
    json_decref(copy);
    return NULL;
}

json_t *apply_first(json_t *config)
{
    static const char *const names[] = {"name", "namespace", "generateName"};
    json_t *object = must(json_object()), *metadata = must(json_object());
    json_t *api_version = json_object_get(config, "apiVersion"), *kind = json_object_get(config, "kind");
    if (api_version != NULL)
        tree_set(object, "apiVersion", json_incref(api_version));
    if (kind != NULL)
        tree_set(object, "kind", json_incref(kind));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        json_t *name = json_object_get(json_object_get(config, "metadata"), names[i]);
        if (name != NULL)
            tree_set(metadata, names[i], json_incref(name));
    }
    tree_set(object, "metadata", metadata);
    return object;
}
