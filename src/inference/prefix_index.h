/* SPDX-License-Identifier: Apache-2.0 */
/* prefix_index.h: which endpoints probably have the head of a prompt in their prefix cache.
 *
 * A prompt is the chain of the hashes of its blocks (prefix_hash.h).  Each owner, an endpoint, has a bounded set of
 * blocks, filled with the prompts that were routed to it; what it has not been sent for long gives way (second chance
 * in the order of arrival, the end of a prompt before its head).  The answer is a hint: the model server decides.
 *
 * Shared by all workers: prefix_index_match() takes no lock, changes take one.  A match beside a change may see a block
 * that just came or went, or miss one; it never faults and never waits. */
#ifndef INFERENCE_PREFIX_INDEX_H
#define INFERENCE_PREFIX_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct prefix_index;

enum { PREFIX_OWNERS_MAX = 4096, PREFIX_NO_OWNER = UINT16_MAX };

/* entries: bound of the number of all owners' blocks together, rounded up to a power of two.  Memory is taken from the
 * system as it is used: at most 32 bytes per entry, up to 512 owners, and a few per owner. */
struct prefix_index *prefix_index_new(unsigned owners, uint32_t entries);
/* Accepts NULL. */
void prefix_index_free(struct prefix_index *index);

/* A new owner whose blocks come to at most `capacity` units (prefix_hash.h); PREFIX_NO_OWNER when there are too many.
 */
uint16_t prefix_index_add_owner(struct prefix_index *index, uint32_t capacity);
/* Its blocks are forgotten; the number will be given out again. */
void prefix_index_remove_owner(struct prefix_index *index, uint16_t owner);
/* Of its blocks those that came first are forgotten when there are more than that. */
void prefix_index_set_capacity(struct prefix_index *index, uint16_t owner, uint32_t capacity);
/* The model server started anew: it has nothing. */
void prefix_index_forget(struct prefix_index *index, uint16_t owner);

/* ret_matched[owner]: how many leading hashes the owner has without a gap; ret_marked[owner]: of these so many, from
 * the first on, need not be noted again for it.  Returns for how many owners they were written; they have room for all
 * that the index was made for.  Those with greater numbers were added just now and have nothing. */
unsigned prefix_index_match(const struct prefix_index *index, const uint64_t *hashes, unsigned count,
                            uint32_t *ret_matched, uint32_t *ret_marked);
/* The owner was sent this prompt, of which a match just now found the first `marked` blocks marked; 0: not known. */
void prefix_index_insert(struct prefix_index *index, uint16_t owner, const uint64_t *hashes, unsigned marked,
                         unsigned count);

/* Blocks of all owners together, and bytes in use, for accounting. */
uint32_t prefix_index_entries(struct prefix_index *index);
size_t prefix_index_bytes(struct prefix_index *index);

#endif
