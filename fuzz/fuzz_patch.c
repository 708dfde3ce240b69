/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_patch.c: a line with a target and a line with a patch, through every kind of patch.
 *
 * No patch may touch its inputs.  Doing the same twice is doing it once: for merge patch always, for strategic merge
 * patch unless two items of a list in the patch have a key in common, for apply to the point that the second returns
 * the very object.  Without lists and directives a strategic merge patch is a merge patch.  A write that changes
 * nothing changes no owner. */
/* uses: kube_patch base */
#include <stdint.h>
#include <stdlib.h>

#include "base/json_read.h"
#include "base/json_tree.h"
#include "kube/patch/apply_patch.h"
#include "kube/patch/json_patch.h"
#include "kube/patch/merge_patch.h"
#include "kube/patch/strategic_patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEPTH_MAX = 100 }; /* as the API server's parser */

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* ---- what kind of trees the laws are about ---- */

static bool has_lists_or_directives(json_t *value)
{
    const char *key;
    json_t *child;
    json_object_foreach(value, key, child)
    {
        if (key[0] == '$' || has_lists_or_directives(child))
            return true;
    }
    return json_is_array(value);
}

static bool share_a_member(json_t *a, json_t *b)
{
    const char *key;
    json_t *value;
    json_object_foreach(a, key, value)
    {
        if (json_equal(value, json_object_get(b, key)))
            return true;
    }
    return json_equal(a, b);
}

/* Two items of a list could be the same item. */
static bool has_twins(json_t *value)
{
    const char *key;
    size_t i;
    json_t *child;
    json_object_foreach(value, key, child)
    {
        if (has_twins(child))
            return true;
    }
    json_array_foreach(value, i, child)
    {
        for (size_t j = 0; j < i; j++) {
            if (share_a_member(child, json_array_get(value, j)))
                return true;
        }
        if (has_twins(child))
            return true;
    }
    return false;
}

/* ---- the laws ---- */

static void check_merge(json_t *target, json_t *patch)
{
    json_t *once = merge_patch(target, patch), *twice = merge_patch(once, patch);
    require(json_equal(once, twice));
    json_decref(once);
    json_decref(twice);
}

static void check_json(json_t *target, json_t *patch)
{
    char error[300] = "";
    json_t *result = json_patch(target, patch, error);
    require((result == NULL) == (error[0] != '\0'));
    require(result == NULL || !tree_is_deeper(result, JSON_PATCH_MAX_DEPTH));
    json_decref(result);
}

static void check_strategic(json_t *target, json_t *patch, const char *kind)
{
    char error[300] = "";
    json_t *once = strategic_patch(target, patch, kind, error);
    require((once == NULL) == (error[0] != '\0'));
    if (once == NULL)
        return;
    if (!has_twins(patch)) {
        json_t *twice = strategic_patch(once, patch, kind, error);
        require(twice != NULL && json_equal(once, twice));
        json_decref(twice);
    }
    if (json_is_object(target) && !has_lists_or_directives(target) && !has_lists_or_directives(patch)) {
        json_t *merged = merge_patch(target, patch);
        require(json_equal(once, merged));
        json_decref(merged);
    }
    json_decref(once);
}

static void check_conflicts(const struct apply_conflict *conflicts)
{
    struct buffer text;
    buffer_init(&text);
    apply_conflicts_message(conflicts, &text);
    require(!buffer_is_empty(&text));
    buffer_deinit(&text);
}

static void check_apply(json_t *target, json_t *patch, struct apply_request request)
{
    struct arena *arena = arena_new(0);
    struct apply_conflict *conflicts;
    char error[300] = "";
    json_t *once = apply_patch(target, patch, &request, arena, &conflicts, error);
    require((once == NULL) == (error[0] != '\0'));
    require(once == NULL || conflicts == NULL);
    require(!request.force || conflicts == NULL);
    if (conflicts != NULL)
        check_conflicts(conflicts);
    if (once != NULL) {
        request.time = "2";
        json_t *twice = apply_patch(once, patch, &request, arena, &conflicts, error);
        require(twice == once);
        json_decref(twice);
    }
    json_decref(once);
    arena_free(arena);
}

static void check_update(json_t *before, json_t *after, struct apply_request request)
{
    json_t *once = managed_fields_update(before, after, &request);
    request.time = "2";
    request.manager = "another";
    json_t *twice = managed_fields_update(once, once, &request);
    require(twice == once);
    json_decref(once);
    json_decref(twice);
}

/* A first apply, an update over it, and a second apply by somebody else: entries that we made ourselves. */
static void check_story(json_t *target, json_t *patch, struct apply_request request)
{
    struct arena *arena = arena_new(0);
    struct apply_conflict *conflicts;
    char error[300];
    json_t *first = apply_patch(NULL, target, &request, arena, &conflicts, error);
    json_t *merged = first != NULL ? merge_patch(first, patch) : NULL;
    if (json_is_object(merged)) {
        json_t *updated = managed_fields_update(first, merged, &request);
        check_apply(updated, target, request);
        check_apply(updated, patch, request);
        request.manager = "kubectl";
        check_apply(updated, patch, request);
        json_decref(updated);
    }
    json_decref(merged);
    json_decref(first);
    arena_free(arena);
}

static void check_all(json_t *target, json_t *patch)
{
    static const char *const subresources[] = {NULL, "status"};
    json_t *kind = json_object_get(target, "kind");
    struct apply_request request = {.manager = "fuzz", .api_version = "v1", .time = "1"};
    request.kind = json_is_string(kind) ? json_string_value(kind) : "Deployment";
    check_merge(target, patch);
    check_json(target, patch);
    check_strategic(target, patch, request.kind);
    if (!json_is_object(target))
        return;
    for (unsigned i = 0; i < 4; i++) {
        request.subresource = subresources[i % 2];
        request.force = i >= 2;
        check_apply(target, patch, request);
        check_story(target, patch, request);
    }
    check_apply(NULL, patch, request);
    if (json_is_object(patch))
        check_update(target, patch, request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {size > 0 ? (const char *)data : "", size};
    size_t end = bytes_find(input, '\n');
    char error[200];
    json_t *target = json_read(bytes_make(input.data, end), error);
    json_t *patch = end < size ? json_read(bytes_skip(input, end + 1), error) : NULL;
    if (target != NULL && patch != NULL && !tree_is_deeper(target, DEPTH_MAX) && !tree_is_deeper(patch, DEPTH_MAX)) {
        json_t *target_copy = json_deep_copy(target), *patch_copy = json_deep_copy(patch);
        check_all(target, patch);
        require(json_equal(target, target_copy) && json_equal(patch, patch_copy));
        json_decref(target_copy);
        json_decref(patch_copy);
    }
    json_decref(target);
    json_decref(patch);
    return 0;
}
