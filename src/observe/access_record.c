/* SPDX-License-Identifier: Apache-2.0 */
/* access_record.c: the line of an exchange, by the tables of access_fields.def. */
#include "observe/access_record.h"

#include "base/clock.h"
#include "base/json_write.h"

/* How a member begins, with the comma: the time stands before all. */
static const struct {
    struct bytes key;
    size_t limit;
} strings[ACCESS_STRING_COUNT] = {
#define X(id, name, limit) [ACCESS_##id] = {BYTES_INIT(",\"" name "\":"), limit},
    ACCESS_STRINGS(X)
#undef X
};

enum number_kind { COUNT, MS };

static const struct {
    struct bytes key;
    enum number_kind kind;
} numbers[ACCESS_NUMBER_COUNT] = {
#define X(id, name, kind) [ACCESS_##id] = {BYTES_INIT(",\"" name "\":"), kind},
    ACCESS_NUMBERS(X)
#undef X
};

void access_record_init(struct access_record *record)
{
    *record = (struct access_record){.wall_ms = 0};
    for (unsigned i = 0; i < ACCESS_NUMBER_COUNT; i++)
        record->numbers[i] = ACCESS_NONE;
}

/* A character of UTF-8 is not cut in two. */
static size_t cut_at(struct bytes text, size_t limit)
{
    size_t len = limit;
    while (len > 0 && len > limit - 3 && ((unsigned char)text.data[len] & 0xc0) == 0x80)
        len--;
    return len;
}

void access_record_bound(struct access_record *record)
{
    for (unsigned i = 0; i < ACCESS_STRING_COUNT; i++) {
        struct bytes *text = &record->strings[i];
        if (text->len > strings[i].limit)
            text->len = cut_at(*text, strings[i].limit);
    }
}

static void put_three_digits(char *to, unsigned value)
{
    to[0] = (char)('0' + value / 100);
    to[1] = (char)('0' + value / 10 % 10);
    to[2] = (char)('0' + value % 10);
}

static void write_time(struct access_clock *clock, uint64_t wall_ms, struct buffer *out)
{
    char millis[] = ".000Z\"";
    uint64_t second = wall_ms / 1000;
    if (clock->second != second || clock->text[0] == '\0')
        clock_rfc3339(wall_ms, clock->text);
    clock->second = second;
    put_three_digits(millis + 1, (unsigned)(wall_ms % 1000));
    buffer_append(out, BYTES("{\"time\":\""));
    buffer_append(out, bytes_make(clock->text, 19));
    buffer_append(out, bytes_make(millis, sizeof millis - 1));
}

/* What most strings are: it goes between quotes as it is. */
static bool is_plain(struct bytes text)
{
    unsigned char special = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        special |= (unsigned char)((c < 0x20) | (c >= 0x7f) | (c == '"') | (c == '\\'));
    }
    return special == 0;
}

static void write_string(struct bytes key, struct bytes text, struct buffer *out)
{
    char *to = buffer_reserve(out, key.len + text.len + 2);
    memcpy(to, key.data, key.len);
    if (!is_plain(text)) {
        buffer_commit(out, key.len);
        jw_append_quoted(out, text);
        return;
    }
    to[key.len] = '"';
    memcpy(to + key.len + 1, text.data, text.len);
    to[key.len + 1 + text.len] = '"';
    buffer_commit(out, key.len + text.len + 2);
}

/* Microseconds as milliseconds, without a detour through floating point. */
static void write_number(struct bytes key, enum number_kind kind, uint64_t number, struct buffer *out)
{
    char fraction[] = ".000";
    buffer_append(out, key);
    buffer_append_u64(out, kind == MS ? number / 1000 : number);
    if (kind != MS)
        return;
    put_three_digits(fraction + 1, (unsigned)(number % 1000));
    buffer_append(out, bytes_make(fraction, sizeof fraction - 1));
}

void access_record_write(const struct access_record *record, struct access_clock *clock, struct buffer *out)
{
    write_time(clock, record->wall_ms, out);
    for (unsigned i = 0; i < ACCESS_STRING_COUNT; i++)
        if (record->strings[i].len > 0)
            write_string(strings[i].key, record->strings[i], out);
    buffer_append(out, record->is_stream ? BYTES(",\"stream\":true") : BYTES(",\"stream\":false"));
    for (unsigned i = 0; i < ACCESS_NUMBER_COUNT; i++)
        if (record->numbers[i] != ACCESS_NONE)
            write_number(numbers[i].key, numbers[i].kind, record->numbers[i], out);
    buffer_append(out, BYTES("}\n"));
}
