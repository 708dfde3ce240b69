/* SPDX-License-Identifier: Apache-2.0 */
/* core_data.c: checks ConfigMap and Secret.  Their content is used as it stands in the tree; what is checked here is
 * that typed clients can read it: one value of another type makes a whole list unreadable for them. */
#include <string.h>

#include "base/base64.h"
#include "kube/api/kinds.h"

enum { DATA_MAX_BYTES = 1024 * 1024 };

static bool is_data_key(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_alphanumeric && c != '-' && c != '_' && c != '.')
            return false;
    }
    return !bytes_equal(text, BYTES(".")) && !bytes_equal(text, BYTES(".."));
}

static const struct text_syntax syntax_data_key = {
    .max_len = 253,
    .is_valid = is_data_key,
    .expected = "must have a key of letters, digits, '-', '_' and '.'",
};
static const struct text_syntax syntax_base64 = {
    .may_be_empty = true,
    .is_valid = base64_is_valid,
    .expected = "must be base64; plain text goes into stringData of a Secret, data of a ConfigMap",
};

/* The bytes in the map. */
static size_t check_map(struct field *root, const char *name, const struct text_syntax *value_syntax)
{
    struct field map = decode_object(root, name, OPTIONAL);
    size_t size = 0;
    const char *key;
    json_t *value;
    json_object_foreach(map.value, key, value)
    {
        (void)decode_check_text(&map, key, bytes_of(key), &syntax_data_key);
        struct bytes text = bytes_make(json_string_value(value), json_string_length(value));
        if (json_is_string(value))
            (void)decode_check_text(&map, key, text, value_syntax);
        else
            field_problem(&map, key, "TypeMismatch", "must be a string; put it in quotes");
        size += strlen(key) + text.len;
    }
    return size;
}

static void check_size(struct field *root, size_t size)
{
    if (size > DATA_MAX_BYTES)
        field_problem(root, "data", "TooLong", "must be at most %d bytes in total", DATA_MAX_BYTES);
}

const void *config_map_decode(struct field *root, const struct kube_object *object)
{
    (void)object;
    size_t size = check_map(root, "data", &syntax_any);
    check_size(root, size + check_map(root, "binaryData", &syntax_base64));
    return NULL;
}

const void *secret_decode(struct field *root, const struct kube_object *object)
{
    (void)object;
    (void)decode_text(root, "type", OPTIONAL, &syntax_any);
    size_t size = check_map(root, "data", &syntax_base64);
    check_size(root, size + check_map(root, "stringData", &syntax_any));
    return NULL;
}
