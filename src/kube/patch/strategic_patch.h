/* SPDX-License-Identifier: Apache-2.0 */
/* strategic_patch.h: Kubernetes' strategic merge patch for built-in kinds. */
#ifndef KUBE_PATCH_STRATEGIC_PATCH_H
#define KUBE_PATCH_STRATEGIC_PATCH_H

#include <jansson.h>

/* The patched object, a new reference that shares subtrees with both inputs (tree.h says what is its own).  kind
 * ("Deployment") chooses the merge keys of its lists.  NULL with a sentence that starts with the field path: an unknown
 * directive, a list item without its merge key, a patch that is no object. */
json_t *strategic_patch(json_t *target, json_t *patch, const char *kind, char error[300]);

#endif
