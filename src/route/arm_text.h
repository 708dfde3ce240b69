/* SPDX-License-Identifier: Apache-2.0 */
/* arm_text.h: "<pool>/<model>" as it may stand in a response header.  Private to route/. */
#ifndef ROUTE_ARM_TEXT_H
#define ROUTE_ARM_TEXT_H

#include "base/arena.h"

/* At most 256 bytes of the model; what is not visible ASCII becomes '?' (RFC 9110 5.5: no line breaks in a value). */
struct bytes arm_text_make(struct arena *arena, struct bytes pool, struct bytes model);

#endif
