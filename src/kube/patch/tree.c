/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c: the small functions under all patches.  Any thread; owns nothing. */
#include "kube/patch/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

/* Of a path in a sentence; the end of a longer one says more than its start. */
enum { SHOWN_PATH_MAX = 160 };

void tree_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new_nocheck(object, key, value) < 0)
        abort();
}

void tree_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) < 0)
        abort();
}

void tree_insert(json_t *array, size_t index, json_t *value)
{
    if (json_array_insert_new(array, index, value) < 0)
        abort();
}

static json_t *object_without_nulls(json_t *object)
{
    json_t *copy = NULL; /* only when something differs */
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        json_t *kept = json_is_null(value) ? NULL : tree_without_nulls(value);
        if (kept == value) {
            json_decref(kept);
            continue;
        }
        if (copy == NULL)
            copy = must(json_copy(object));
        if (kept != NULL)
            tree_set(copy, key, kept);
        else
            json_object_del(copy, key);
    }
    return copy != NULL ? copy : json_incref(object);
}

static json_t *array_without_nulls(json_t *array)
{
    json_t *copy = NULL;
    size_t i;
    json_t *value;
    json_array_foreach(array, i, value)
    {
        json_t *kept = tree_without_nulls(value);
        if (kept != value && copy == NULL)
            copy = must(json_copy(array));
        if (copy != NULL)
            (void)json_array_set_new(copy, i, kept);
        else
            json_decref(kept);
    }
    return copy != NULL ? copy : json_incref(array);
}

json_t *tree_without_nulls(json_t *value)
{
    if (json_is_object(value))
        return object_without_nulls(value);
    if (json_is_array(value))
        return array_without_nulls(value);
    return json_incref(value);
}

void tree_own_metadata(json_t *root)
{
    json_t *metadata = json_object_get(root, "metadata");
    if (json_is_object(metadata))
        tree_set(root, "metadata", must(json_copy(metadata)));
}

static void append_place(struct buffer *out, const struct place *place)
{
    if (place->parent == NULL)
        return;
    append_place(out, place->parent);
    if (place->name == NULL) {
        buffer_printf(out, "[%zu]", place->index);
        return;
    }
    if (!buffer_is_empty(out))
        buffer_append_char(out, '.');
    buffer_append_str(out, place->name);
}

void tree_make_printable(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    }
}

void tree_error(char error[TREE_ERROR_SIZE], const struct place *place, const char *format, ...)
{
    struct buffer path;
    buffer_init(&path);
    append_place(&path, place);
    size_t len = buffer_len(&path);
    bool is_long = len > SHOWN_PATH_MAX;
    if (is_long)
        buffer_consume(&path, len - SHOWN_PATH_MAX);
    int used = snprintf(error, TREE_ERROR_SIZE, "%s%.*s%s", is_long ? "..." : "", BYTES_ARG(buffer_bytes(&path)),
                        len > 0 ? ": " : "");
    buffer_deinit(&path);
    va_list args;
    va_start(args, format);
    vsnprintf(error + used, TREE_ERROR_SIZE - (size_t)used, format, args);
    va_end(args);
    tree_make_printable(error);
}
