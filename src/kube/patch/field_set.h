/* SPDX-License-Identifier: Apache-2.0 */
/* field_set.h: sets of fields in the form of fieldsV1, and what can be done with them.
 *
 * A set is a JSON object, a node per step: "f:name" a member of a map, "k:{...}" an item of a keyed list, "v:..." one
 * of a set.  An empty node is in the set; a node with children is in it when it has "." as well.  The empty set is
 * NULL.  Nodes are shared between sets and never changed.  Any thread. */
#ifndef KUBE_PATCH_FIELD_SET_H
#define KUBE_PATCH_FIELD_SET_H

#include <jansson.h>
#include <stdbool.h>

/* The fields of an object, as an apply of it would own them: what the user may write, without the server's own.
 * subresource "status": the fields of the status alone, otherwise (NULL, "", "scale") all but them.  group may be NULL.
 * New reference, or NULL. */
json_t *field_set_of(json_t *object, const char *group, const char *kind, const char *subresource);

/* New references, or NULL for the empty set; inputs may be NULL. */
json_t *field_set_union(json_t *a, json_t *b);
/* Without what is in `gone`.  An empty node of gone takes all below it along. */
json_t *field_set_subtract(json_t *set, json_t *gone);

/* The node's own path is in the set.  NULL: no. */
bool field_set_has_self(json_t *node);

/* Calls visit with the path (".spec.ports[port=80,protocol=\"TCP\"]") of each field in both, but for those that are in
 * `excepted` too.  An empty node of `changed` stands for all below it, and is reported once. */
typedef void (*field_set_visit_fn)(void *context, const char *path);
void field_set_meet(json_t *set, json_t *changed, json_t *excepted, field_set_visit_fn visit, void *context);

#endif
