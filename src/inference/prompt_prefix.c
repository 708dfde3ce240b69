/* SPDX-License-Identifier: Apache-2.0 */
/* prompt_prefix.c: the spans of a body in the order of a chat template, through the hasher.  Pure. */
#include "inference/prompt_prefix.h"

#include <xxhash.h>

#include "inference/prefix_hash.h"

static struct bytes span_bytes(struct bytes body, struct scan_span span)
{
    return span.offset + span.len <= body.len ? bytes_make(body.data + span.offset, span.len) : BYTES("");
}

enum { PARTS = 3 };

/* Tools, system text, messages or prompt; returns their bytes together. */
static size_t find_parts(const struct openai_scan *scan, struct bytes body, struct bytes ret_parts[PARTS])
{
    struct scan_span prompt = scan->prompt_span.len > 0 ? scan->prompt_span : openai_scan_begun_prompt(scan);
    const struct scan_span spans[PARTS] = {scan->tools_span, scan->system_span, prompt};
    size_t total = 0;
    for (unsigned i = 0; i < PARTS; i++) {
        ret_parts[i] = span_bytes(body, spans[i]);
        total += ret_parts[i].len;
    }
    return total;
}

static uint32_t tokens_of(size_t bytes)
{
    size_t tokens = bytes / PROMPT_BYTES_PER_TOKEN;
    return tokens < UINT32_MAX ? (uint32_t)tokens : UINT32_MAX;
}

uint32_t prompt_prefix_tokens(const struct openai_scan *scan, struct bytes body)
{
    struct bytes parts[PARTS];
    return tokens_of(find_parts(scan, body, parts));
}

void prompt_prefix_make(const struct openai_scan *scan, struct bytes body, struct bytes target_model,
                        struct arena *arena, struct prompt_prefix *ret_prefix)
{
    struct bytes parts[PARTS], salt = span_bytes(body, scan->salt_span);
    size_t total = find_parts(scan, body, parts);
    *ret_prefix = (struct prompt_prefix){.tokens = tokens_of(total)};
    size_t units = total / PREFIX_SMALL_BYTES;
    unsigned capacity = units < UINT32_MAX ? prefix_blocks((uint32_t)units) : PROMPT_PREFIX_BLOCKS;
    capacity = capacity < PROMPT_PREFIX_BLOCKS ? capacity : PROMPT_PREFIX_BLOCKS;
    if (capacity == 0)
        return;

    uint64_t *hashes = arena_alloc(arena, capacity * sizeof *hashes);
    struct prefix_hasher hasher;
    prefix_hasher_init(&hasher, target_model, salt.len > 0 ? XXH3_64bits(salt.data, salt.len) : 0, hashes, capacity);
    for (unsigned i = 0; i < PARTS; i++)
        prefix_hasher_feed(&hasher, parts[i]);
    ret_prefix->hashes = hashes;
    ret_prefix->count = hasher.count;
}
