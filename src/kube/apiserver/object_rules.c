/* SPDX-License-Identifier: Apache-2.0 */
/* object_rules.c: server-set metadata and the comparisons that decide about generation and no-op writes.
 *
 * Every function changes only the tree that it is given; subtrees shared with older versions are replaced, never
 * edited. */
#include "kube/apiserver/object_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"

json_t *rules_metadata(json_t *tree)
{
    json_t *metadata = json_object_get(tree, "metadata");
    if (json_is_object(metadata))
        return metadata;
    metadata = json_object();
    json_object_set_new(tree, "metadata", metadata);
    return metadata;
}

const char *rules_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

void rules_set_text(json_t *object, const char *key, const char *value)
{
    json_object_set_new(object, key, json_string(value));
}

void rules_set_time(json_t *object, const char *key, uint64_t wall_ms)
{
    char text[21];
    clock_rfc3339(wall_ms, text);
    rules_set_text(object, key, text);
}

static void drop_nulls(json_t *value)
{
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            drop_nulls(json_array_get(value, i));
        return;
    }
    const char *key;
    json_t *member;
    void *next;
    json_object_foreach_safe(value, next, key, member)
    {
        if (json_is_null(member))
            json_object_del(value, key);
        else
            drop_nulls(member);
    }
}

void rules_drop_empty(json_t *tree)
{
    static const char *const maps[] = {"labels", "annotations", "finalizers", "ownerReferences", "managedFields"};
    drop_nulls(tree);
    json_t *metadata = json_object_get(tree, "metadata");
    for (unsigned i = 0; i < ARRAY_LEN(maps); i++) {
        const json_t *map = json_object_get(metadata, maps[i]);
        bool is_empty =
            (json_is_object(map) && json_object_size(map) == 0) || (json_is_array(map) && json_array_size(map) == 0);
        if (is_empty)
            json_object_del(metadata, maps[i]);
    }
}

/* RFC 9562 version 4. */
static void make_uid(char text[37])
{
    unsigned char raw[16];
    random_fill(raw, sizeof raw);
    raw[6] = (unsigned char)((raw[6] & 0x0f) | 0x40);
    raw[8] = (unsigned char)((raw[8] & 0x3f) | 0x80);
    char *out = text;
    for (unsigned i = 0; i < sizeof raw; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        out += snprintf(out, 3, "%02x", raw[i]);
    }
}

/* Five characters behind a prefix that is cut so that the name fits a label. */
static void generate_name(json_t *metadata)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789"; /* what Kubernetes draws names from */
    const char *prefix = rules_text(metadata, "generateName");
    if (rules_text(metadata, "name")[0] != '\0' || prefix[0] == '\0')
        return;
    struct random_state random;
    random_seed_from_kernel(&random);
    char name[64];
    char suffix[6] = "";
    for (unsigned i = 0; i < 5; i++)
        suffix[i] = letters[random_below(&random, sizeof letters - 1)];
    snprintf(name, sizeof name, "%.58s%s", prefix, suffix);
    rules_set_text(metadata, "name", name);
}

void rules_begin_life(json_t *tree, const struct kube_kind_info *info, uint64_t wall_ms)
{
    static const char *const server_set[] = {
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
    };
    json_t *metadata = rules_metadata(tree);
    for (unsigned i = 0; i < ARRAY_LEN(server_set); i++)
        json_object_del(metadata, server_set[i]);
    char uid[37];
    make_uid(uid);
    generate_name(metadata);
    rules_set_text(metadata, "uid", uid);
    rules_set_time(metadata, "creationTimestamp", wall_ms);
    if (info->has_generation)
        json_object_set_new(metadata, "generation", json_integer(1));
    if (!info->is_namespaced)
        json_object_del(metadata, "namespace");
    if (info->has_status)
        json_object_del(tree, "status");
}

void rules_inherit(json_t *tree, const json_t *older)
{
    static const char *const server_set[] = {
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "name",
        "namespace",
        "generateName",
    };
    json_t *metadata = rules_metadata(tree);
    const json_t *from = json_object_get(older, "metadata");
    for (unsigned i = 0; i < ARRAY_LEN(server_set); i++) {
        json_t *value = json_object_get(from, server_set[i]);
        if (value != NULL)
            json_object_set(metadata, server_set[i], value);
        else
            json_object_del(metadata, server_set[i]);
    }
    json_object_del(metadata, "selfLink");
}

static bool is_spec_field(const char *name)
{
    return strcmp(name, "metadata") != 0 && strcmp(name, "status") != 0 && strcmp(name, "apiVersion") != 0 &&
           strcmp(name, "kind") != 0;
}

static bool spec_is_within(const json_t *a, const json_t *b)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)a, name, value)
    {
        if (is_spec_field(name) && !json_equal(value, json_object_get(b, name)))
            return false;
    }
    return true;
}

bool rules_spec_differs(const json_t *a, const json_t *b)
{
    return !spec_is_within(a, b) || !spec_is_within(b, a);
}

/* Every member of a but those ignored is the same in b; how many there were. */
static bool members_are_within(const json_t *a, const json_t *b, const char *ignored, const char *also_ignored)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)a, name, value)
    {
        if (strcmp(name, ignored) != 0 && strcmp(name, also_ignored) != 0 &&
            !json_equal(value, json_object_get(b, name)))
            return false;
    }
    return true;
}

bool rules_is_same(const json_t *a, const json_t *b)
{
    const json_t *meta_a = json_object_get(a, "metadata"), *meta_b = json_object_get(b, "metadata");
    return members_are_within(a, b, "metadata", "apiVersion") && members_are_within(b, a, "metadata", "apiVersion") &&
           members_are_within(meta_a, meta_b, "resourceVersion", "managedFields") &&
           members_are_within(meta_b, meta_a, "resourceVersion", "managedFields");
}

static bool remove_at(json_t *value, const char *path);

/* What stands behind a step of the path: ".name", "[index]" or nothing. */
static const char *next_step(const char *path)
{
    return path[0] == '.' ? path + 1 : path;
}

static bool remove_from_array(json_t *array, const char *path)
{
    char *end;
    size_t index = strtoul(path + 1, &end, 10);
    return *end == ']' && remove_at(json_array_get(array, index), next_step(end + 1));
}

/* "[name]", for names that hold dots. */
static bool remove_bracketed(json_t *object, const char *path, const char *key)
{
    size_t len = strlen(key);
    if (strncmp(path + 1, key, len) != 0 || path[len + 1] != ']')
        return false;
    const char *rest = next_step(path + len + 2);
    return rest[0] == '\0' ? json_object_del(object, key) == 0 : remove_at(json_object_get(object, key), rest);
}

/* path starts with a member's name, or with "[index]" of an array or "[name]" of an object. */
static bool remove_at(json_t *value, const char *path)
{
    if (json_is_array(value) && path[0] == '[')
        return remove_from_array(value, path);
    const char *key;
    json_t *member;
    json_object_foreach(value, key, member)
    {
        size_t len = strlen(key);
        if (path[0] == '[' && remove_bracketed(value, path, key))
            return true;
        if (strncmp(path, key, len) != 0)
            continue;
        if (path[len] == '\0')
            return json_object_del(value, key) == 0;
        if ((path[len] == '.' || path[len] == '[') && remove_at(member, next_step(path + len)))
            return true;
    }
    return false;
}

void rules_remove_field(json_t *tree, const char *path)
{
    (void)remove_at(tree, path);
}

bool rules_has_finalizers(const json_t *tree)
{
    return json_array_size(json_object_get(json_object_get(tree, "metadata"), "finalizers")) > 0;
}

bool rules_is_held(const json_t *tree, enum kube_kind kind)
{
    const json_t *metadata = json_object_get(tree, "metadata");
    const json_t *spec = json_object_get(tree, "spec");
    if (rules_has_finalizers(tree))
        return true;
    if (kind == KUBE_NAMESPACE)
        return json_array_size(json_object_get(spec, "finalizers")) > 0;
    return kind == KUBE_POD && rules_text(spec, "nodeName")[0] != '\0' &&
           json_integer_value(json_object_get(metadata, "deletionGracePeriodSeconds")) > 0;
}
