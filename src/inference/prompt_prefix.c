/* SPDX-License-Identifier: Apache-2.0 */
/* prompt_prefix.c: the spans of a body in the order of a chat template, through the hasher.  Pure. */
#include "inference/prompt_prefix.h"

#include <xxhash.h>

#include "base/compiler.h"
#include "inference/payload/prompt_blob.h"
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

/* As many bytes as it counts for: no more than it has. */
static size_t feed_blob(struct prefix_hasher *hasher, const struct prompt_blob *blob)
{
    uint64_t words[PROMPT_BLOB_TOKENS * PROMPT_BYTES_PER_TOKEN / sizeof blob->digest];
    size_t count = blob->len / sizeof words[0] < ARRAY_LEN(words) ? blob->len / sizeof words[0] : ARRAY_LEN(words);
    for (size_t i = 0; i < count; i++)
        words[i] = blob->digest;
    if (blob->has_digest)
        prefix_hasher_feed(hasher, bytes_make((const char *)words, count * sizeof words[0]));
    return count * sizeof words[0];
}

/* Returns the bytes that it counts for.  Behind data of which too little is here, nothing is hashed. */
static size_t feed_messages(struct prefix_hasher *hasher, struct bytes messages, bool *ret_is_cut)
{
    size_t cursor = 0, from = 0, total = 0;
    struct prompt_blob blob;
    while (prompt_blob_next(messages, &cursor, &blob)) {
        prefix_hasher_feed(hasher, bytes_make(messages.data + from, blob.offset - from));
        total += blob.offset - from + feed_blob(hasher, &blob);
        from = blob.offset + blob.len;
        *ret_is_cut = from == messages.len;
        if (!blob.has_digest)
            return total;
    }
    prefix_hasher_feed(hasher, bytes_skip(messages, from));
    return total + messages.len - from;
}

uint32_t prompt_prefix_tokens(const struct openai_scan *scan, struct bytes body)
{
    struct bytes parts[PARTS];
    size_t total = find_parts(scan, body, parts);
    struct prefix_hasher none; /* no room for any block */
    bool is_cut;
    if (!scan->has_blob)
        return tokens_of(total);
    prefix_hasher_init(&none, BYTES(""), 0, NULL, 0);
    return tokens_of(total + feed_messages(&none, parts[PARTS - 1], &is_cut) - parts[PARTS - 1].len);
}

void prompt_prefix_make(const struct openai_scan *scan, struct bytes body, struct bytes target_model,
                        struct arena *arena, struct prompt_prefix *ret_prefix)
{
    struct bytes parts[PARTS], salt = span_bytes(body, scan->salt_span);
    size_t total = find_parts(scan, body, parts);
    *ret_prefix = (struct prompt_prefix){.count = 0};
    size_t units = total / PREFIX_SMALL_BYTES;
    unsigned capacity = units < UINT32_MAX ? prefix_blocks((uint32_t)units) : PROMPT_PREFIX_BLOCKS;
    capacity = capacity < PROMPT_PREFIX_BLOCKS ? capacity : PROMPT_PREFIX_BLOCKS;

    uint64_t *hashes = capacity > 0 ? arena_alloc(arena, capacity * sizeof *hashes) : NULL;
    struct prefix_hasher hasher;
    prefix_hasher_init(&hasher, target_model, salt.len > 0 ? XXH3_64bits(salt.data, salt.len) : 0, hashes, capacity);
    for (unsigned i = 0; i + 1 < PARTS; i++)
        prefix_hasher_feed(&hasher, parts[i]);
    struct bytes messages = parts[PARTS - 1];
    if (scan->has_blob)
        total += feed_messages(&hasher, messages, &ret_prefix->is_cut_in_blob) - messages.len;
    else
        prefix_hasher_feed(&hasher, messages);
    ret_prefix->tokens = tokens_of(total);
    ret_prefix->hashes = hashes;
    ret_prefix->count = hasher.count;
}
