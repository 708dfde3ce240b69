/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.h: a manifest text (YAML documents, JSON, kind List) into objects. */
#ifndef KUBE_API_MANIFEST_H
#define KUBE_API_MANIFEST_H

#include "kube/api/object.h"

struct manifest {
    struct kube_object **objects; /* in order; one count each, given back by manifest_deinit() */
    unsigned len;
    unsigned capacity;
};

void manifest_init(struct manifest *manifest);
void manifest_deinit(struct manifest *manifest);
/* Adds the objects of one text; source ("routes.yaml") goes into the problems with the document's line.  The same
 * object again (in this or an earlier text) replaces the former, as applying in order would.  Bad documents are
 * reported, good ones are still added: the caller decides by problems->count. */
void manifest_add(struct manifest *manifest, const char *source, struct bytes text, struct problems *problems);

#endif
