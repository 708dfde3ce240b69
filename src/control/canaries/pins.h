/* SPDX-License-Identifier: Apache-2.0 */
/* pins.h: whether the pins of a Canary can count: is the token where its spec says? */
#ifndef CONTROL_CANARIES_PINS_H
#define CONTROL_CANARIES_PINS_H

#include "kube/api/object.h"
#include "kube/store/store.h"

/* Looks at the durable Secret.  "" pins count; NULL: the Canary has none; else why they do not.  Allocated. */
char *pins_problem(const struct store *store, const struct kube_object *canary);

#endif
