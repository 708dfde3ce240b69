/* SPDX-License-Identifier: Apache-2.0 */
/* answer_member.c: what the members of an answer mean, in the four dialects at once: one table of node and name.  Pure.
 * Knows nothing of bytes and quotes.  Names are compared as they stand: no server escapes them. */
#include "inference/payload/answer_internal.h"

#include "base/compiler.h"

/* By length, so that a name is compared with few others: X(ID, first letter, name). */
#define KEYS_2(X) X(ID, 'i', "id")
#define KEYS_4(X) X(TYPE, 't', "type") X(TEXT, 't', "text") X(ITEM, 'i', "item") X(CODE, 'c', "code")
#define KEYS_5(X)                                                                                                      \
    X(USAGE, 'u', "usage") X(DELTA, 'd', "delta") X(ERROR, 'e', "error") X(INDEX, 'i', "index") X(AUDIO, 'a', "audio")
#define KEYS_6(X) X(OBJECT, 'o', "object") X(OUTPUT, 'o', "output") X(STATUS, 's', "status") X(REASON, 'r', "reason")
#define KEYS_7(X)                                                                                                      \
    X(CHOICES, 'c', "choices")                                                                                         \
    X(CONTENT, 'c', "content") X(MESSAGE, 'm', "message") X(REFUSAL, 'r', "refusal") X(CALL_ID, 'c', "call_id")
#define KEYS_8(X)  X(THINKING, 't', "thinking") X(RESPONSE, 'r', "response")
#define KEYS_9(X)  X(REASONING, 'r', "reasoning")
#define KEYS_10(X) X(TOOL_CALLS, 't', "tool_calls")
#define KEYS_11(X) X(STOP_REASON, 's', "stop_reason")
#define KEYS_12(X) X(INPUT_TOKENS, 'i', "input_tokens") X(PARTIAL_JSON, 'p', "partial_json")
#define KEYS_13(X)                                                                                                     \
    X(FINISH_REASON, 'f', "finish_reason")                                                                             \
    X(PROMPT_TOKENS, 'p', "prompt_tokens")                                                                             \
    X(OUTPUT_TOKENS, 'o', "output_tokens")                                                                             \
    X(CACHED_TOKENS, 'c', "cached_tokens") X(FUNCTION_CALL, 'f', "function_call") X(CONTENT_BLOCK, 'c', "content_block")
#define KEYS_17(X) X(REASONING_CONTENT, 'r', "reasoning_content") X(COMPLETION_TOKENS, 'c', "completion_tokens")
#define KEYS_18(X) X(INCOMPLETE_DETAILS, 'i', "incomplete_details")
#define KEYS_20(X) X(INPUT_TOKENS_DETAILS, 'i', "input_tokens_details")
#define KEYS_21(X) X(PROMPT_TOKENS_DETAILS, 'p', "prompt_tokens_details")
#define KEYS_23(X) X(CACHE_READ_INPUT_TOKENS, 'c', "cache_read_input_tokens")
#define KEYS_27(X) X(CACHE_CREATION_INPUT_TOKENS, 'c', "cache_creation_input_tokens")

#define LENGTHS(X) X(2) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(17) X(18) X(20) X(21) X(23) X(27)

enum key {
    KEY_OTHER,
#define NAME(id, first, text) KEY_##id,
#define ENUMERATE(len)        KEYS_##len(NAME)
    LENGTHS(ENUMERATE)
#undef ENUMERATE
#undef NAME
        KEY_COUNT
};

enum {
#define LENGTH(id, first, text) LEN_##id = sizeof(text) - 1, FIRST_##id = first,
#define ENUMERATE(len)          KEYS_##len(LENGTH)
    LENGTHS(ENUMERATE)
#undef ENUMERATE
#undef LENGTH
};

static enum key find_key(struct bytes name)
{
    switch (name.len) {
#define COMPARE(id, first, text)                                                                                       \
    if (memcmp(name.data, text, sizeof(text) - 1) == 0)                                                                \
        return KEY_##id;
#define CASE(length)                                                                                                   \
    case length:                                                                                                       \
        KEYS_##length(COMPARE) return KEY_OTHER;
        LENGTHS(CASE)
#undef CASE
#undef COMPARE
    default:
        return KEY_OTHER;
    }
}

/* Members that mean something: X(key, use of a string or number, child: what an object is, or each object of an array).
 */
// clang-format off
#define RULES_ROOT(X) \
    X(ID, ID, SKIP) \
    X(TYPE, KIND, SKIP) \
    X(OBJECT, OBJECT, SKIP) \
    X(CHOICES, NONE, CHOICE) \
    X(USAGE, NONE, USAGE) \
    X(ERROR, ERROR, ERROR) \
    X(CONTENT, NONE, BLOCK) \
    X(STOP_REASON, FINISH, SKIP) \
    X(OUTPUT, NONE, ITEM) \
    X(STATUS, STATUS, SKIP) \
    X(INCOMPLETE_DETAILS, NONE, INCOMPLETE) \
    X(MESSAGE, NONE, ROOT) \
    X(RESPONSE, NONE, ROOT) \
    X(DELTA, DELTA, DELTA) \
    X(CONTENT_BLOCK, NONE, BLOCK) \
    X(ITEM, NONE, ITEM)
#define RULES_CHOICE(X) \
    X(INDEX, INDEX, SKIP) \
    X(DELTA, NONE, MESSAGE) \
    X(MESSAGE, NONE, MESSAGE) \
    X(TEXT, TEXT, SKIP) \
    X(FINISH_REASON, FINISH, SKIP)
#define RULES_MESSAGE(X) \
    X(CONTENT, TEXT, BLOCK) \
    X(REASONING_CONTENT, THOUGHT, SKIP) \
    X(REASONING, THOUGHT, SKIP) \
    X(REFUSAL, THOUGHT, SKIP) \
    X(TOOL_CALLS, NONE, TOOL_CALL) \
    X(FUNCTION_CALL, NONE, TOOL_CALL) \
    X(AUDIO, NONE, AUDIO)
#define RULES_TOOL_CALL(X) \
    X(ID, TOOL_ID, SKIP)
#define RULES_BLOCK(X) \
    X(TYPE, BLOCK_KIND, SKIP) \
    X(ID, TOOL_ID, SKIP) \
    X(TEXT, TEXT, SKIP) \
    X(THINKING, THOUGHT, SKIP) \
    X(REFUSAL, THOUGHT, SKIP)
#define RULES_DELTA(X) \
    X(TEXT, TEXT, SKIP) \
    X(THINKING, THOUGHT, SKIP) \
    X(PARTIAL_JSON, ARGUMENTS, SKIP) \
    X(STOP_REASON, FINISH, SKIP)
#define RULES_ITEM(X) \
    X(TYPE, ITEM_KIND, SKIP) \
    X(CALL_ID, TOOL_ID, SKIP) \
    X(CONTENT, NONE, PART)
#define RULES_PART RULES_BLOCK
#define RULES_USAGE(X) \
    X(PROMPT_TOKENS, PROMPT_TOKENS, SKIP) \
    X(INPUT_TOKENS, PROMPT_TOKENS, SKIP) \
    X(COMPLETION_TOKENS, OUTPUT_TOKENS, SKIP) \
    X(OUTPUT_TOKENS, OUTPUT_TOKENS, SKIP) \
    X(PROMPT_TOKENS_DETAILS, NONE, DETAILS) \
    X(INPUT_TOKENS_DETAILS, NONE, DETAILS) \
    X(CACHE_READ_INPUT_TOKENS, CACHE_READ_TOKENS, SKIP) \
    X(CACHE_CREATION_INPUT_TOKENS, CACHE_WRITE_TOKENS, SKIP)
#define RULES_DETAILS(X) \
    X(CACHED_TOKENS, CACHED_TOKENS, SKIP)
#define RULES_ERROR(X) \
    X(TYPE, ERROR_KIND, SKIP) \
    X(CODE, ERROR_KIND, SKIP)
#define RULES_INCOMPLETE(X) \
    X(REASON, FINISH, SKIP)
#define NODES(X) \
    X(ROOT) X(CHOICE) X(MESSAGE) X(TOOL_CALL) X(BLOCK) X(DELTA) X(ITEM) X(PART) X(USAGE) X(DETAILS) X(ERROR) X(INCOMPLETE)
// clang-format on

struct rule {
    uint8_t use;
    uint8_t child;
};

#define ROW(key, use, child) [KEY_##key] = {USE_##use, NODE_##child},
#define TABLE(node)          [NODE_##node] = {RULES_##node(ROW)},
static const struct rule rules[NODE_COUNT][KEY_COUNT] = {NODES(TABLE)};

#define BIT(key, use, child) | ANSWER_NAME_BIT(LEN_##key, FIRST_##key)
#define NAME_SET(node)       [NODE_##node] = 0 RULES_##node(BIT),
const uint64_t answer_names[NODE_COUNT] = {NODES(NAME_SET)};

bool answer_take_key(struct answer_scan *scan, struct bytes name)
{
    const struct rule *rule = &rules[scan->stack[scan->depth - 1]][find_key(name)];
    scan->use = rule->use;
    scan->child = rule->child;
    return rule->use != USE_NONE || rule->child != NODE_SKIP;
}

void answer_note_output(struct answer_scan *scan)
{
    if (scan->use == USE_ARGUMENTS)
        scan->has_tool_call = true;
    else
        scan->has_text = true;
    if (scan->has_output)
        return;
    scan->has_output = true;
    scan->output_events += scan->is_stream;
}

static void note_tool_call(struct answer_scan *scan)
{
    scan->use = USE_ARGUMENTS;
    answer_note_output(scan);
}

void answer_enter(struct answer_scan *scan, unsigned node, bool is_array)
{
    if (UNLIKELY(scan->trace != NULL) && !is_array)
        answer_trace_enter(scan->trace, node);
    scan->form.is_silent = false;
    scan->form.is_plain = scan->form.is_plain && (node == NODE_CHOICE || node == NODE_MESSAGE);
    switch (node) {
    case NODE_CHOICE:
    case NODE_ITEM:
    case NODE_BLOCK:
    case NODE_PART:
        scan->is_generation = true;
        scan->choice = node == NODE_CHOICE ? 0 : scan->choice;
        scan->is_thought = scan->is_thought && node != NODE_ITEM;
        break;
    case NODE_TOOL_CALL:
        if (!is_array)
            note_tool_call(scan);
        break;
    case NODE_AUDIO:
        scan->use = USE_THOUGHT;
        answer_note_output(scan);
        break;
    case NODE_ERROR:
        scan->has_error = true;
        break;
    default:
        break;
    }
}

static bool is_word(struct bytes word, struct bytes wanted)
{
    return bytes_equal(word, wanted);
}

static void copy_word(char *to, size_t room, unsigned *ret_len, struct bytes word)
{
    size_t len = word.len < room ? word.len : room;
    memcpy(to, word.data, len);
    *ret_len = (unsigned)len;
}

static void take_finish(struct answer_scan *scan, struct bytes word)
{
    if (scan->choice > 0 && scan->finish_len > 0)
        return;
    copy_word(scan->finish, sizeof scan->finish - 1, &scan->finish_len, word);
    scan->finish[scan->finish_len] = '\0';
}

static void take_tool_id(struct answer_scan *scan, struct bytes id)
{
    if (scan->wants_hash && scan->choice == 0 && id.len > 0)
        reply_hash_add_tool_call(&scan->hash, id);
}

/* vLLM says NotFoundError (and has no other use of it for generations), OpenAI and others model_not_found. */
static void take_error_kind(struct answer_scan *scan, struct bytes word)
{
    if (is_word(word, BYTES("NotFoundError")) || is_word(word, BYTES("model_not_found")) ||
        is_word(word, BYTES("not_found_error")))
        scan->is_model_missing = true;
}

void answer_take_kind(struct answer_scan *scan, struct bytes kind)
{
    if (is_word(kind, BYTES("error")) || is_word(kind, BYTES("response.failed")))
        scan->has_error = true;
    else if (is_word(kind, BYTES("message_stop")) || is_word(kind, BYTES("response.completed")))
        scan->is_done = true;
    else if (!scan->is_stream)
        take_error_kind(scan, kind); /* older vLLM: {"object":"error","type":"NotFoundError",...} */
}

static void take_root_kind(struct answer_scan *scan, struct bytes kind)
{
    if (scan->depth != 1)
        return;
    answer_take_kind(scan, kind);
    if (scan->kind_len > 0)
        return; /* the event's name says the same */
    unsigned len;
    copy_word(scan->kind, sizeof scan->kind, &len, kind);
    scan->kind_len = (uint8_t)len;
}

static void take_status(struct answer_scan *scan, struct bytes word)
{
    if (is_word(word, BYTES("completed")))
        take_finish(scan, word);
    else if (is_word(word, BYTES("failed")))
        scan->has_error = true;
}

void answer_take_word(struct answer_scan *scan, struct bytes word)
{
    scan->form.is_silent = false;
    scan->form.is_plain = scan->form.is_plain && (scan->use == USE_ID || scan->use == USE_OBJECT);
    switch (scan->use) {
    case USE_ID:
        if (scan->wants_hash && scan->id_len == 0) /* each event repeats it */
            copy_word(scan->id, sizeof scan->id, &scan->id_len, word);
        break;
    case USE_FINISH:
        take_finish(scan, word);
        break;
    case USE_STATUS:
        take_status(scan, word);
        break;
    case USE_KIND:
        take_root_kind(scan, word);
        break;
    case USE_OBJECT:
    case USE_ERROR:
        scan->has_error = scan->has_error || scan->use == USE_ERROR || is_word(word, BYTES("error"));
        break;
    case USE_BLOCK_KIND:
        if (bytes_ends_with(word, BYTES("tool_use")))
            note_tool_call(scan);
        break;
    case USE_ITEM_KIND:
        scan->is_thought = is_word(word, BYTES("reasoning"));
        if (bytes_ends_with(word, BYTES("_call")))
            note_tool_call(scan);
        break;
    case USE_TOOL_ID:
        take_tool_id(scan, word);
        break;
    default:
        take_error_kind(scan, word);
        break;
    }
}

/* Anthropic counts what was read from and written to the cache apart, the others count it in. */
static void sum_prompt(struct answer_scan *scan)
{
    scan->prompt_tokens = scan->base_tokens + scan->cache_read_tokens + scan->cache_write_tokens;
}

void answer_take_number(struct answer_scan *scan, uint64_t number)
{
    uint64_t tokens = number < UINT32_MAX ? number : UINT32_MAX; /* no sum of them overflows */
    scan->form.is_silent = false;
    scan->form.is_plain = scan->form.is_plain && scan->use == USE_INDEX;
    switch (scan->use) {
    case USE_INDEX:
        scan->choice = (uint32_t)tokens;
        return;
    case USE_PROMPT_TOKENS:
        scan->base_tokens = tokens;
        break;
    case USE_OUTPUT_TOKENS:
        scan->output_tokens = tokens;
        break;
    case USE_CACHE_READ_TOKENS:
        scan->cache_read_tokens = tokens;
        scan->cached_tokens = tokens;
        break;
    case USE_CACHE_WRITE_TOKENS:
        scan->cache_write_tokens = tokens;
        break;
    default:
        scan->cached_tokens = tokens;
        break;
    }
    scan->has_usage = true;
    sum_prompt(scan);
}

/* What a delta of responses is: the event's name came before, in its own line or as "type"; else it is text. */
static unsigned use_of_delta(const struct answer_scan *scan)
{
    struct bytes kind = bytes_make(scan->kind, scan->kind_len);
    if (kind.len == 0 || bytes_ends_with(kind, BYTES("output_text.delta")))
        return USE_TEXT;
    return bytes_ends_with(kind, BYTES("arguments.delta")) || bytes_ends_with(kind, BYTES("input.delta"))
               ? USE_ARGUMENTS
               : USE_THOUGHT;
}

/* The reply that a next request repeats is the first choice's text. */
void answer_begin_text(struct answer_scan *scan, const char *at)
{
    struct answer_template *form = &scan->form;
    form->is_plain = form->is_plain && form->text == NULL;
    form->text = at;
    if (scan->use == USE_DELTA)
        scan->use = (uint8_t)use_of_delta(scan);
    if (scan->use == USE_TEXT && (scan->choice > 0 || scan->is_thought))
        scan->use = USE_THOUGHT;
    form->text_use = scan->use;
}
