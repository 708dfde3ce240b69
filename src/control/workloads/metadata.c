/* SPDX-License-Identifier: Apache-2.0 */
/* metadata.c: small readers and copies of JSON trees. */
#include "control/workloads/metadata.h"

#include <stdio.h>

#include "base/clock.h"

const char *json_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

unsigned json_count(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value > 0 && value <= INT32_MAX ? (unsigned)value : 0;
}

uint64_t json_time(const json_t *object, const char *key)
{
    return clock_parse_rfc3339(json_text(object, key));
}

void json_set_text(json_t *object, const char *key, const char *value)
{
    json_object_set_new(object, key, json_string(value));
}

void json_set_time(json_t *object, const char *key, uint64_t wall_ms)
{
    char text[21];
    clock_rfc3339(wall_ms, text);
    json_set_text(object, key, text);
}

void json_set_count(json_t *object, const char *key, unsigned value)
{
    if (value > 0)
        json_object_set_new(object, key, json_integer(value));
}

const json_t *metadata_of(const struct kube_object *object)
{
    return json_object_get(object->tree, "metadata");
}

const json_t *spec_of(const struct kube_object *object)
{
    return json_object_get(object->tree, "spec");
}

const json_t *status_of(const struct kube_object *object)
{
    return json_object_get(object->tree, "status");
}

bool metadata_is_deleting(const struct kube_object *object)
{
    return json_text(metadata_of(object), "deletionTimestamp")[0] != '\0';
}

bool metadata_has_finalizer(const struct kube_object *object, const char *finalizer)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(metadata_of(object), "finalizers"), index, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), finalizer) == 0)
            return true;
    }
    return false;
}

const json_t *metadata_controller(const struct kube_object *object)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(metadata_of(object), "ownerReferences"), index, item)
    {
        if (json_is_true(json_object_get(item, "controller")))
            return item;
    }
    return NULL;
}

const char *metadata_controller_uid(const struct kube_object *object)
{
    return json_text(metadata_controller(object), "uid");
}

json_t *metadata_owner_reference(const struct kube_object *owner)
{
    const struct kube_kind_info *info = kube_kind_info(owner->kind);
    char api_version[128];
    snprintf(api_version, sizeof api_version, "%s%s%s", info->group, info->group[0] == '\0' ? "" : "/", info->version);
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "apiVersion", api_version, "kind", info->kind, "name",
                     owner->name, "uid", owner->uid, "controller", 1, "blockOwnerDeletion", 1);
}

json_t *tree_edit(const struct kube_object *object)
{
    json_t *tree = json_copy(object->tree);
    tree_edit_member(tree, "metadata");
    return tree;
}

json_t *tree_edit_member(json_t *parent, const char *name)
{
    json_t *present = json_object_get(parent, name);
    json_t *copy = json_is_object(present) ? json_copy(present) : json_object();
    json_object_set_new(parent, name, copy);
    return copy;
}

/* The items of metadata's list for which is_other holds. */
static void keep_items(json_t *tree, const char *list, bool (*is_other)(const json_t *item, const char *what),
                       const char *what)
{
    json_t *metadata = json_object_get(tree, "metadata");
    json_t *kept = json_array();
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(metadata, list), index, item)
    {
        if (is_other(item, what))
            json_array_append(kept, item);
    }
    json_object_set_new(metadata, list, kept);
}

static bool is_other_text(const json_t *item, const char *what)
{
    return !json_is_string(item) || strcmp(json_string_value(item), what) != 0;
}

static bool is_other_owner(const json_t *item, const char *what)
{
    return strcmp(json_text(item, "uid"), what) != 0;
}

void tree_drop_finalizer(json_t *tree, const char *finalizer)
{
    keep_items(tree, "finalizers", is_other_text, finalizer);
}

void tree_drop_owner(json_t *tree, const char *uid)
{
    keep_items(tree, "ownerReferences", is_other_owner, uid);
}
