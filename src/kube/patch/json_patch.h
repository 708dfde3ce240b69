/* SPDX-License-Identifier: Apache-2.0 */
/* json_patch.h: JSON patch (RFC 6902): add, remove, replace, move, copy, test.  One thing is as in the API server, not
 * as in the RFC: replacing a member that an object does not have adds it. */
#ifndef KUBE_PATCH_JSON_PATCH_H
#define KUBE_PATCH_JSON_PATCH_H

#include <jansson.h>

enum {
    JSON_PATCH_MAX_OPERATIONS = 10000,
    JSON_PATCH_MAX_COPIED = 4 * 1024 * 1024, /* bytes of JSON, about, that copies and moves may touch together */
    JSON_PATCH_MAX_SHIFTED = 50 * 1000000,   /* items that insertions into and removals from lists may shift */
    JSON_PATCH_MAX_DEPTH = 100,              /* levels that an operation may reach */
};

/* The patched document, a new tree that shares nothing with the inputs.  NULL when an operation fails (then none has
 * happened), with a sentence that names it: `operation 2 (replace "/spec/x"): there is no such member`. */
json_t *json_patch(json_t *target, json_t *patch, char error[300]);

#endif
