/* SPDX-License-Identifier: Apache-2.0 */
/* list_key.c: keys as compact JSON, so that the string "1" and the number 1 are two.  Any thread; owns nothing. */
#include "kube/patch/list_key.h"

#include <stdlib.h>

#include "base/json_write.h"

static bool is_scalar(json_t *value)
{
    return value != NULL && !json_is_object(value) && !json_is_array(value) && !json_is_null(value);
}

static void append_scalar(struct buffer *out, json_t *value)
{
    if (json_is_string(value)) {
        jw_append_quoted(out, bytes_make(json_string_value(value), json_string_length(value)));
        return;
    }
    char *text = must(json_dumps(value, JSON_ENCODE_ANY));
    buffer_append_str(out, text);
    free(text);
}

/* "name":"value" after the comma that it needs; false: the item has no such key. */
static bool append_field(struct buffer *out, json_t *item, const struct patch_key *key, bool is_first)
{
    json_t *value = json_object_get(item, key->name);
    bool is_missing = value == NULL || json_is_null(value);
    if (is_missing ? key->fallback == NULL : !is_scalar(value))
        return false;
    buffer_append_str(out, is_first ? "\"" : ",\"");
    buffer_append_str(out, key->name);
    buffer_append_str(out, "\":");
    if (is_missing)
        jw_append_quoted(out, bytes_of(key->fallback));
    else
        append_scalar(out, value);
    return true;
}

static struct bytes take_text(struct buffer *text, struct arena *arena, bool is_whole)
{
    struct bytes copy = is_whole ? arena_copy(arena, buffer_bytes(text)) : (struct bytes){NULL, 0};
    buffer_deinit(text);
    return copy;
}

struct bytes list_key_of_fields(struct arena *arena, json_t *item, const struct patch_key keys[PATCH_KEYS_MAX])
{
    struct buffer text;
    buffer_init(&text);
    buffer_append_str(&text, "k:{");
    bool is_whole = json_is_object(item);
    for (unsigned i = 0; is_whole && i < PATCH_KEYS_MAX && keys[i].name != NULL; i++)
        is_whole = append_field(&text, item, &keys[i], i == 0);
    buffer_append_char(&text, '}');
    return take_text(&text, arena, is_whole);
}

struct bytes list_key_of_scalar(struct arena *arena, json_t *item)
{
    struct buffer text;
    buffer_init(&text);
    buffer_append_str(&text, "v:");
    if (is_scalar(item))
        append_scalar(&text, item);
    return take_text(&text, arena, is_scalar(item));
}

struct bytes list_key_for_apply(struct arena *arena, const struct patch_field *field, json_t *item)
{
    return field->is_set ? list_key_of_scalar(arena, item) : list_key_of_fields(arena, item, field->apply_keys);
}

bool list_is_keyed(const struct patch_field *field)
{
    return field != NULL && (field->is_set || field->apply_keys[0].name != NULL);
}

struct bytes *list_keys_for_apply(struct arena *arena, const struct patch_field *field, json_t *list)
{
    size_t i;
    json_t *item;
    if (!list_is_keyed(field) || !json_is_array(list))
        return NULL;
    struct bytes *keys = ARENA_ARRAY(arena, struct bytes, json_array_size(list) + 1);
    json_array_foreach(list, i, item)
    {
        keys[i] = list_key_for_apply(arena, field, item);
        if (keys[i].data == NULL)
            return NULL;
    }
    return keys;
}
