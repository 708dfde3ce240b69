/* SPDX-License-Identifier: Apache-2.0 */
/* scan_internal.h: what the files of openai_scan share: openai_scan.c (structure, numbers, literals), scan_string.c
 * (strings and escapes) and scan_member.c (what the members mean).  Private to the module. */
#ifndef INFERENCE_PAYLOAD_SCAN_INTERNAL_H
#define INFERENCE_PAYLOAD_SCAN_INTERNAL_H

#include "inference/payload/conversation_scan.h"
#include "inference/payload/openai_scan.h"
#include "inference/payload/string_skip.h"

enum scan_state {
    STATE_BEGIN, /* before the root's brace, perhaps inside a byte order mark */
    STATE_KEY_OR_END,
    STATE_KEY,
    STATE_COLON,
    STATE_VALUE,
    STATE_VALUE_OR_END,
    STATE_AFTER_VALUE,
    STATE_END,
    STATE_LITERAL,
    STATE_STRING,
    STATE_ESCAPE,
    STATE_HEX,
    STATE_LOW_BACKSLASH,
    STATE_LOW_U,
    STATE_MINUS,
    STATE_ZERO,
    STATE_INTEGER,
    STATE_DOT,
    STATE_FRACTION,
    STATE_EXPONENT_MARK,
    STATE_EXPONENT_SIGN,
    STATE_EXPONENT,
    STATE_WRONG,
};

enum scan_member {
    MEMBER_OTHER,
    MEMBER_MODEL,
    MEMBER_STREAM,
    MEMBER_MAX_TOKENS,
    MEMBER_PROMPT,
    MEMBER_MESSAGES, /* a prompt that is a conversation */
    MEMBER_TOOLS,
    MEMBER_SYSTEM,
    MEMBER_SALT,
    MEMBER_SESSION, /* + enum scan_session_key */
};

enum scan_sink {
    SINK_NONE,
    SINK_KEY,
    SINK_MODEL,
    SINK_CONVERSATION_WORD,
    SINK_CONVERSATION_TEXT,
    SINK_SESSION, /* + enum scan_session_key */
};

/* The piece being fed. */
struct scan_cursor {
    const char *at;
    const char *end;
    const char *start;
    uint64_t start_offset;
    string_skip_fn skip;
};

static inline uint64_t scan_offset(const struct scan_cursor *cursor)
{
    return cursor->start_offset + (uint64_t)(cursor->at - cursor->start);
}

/* scan_member.c */
/* Who wants the name, or the string value, that begins now. */
unsigned scan_sink_of_key(const struct openai_scan *scan);
unsigned scan_sink_of_value(const struct openai_scan *scan);
/* Adds decoded bytes to the present sink. */
enum scan_error scan_sink_append(struct openai_scan *scan, struct bytes run);
enum scan_error scan_end_key(struct openai_scan *scan);
/* end: the offset behind the value. */
enum scan_error scan_end_string(struct openai_scan *scan, uint64_t end);
void scan_end_number(struct openai_scan *scan, uint64_t end);
void scan_end_literal(struct openai_scan *scan, bool is_true, uint64_t end);
void scan_end_value(struct openai_scan *scan, uint64_t end);

/* scan_string.c */
/* After the opening quote. */
void scan_begin_string(struct openai_scan *scan, bool is_key);
/* In the states from STRING to LOW_U. */
enum scan_error scan_step_string(struct openai_scan *scan, struct scan_cursor *cursor);

#endif
