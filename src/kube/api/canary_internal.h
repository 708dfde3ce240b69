/* SPDX-License-Identifier: Apache-2.0 */
/* canary_internal.h: the parts of a Canary that have a file of their own.  Internal to canary*.c. */
#ifndef KUBE_API_CANARY_INTERNAL_H
#define KUBE_API_CANARY_INTERNAL_H

#include "kube/api/canary.h"
#include "kube/api/decode.h"

void canary_decode_analysis(struct field *spec, struct canary_analysis *analysis);
/* After the analysis, whose guards may need prices. */
void canary_decode_prices(struct field *spec, struct canary_spec *canary);
void canary_decode_stickiness(struct field *spec, struct canary_spec *canary, const struct kube_object *object);

#endif
