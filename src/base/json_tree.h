/* SPDX-License-Identifier: Apache-2.0 */
/* json_tree.h: looking into jansson trees whose shape nobody has checked.  Borrowed results, no errors: what is not
 * there, or of another type, is as if it were absent. */
#ifndef BASE_JSON_TREE_H
#define BASE_JSON_TREE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Along a dotted path ("spec.replicas"); NULL when there is nothing, or null. */
const json_t *tree_at(const json_t *tree, const char *path);
/* "" when there is no string. */
const char *tree_text(const json_t *tree, const char *path);
/* The member itself, whose key may have dots in it; "" when there is no string. */
const char *tree_member_text(const json_t *object, const char *key);
/* Containers nest more than so many levels deep. */
bool tree_is_deeper(const json_t *value, unsigned levels);

#endif
