/* SPDX-License-Identifier: Apache-2.0 */
/* canary_weight.h: moves the weight between a Canary's two arms in the object that it targets.  Pure: trees in, a
 * changed tree out. */
#ifndef CLI_CANARY_WEIGHT_H
#define CLI_CANARY_WEIGHT_H

#include <jansson.h>
#include <stdbool.h>

#include "kube/api/canary.h"

enum { CANARY_WEIGHT_ERROR_SIZE = 400 };

/* The canary gets bp of every 10000 requests that go to one of the two arms; what other arms get stays as it is.
 * target: an object of the kind that the spec names.  False with a sentence in error: the tree may be half changed. */
bool canary_weight_set(json_t *target, const struct canary_spec *spec, unsigned bp,
                       char error[CANARY_WEIGHT_ERROR_SIZE]);

#endif
