/* SPDX-License-Identifier: Apache-2.0 */
/* conversation_scan.c: see conversation_scan.h.  Pure; one owner, one thread.
 *
 * Members may stand in any order, so a message is judged when it ends: its text and ids were gathered until then. */
#include "inference/payload/conversation_scan.h"

#include <xxhash.h>

#include "base/compiler.h"

enum item_member { ITEM_OTHER, ITEM_ROLE, ITEM_TYPE, ITEM_CONTENT, ITEM_TOOL_CALLS, ITEM_CALL_ID };
enum part_member { PART_OTHER, PART_TYPE, PART_TEXT, PART_ID };
enum role { ROLE_NONE, ROLE_ASSISTANT, ROLE_USER, ROLE_TOOL, ROLE_HIDDEN };
enum type { TYPE_OTHER, TYPE_CALL, TYPE_CALL_OUTPUT, TYPE_TOOL_USE, TYPE_THOUGHT };

struct word {
    const char *text;
    unsigned value;
};

static const struct word item_members[] = {
    {"role", ITEM_ROLE},       {"type", ITEM_TYPE}, {"content", ITEM_CONTENT}, {"tool_calls", ITEM_TOOL_CALLS},
    {"call_id", ITEM_CALL_ID},
};
static const struct word part_members[] = {{"type", PART_TYPE}, {"text", PART_TEXT}, {"id", PART_ID}};
static const struct word roles[] = {
    {"assistant", ROLE_ASSISTANT}, {"user", ROLE_USER},     {"tool", ROLE_TOOL},
    {"function", ROLE_TOOL},       {"system", ROLE_HIDDEN}, {"developer", ROLE_HIDDEN},
};
/* function_call, custom_tool_call, shell_call, ...; tool_use, server_tool_use, ... */
static unsigned type_of(struct bytes text)
{
    if (bytes_ends_with(text, BYTES("_call")))
        return TYPE_CALL;
    if (bytes_ends_with(text, BYTES("_call_output")))
        return TYPE_CALL_OUTPUT;
    if (bytes_ends_with(text, BYTES("tool_use")))
        return TYPE_TOOL_USE;
    return bytes_starts_with(text, BYTES("reasoning")) ? TYPE_THOUGHT : TYPE_OTHER;
}

static unsigned meaning(const struct word *words, size_t count, struct bytes text)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal_str(text, words[i].text))
            return words[i].value;
    return 0;
}

void conversation_scan_init(struct conversation_scan *scan)
{
    *scan = (struct conversation_scan){.item_member = ITEM_OTHER};
    reply_hash_init(&scan->item);
    reply_hash_init(&scan->run);
}

void conversation_begin(struct conversation_scan *scan)
{
    conversation_scan_init(scan);
}

void conversation_key(struct conversation_scan *scan, unsigned level, struct bytes name)
{
    if (level == 3)
        scan->item_member = meaning(item_members, ARRAY_LEN(item_members), name);
    else
        scan->part_member = meaning(part_members, ARRAY_LEN(part_members), name);
}

enum conversation_use conversation_use(const struct conversation_scan *scan, unsigned level)
{
    if (level == 1) /* "input": "..." */
        return CONVERSATION_TEXT;
    if (level == 3) {
        if (scan->item_member == ITEM_CONTENT)
            return CONVERSATION_TEXT;
        bool is_word = scan->item_member != ITEM_OTHER && scan->item_member != ITEM_TOOL_CALLS;
        return is_word ? CONVERSATION_WORD : CONVERSATION_SKIP;
    }
    bool is_call = scan->item_member == ITEM_TOOL_CALLS;
    if (!is_call && scan->item_member != ITEM_CONTENT)
        return CONVERSATION_SKIP;
    if (scan->part_member == PART_TEXT && !is_call)
        return CONVERSATION_TEXT;
    return scan->part_member == PART_ID || scan->part_member == PART_TYPE ? CONVERSATION_WORD : CONVERSATION_SKIP;
}

void conversation_text(struct conversation_scan *scan, struct bytes piece)
{
    /* The type of a part stands before its text wherever it matters: thoughts are told from text by it. */
    if (piece.len == 0 || scan->part_type == TYPE_THOUGHT)
        return;
    scan->item_has_text = true;
    reply_hash_add_text(&scan->item, piece);
}

static void keep(char *target, unsigned *ret_len, struct bytes word)
{
    *ret_len = (unsigned)(word.len < CONVERSATION_WORD_BYTES ? word.len : CONVERSATION_WORD_BYTES);
    if (*ret_len > 0)
        memcpy(target, word.data, *ret_len);
}

void conversation_word(struct conversation_scan *scan, unsigned level, struct bytes word)
{
    if (level == 3 && scan->item_member == ITEM_ROLE)
        scan->role = meaning(roles, ARRAY_LEN(roles), word);
    else if (level == 3 && scan->item_member == ITEM_TYPE)
        scan->item_type = type_of(word);
    else if (level == 3)
        keep(scan->call_id, &scan->call_id_len, word);
    else if (scan->part_member == PART_TYPE)
        scan->part_type = type_of(word);
    else
        keep(scan->part_id, &scan->part_id_len, word);
}

/* Messages into hashes. */

static uint64_t add_message(uint64_t hash, unsigned role, uint64_t message)
{
    uint64_t parts[3] = {hash, role, message};
    return XXH64(parts, sizeof parts, 0);
}

uint64_t conversation_next_hash(const struct conversation_scan *scan, uint64_t reply_hash)
{
    return add_message(scan->hash, ROLE_ASSISTANT, reply_hash);
}

static void end_run(struct conversation_scan *scan)
{
    if (!scan->is_in_run)
        return;
    scan->hash = add_message(scan->hash, ROLE_ASSISTANT, reply_hash_value(&scan->run));
    if (!scan->has_reply)
        scan->first_hash = scan->hash;
    scan->last_hash = scan->hash;
    scan->has_reply = true;
    scan->is_in_run = false;
    scan->run_has_text = false;
    reply_hash_init(&scan->run);
}

/* One answer comes back as one message, or (Responses) as a message and an item per call. */
static void add_to_run(struct conversation_scan *scan)
{
    bool has_both = (scan->item_has_text && scan->run_has_text) || (scan->item.has_tools && scan->run.has_tools);
    if (has_both)
        end_run(scan);
    if (scan->item_has_text)
        memcpy(scan->run.text, scan->item.text, sizeof scan->run.text);
    if (scan->item.has_tools) {
        scan->run.has_tools = true;
        scan->run.tools = scan->item.tools;
        scan->run.last_tool = scan->item.last_tool;
    }
    scan->run_has_text = scan->run_has_text || scan->item_has_text;
    scan->is_in_run = true;
}

static void add_call_to_run(struct conversation_scan *scan)
{
    reply_hash_add_tool_call(&scan->run, bytes_make(scan->call_id, scan->call_id_len));
    scan->is_in_run = true;
}

static void add_other(struct conversation_scan *scan)
{
    uint64_t message = reply_hash_value(&scan->item);
    end_run(scan);
    scan->hash = add_message(scan->hash, scan->role, message);
    if (scan->role != ROLE_USER || scan->has_reply)
        return;
    scan->has_opening = true;
    scan->opening_hash = add_message(scan->opening_hash, ROLE_USER, message);
}

static void end_item(struct conversation_scan *scan)
{
    if (scan->role == ROLE_ASSISTANT)
        add_to_run(scan);
    else if (scan->role == ROLE_NONE && scan->item_type == TYPE_CALL && scan->call_id_len > 0)
        add_call_to_run(scan);
    else if (scan->role == ROLE_USER || scan->role == ROLE_TOOL || scan->item_type == TYPE_CALL_OUTPUT)
        add_other(scan);
    scan->role = ROLE_NONE;
    scan->item_type = TYPE_OTHER;
    scan->item_member = ITEM_OTHER;
    scan->item_has_text = false;
    scan->call_id_len = 0;
    reply_hash_init(&scan->item);
}

static void end_part(struct conversation_scan *scan)
{
    bool is_call =
        scan->item_member == ITEM_TOOL_CALLS || (scan->item_member == ITEM_CONTENT && scan->part_type == TYPE_TOOL_USE);
    if (is_call && scan->part_id_len > 0)
        reply_hash_add_tool_call(&scan->item, bytes_make(scan->part_id, scan->part_id_len));
    scan->part_member = PART_OTHER;
    scan->part_type = TYPE_OTHER;
    scan->part_id_len = 0;
}

void conversation_end(struct conversation_scan *scan, unsigned level)
{
    if (level == 4) {
        end_part(scan);
    } else if (level == 2) {
        end_item(scan);
    } else if (level == 1) {
        if (scan->item_has_text) { /* "input": "..." is what a user says */
            scan->role = ROLE_USER;
            end_item(scan);
        }
        end_run(scan);
    }
}
