/* SPDX-License-Identifier: Apache-2.0 */
/* json_tree.c: see json_tree.h.  Any thread; no state. */
#include "base/json_tree.h"

#include <string.h>

static const char *text_of(const json_t *value)
{
    const char *text = json_string_value(value);
    return text != NULL ? text : "";
}

const json_t *tree_at(const json_t *tree, const char *path)
{
    for (;;) {
        size_t len = strcspn(path, ".");
        tree = json_object_getn(tree, path, len);
        if (tree == NULL || path[len] == '\0')
            return json_is_null(tree) ? NULL : tree;
        path += len + 1;
    }
}

const char *tree_text(const json_t *tree, const char *path)
{
    return text_of(tree_at(tree, path));
}

const char *tree_member_text(const json_t *object, const char *key)
{
    return text_of(json_object_get(object, key));
}

bool tree_is_deeper(const json_t *value, unsigned levels)
{
    if (!json_is_object(value) && !json_is_array(value))
        return false;
    if (levels == 0)
        return true;
    const char *key;
    size_t i;
    json_t *child;
    json_object_foreach((json_t *)(uintptr_t)value, key, child)
    {
        if (tree_is_deeper(child, levels - 1))
            return true;
    }
    json_array_foreach(value, i, child)
    {
        if (tree_is_deeper(child, levels - 1))
            return true;
    }
    return false;
}
