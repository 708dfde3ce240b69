/* SPDX-License-Identifier: Apache-2.0 */
/* answer_json.c: the structure of one JSON document, resumable between any two bytes.
 *
 * Pure.  What arrives whole (a name, a value, a member) is read in one go, without going through the states; they are
 * for what a piece's end cuts.  Lenient: commas and blanks are filler, literals and numbers end where a delimiter
 * stands, and what makes no sense ends the document. */
#include "inference/payload/answer_internal.h"
#include "inference/payload/answer_skip.h"

void answer_json_reset(struct answer_scan *scan)
{
    scan->state = ANSWER_START;
    scan->depth = 0;
    scan->is_escaped = false;
    scan->escape_len = 0;
    scan->high_half = 0;
}

enum { BLANK = 1, DELIMITER = 2 };

static const uint8_t classes[256] = {
    [' '] = BLANK | DELIMITER, ['\n'] = BLANK | DELIMITER, ['\r'] = BLANK | DELIMITER, ['\t'] = BLANK | DELIMITER,
    [','] = DELIMITER,         ['}'] = DELIMITER,          [']'] = DELIMITER,
};

static inline bool is_blank(char c)
{
    return (classes[(unsigned char)c] & BLANK) != 0;
}

static inline bool ends_atom(char c)
{
    return classes[(unsigned char)c] != 0;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

/* Strings. */

/* From inside a string to its closing quote, or end when that is not here. */
static const char *find_end(struct answer_scan *scan, const char *at, const char *end)
{
    if (scan->is_escaped) {
        scan->is_escaped = false;
        at++;
    }
    for (;;) {
        at = answer_find_quote(at, end);
        if (at == end || *at == '"')
            return at;
        if (end - at < 2) {
            scan->is_escaped = true;
            return end;
        }
        at += 2;
    }
}

/* The same without a resume: NULL when the end is not here, or an escape stands before it. */
static inline const char *find_plain_end(const char *at, const char *end)
{
    const char *stop = answer_find_quote(at, end);
    return LIKELY(stop < end && *stop == '"') ? stop : NULL;
}

/* Long ones: the escapes that it stops at are rare. */
static const char *find_far_end(struct answer_scan *scan, const char *at, const char *end)
{
    if (end - at > 64 && !scan->is_escaped)
        at = scan->skip(at, end);
    return at < end ? find_end(scan, at, end) : end;
}

static void add_to_token(struct answer_scan *scan, const char *from, const char *to)
{
    size_t len = (size_t)(to - from), room = sizeof scan->token - scan->token_len;
    size_t taken = len < room ? len : room;
    memcpy(scan->token + scan->token_len, from, taken);
    scan->token_len = (uint8_t)(scan->token_len + taken);
}

/* The rest of a string that an earlier piece began; true: stop is its end, and the state is that before an item. */
static bool ends_here(struct answer_scan *scan, const char *stop, const char *end)
{
    if (stop == end)
        return false;
    scan->state = ANSWER_ITEM;
    return true;
}

static const char *go_on_with_word(struct answer_scan *scan, const char *at, const char *end)
{
    bool is_key = scan->state == ANSWER_KEY;
    const char *stop = find_end(scan, at, end);
    add_to_token(scan, at, stop);
    if (!ends_here(scan, stop, end))
        return end;
    struct bytes word = bytes_make(scan->token, scan->token_len);
    if (is_key) {
        answer_take_key(scan, word);
        scan->state = ANSWER_COLON;
    } else {
        answer_take_word(scan, word);
    }
    return stop + 1;
}

static const char *go_on_with_text(struct answer_scan *scan, const char *at, const char *end)
{
    const char *stop = find_far_end(scan, at, end);
    if (*at != '"' || stop != at)
        answer_note_output(scan);
    if (scan->wants_hash && scan->use == USE_TEXT)
        answer_hash_text(scan, bytes_make(at, (size_t)(stop - at)));
    if (!ends_here(scan, stop, end))
        return end;
    answer_end_text(scan, stop + 1);
    return stop + 1;
}

static const char *go_on_with_string(struct answer_scan *scan, const char *at, const char *end)
{
    const char *stop = find_far_end(scan, at, end);
    return ends_here(scan, stop, end) ? stop + 1 : end;
}

/* Behind the opening quote. */
static const char *begin_word(struct answer_scan *scan, const char *at, const char *end)
{
    const char *stop = find_plain_end(at, end);
    if (UNLIKELY(stop == NULL))
        stop = find_end(scan, at, end);
    if (LIKELY(stop < end)) {
        size_t len = (size_t)(stop - at); /* cut as when it comes in pieces */
        answer_take_word(scan, bytes_make(at, len < sizeof scan->token ? len : sizeof scan->token));
        return stop + 1;
    }
    scan->state = ANSWER_WORD;
    scan->token_len = 0;
    add_to_token(scan, at, end);
    return end;
}

static const char *begin_text(struct answer_scan *scan, const char *at, const char *end)
{
    answer_begin_text(scan, at);
    const char *stop = scan->wants_hash ? NULL : find_plain_end(at, end);
    if (stop == NULL) {
        scan->state = ANSWER_TEXT;
        return at < end ? go_on_with_text(scan, at, end) : end;
    }
    if (stop > at)
        answer_note_output(scan);
    answer_end_text(scan, stop + 1);
    return stop + 1;
}

static const char *begin_string(struct answer_scan *scan, const char *at, const char *end)
{
    if (answer_use_is_word(scan->use))
        return begin_word(scan, at, end);
    if (answer_use_is_output(scan->use))
        return begin_text(scan, at, end);
    scan->state = ANSWER_STRING;
    return at < end ? go_on_with_string(scan, at, end) : end;
}

/* Numbers and literals. */

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* At a byte that is no digit. */
static const char *end_atom(struct answer_scan *scan, const char *at, const char *end)
{
    for (; at < end && !ends_atom(*at); at++)
        scan->is_number = false;
    if (at == end)
        return end;
    if (scan->is_number)
        answer_take_number(scan, scan->number);
    scan->state = ANSWER_ITEM;
    return at;
}

static const char *go_on_with_atom(struct answer_scan *scan, const char *at, const char *end)
{
    uint64_t number = scan->number;
    for (; at < end && is_digit(*at); at++) {
        if (UNLIKELY(number > UINT64_MAX / 10 - 1))
            scan->is_number = false;
        number = number * 10 + (unsigned)(*at - '0');
    }
    scan->number = number;
    return at < end ? end_atom(scan, at, end) : end;
}

static inline bool is_null(const char *at, const char *end)
{
    return end - at >= 5 && memcmp(at, "null", 4) == 0 && ends_atom(at[4]);
}

static const char *begin_atom(struct answer_scan *scan, const char *at, const char *end)
{
    if (is_null(at, end))
        return at + 4;
    scan->state = ANSWER_ATOM;
    scan->number = 0;
    scan->is_number = scan->use >= USE_INDEX && is_digit(*at);
    return go_on_with_atom(scan, at, end);
}

/* Containers. */

static const char *go_on_skipping(struct answer_scan *scan, const char *at, const char *end)
{
    while ((at = answer_find_structure(at, end)) < end) {
        char c = *at++;
        if (c == '"') {
            at = at < end ? find_far_end(scan, at, end) : end;
            if (at == end) {
                scan->state = ANSWER_SKIP_STRING;
                return end;
            }
            at++;
        } else if ((c | 0x20) == '{') {
            scan->skip_depth++;
        } else if (--scan->skip_depth == 0) {
            scan->state = scan->depth > 0 ? ANSWER_ITEM : ANSWER_END;
            return at;
        }
    }
    return end;
}

static const char *go_on_with_skipped_string(struct answer_scan *scan, const char *at, const char *end)
{
    at = find_far_end(scan, at, end);
    if (at == end)
        return end;
    scan->state = ANSWER_SKIP;
    return at + 1;
}

/* In arrays of arrays nothing is; what a stream's last events list, its events have told. */
static bool is_looked_into(const struct answer_scan *scan, bool is_array)
{
    if (scan->child == NODE_SKIP || scan->depth == ANSWER_MAX_DEPTH)
        return false;
    if (!is_array)
        return true;
    bool is_repeated = scan->is_stream && (scan->child == NODE_ITEM || scan->child == NODE_PART);
    return !is_repeated && !(scan->stack[scan->depth - 1] & ANSWER_IN_ARRAY);
}

/* Behind the opening bracket. */
static const char *open_container(struct answer_scan *scan, const char *at, const char *end, bool is_array)
{
    if (!is_looked_into(scan, is_array)) {
        scan->state = ANSWER_SKIP;
        scan->skip_depth = 1;
        return go_on_skipping(scan, at, end);
    }
    answer_enter(scan, scan->child, is_array);
    scan->stack[scan->depth++] = (uint8_t)(scan->child | (is_array ? ANSWER_IN_ARRAY : 0));
    return at;
}

/* In the state before an item, where it is again when the value is here in full. */
static const char *begin_value(struct answer_scan *scan, const char *at, const char *end)
{
    if (*at == '"')
        return begin_string(scan, at + 1, end);
    if ((*at | 0x20) == '{')
        return open_container(scan, at + 1, end, *at == '[');
    if (LIKELY((*at | 0x20) != '}' && *at != ':'))
        return begin_atom(scan, at, end);
    scan->state = ANSWER_END;
    return at;
}

/* Of a member that nobody wants. */
static inline const char *pass_value(struct answer_scan *scan, const char *at, const char *end)
{
    const char *stop = at + 1;
    if (*at == '"') {
        stop = find_plain_end(at + 1, end);
        if (LIKELY(stop != NULL))
            return stop + 1;
    } else if (is_digit(*at)) {
        while (stop < end && is_digit(*stop))
            stop++;
        if (LIKELY(stop < end && ends_atom(*stop)))
            return stop;
    }
    scan->use = USE_NONE;
    scan->child = NODE_SKIP;
    return begin_value(scan, at, end);
}

static const char *begin_key(struct answer_scan *scan, const char *at, const char *end)
{
    if (scan->trace != NULL)
        scan->trace->is_simple = false;
    const char *stop = find_end(scan, at, end);
    if (stop == end) {
        scan->state = ANSWER_KEY;
        scan->token_len = 0;
        add_to_token(scan, at, end);
        return end;
    }
    answer_take_key(scan, bytes_make(at, (size_t)(stop - at)));
    scan->state = ANSWER_COLON;
    return stop + 1;
}

/* Behind the name's opening quote: the whole member, if nothing unusual stands in the way. */
static inline const char *read_member(struct answer_scan *scan, unsigned node, const char *at, const char *end)
{
    const char *stop = find_plain_end(at, end);
    if (UNLIKELY(stop == NULL || end - stop < 4 || stop[1] != ':'))
        return begin_key(scan, at, end);
    const char *value = stop + 2 + (stop[2] == ' ');
    if (UNLIKELY(is_blank(*value)))
        return begin_key(scan, at, end);
    if (is_null(value, end)) /* whoever has it: it means nothing */
        return value + 4;
    struct bytes name = bytes_make(at, (size_t)(stop - at));
    bool is_wanted = answer_may_want(node, name) && answer_take_key(scan, name);
    if (UNLIKELY(scan->trace != NULL))
        answer_trace_value(scan->trace, value, is_wanted ? scan->use : USE_NONE);
    return is_wanted ? begin_value(scan, value, end) : pass_value(scan, value, end);
}

static const char *close_container(struct answer_scan *scan, const char *at)
{
    if (--scan->depth == 0)
        scan->state = ANSWER_END;
    return at + 1;
}

static const char *read_element(struct answer_scan *scan, unsigned node, const char *at, const char *end)
{
    if (*at == ']')
        return close_container(scan, at);
    scan->use = USE_NONE;
    scan->child = (uint8_t)node;
    return begin_value(scan, at, end);
}

/* As long as they are whole and belong to one object. */
static const char *read_members(struct answer_scan *scan, unsigned node, const char *at, const char *end)
{
    unsigned depth = scan->depth;
    while (LIKELY(at < end)) {
        if (*at == ',') {
            at++;
        } else if (LIKELY(*at == '"')) {
            at = read_member(scan, node, at + 1, end);
            if (scan->state != ANSWER_ITEM || scan->depth != depth)
                return at;
        } else if (*at == '}') {
            return close_container(scan, at);
        } else if (is_blank(*at)) {
            at++;
        } else {
            scan->state = ANSWER_END;
            return at;
        }
    }
    return at;
}

static const char *read_items(struct answer_scan *scan, const char *at, const char *end)
{
    while (at < end && scan->state == ANSWER_ITEM) {
        unsigned top = scan->stack[scan->depth - 1];
        if (LIKELY(!(top & ANSWER_IN_ARRAY)))
            at = read_members(scan, top, at, end);
        else if (*at == ',' || is_blank(*at))
            at++;
        else
            at = read_element(scan, top & (ANSWER_IN_ARRAY - 1), at, end);
    }
    return at;
}

static const char *begin_document(struct answer_scan *scan, const char *at, const char *end)
{
    at = skip_blanks(at, end);
    if (at == end)
        return at;
    scan->state = ANSWER_END;
    if (*at == '[' && scan->is_stream) /* [DONE]: no event of any dialect is an array */
        scan->is_done = true;
    if (*at != '{')
        return at;
    scan->state = ANSWER_ITEM;
    scan->stack[scan->depth++] = NODE_ROOT;
    return at + 1;
}

static const char *read_colon(struct answer_scan *scan, const char *at, const char *end)
{
    at = skip_blanks(at, end);
    if (at == end)
        return at;
    scan->state = *at == ':' ? ANSWER_VALUE : ANSWER_END;
    return at + 1;
}

static const char *read_value(struct answer_scan *scan, const char *at, const char *end)
{
    at = skip_blanks(at, end);
    if (at == end)
        return at;
    scan->state = ANSWER_ITEM;
    return begin_value(scan, at, end);
}

static const char *step(struct answer_scan *scan, const char *at, const char *end)
{
    switch (scan->state) {
    case ANSWER_START:
        return begin_document(scan, at, end);
    case ANSWER_KEY:
    case ANSWER_WORD:
        return go_on_with_word(scan, at, end);
    case ANSWER_COLON:
        return read_colon(scan, at, end);
    case ANSWER_VALUE:
        return read_value(scan, at, end);
    case ANSWER_TEXT:
        return go_on_with_text(scan, at, end);
    case ANSWER_STRING:
        return go_on_with_string(scan, at, end);
    case ANSWER_ATOM:
        return go_on_with_atom(scan, at, end);
    case ANSWER_SKIP:
        return go_on_skipping(scan, at, end);
    case ANSWER_SKIP_STRING:
        return go_on_with_skipped_string(scan, at, end);
    default:
        return end;
    }
}

void answer_json_feed(struct answer_scan *scan, const char *at, const char *end)
{
    while (at < end)
        at = LIKELY(scan->state == ANSWER_ITEM) ? read_items(scan, at, end) : step(scan, at, end);
}
