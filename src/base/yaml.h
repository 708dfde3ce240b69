/* SPDX-License-Identifier: Apache-2.0 */
/* yaml.h: YAML documents as jansson trees, by libyaml, with the scalar rules that Kubernetes users rely on (YAML 1.1 as
 * kubectl reads it; yaml_scalar.h lists them).
 *
 * Duplicate keys are errors, keys that are numbers or booleans become strings, "<<" merges, anchors are expanded into
 * copies.  Bounds per text: 100 levels, and 1,000,000 nodes with the copies counted, so that a small text cannot ask
 * for much memory. */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <jansson.h>

#include "base/bytes.h"

/* Called per document, in order; line: where its content starts, from 1.  The callee may json_incref.  Empty documents,
 * documents of comments only and null are skipped.  Return false to stop. */
typedef bool (*yaml_document_fn)(json_t *document, size_t line, void *context);

/* 0, or -1 with "line N: what" in error (documents before the bad one were delivered).  JSON is read too: a text that
 * is one JSON object is taken as JSON says, everything else as YAML. */
int yaml_parse(struct bytes text, yaml_document_fn on_document, void *context, char error[200]);

#endif
