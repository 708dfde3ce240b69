/* SPDX-License-Identifier: Apache-2.0 */
/* reply_hash.c: text and tool calls are hashed apart and joined at the end, so that their interleaving, which differs
 * between a stream and a message, does not matter.  Pure. */
#include "inference/payload/reply_hash.h"

#define XXH_STATIC_LINKING_ONLY /* the size of its state */
#include <xxhash.h>

enum { TOOL_ID_BYTES = 64 };

_Static_assert(sizeof(XXH64_state_t) <= sizeof(((struct reply_hash *)0)->text), "the state has room");

static XXH64_state_t *text_of(struct reply_hash *hash)
{
    return (XXH64_state_t *)hash->text;
}

static uint64_t join(uint64_t first, uint64_t second)
{
    uint64_t both[2] = {first, second};
    return XXH64(both, sizeof both, 0);
}

void reply_hash_init(struct reply_hash *hash)
{
    *hash = (struct reply_hash){.tools = 0};
    XXH64_reset(text_of(hash), 0);
}

void reply_hash_add_text(struct reply_hash *hash, struct bytes text)
{
    if (text.len > 0)
        XXH64_update(text_of(hash), text.data, text.len);
}

void reply_hash_add_tool_call(struct reply_hash *hash, struct bytes id)
{
    uint64_t tool = XXH64(id.data, id.len < TOOL_ID_BYTES ? id.len : TOOL_ID_BYTES, 0);
    if (hash->has_tools && tool == hash->last_tool)
        return;
    hash->has_tools = true;
    hash->last_tool = tool;
    hash->tools = join(hash->tools, tool);
}

uint64_t reply_hash_value(const struct reply_hash *hash)
{
    uint64_t text = XXH64_digest((const XXH64_state_t *)hash->text);
    return hash->has_tools ? join(text, hash->tools) : text;
}
