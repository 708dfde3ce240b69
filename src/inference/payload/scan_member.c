/* SPDX-License-Identifier: Apache-2.0 */
/* scan_member.c: what the members of a request body mean: which names matter, where their values go, and what is told
 * when they end.  Pure.  Knows nothing of bytes and quotes. */
#include "inference/payload/scan_internal.h"

#include "base/compiler.h"
#include "base/utf8.h"

static const struct {
    struct bytes name;
    unsigned member;
} top_members[] = {
    {BYTES_INIT("model"), MEMBER_MODEL},
    {BYTES_INIT("stream"), MEMBER_STREAM},
    {BYTES_INIT("max_tokens"), MEMBER_MAX_TOKENS},
    {BYTES_INIT("max_completion_tokens"), MEMBER_MAX_TOKENS},
    {BYTES_INIT("messages"), MEMBER_MESSAGES},
    {BYTES_INIT("prompt"), MEMBER_PROMPT},
    {BYTES_INIT("input"), MEMBER_MESSAGES},
    {BYTES_INIT("tools"), MEMBER_TOOLS},
    {BYTES_INIT("system"), MEMBER_SYSTEM},
    {BYTES_INIT("instructions"), MEMBER_SYSTEM},
    {BYTES_INIT("cache_salt"), MEMBER_SALT},
    {BYTES_INIT("prompt_cache_key"), MEMBER_SESSION + SCAN_KEY_PROMPT_CACHE_KEY},
    {BYTES_INIT("conversation"), MEMBER_SESSION + SCAN_KEY_CONVERSATION},
    {BYTES_INIT("previous_response_id"), MEMBER_SESSION + SCAN_KEY_PREVIOUS_RESPONSE_ID},
    {BYTES_INIT("metadata"), MEMBER_SESSION + SCAN_KEY_METADATA_SESSION_ID},
    {BYTES_INIT("user"), MEMBER_SESSION + SCAN_KEY_USER},
    {BYTES_INIT("safety_identifier"), MEMBER_SESSION + SCAN_KEY_SAFETY_IDENTIFIER},
};

/* What a string value goes to. */

static bool is_session_member(const struct openai_scan *scan, unsigned key)
{
    return scan->member == MEMBER_SESSION + key;
}

/* conversation and metadata are read one level deeper. */
static bool reads_inner_keys(const struct openai_scan *scan)
{
    return is_session_member(scan, SCAN_KEY_CONVERSATION) || is_session_member(scan, SCAN_KEY_METADATA_SESSION_ID);
}

/* At the level of a message (3) or of a part of one (5), in nothing but lists and objects as they should be. */
static bool is_in_message(const struct openai_scan *scan)
{
    if (scan->conversation == NULL || scan->member != MEMBER_MESSAGES)
        return false;
    /* A bit per level, 1 = object: the body, the list, the message, its list, the part. */
    return (scan->depth == 3 && (scan->nesting[0] & 7) == 5) || (scan->depth == 5 && (scan->nesting[0] & 31) == 21);
}

unsigned scan_sink_of_key(const struct openai_scan *scan)
{
    if (is_in_message(scan))
        return SINK_KEY;
    return scan->depth == 1 || (scan->depth == 2 && reads_inner_keys(scan)) ? SINK_KEY : SINK_NONE;
}

static unsigned conversation_sink(const struct openai_scan *scan)
{
    if (scan->conversation == NULL || (scan->depth > 1 && !is_in_message(scan)))
        return SINK_NONE;
    switch (conversation_use(scan->conversation, scan->depth)) {
    case CONVERSATION_WORD:
        return SINK_CONVERSATION_WORD;
    case CONVERSATION_TEXT:
        return SINK_CONVERSATION_TEXT;
    case CONVERSATION_SKIP:
        break;
    }
    return SINK_NONE;
}

unsigned scan_sink_of_value(const struct openai_scan *scan)
{
    if (scan->depth == 1 && scan->member == MEMBER_MODEL)
        return SINK_MODEL;
    if (scan->member == MEMBER_MESSAGES)
        return conversation_sink(scan);
    if (scan->member < MEMBER_SESSION)
        return SINK_NONE;
    bool is_wanted = scan->depth == 1 ? !is_session_member(scan, SCAN_KEY_METADATA_SESSION_ID)
                                      : scan->depth == 2 && scan->is_inner_key;
    return is_wanted ? SINK_SESSION + (scan->member - MEMBER_SESSION) : SINK_NONE;
}

/* Adds decoded bytes to the present sink: a model that is too long is an error, a name that is too long matches
 * nothing, a session key and a word of a message are cut. */
enum scan_error scan_sink_append(struct openai_scan *scan, struct bytes run)
{
    if (scan->sink == SINK_CONVERSATION_TEXT) {
        conversation_text(scan->conversation, run);
        return SCAN_OK;
    }
    char *target = scan->token;
    size_t room = sizeof scan->token;
    if (scan->sink == SINK_MODEL) {
        target = scan->model;
        room = sizeof scan->model;
    } else if (scan->sink >= SINK_SESSION) {
        target = scan->session[scan->sink - SINK_SESSION];
        room = SCAN_KEY_BYTES;
    }
    room -= scan->token_len <= room ? scan->token_len : room;
    size_t len = run.len < room ? run.len : room;
    if (len > 0)
        memcpy(target + scan->token_len, run.data, len);
    scan->token_len += (unsigned)len;
    if (len == run.len || scan->sink >= SINK_CONVERSATION_WORD)
        return SCAN_OK;
    if (scan->sink == SINK_MODEL)
        return SCAN_ERROR_MODEL_TOO_LONG;
    scan->token_len = sizeof scan->token + 1;
    return SCAN_OK;
}

/* Ends of things. */

/* Where the place of the member's value is kept; NULL: nowhere. */
static struct scan_span *span_of_member(struct openai_scan *scan)
{
    switch (scan->member) {
    case MEMBER_MODEL:
        return &scan->model_span;
    case MEMBER_PROMPT:
    case MEMBER_MESSAGES:
        return &scan->prompt_span;
    case MEMBER_TOOLS:
        return &scan->tools_span;
    case MEMBER_SYSTEM:
        return &scan->system_span;
    case MEMBER_SALT:
        return &scan->salt_span;
    default:
        return NULL;
    }
}

void scan_end_value(struct openai_scan *scan, uint64_t end)
{
    struct scan_span span = {scan->value_start, end - scan->value_start};
    scan->state = STATE_AFTER_VALUE;
    if (scan->depth == 2)
        scan->is_inner_key = false;
    if (scan->conversation != NULL && scan->member == MEMBER_MESSAGES)
        conversation_end(scan->conversation, scan->depth);
    if (scan->depth != 1)
        return;
    struct scan_span *target = span_of_member(scan);
    if (target != NULL && target->len == 0) /* of several the first: a second model was an error */
        *target = span;
    scan->member = MEMBER_OTHER;
}

struct scan_span openai_scan_begun_prompt(const struct openai_scan *scan)
{
    bool is_prompt = scan->member == MEMBER_PROMPT || scan->member == MEMBER_MESSAGES;
    bool is_in_string = scan->state >= STATE_STRING && scan->state <= STATE_LOW_U && !scan->is_key;
    if (!is_prompt || scan->prompt_span.len > 0 || !(scan->depth > 1 || is_in_string))
        return (struct scan_span){0};
    return (struct scan_span){scan->value_start, scan->position - scan->value_start};
}

static unsigned find_member(struct bytes name)
{
    for (size_t i = 0; i < ARRAY_LEN(top_members); i++)
        if (bytes_equal(name, top_members[i].name))
            return top_members[i].member;
    return MEMBER_OTHER;
}

static enum scan_error end_top_key(struct openai_scan *scan, struct bytes name)
{
    scan->member = find_member(name);
    if (scan->member == MEMBER_MODEL && scan->has_model)
        return SCAN_ERROR_DUPLICATE_MODEL;
    if (scan->member == MEMBER_STREAM)
        scan->is_stream = false;
    if (scan->member == MEMBER_MESSAGES && scan->conversation != NULL)
        conversation_begin(scan->conversation);
    if (scan->member >= MEMBER_SESSION)
        scan->session_len[scan->member - MEMBER_SESSION] = 0;
    return SCAN_OK;
}

static void end_inner_key(struct openai_scan *scan, struct bytes name)
{
    scan->is_inner_key = bytes_equal_str(name, is_session_member(scan, SCAN_KEY_CONVERSATION) ? "id" : "session_id");
    if (scan->is_inner_key)
        scan->session_len[scan->member - MEMBER_SESSION] = 0;
}

enum scan_error scan_end_key(struct openai_scan *scan)
{
    scan->state = STATE_COLON;
    if (scan->sink == SINK_NONE)
        return SCAN_OK;
    bool is_too_long = scan->token_len > sizeof scan->token;
    struct bytes name = bytes_make(scan->token, is_too_long ? 0 : scan->token_len);
    if (scan->depth == 1)
        return end_top_key(scan, name);
    if (scan->member == MEMBER_MESSAGES)
        conversation_key(scan->conversation, scan->depth, name);
    else
        end_inner_key(scan, name);
    return SCAN_OK;
}

enum scan_error scan_end_string(struct openai_scan *scan, uint64_t end)
{
    if (scan->is_key)
        return scan_end_key(scan);
    if (scan->sink == SINK_MODEL) {
        if (!utf8_is_valid(bytes_make(scan->model, scan->token_len)))
            return SCAN_ERROR_SYNTAX;
        scan->model_len = scan->token_len;
        scan->has_model = true;
    } else if (scan->sink == SINK_CONVERSATION_WORD) {
        conversation_word(scan->conversation, scan->depth, bytes_make(scan->token, scan->token_len));
    } else if (scan->sink >= SINK_SESSION) {
        scan->session_len[scan->sink - SINK_SESSION] = scan->token_len;
        scan->has_session = true;
    }
    scan_end_value(scan, end);
    return SCAN_OK;
}

void scan_end_number(struct openai_scan *scan, uint64_t end)
{
    if (scan->depth == 1 && scan->member == MEMBER_MAX_TOKENS && scan->is_plain_integer) {
        scan->has_max_tokens = true;
        scan->max_tokens = scan->number;
    }
    scan_end_value(scan, end);
}

void scan_end_literal(struct openai_scan *scan, bool is_true, uint64_t end)
{
    if (scan->depth == 1 && scan->member == MEMBER_STREAM)
        scan->is_stream = is_true;
    scan_end_value(scan, end);
}
