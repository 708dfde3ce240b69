/* SPDX-License-Identifier: Apache-2.0 */
/* reply_hash.h: one number for what an assistant said, the same from an answer (as it streams) and from the next
 * request's messages: XXH64 (seed 0) of the decoded text and then, in order, of each tool call's id.  Pure. */
#ifndef INFERENCE_PAYLOAD_REPLY_HASH_H
#define INFERENCE_PAYLOAD_REPLY_HASH_H

#include <stdint.h>

#include "base/bytes.h"

struct reply_hash {
    uint64_t text[11]; /* an XXH64_state_t */
    uint64_t tools;
    uint64_t last_tool; /* some servers repeat the id with each piece of the arguments */
    bool has_tools;
};

void reply_hash_init(struct reply_hash *hash);
/* Text may come in any pieces, before, between and after tool calls. */
void reply_hash_add_text(struct reply_hash *hash, struct bytes text);
/* An id that repeats the one before it does not count; of a long one the first 64 bytes do. */
void reply_hash_add_tool_call(struct reply_hash *hash, struct bytes id);
/* Of all so far. */
uint64_t reply_hash_value(const struct reply_hash *hash);

#endif
