/* SPDX-License-Identifier: Apache-2.0 */
/* scan_string.c: strings, read for a sink or skipped, with their escapes (RFC 8259 section 7).  Pure. */
#include "inference/payload/scan_internal.h"

#include "base/utf8.h"

void scan_begin_string(struct openai_scan *scan, bool is_key)
{
    scan->is_key = is_key;
    scan->sink = is_key ? scan_sink_of_key(scan) : scan_sink_of_value(scan);
    scan->token_len = 0;
    scan->state = STATE_STRING;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* A whole \uXXXX that is no half of a surrogate pair: common, because some clients escape everything but ASCII. */
static bool is_plain_unicode_escape(const char *at, const char *end)
{
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u' || (hex_value(at[2]) | hex_value(at[3])) < 0 ||
        (hex_value(at[4]) | hex_value(at[5])) < 0)
        return false;
    return !((at[2] | 0x20) == 'd' && hex_value(at[3]) >= 8);
}

static const char *skip_unread(const struct scan_cursor *cursor)
{
    const char *at = cursor->skip(cursor->at, cursor->end);
    while (is_plain_unicode_escape(at, cursor->end)) {
        at += 6;
        /* Where one stands, more follow: the call is worth its price only for other text. */
        if (at < cursor->end && *at != '\\')
            at = cursor->skip(at, cursor->end);
    }
    return at;
}

static enum scan_error step_contents(struct openai_scan *scan, struct scan_cursor *cursor)
{
    const char *run = cursor->at;
    if (scan->sink == SINK_NONE) {
        cursor->at = skip_unread(cursor);
    } else {
        cursor->at = string_run_end(cursor->at, cursor->end);
        enum scan_error error = scan_sink_append(scan, bytes_make(run, (size_t)(cursor->at - run)));
        if (error != SCAN_OK)
            return error;
    }
    if (cursor->at == cursor->end)
        return SCAN_OK;
    char c = *cursor->at++;
    if (c == '"')
        return scan_end_string(scan, scan_offset(cursor));
    if (c != '\\')
        return SCAN_ERROR_SYNTAX;
    scan->state = STATE_ESCAPE;
    return SCAN_OK;
}

static enum scan_error append_code_point(struct openai_scan *scan, uint32_t code_point)
{
    scan->state = STATE_STRING;
    if (scan->sink == SINK_NONE)
        return SCAN_OK;
    char text[4];
    return scan_sink_append(scan, bytes_make(text, utf8_encode(code_point, text)));
}

static enum scan_error step_escape(struct openai_scan *scan, char c)
{
    static const char names[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    if (c == 'u') {
        scan->hex_digits = 0;
        scan->code_point = 0;
        scan->surrogate = 0;
        scan->state = STATE_HEX;
        return SCAN_OK;
    }
    const char *name = memchr(names, c, sizeof names - 1);
    if (name == NULL)
        return SCAN_ERROR_SYNTAX;
    return append_code_point(scan, (uint32_t)meanings[name - names]);
}

/* A high half must be followed by a low one, a low one may not stand alone: the servers' parsers refuse such strings.
 */
static enum scan_error end_hex(struct openai_scan *scan)
{
    uint32_t unit = scan->code_point;
    bool is_low = unit >= 0xdc00 && unit <= 0xdfff;
    if (is_low != (scan->surrogate != 0))
        return SCAN_ERROR_SYNTAX;
    if (is_low)
        return append_code_point(scan, 0x10000 + ((scan->surrogate - 0xd800) << 10) + (unit - 0xdc00));
    if (unit < 0xd800 || unit > 0xdbff)
        return append_code_point(scan, unit);
    scan->surrogate = unit;
    scan->state = STATE_LOW_BACKSLASH;
    return SCAN_OK;
}

static enum scan_error step_hex(struct openai_scan *scan, char c)
{
    int digit = hex_value(c);
    if (digit < 0)
        return SCAN_ERROR_SYNTAX;
    scan->code_point = scan->code_point << 4 | (uint32_t)digit;
    return ++scan->hex_digits == 4 ? end_hex(scan) : SCAN_OK;
}

static enum scan_error step_low_half(struct openai_scan *scan, char c)
{
    bool is_at_backslash = scan->state == STATE_LOW_BACKSLASH;
    if (c != (is_at_backslash ? '\\' : 'u'))
        return SCAN_ERROR_SYNTAX;
    scan->state = is_at_backslash ? STATE_LOW_U : STATE_HEX;
    scan->hex_digits = 0;
    scan->code_point = 0;
    return SCAN_OK;
}

enum scan_error scan_step_string(struct openai_scan *scan, struct scan_cursor *cursor)
{
    switch (scan->state) {
    case STATE_STRING:
        return step_contents(scan, cursor);
    case STATE_ESCAPE:
        return step_escape(scan, *cursor->at++);
    case STATE_HEX:
        return step_hex(scan, *cursor->at++);
    default:
        return step_low_half(scan, *cursor->at++);
    }
}
