/* SPDX-License-Identifier: Apache-2.0 */
/* canary_pin.h: the token by which callers choose an arm, as the Secret of a Canary's pin holds it.  Pure.
 *
 * For whoever lets pins count, and whoever says why they do not. */
#ifndef KUBE_API_CANARY_PIN_H
#define KUBE_API_CANARY_PIN_H

#include "base/bytes.h"
#include "kube/api/canary.h"

/* canary has a pin; secret: the tree of the one that it names, NULL when there is none.  NULL, the token in the arena;
 * or why there is no token, as a sentence in the arena. */
const char *canary_pin_read(const struct kube_object *canary, const json_t *secret, struct arena *arena,
                            struct bytes *ret_token);

#endif
