/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h: what all patches need of JSON trees: building without losing, nulls, and where a sentence is about.
 *
 * Trees given to this module are never changed.  What comes out shares subtrees with what went in (by count), except
 * the root object and its metadata, which are the result's own: the server writes resourceVersion and the like there.
 * Whoever changes more of a result in place makes a deep copy first.  Recursion follows the depth of the input, which
 * the caller's parser bounds. */
#ifndef KUBE_PATCH_TREE_H
#define KUBE_PATCH_TREE_H

#include <jansson.h>

#include "base/compiler.h"

enum { TREE_ERROR_SIZE = 300 };

/* Take over value (which may be NULL only when memory is out); abort when memory is out. */
void tree_set(json_t *object, const char *key, json_t *value);
void tree_append(json_t *array, json_t *value);
/* index is at most the size of the list. */
void tree_insert(json_t *array, size_t index, json_t *value);

/* Without the members of objects that are null, at every level; null items of lists stay.  New reference; shares all
 * that needs no change. */
json_t *tree_without_nulls(json_t *value);
/* Makes root.metadata, when there is one, an object of the root's own.  root must be the caller's own already. */
void tree_own_metadata(json_t *root);

/* Where in a tree: a chain of frames on the stack, ending in a root with parent NULL. */
struct place {
    const struct place *parent;
    const char *name; /* of a member; NULL: an item of a list */
    size_t index;
};
static inline struct place place_member(const struct place *parent, const char *name)
{
    return (struct place){parent, name, 0};
}
static inline struct place place_item(const struct place *parent, size_t index)
{
    return (struct place){parent, NULL, index};
}

/* Writes "spec.containers[1]: what" with control characters replaced, cut to fit; no colon at the root. */
void tree_error(char error[TREE_ERROR_SIZE], const struct place *place, const char *format, ...) PRINTF_LIKE(3, 4);
/* Replaces control characters of a text that goes into a log or a terminal. */
void tree_make_printable(char *text);

#endif
