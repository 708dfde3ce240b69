/* SPDX-License-Identifier: Apache-2.0 */
/* openai_scan.c: a pushdown automaton over the bytes of a request body (RFC 8259), resumable between any two bytes.
 *
 * Pure; one owner, one thread.  Structure is checked strictly everywhere; contents are decoded only where a sink wants
 * them.  UTF-8 of what nobody wants is not checked.  Duplicate members: the last counts, as in the servers' parsers,
 * but for "model", which is an error. */
#include "inference/payload/prompt_blob.h"
#include "inference/payload/scan_internal.h"

static const char *const literals[] = {"true", "false", "null"};

static const char *error_texts(enum scan_error error, bool wants_message)
{
    switch (error) {
#define X(id, reason, message)                                                                                         \
    case SCAN_ERROR_##id:                                                                                              \
        return wants_message ? message : reason;
        SCAN_ERRORS(X)
#undef X
    case SCAN_OK:
        break;
    }
    return "";
}

const char *scan_error_reason(enum scan_error error)
{
    return error_texts(error, false);
}

const char *scan_error_message(enum scan_error error)
{
    return error_texts(error, true);
}

void openai_scan_init(struct openai_scan *scan)
{
    memset(scan, 0, offsetof(struct openai_scan, token));
    scan->state = STATE_BEGIN;
}

/* Numbers and literals. */

static unsigned number_next(unsigned state, char c)
{
    bool is_digit = c >= '0' && c <= '9';
    bool is_mark = c == 'e' || c == 'E';
    switch (state) {
    case STATE_MINUS:
        return c == '0' ? STATE_ZERO : is_digit ? STATE_INTEGER : STATE_WRONG;
    case STATE_ZERO:
        return c == '.' ? STATE_DOT : is_mark ? STATE_EXPONENT_MARK : STATE_AFTER_VALUE;
    case STATE_INTEGER:
        return is_digit ? STATE_INTEGER : c == '.' ? STATE_DOT : is_mark ? STATE_EXPONENT_MARK : STATE_AFTER_VALUE;
    case STATE_DOT:
        return is_digit ? STATE_FRACTION : STATE_WRONG;
    case STATE_FRACTION:
        return is_digit ? STATE_FRACTION : is_mark ? STATE_EXPONENT_MARK : STATE_AFTER_VALUE;
    case STATE_EXPONENT_MARK:
        return is_digit ? STATE_EXPONENT : c == '+' || c == '-' ? STATE_EXPONENT_SIGN : STATE_WRONG;
    case STATE_EXPONENT_SIGN:
        return is_digit ? STATE_EXPONENT : STATE_WRONG;
    default:
        return is_digit ? STATE_EXPONENT : STATE_AFTER_VALUE;
    }
}

static void begin_number(struct openai_scan *scan, char c)
{
    scan->state = c == '-' ? STATE_MINUS : c == '0' ? STATE_ZERO : STATE_INTEGER;
    scan->is_plain_integer = c != '-';
    scan->number = c == '-' ? 0 : (uint64_t)(c - '0');
}

static void add_digit(struct openai_scan *scan, char c)
{
    if (__builtin_mul_overflow(scan->number, 10u, &scan->number) ||
        __builtin_add_overflow(scan->number, (uint64_t)(c - '0'), &scan->number))
        scan->is_plain_integer = false;
}

static enum scan_error step_number(struct openai_scan *scan, struct scan_cursor *cursor)
{
    for (; cursor->at < cursor->end; cursor->at++) {
        unsigned next = number_next(scan->state, *cursor->at);
        if (next == STATE_WRONG)
            return SCAN_ERROR_SYNTAX;
        if (next == STATE_AFTER_VALUE) {
            scan_end_number(scan, scan_offset(cursor));
            return SCAN_OK;
        }
        if (next == STATE_INTEGER)
            add_digit(scan, *cursor->at);
        else
            scan->is_plain_integer = false;
        scan->state = next;
    }
    return SCAN_OK;
}

static enum scan_error step_literal(struct openai_scan *scan, struct scan_cursor *cursor)
{
    const char *literal = literals[scan->literal];
    if (*cursor->at != literal[scan->token_len])
        return SCAN_ERROR_SYNTAX;
    cursor->at++;
    if (literal[++scan->token_len] != '\0')
        return SCAN_OK;
    scan_end_literal(scan, literal[0] == 't', scan_offset(cursor));
    return SCAN_OK;
}

/* Structure. */

static bool is_in_object(const struct openai_scan *scan)
{
    unsigned level = scan->depth - 1;
    return scan->nesting[level / 64] >> (level % 64) & 1;
}

static enum scan_error open_container(struct openai_scan *scan, bool is_object)
{
    if (scan->depth == SCAN_MAX_DEPTH)
        return SCAN_ERROR_DEPTH;
    uint64_t bit = 1ull << (scan->depth % 64);
    uint64_t *word = &scan->nesting[scan->depth / 64];
    *word = is_object ? *word | bit : *word & ~bit;
    scan->depth++;
    scan->state = is_object ? STATE_KEY_OR_END : STATE_VALUE_OR_END;
    return SCAN_OK;
}

static enum scan_error close_container(struct openai_scan *scan, char bracket, uint64_t end)
{
    if (bracket != (is_in_object(scan) ? '}' : ']'))
        return SCAN_ERROR_SYNTAX;
    if (--scan->depth > 0) {
        scan_end_value(scan, end);
        return SCAN_OK;
    }
    scan->is_complete = true;
    scan->state = STATE_END;
    return SCAN_OK;
}

static bool can_start_value(char c)
{
    return c != '\0' && strchr("{[\"-0123456789tfn", c) != NULL;
}

static enum scan_error begin_value(struct openai_scan *scan, struct scan_cursor *cursor, char c)
{
    if (scan->depth == 1) {
        scan->value_start = scan_offset(cursor) - 1;
        if (scan->member == MEMBER_MODEL && c != '"' && can_start_value(c))
            return SCAN_ERROR_MODEL_TYPE;
    }
    switch (c) {
    case '"':
        if (scan->member == MEMBER_MESSAGES && scan->depth > 1 && !scan->has_blob)
            scan->has_blob = blob_may_begin(cursor->at, cursor->end);
        scan_begin_string(scan, false);
        return SCAN_OK;
    case '{':
    case '[':
        return open_container(scan, c == '{');
    case 't':
    case 'f':
    case 'n':
        scan->literal = c == 't' ? 0 : c == 'f' ? 1 : 2;
        scan->token_len = 1;
        scan->state = STATE_LITERAL;
        return SCAN_OK;
    default:
        if (c != '-' && (c < '0' || c > '9'))
            return SCAN_ERROR_SYNTAX;
        begin_number(scan, c);
        return SCAN_OK;
    }
}

/* A byte order mark before the document is ignored, as RFC 8259 8.1 allows. */
static enum scan_error begin_document(struct openai_scan *scan, struct scan_cursor *cursor, char c)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (scan->token_len < 3 && scan_offset(cursor) - 1 == scan->token_len && c == mark[scan->token_len]) {
        scan->token_len++;
        return SCAN_OK;
    }
    if (scan->token_len == 1 || scan->token_len == 2)
        return SCAN_ERROR_SYNTAX;
    if (c == '{')
        return open_container(scan, true);
    return can_start_value(c) ? SCAN_ERROR_NOT_OBJECT : SCAN_ERROR_SYNTAX;
}

static enum scan_error after_value(struct openai_scan *scan, struct scan_cursor *cursor, char c)
{
    if (c != ',')
        return close_container(scan, c, scan_offset(cursor));
    scan->state = is_in_object(scan) ? STATE_KEY : STATE_VALUE;
    return SCAN_OK;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static enum scan_error step_structure(struct openai_scan *scan, struct scan_cursor *cursor)
{
    char c = *cursor->at++;
    if (is_space(c) && !(scan->state == STATE_BEGIN && (scan->token_len == 1 || scan->token_len == 2)))
        return SCAN_OK;
    switch (scan->state) {
    case STATE_BEGIN:
        return begin_document(scan, cursor, c);
    case STATE_KEY_OR_END:
        if (c == '}')
            return close_container(scan, c, scan_offset(cursor));
        __attribute__((fallthrough));
    case STATE_KEY:
        scan_begin_string(scan, true);
        return c == '"' ? SCAN_OK : SCAN_ERROR_SYNTAX;
    case STATE_COLON:
        scan->state = STATE_VALUE;
        return c == ':' ? SCAN_OK : SCAN_ERROR_SYNTAX;
    case STATE_VALUE_OR_END:
        if (c == ']')
            return close_container(scan, c, scan_offset(cursor));
        __attribute__((fallthrough));
    case STATE_VALUE:
        return begin_value(scan, cursor, c);
    case STATE_AFTER_VALUE:
        return after_value(scan, cursor, c);
    default: /* STATE_END: only space may follow */
        return SCAN_ERROR_SYNTAX;
    }
}

static enum scan_error step(struct openai_scan *scan, struct scan_cursor *cursor)
{
    if (scan->state >= STATE_MINUS)
        return step_number(scan, cursor);
    if (scan->state >= STATE_STRING)
        return scan_step_string(scan, cursor);
    if (scan->state == STATE_LITERAL)
        return step_literal(scan, cursor);
    return step_structure(scan, cursor);
}

bool openai_scan_feed(struct openai_scan *scan, struct bytes piece)
{
    struct scan_cursor cursor = {
        .at = piece.data,
        .end = piece.data + piece.len,
        .start = piece.data,
        .start_offset = scan->position,
        .skip = string_skip_best(),
    };
    while (scan->error == SCAN_OK && cursor.at < cursor.end)
        scan->error = step(scan, &cursor);
    scan->position = scan_offset(&cursor);
    return scan->error == SCAN_OK;
}

bool openai_scan_finish(struct openai_scan *scan)
{
    if (scan->error == SCAN_OK && scan->state != STATE_END && scan->position > 0)
        scan->error = SCAN_ERROR_TRUNCATED;
    return scan->error == SCAN_OK;
}

struct bytes openai_scan_model(const struct openai_scan *scan)
{
    return scan->has_model ? bytes_make(scan->model, scan->model_len) : BYTES("");
}

struct bytes openai_scan_session(const struct openai_scan *scan, enum scan_session_key key)
{
    return bytes_make(scan->session[key], scan->session_len[key]);
}

const char *scan_session_key_name(enum scan_session_key key)
{
    static const char *const names[SCAN_KEY_COUNT] = {
#define X(id, name) [SCAN_KEY_##id] = name,
        SCAN_SESSION_KEYS(X)
#undef X
    };
    return names[key];
}
