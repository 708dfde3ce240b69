/* SPDX-License-Identifier: Apache-2.0 */
/* patch_schema.h: what the API says about the lists and maps of a kind: which of them merge, and by which key.
 *
 * Strategic merge patch and server-side apply disagree about lists (container ports are one by containerPort there, by
 * containerPort and protocol here), so a field carries both answers.  Only what differs from the rule is listed: maps
 * merge, lists are replaced whole.  Constant tables; any thread. */
#ifndef KUBE_PATCH_PATCH_SCHEMA_H
#define KUBE_PATCH_PATCH_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

struct patch_field;

/* A map's fields, or those of a list's items. */
struct patch_type {
    const struct patch_field *fields; /* up to a row without a name; NULL: no field is special */
    bool is_atomic;                   /* server-side apply owns it as one value */
};

/* A field whose value makes items of a list the same item. */
struct patch_key {
    const char *name;
    const char *fallback; /* its value in items that leave it out; NULL: they must not */
};
enum { PATCH_KEYS_MAX = 2 };

struct patch_field {
    const char *name;
    const struct patch_type *type; /* of the value, or of a list's items; NULL: nothing below is special */
    /* Strategic merge patch: the key; "": scalars that merge by value; NULL: the list is replaced. */
    const char *merge_key;
    /* Server-side apply: the keys, sorted by name; none and no set: the list is atomic. */
    struct patch_key apply_keys[PATCH_KEYS_MAX];
    bool is_set;    /* scalars, each owned by itself */
    bool is_system; /* the server's own: nobody owns it, apply does not write it */
};

/* Of the value, or of a list's items; field may be NULL, as patch_field_find() returns it. */
static inline const struct patch_type *patch_field_type(const struct patch_field *field)
{
    return field != NULL ? field->type : NULL;
}
static inline bool patch_field_is_atomic(const struct patch_field *field)
{
    return field != NULL && field->type != NULL && field->type->is_atomic;
}

/* The root type of a kind.  group NULL: any.  A kind that is not listed has the fields that all objects share. */
const struct patch_type *patch_schema_find(const char *group, const char *kind);
/* NULL when nothing is special about the field (or type is NULL). */
const struct patch_field *patch_field_find(const struct patch_type *type, const char *name);

#endif
