/* SPDX-License-Identifier: Apache-2.0 */
/* answer_text.c: the text of a JSON string, decoded into the hash of the reply, resumable inside an escape.  Pure.
 * What is no escape, and half a surrogate pair, becomes U+FFFD, as in the parsers of most clients. */
#include "inference/payload/answer_internal.h"

#include "base/utf8.h"

enum { REPLACEMENT = 0xfffd };

static void add_code_point(struct answer_scan *scan, uint32_t code_point)
{
    char text[4];
    reply_hash_add_text(&scan->hash, bytes_make(text, utf8_encode(code_point, text)));
}

static void drop_half(struct answer_scan *scan)
{
    if (scan->high_half != 0)
        add_code_point(scan, REPLACEMENT);
    scan->high_half = 0;
}

/* Four hex digits, or U+FFFD. */
static uint32_t read_unit(const char *digits)
{
    uint32_t unit = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)digits[i], folded = c | 0x20;
        if (c >= '0' && c <= '9')
            unit = unit << 4 | (c - '0');
        else if (folded >= 'a' && folded <= 'f')
            unit = unit << 4 | (folded - 'a' + 10u);
        else
            return REPLACEMENT;
    }
    return unit;
}

static void add_unit(struct answer_scan *scan, uint32_t unit)
{
    bool is_low = unit >= 0xdc00 && unit <= 0xdfff;
    if (is_low && scan->high_half != 0) {
        add_code_point(scan, 0x10000 + ((scan->high_half - 0xd800u) << 10) + (unit - 0xdc00));
        scan->high_half = 0;
        return;
    }
    drop_half(scan);
    if (unit >= 0xd800 && unit <= 0xdbff)
        scan->high_half = (uint16_t)unit;
    else
        add_code_point(scan, is_low ? REPLACEMENT : unit);
}

static void add_short(struct answer_scan *scan, char c)
{
    static const char names[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *name = memchr(names, c, sizeof names - 1);
    drop_half(scan);
    add_code_point(scan, name != NULL ? (uint32_t)meanings[name - names] : REPLACEMENT);
}

/* One more byte of an escape. */
static void add_to_escape(struct answer_scan *scan, char c)
{
    scan->escape[scan->escape_len++] = c;
    if (scan->escape[1] != 'u')
        add_short(scan, c);
    else if (scan->escape_len == 6)
        add_unit(scan, read_unit(scan->escape + 2));
    else
        return;
    scan->escape_len = 0;
}

void answer_hash_text(struct answer_scan *scan, struct bytes raw)
{
    while (raw.len > 0) {
        if (scan->escape_len > 0) {
            add_to_escape(scan, raw.data[0]);
            raw = bytes_skip(raw, 1);
            continue;
        }
        size_t len = bytes_find(raw, '\\');
        if (len > 0)
            drop_half(scan);
        reply_hash_add_text(&scan->hash, bytes_make(raw.data, len));
        raw = bytes_skip(raw, len);
        if (raw.len == 0)
            return;
        scan->escape[0] = '\\';
        scan->escape_len = 1;
        raw = bytes_skip(raw, 1);
    }
}

void answer_end_text(struct answer_scan *scan, const char *at)
{
    if (scan->high_half != 0)
        drop_half(scan);
    scan->escape_len = 0;
    scan->form.text_end = at;
    scan->form.is_silent = true;
}
