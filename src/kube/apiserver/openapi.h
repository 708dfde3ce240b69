/* SPDX-License-Identifier: Apache-2.0 */
/* openapi.h: the OpenAPI v3 documents, one for each group-version: what `kubectl explain` prints, and how kubectl
 * learns that the server validates fields itself.
 *
 * They are constant for a build, so they are made once and kept. */
#ifndef KUBE_APISERVER_OPENAPI_H
#define KUBE_APISERVER_OPENAPI_H

#include "base/buffer.h"
#include "kube/apiserver/negotiate.h"

/* GET /openapi/v2 answers 200 with this type and an empty body, which is a valid empty document: kubectl reads it
 * before every apply (older ones) or re-apply, and fails when it is missing or JSON. */
#define OPENAPI_V2_CONTENT_TYPE "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
/* All of v3 is application/json.  Asked for with the hash of the index in its query, a document may be kept for good;
 * kubectl does so when the answer has a Date as well. */
#define OPENAPI_CACHE_CONTROL "public, max-age=31536000, immutable"

struct openapi;

struct openapi_document {
    const char *path; /* "api/v1", "apis/apps/v1" */
    struct bytes body;
    struct entity_tag tag; /* its text without quotes is the hash in the index */
};

struct openapi *openapi_new(void);
/* Accepts NULL. */
void openapi_free(struct openapi *openapi);
/* GET /openapi/v3. */
const struct openapi_document *openapi_index(const struct openapi *openapi);
/* GET /openapi/v3/<path>; NULL when it is not served. */
const struct openapi_document *openapi_find(const struct openapi *openapi, struct bytes path);

#endif
