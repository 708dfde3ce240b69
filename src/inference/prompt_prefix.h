/* SPDX-License-Identifier: Apache-2.0 */
/* prompt_prefix.h: what of a request's body makes its prompt, as chained hashes for the prefix index.
 *
 * Chat templates put tools and system text before the messages, so that is the order in which they are hashed, wherever
 * they stand in the body.  The bytes are those of the JSON: a client that writes the same conversation another way is
 * another prompt.  Pure. */
#ifndef INFERENCE_PROMPT_PREFIX_H
#define INFERENCE_PROMPT_PREFIX_H

#include "base/arena.h"
#include "inference/payload/openai_scan.h"

enum { PROMPT_PREFIX_BLOCKS = 1024, PROMPT_BYTES_PER_TOKEN = 4 };

struct prompt_prefix {
    const uint64_t *hashes; /* in the arena */
    unsigned count;         /* at most PROMPT_PREFIX_BLOCKS: the head of a prompt beyond about a megabyte */
    uint32_t tokens;        /* an estimate, of the whole prompt */
};

/* The tokens alone, for who needs no hashes. */
uint32_t prompt_prefix_tokens(const struct openai_scan *scan, struct bytes body);
/* scan: without error; body: what it scanned.  Of a prompt whose end is still to come, what is there counts.  Without a
 * prompt the result is all zero. */
void prompt_prefix_make(const struct openai_scan *scan, struct bytes body, struct bytes target_model,
                        struct arena *arena, struct prompt_prefix *ret_prefix);

#endif
