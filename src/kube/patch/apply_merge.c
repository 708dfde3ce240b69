/* SPDX-License-Identifier: Apache-2.0 */
/* apply_merge.c: the two changes that an apply makes to a tree: what config says goes in, what it no longer says goes
 * out.  Runs inside apply_patch(); owns nothing. */
#include <stdint.h>
#include <string.h>

#include "kube/patch/apply_internal.h"
#include "kube/patch/field_set.h"
#include "kube/patch/list_index.h"
#include "kube/patch/list_key.h"
#include "kube/patch/tree.h"

/* ---- merge ---- */

static json_t *merge_value(struct arena *arena, const struct patch_field *field, json_t *live, json_t *config);

json_t *apply_merge(struct arena *arena, const struct patch_type *type, json_t *live, json_t *config)
{
    json_t *copy = NULL; /* only when something differs */
    const char *name;
    json_t *value;
    json_object_foreach(config, name, value)
    {
        json_t *old = json_object_get(live, name);
        json_t *new = old != NULL ? merge_value(arena, patch_field_find(type, name), old, value) : json_incref(value);
        if (new == old) {
            json_decref(new);
            continue;
        }
        if (copy == NULL)
            copy = must(json_copy(live));
        tree_set(copy, name, new);
    }
    return copy != NULL ? copy : json_incref(live);
}

/* Two lists whose items have keys. */
struct list_pair {
    struct arena *arena;
    const struct patch_field *field;
    json_t *live, *config;
    struct bytes *live_keys, *config_keys;
    struct list_index live_items;       /* key -> the first live item */
    struct list_index config_positions; /* key -> index in config + 1, as a pointer */
};

static json_t *merge_item(const struct list_pair *pair, size_t i)
{
    json_t *item = json_array_get(pair->config, i);
    json_t *old = list_index_get(&pair->live_items, pair->config_keys[i]);
    return old != NULL ? merge_value(pair->arena, pair->field, old, item) : json_incref(item);
}

/* Live items that config does not have stay where they are between the others, which come in config's order.  Of live
 * items with the same key, which no valid list has, those that config has become one. */
static json_t *weave(const struct list_pair *pair)
{
    json_t *result = must(json_array());
    size_t l = 0, c = 0, live_len = json_array_size(pair->live), config_len = json_array_size(pair->config);
    while (l < live_len || c < config_len) {
        uintptr_t position = 0; /* of this live item in config */
        if (l < live_len)
            position = (uintptr_t)list_index_get(&pair->config_positions, pair->live_keys[l]);
        if (l < live_len && position == 0)
            tree_append(result, json_incref(json_array_get(pair->live, l++)));
        else if (l < live_len && position <= c)
            l++; /* came with config's items */
        else
            tree_append(result, merge_item(pair, c++));
    }
    return result;
}

static bool has_same_items(json_t *a, json_t *b)
{
    size_t i;
    json_t *item;
    if (json_array_size(a) != json_array_size(b))
        return false;
    json_array_foreach(a, i, item)
    {
        if (json_array_get(b, i) != item)
            return false;
    }
    return true;
}

static json_t *merge_lists(struct list_pair *pair)
{
    size_t i;
    json_t *item;
    list_index_init(&pair->live_items, pair->arena, json_array_size(pair->live));
    list_index_init(&pair->config_positions, pair->arena, json_array_size(pair->config));
    json_array_foreach(pair->live, i, item)
    {
        list_index_add(&pair->live_items, pair->live_keys[i], item);
    }
    for (i = 0; i < json_array_size(pair->config); i++)
        list_index_add(&pair->config_positions, pair->config_keys[i], (void *)(uintptr_t)(i + 1));
    json_t *result = weave(pair);
    list_index_deinit(&pair->live_items);
    list_index_deinit(&pair->config_positions);
    if (!has_same_items(result, pair->live))
        return result;
    json_decref(result);
    return json_incref(pair->live);
}

static json_t *merge_value(struct arena *arena, const struct patch_field *field, json_t *live, json_t *config)
{
    if (json_is_object(live) && json_is_object(config) && !patch_field_is_atomic(field))
        return apply_merge(arena, patch_field_type(field), live, config);
    struct list_pair pair = {.arena = arena, .field = field, .live = live, .config = config};
    pair.live_keys = list_keys_for_apply(arena, field, live);
    pair.config_keys = list_keys_for_apply(arena, field, config);
    if (pair.live_keys != NULL && pair.config_keys != NULL)
        return merge_lists(&pair);
    return json_incref(json_equal(live, config) ? live : config);
}

/* ---- prune ---- */

/* The value without what is gone of it; NULL: it goes itself. */
static json_t *prune_value(struct arena *arena, const struct patch_field *field, json_t *value, json_t *last,
                           json_t *kept);

static json_t *prune_map(struct arena *arena, const struct patch_type *type, json_t *map, json_t *last, json_t *kept)
{
    json_t *copy = NULL; /* only when something differs */
    const char *step;
    json_t *node;
    json_object_foreach(last, step, node)
    {
        const char *name = strncmp(step, "f:", 2) == 0 ? step + 2 : "";
        const struct patch_field *field = patch_field_find(type, name);
        json_t *value = json_object_get(map, name);
        if (value == NULL || (field != NULL && field->is_system))
            continue;
        json_t *rest = prune_value(arena, field, value, node, json_object_get(kept, step));
        if (rest == value) {
            json_decref(rest);
            continue;
        }
        if (copy == NULL)
            copy = must(json_copy(map));
        if (rest != NULL)
            tree_set(copy, name, rest);
        else
            json_object_del(copy, name);
    }
    return copy != NULL ? copy : json_incref(map);
}

/* An item that the manager brought and that nobody wants any more goes with all that others wrote into it. */
static json_t *prune_item(struct arena *arena, const struct patch_field *field, json_t *item, json_t *last,
                          json_t *kept)
{
    if (last == NULL)
        return json_incref(item);
    if (field_set_has_self(last) && !field_set_has_self(kept))
        return NULL;
    if (!json_is_object(item) || patch_field_is_atomic(field))
        return json_incref(item);
    return prune_map(arena, patch_field_type(field), item, last, kept);
}

static json_t *prune_list(struct arena *arena, const struct patch_field *field, json_t *list, const struct bytes *keys,
                          json_t *last, json_t *kept)
{
    json_t *result = must(json_array());
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        json_t *rest =
            prune_item(arena, field, item, json_object_get(last, keys[i].data), json_object_get(kept, keys[i].data));
        if (rest != NULL)
            tree_append(result, rest);
    }
    if (!has_same_items(result, list))
        return result;
    json_decref(result);
    return json_incref(list);
}

/* Maps and keyed lists lose what the manager owned in them, and go when that leaves nothing: what nobody owns stays. */
static json_t *prune_value(struct arena *arena, const struct patch_field *field, json_t *value, json_t *last,
                           json_t *kept)
{
    struct bytes *keys = list_keys_for_apply(arena, field, value);
    bool is_map = json_is_object(value) && !patch_field_is_atomic(field);
    if (!is_map && keys == NULL)
        return kept == NULL && field_set_has_self(last) ? NULL : json_incref(value);
    json_t *rest = is_map ? prune_map(arena, patch_field_type(field), value, last, kept)
                          : prune_list(arena, field, value, keys, last, kept);
    bool is_empty = json_object_size(rest) == 0 && json_array_size(rest) == 0;
    bool was_mine = rest != value || field_set_has_self(last);
    if (!is_empty || !was_mine || field_set_has_self(kept))
        return rest;
    json_decref(rest);
    return NULL;
}

json_t *apply_prune(struct arena *arena, const struct patch_type *type, json_t *object, json_t *last, json_t *kept)
{
    return prune_map(arena, type, object, last, kept);
}
