/* SPDX-License-Identifier: Apache-2.0 */
/* json_write.c: JSON text (RFC 8259) straight into a buffer.  One owner, one thread.  Checks our own nesting by
 * asserts; any bytes may come as a string value. */
#include "base/json_write.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

enum { DEEPEST = 32 };

void jw_init(struct json_writer *writer, struct buffer *out)
{
    *writer = (struct json_writer){.out = out};
}

/* Before each value and each key: the comma, unless it is the first of its level or follows its key. */
static void begin_item(struct json_writer *writer)
{
    if (writer->after_key) {
        writer->after_key = false;
        return;
    }
    if (writer->depth == 0)
        return;
    uint32_t bit = 1u << (writer->depth - 1);
    if (writer->has_items & bit)
        buffer_append_char(writer->out, ',');
    writer->has_items |= bit;
}

static void begin_level(struct json_writer *writer, char bracket)
{
    begin_item(writer);
    assert(writer->depth < DEEPEST);
    writer->has_items &= ~(1u << writer->depth);
    writer->depth++;
    buffer_append_char(writer->out, bracket);
}

static void end_level(struct json_writer *writer, char bracket)
{
    assert(writer->depth > 0 && !writer->after_key);
    writer->depth--;
    buffer_append_char(writer->out, bracket);
}

void jw_begin_object(struct json_writer *writer)
{
    begin_level(writer, '{');
}

void jw_end_object(struct json_writer *writer)
{
    end_level(writer, '}');
}

void jw_begin_array(struct json_writer *writer)
{
    begin_level(writer, '[');
}

void jw_end_array(struct json_writer *writer)
{
    end_level(writer, ']');
}

void jw_key(struct json_writer *writer, const char *key)
{
    assert(writer->depth > 0 && !writer->after_key);
    begin_item(writer);
    jw_append_quoted(writer->out, bytes_of(key));
    buffer_append_char(writer->out, ':');
    writer->after_key = true;
}

void jw_string(struct json_writer *writer, struct bytes value)
{
    begin_item(writer);
    jw_append_quoted(writer->out, value);
}

void jw_str(struct json_writer *writer, const char *value)
{
    if (value == NULL)
        jw_null(writer);
    else
        jw_string(writer, bytes_of(value));
}

void jw_u64(struct json_writer *writer, uint64_t value)
{
    begin_item(writer);
    buffer_append_u64(writer->out, value);
}

void jw_i64(struct json_writer *writer, int64_t value)
{
    begin_item(writer);
    if (value < 0)
        buffer_append_char(writer->out, '-');
    buffer_append_u64(writer->out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void jw_double(struct json_writer *writer, double value)
{
    if (!isfinite(value)) {
        jw_null(writer);
        return;
    }
    begin_item(writer);
    /* The fewest digits that read back as the same number; 17 always do. */
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        double back = strtod(text, NULL);
        if (back <= value && back >= value)
            break;
    }
    buffer_append_str(writer->out, text);
}

void jw_bool(struct json_writer *writer, bool value)
{
    begin_item(writer);
    buffer_append_str(writer->out, value ? "true" : "false");
}

void jw_null(struct json_writer *writer)
{
    begin_item(writer);
    buffer_append_str(writer->out, "null");
}

void jw_raw(struct json_writer *writer, struct bytes value)
{
    begin_item(writer);
    buffer_append(writer->out, value);
}

void jw_member_str(struct json_writer *writer, const char *key, const char *value)
{
    jw_key(writer, key);
    jw_str(writer, value);
}

void jw_member_string(struct json_writer *writer, const char *key, struct bytes value)
{
    jw_key(writer, key);
    jw_string(writer, value);
}

void jw_member_u64(struct json_writer *writer, const char *key, uint64_t value)
{
    jw_key(writer, key);
    jw_u64(writer, value);
}

void jw_member_i64(struct json_writer *writer, const char *key, int64_t value)
{
    jw_key(writer, key);
    jw_i64(writer, value);
}

void jw_member_double(struct json_writer *writer, const char *key, double value)
{
    jw_key(writer, key);
    jw_double(writer, value);
}

void jw_member_bool(struct json_writer *writer, const char *key, bool value)
{
    jw_key(writer, key);
    jw_bool(writer, value);
}

static bool is_plain(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static size_t plain_len(struct bytes text)
{
    size_t len = 0;
    while (len < text.len && is_plain(text.data[len]))
        len++;
    return len;
}

/* RFC 8259 section 7: the quote, the backslash and U+0000 to U+001F must be escaped. */
static void append_escape(struct buffer *out, char c)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: the character, its letter */
    for (size_t i = 0; i + 1 < sizeof(shorts); i += 2) {
        if (shorts[i] == c) {
            buffer_append_char(out, '\\');
            buffer_append_char(out, shorts[i + 1]);
            return;
        }
    }
    buffer_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
}

/* What is not plain: an escape, a UTF-8 sequence, or a broken byte.  Returns how many bytes it took. */
static size_t append_special(struct buffer *out, struct bytes text)
{
    if ((unsigned char)text.data[0] < 0x80) {
        append_escape(out, text.data[0]);
        return 1;
    }
    size_t len = utf8_sequence_len(text);
    if (len == 0) {
        buffer_append(out, BYTES("\xef\xbf\xbd")); /* U+FFFD, one for each broken byte */
        return 1;
    }
    buffer_append(out, bytes_make(text.data, len));
    return len;
}

void jw_append_quoted(struct buffer *out, struct bytes value)
{
    buffer_reserve(out, value.len + 2);
    buffer_append_char(out, '"');
    while (value.len > 0) {
        size_t plain = plain_len(value);
        buffer_append(out, bytes_make(value.data, plain));
        value = bytes_skip(value, plain);
        if (value.len > 0)
            value = bytes_skip(value, append_special(out, value));
    }
    buffer_append_char(out, '"');
}
