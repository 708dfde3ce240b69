/* SPDX-License-Identifier: Apache-2.0 */
/* core_internal.h: what the decoders of Pod and of the kinds that hold a pod template share.  Internal to kube/api. */
#ifndef KUBE_API_CORE_INTERNAL_H
#define KUBE_API_CORE_INTERNAL_H

#include "kube/api/core.h"
#include "kube/api/kinds.h"

/* A pod's spec, in a Pod or in a template; labels and annotations are the caller's. */
void pod_spec_decode(struct field *spec, struct pod_template *pod);

#endif
