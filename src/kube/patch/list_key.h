/* SPDX-License-Identifier: Apache-2.0 */
/* list_key.h: what makes two items of a list the same item, as text in the form of fieldsV1: k:{"name":"a"}, v:"a". */
#ifndef KUBE_PATCH_LIST_KEY_H
#define KUBE_PATCH_LIST_KEY_H

#include <jansson.h>

#include "base/arena.h"
#include "kube/patch/patch_schema.h"

/* data is NULL: the item has no key, because it is no object or a key field is missing or no scalar.  The text ends in
 * a NUL that is not counted. */
struct bytes list_key_of_fields(struct arena *arena, json_t *item, const struct patch_key keys[PATCH_KEYS_MAX]);
/* data is NULL: the item is no scalar. */
struct bytes list_key_of_scalar(struct arena *arena, json_t *item);

/* Server-side apply: the key of an item of a list that is not atomic. */
struct bytes list_key_for_apply(struct arena *arena, const struct patch_field *field, json_t *item);
/* The items have keys: the field (may be NULL) is a list of keyed items or a set. */
bool list_is_keyed(const struct patch_field *field);
/* Keys of all items, in the arena.  NULL: the list counts as one value, because it is atomic, no list, or has an item
 * without key (another kind of write may have put it there). */
struct bytes *list_keys_for_apply(struct arena *arena, const struct patch_field *field, json_t *list);

#endif
