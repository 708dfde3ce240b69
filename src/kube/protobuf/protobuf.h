/* SPDX-License-Identifier: Apache-2.0 */
/* protobuf.h: request bodies of the type application/vnd.kubernetes.protobuf as the JSON that says the same.
 *
 * kubectl 1.32 and later and typed Go clients send built-in kinds this way, and do not try JSON when refused.  All of
 * them take JSON answers, so nothing here encodes.
 *
 * The tree is what the Go types print as JSON, with three differences that mean the same: what Go prints as null is
 * absent, a root status that holds nothing is absent, and a field that the sender left off the wire is absent even
 * where Go prints its zero.  Field numbers that no table knows (of a Kubernetes later than 1.37) are skipped silently,
 * as a Kubernetes API server skips them: fieldValidation never sees them. */
#ifndef KUBE_PROTOBUF_PROTOBUF_H
#define KUBE_PROTOBUF_PROTOBUF_H

#include <jansson.h>

#include "base/bytes.h"

/* The object in body as a JSON tree with apiVersion and kind (the caller owns it).  NULL with a sentence in error: not
 * this format, a kind that has no table, or broken wire format.  Time and memory are linear in body.len; a tree holds
 * at most 200,000 values, nested at most 100 deep. */
json_t *protobuf_decode(struct bytes body, char error[200]);

#endif
