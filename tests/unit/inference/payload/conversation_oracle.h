/* SPDX-License-Identifier: Apache-2.0 */
/* conversation_oracle.h: what conversation_scan must say about a body, by a whole parse with jansson.  For the unit
 * test and the fuzz target. */
#ifndef CONVERSATION_ORACLE_H
#define CONVERSATION_ORACLE_H

#include <jansson.h>
#include <xxhash.h>

#include "inference/payload/conversation_scan.h"
#include "inference/payload/openai_scan.h"

static inline void conversation_read(struct conversation_scan *conversation, struct openai_scan *scan,
                                     struct bytes text, size_t step)
{
    openai_scan_init(scan);
    conversation_scan_init(conversation);
    scan->conversation = conversation;
    for (size_t at = 0; at < text.len; at += step)
        openai_scan_feed(scan, bytes_make(text.data + at, text.len - at < step ? text.len - at : step));
    openai_scan_finish(scan);
}

static inline bool conversation_is_same(const struct conversation_scan *a, const struct conversation_scan *b)
{
    return a->has_opening == b->has_opening && a->has_reply == b->has_reply && a->opening_hash == b->opening_hash &&
           a->first_hash == b->first_hash && a->last_hash == b->last_hash && a->hash == b->hash;
}

struct oracle_message {
    struct reply_hash said;
    bool has_text;
    const char *role; /* "" = none */
};

static inline struct bytes oracle_word(const json_t *value)
{
    size_t len = json_string_length(value);
    return bytes_make(json_string_value(value), len < CONVERSATION_WORD_BYTES ? len : CONVERSATION_WORD_BYTES);
}

static inline bool oracle_ends(const json_t *value, const char *end)
{
    return json_is_string(value) && bytes_ends_with(oracle_word(value), bytes_of(end));
}

static inline void oracle_text(struct oracle_message *message, const json_t *value)
{
    struct bytes text = bytes_make(json_string_value(value), json_string_length(value));
    message->has_text = message->has_text || text.len > 0;
    reply_hash_add_text(&message->said, text);
}

/* Members count in their order: a type says what a text is only when it stands before it. */
static inline void oracle_part(struct oracle_message *message, const json_t *part, bool is_call)
{
    const char *name;
    json_t *value;
    bool is_thought = false;
    json_object_foreach((json_t *)(uintptr_t)part, name, value)
    {
        if (strcmp(name, "type") == 0 && json_is_string(value))
            is_thought = bytes_starts_with(oracle_word(value), BYTES("reasoning")) && !oracle_ends(value, "_call") &&
                         !oracle_ends(value, "_call_output") && !oracle_ends(value, "tool_use");
        if (strcmp(name, "text") == 0 && json_is_string(value) && !is_thought && !is_call)
            oracle_text(message, value);
    }
    const json_t *id = json_object_get(part, "id");
    is_call = is_call || oracle_ends(json_object_get(part, "type"), "tool_use");
    if (is_call && json_is_string(id) && json_string_length(id) > 0)
        reply_hash_add_tool_call(&message->said, oracle_word(id));
}

static inline void oracle_content(struct oracle_message *message, const json_t *item)
{
    const char *name;
    json_t *value, *part;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)item, name, value)
    {
        bool is_call = strcmp(name, "tool_calls") == 0, is_content = strcmp(name, "content") == 0;
        if (is_content && json_is_string(value))
            oracle_text(message, value);
        if (!is_call && !is_content)
            continue;
        json_array_foreach(value, i, part) if (json_is_object(part)) oracle_part(message, part, is_call);
    }
}

static inline unsigned oracle_role(const json_t *item)
{
    static const struct {
        const char *name;
        unsigned role;
    } roles[] = {{"assistant", 1}, {"user", 2}, {"tool", 3}, {"function", 3}, {"system", 4}, {"developer", 4}};
    const json_t *role = json_object_get(item, "role"), *type = json_object_get(item, "type");
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (json_is_string(role) && bytes_equal_str(oracle_word(role), roles[i].name))
            return roles[i].role;
    if (oracle_ends(type, "_call"))
        return 5;
    return oracle_ends(type, "_call_output") ? 6 : 0;
}

static inline uint64_t oracle_chain(uint64_t hash, uint64_t role, uint64_t message)
{
    uint64_t parts[3] = {hash, role, message};
    return XXH64(parts, sizeof parts, 0);
}

static inline void oracle_end_run(struct conversation_scan *out, struct oracle_message *run, bool *is_in_run)
{
    if (!*is_in_run)
        return;
    out->hash = oracle_chain(out->hash, 1, reply_hash_value(&run->said));
    out->first_hash = out->has_reply ? out->first_hash : out->hash;
    out->last_hash = out->hash;
    out->has_reply = true;
    *is_in_run = false;
    *run = (struct oracle_message){.has_text = false};
    reply_hash_init(&run->said);
}

static inline void oracle_other(struct conversation_scan *out, unsigned role, const struct oracle_message *message)
{
    uint64_t said = reply_hash_value(&message->said);
    out->hash = oracle_chain(out->hash, role == 6 ? 0 : role, said);
    if (role != 2 || out->has_reply)
        return;
    out->has_opening = true;
    out->opening_hash = oracle_chain(out->opening_hash, 2, said);
}

static inline void oracle_list(struct conversation_scan *out, const json_t *list)
{
    struct oracle_message run = {.has_text = false};
    bool is_in_run = false;
    size_t i;
    json_t *item;
    reply_hash_init(&run.said);
    json_array_foreach(list, i, item)
    {
        unsigned role = json_is_object(item) ? oracle_role(item) : 0;
        struct oracle_message message = {.has_text = false};
        const json_t *call = json_object_get(item, "call_id");
        reply_hash_init(&message.said);
        if (json_is_object(item))
            oracle_content(&message, item);
        if (role == 5 && json_is_string(call) && json_string_length(call) > 0) {
            reply_hash_add_tool_call(&run.said, oracle_word(call));
            is_in_run = true;
        } else if (role == 1) {
            if ((message.has_text && run.has_text) || (message.said.has_tools && run.said.has_tools))
                oracle_end_run(out, &run, &is_in_run);
            if (message.has_text)
                memcpy(run.said.text, message.said.text, sizeof run.said.text);
            if (message.said.has_tools) {
                run.said.has_tools = true;
                run.said.tools = message.said.tools;
                run.said.last_tool = message.said.last_tool;
            }
            run.has_text = run.has_text || message.has_text;
            is_in_run = true;
        } else if (role == 2 || role == 3 || role == 6) {
            oracle_end_run(out, &run, &is_in_run);
            oracle_other(out, role, &message);
        }
    }
    oracle_end_run(out, &run, &is_in_run);
}

/* NULL, or what is wrong.  Bodies that jansson refuses, or in which a name stands twice, are not judged. */
static inline const char *conversation_check(const struct conversation_scan *scan, struct bytes text)
{
    struct bytes body = bytes_starts_with(text, BYTES("\xef\xbb\xbf")) ? bytes_skip(text, 3) : text;
    json_t *root = json_loadb(body.len > 0 ? body.data : "", body.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    struct conversation_scan wanted = {.has_reply = false};
    const char *name;
    json_t *value, *list = NULL;
    if (!json_is_object(root)) {
        json_decref(root);
        return NULL;
    }
    json_object_foreach(root, name, value) if (strcmp(name, "messages") == 0 || strcmp(name, "input") == 0) list =
        value; /* the last one counts */
    if (json_is_string(list) && json_string_length(list) > 0) {
        struct oracle_message message = {.has_text = false};
        reply_hash_init(&message.said);
        oracle_text(&message, list);
        oracle_other(&wanted, 2, &message);
    }
    oracle_list(&wanted, list);
    bool is_same = conversation_is_same(scan, &wanted);
    json_decref(root);
    return is_same ? NULL : "another conversation than the parsed one";
}

#endif
