/* SPDX-License-Identifier: Apache-2.0 */
/* kinds.h: the decoders of the kinds, for the table in object.c.  Each gets the whole object, fills its typed spec in
 * the object's arena and reports into the field's problems.  Metadata is decoded before.  Internal to kube/api. */
#ifndef KUBE_API_KINDS_H
#define KUBE_API_KINDS_H

#include "kube/api/decode.h"

typedef const void *(*kind_decode_fn)(struct field *root, const struct kube_object *object);

const void *gateway_class_decode(struct field *root, const struct kube_object *object);
const void *gateway_decode(struct field *root, const struct kube_object *object);
const void *reference_grant_decode(struct field *root, const struct kube_object *object);
const void *http_route_decode(struct field *root, const struct kube_object *object);
const void *inference_pool_decode(struct field *root, const struct kube_object *object);
const void *inference_pool_x_decode(struct field *root, const struct kube_object *object);
const void *inference_model_decode(struct field *root, const struct kube_object *object);
const void *model_rewrite_decode(struct field *root, const struct kube_object *object);
const void *inference_objective_decode(struct field *root, const struct kube_object *object);
const void *client_traffic_policy_decode(struct field *root, const struct kube_object *object);
const void *backend_traffic_policy_decode(struct field *root, const struct kube_object *object);
const void *canary_decode(struct field *root, const struct kube_object *object);
/* Kinds whose fields are nobody's business here: all of them are kept as they came. */
const void *kept_decode(struct field *root, const struct kube_object *object);
const void *config_map_decode(struct field *root, const struct kube_object *object);
const void *secret_decode(struct field *root, const struct kube_object *object);
const void *service_decode(struct field *root, const struct kube_object *object);
const void *pod_decode(struct field *root, const struct kube_object *object);
const void *deployment_decode(struct field *root, const struct kube_object *object);
const void *endpoint_slice_decode(struct field *root, const struct kube_object *object);

#endif
