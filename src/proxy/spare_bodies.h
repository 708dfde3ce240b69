/* SPDX-License-Identifier: Apache-2.0 */
/* spare_bodies.h: a worker's body buffers between two requests: fresh pages for each long prompt would cost more than
 * reading it.
 *
 * All pages of a spare one have been written to: whoever takes it holds all of it, however little comes. */
#ifndef PROXY_SPARE_BODIES_H
#define PROXY_SPARE_BODIES_H

#include "base/buffer.h"
#include "http/memory_budget.h"

enum { SPARE_BODIES = 64 };

/* Zeroed: there are none. */
struct spare_bodies {
    struct buffer items[SPARE_BODIES]; /* the oldest first */
    unsigned count;
    size_t bytes;
};

/* One of at least so many bytes and not of much more, for an empty buffer; false: there is none. */
bool spare_bodies_take(struct spare_bodies *spare, size_t least, struct buffer *body);
/* Keeps its memory, or gives it to the system: when it is large, or memory is short.  Leaves an empty buffer. */
void spare_bodies_give(struct spare_bodies *spare, struct buffer *body, const struct memory_budget *budget);
void spare_bodies_free(struct spare_bodies *spare);

#endif
