/* SPDX-License-Identifier: Apache-2.0 */
/* merge_patch.h: JSON merge patch (RFC 7386). */
#ifndef KUBE_PATCH_MERGE_PATCH_H
#define KUBE_PATCH_MERGE_PATCH_H

#include <jansson.h>

/* The patched document, a new reference that shares subtrees with both inputs (tree.h says what is its own).  target
 * may be NULL: there is no document yet.  Never fails. */
json_t *merge_patch(json_t *target, json_t *patch);

#endif
