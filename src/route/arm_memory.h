/* SPDX-License-Identifier: Apache-2.0 */
/* arm_memory.h: which arm something (a conversation, a response) belongs to, for as long as there is room.
 *
 * Shared by all workers, bounded, made at once: sets of a few slots in shards, each with a lock of its own that is held
 * for one look through a set.  A full set forgets what was not used for longest.  Keys are hashes: there is no way to
 * find out what was said.  Time is an argument. */
#ifndef ROUTE_ARM_MEMORY_H
#define ROUTE_ARM_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arm_memory;

enum arm_memory_put { ARM_MEMORY_ADDED, ARM_MEMORY_RENEWED, ARM_MEMORY_REPLACED };

/* capacity: entries, rounded up to whole sets; 24 bytes each, touched when used. */
struct arm_memory *arm_memory_new(size_t capacity);
void arm_memory_free(struct arm_memory *memory);
size_t arm_memory_capacity(const struct arm_memory *memory);

/* The arm (its id's hash), 0 when unknown or forgotten.  What is found counts as used now.  Any thread. */
uint64_t arm_memory_find(struct arm_memory *memory, uint64_t key, uint64_t now_ms);
/* arm: not 0.  ADDED to a free slot, RENEWED where the key was, or REPLACED the one used least lately.  Any thread. */
enum arm_memory_put arm_memory_put(struct arm_memory *memory, uint64_t key, uint64_t arm, uint64_t now_ms);

/* Keys: one thing has an arm in each rule (owner) that it went through. */
uint64_t arm_memory_key(uint64_t owner, uint64_t hash);
uint64_t arm_memory_id_key(uint64_t owner, struct bytes id);

/* What all workers of a process remember. */
struct arm_memories {
    struct arm_memory *responses;     /* id of a response -> arm */
    struct arm_memory *conversations; /* hash of its messages -> arm */
    struct arm_memory *owners;        /* id of a response -> identity of the endpoint that made it; NULL: not kept */
};

#endif
