/* SPDX-License-Identifier: Apache-2.0 */
/* access_ring.h: records on their way from a worker to the log's thread: one writer, one reader, no lock. */
#ifndef OBSERVE_ACCESS_RING_H
#define OBSERVE_ACCESS_RING_H

#include "observe/access_record.h"

struct access_ring;

/* bytes: a power of two, at least 16 KiB. */
struct access_ring *access_ring_new(size_t bytes);
void access_ring_free(struct access_ring *ring);
/* The writer's thread: copies the record (bounded already); false when there is no room. */
bool access_ring_put(struct access_ring *ring, const struct access_record *record);
/* The reader's thread: the oldest record, its strings inside the ring until access_ring_done(); false when empty. */
bool access_ring_peek(struct access_ring *ring, struct access_record *ret_record);
void access_ring_done(struct access_ring *ring);
bool access_ring_is_empty(const struct access_ring *ring);

#endif
