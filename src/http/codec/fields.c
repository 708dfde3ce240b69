/* SPDX-License-Identifier: Apache-2.0 */
/* fields.c: the list of header fields and the questions asked of it.
 *
 * The list and what it points to live in the arena of the message; nothing is freed alone. */
#include "http/codec/fields.h"

#include <assert.h>

#include "http/codec/field_lookup.h"

static const char *const names[HTTP_FIELD_COUNT] = {
    [HTTP_FIELD_OTHER] = "",
#define X(id, name) [HTTP_FIELD_##id] = (name),
#include "http/codec/field_names.def"
#undef X
};

enum http_field_id http_field_id_of(struct bytes name)
{
    enum http_field_id id = field_lookup(name);
    /* The lookup trusts that it is given a token; here anybody may ask with anything. */
    if (id != HTTP_FIELD_OTHER && !bytes_equal_nocase(name, bytes_of(names[id])))
        return HTTP_FIELD_OTHER;
    return id;
}

const char *http_field_name(enum http_field_id id)
{
    assert(id < HTTP_FIELD_COUNT);
    return names[id];
}

const struct http_field *http_fields_find(const struct http_fields *fields, enum http_field_id id)
{
    for (unsigned i = 0; i < fields->len; i++)
        if (fields->items[i].id == id)
            return &fields->items[i];
    return NULL;
}

static bool field_has_name(const struct http_field *field, enum http_field_id id, struct bytes name)
{
    return field->id == id && (id != HTTP_FIELD_OTHER || bytes_equal_nocase(field->name, name));
}

const struct http_field *http_fields_find_name(const struct http_fields *fields, struct bytes name)
{
    enum http_field_id id = http_field_id_of(name);
    for (unsigned i = 0; i < fields->len; i++)
        if (field_has_name(&fields->items[i], id, name))
            return &fields->items[i];
    return NULL;
}

static struct bytes join_values(const struct http_fields *fields, enum http_field_id id, struct bytes name,
                                struct arena *arena, size_t joined_len)
{
    char *joined = arena_alloc(arena, joined_len);
    size_t at = 0;
    for (unsigned i = 0; i < fields->len; i++) {
        const struct http_field *field = &fields->items[i];
        if (!field_has_name(field, id, name))
            continue;
        if (at > 0)
            joined[at++] = ',';
        if (field->value.len > 0)
            memcpy(joined + at, field->value.data, field->value.len);
        at += field->value.len;
    }
    return bytes_make(joined, at);
}

bool http_fields_joined(const struct http_fields *fields, struct bytes name, struct arena *arena,
                        struct bytes *ret_value)
{
    enum http_field_id id = http_field_id_of(name);
    const struct http_field *first = NULL;
    unsigned count = 0;
    size_t joined_len = 0;
    for (unsigned i = 0; i < fields->len; i++) {
        const struct http_field *field = &fields->items[i];
        if (!field_has_name(field, id, name))
            continue;
        if (count++ == 0)
            first = field;
        joined_len += field->value.len + 1;
    }
    if (first == NULL)
        return false;
    *ret_value = count == 1 ? first->value : join_values(fields, id, name, arena, joined_len);
    return true;
}

static struct http_field *append_field(struct http_fields *fields, struct arena *arena)
{
    if (fields->len == fields->capacity) {
        unsigned capacity = fields->capacity < 8 ? 16 : fields->capacity * 2;
        struct http_field *items = arena_alloc(arena, capacity * sizeof(*items));
        if (fields->len > 0)
            memcpy(items, fields->items, fields->len * sizeof(*items));
        fields->items = items;
        fields->capacity = capacity;
    }
    return &fields->items[fields->len++];
}

void http_fields_add(struct http_fields *fields, struct arena *arena, struct bytes name, struct bytes value)
{
    *append_field(fields, arena) = (struct http_field){.id = http_field_id_of(name), .name = name, .value = value};
}

void http_fields_add_id(struct http_fields *fields, struct arena *arena, enum http_field_id id, struct bytes value)
{
    assert(id > HTTP_FIELD_OTHER && id < HTTP_FIELD_COUNT);
    *append_field(fields, arena) = (struct http_field){.id = id, .name = bytes_of(names[id]), .value = value};
}
