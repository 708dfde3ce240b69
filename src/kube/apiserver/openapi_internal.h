/* SPDX-License-Identifier: Apache-2.0 */
/* openapi_internal.h: the two halves of a document: its paths and its schemas. */
#ifndef KUBE_APISERVER_OPENAPI_INTERNAL_H
#define KUBE_APISERVER_OPENAPI_INTERNAL_H

#include "base/json_write.h"
#include "kube/apiserver/schema.h"

/* "io.k8s.networking.gateway.v1.HTTPRoute", where the resource's kind (suffix "List": of its list) is described. */
void openapi_append_component(struct buffer *out, const struct api_resource *resource, const char *suffix);
/* "x-kubernetes-group-version-kind": {...}, of an operation. */
void openapi_write_kind(struct json_writer *writer, const char *group, const char *version, const char *kind);

/* "$ref": where a component is described. */
void openapi_write_reference(struct json_writer *writer, struct bytes component);

/* openapi_paths.c: the members of "paths" of one resource. */
void openapi_write_paths(struct json_writer *writer, const struct api_resource *resource);
/* openapi_schemas.c: the members of "schemas" of all resources of a document and of what they refer to. */
void openapi_write_schemas(struct json_writer *writer, struct api_resources resources);

#endif
