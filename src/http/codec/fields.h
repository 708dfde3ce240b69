/* SPDX-License-Identifier: Apache-2.0 */
/* fields.h: header fields in the order they came, with known names resolved to ids for quick lookup. */
#ifndef HTTP_CODEC_FIELDS_H
#define HTTP_CODEC_FIELDS_H

#include <stdint.h>

#include "base/arena.h"

enum http_field_id {
    HTTP_FIELD_OTHER,
#define X(id, name) HTTP_FIELD_##id,
#include "http/codec/field_names.def"
#undef X
    HTTP_FIELD_COUNT
};

struct http_field {
    enum http_field_id id;
    /* Of a field that was received as it would be written ("name: value", CR, LF, from name.data on): the bytes of that
     * line.  Else 0; whoever changes the value makes it 0. */
    uint32_t line_len;
    struct bytes name;  /* as received; compare without case */
    struct bytes value; /* trimmed */
};

struct http_fields {
    struct http_field *items;
    unsigned len;
    unsigned capacity;
};

/* Case-insensitive; HTTP_FIELD_OTHER for names that are not in the table. */
enum http_field_id http_field_id_of(struct bytes name);
const char *http_field_name(enum http_field_id id); /* lower case; "" for OTHER */

/* The first such field, or NULL. */
const struct http_field *http_fields_find(const struct http_fields *fields, enum http_field_id id);
const struct http_field *http_fields_find_name(const struct http_fields *fields, struct bytes name);
/* All values of the name joined by "," (RFC 9110 5.3) in the arena when there are several; ret_value untouched and
 * false when absent. */
bool http_fields_joined(const struct http_fields *fields, struct bytes name, struct arena *arena,
                        struct bytes *ret_value);
/* Appends; name and value are borrowed. */
void http_fields_add(struct http_fields *fields, struct arena *arena, struct bytes name, struct bytes value);
void http_fields_add_id(struct http_fields *fields, struct arena *arena, enum http_field_id id, struct bytes value);

#endif
