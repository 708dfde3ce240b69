/* SPDX-License-Identifier: Apache-2.0 */
/* merge_patch.c: RFC 7386 section 2, on shared trees: only the objects on the way to a change are copied.  Any thread;
 * owns nothing.  Lists are replaced whole, nulls inside them are values. */
#include "kube/patch/merge_patch.h"

#include "kube/patch/tree.h"

static json_t *merge(json_t *target, json_t *patch)
{
    if (!json_is_object(patch))
        return json_incref(patch);
    json_t *result = must(json_is_object(target) ? json_copy(target) : json_object());
    const char *key;
    json_t *value;
    json_object_foreach(patch, key, value)
    {
        if (json_is_null(value))
            json_object_del(result, key);
        else
            tree_set(result, key, merge(json_object_get(result, key), value));
    }
    return result;
}

json_t *merge_patch(json_t *target, json_t *patch)
{
    json_t *result = merge(target, patch);
    if (json_is_object(patch))
        tree_own_metadata(result);
    return result;
}
