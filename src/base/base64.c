/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c: four letters for three bytes.  Pure. */
#include "base/base64.h"

#define COMMON_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
static const char standard_letters[] = COMMON_LETTERS "+/";
static const char url_letters[] = COMMON_LETTERS "-_";

static void append(struct buffer *out, struct bytes data, const char *letters, bool is_padded)
{
    for (size_t i = 0; i < data.len; i += 3) {
        size_t left = data.len - i < 3 ? data.len - i : 3;
        unsigned group = 0;
        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (j < left ? (unsigned char)data.data[i + j] : 0);
        for (size_t j = 0; j < 4; j++) {
            if (j <= left)
                buffer_append_char(out, letters[group >> (18 - 6 * j) & 63]);
            else if (is_padded)
                buffer_append_char(out, '=');
        }
    }
}

void base64_append(struct buffer *out, struct bytes data)
{
    append(out, data, standard_letters, true);
}

void base64url_append(struct buffer *out, struct bytes data)
{
    append(out, data, url_letters, false);
}

static bool is_line_break(char c)
{
    return c == '\n' || c == '\r';
}

/* What of the text are letters (and line breaks): without the padding, which must fill up the last group of four. */
static bool strip_padding(struct bytes text, struct bytes *ret_letters)
{
    size_t letters = 0, padding = 0, end = text.len;
    while (end > 0 && (text.data[end - 1] == '=' || is_line_break(text.data[end - 1])))
        padding += text.data[--end] == '=';
    for (size_t i = 0; i < end; i++)
        letters += !is_line_break(text.data[i]);
    *ret_letters = bytes_make(text.data, end);
    return padding <= 2 && (letters + padding) % 4 == 0 && letters % 4 != 1;
}

/* out NULL: only looks. */
static bool decode(struct bytes text, const char *letters, char *out, size_t *ret_len)
{
    unsigned group = 0, bits = 0;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (is_line_break(text.data[i]))
            continue;
        const char *letter = text.data[i] != '\0' ? strchr(letters, text.data[i]) : NULL;
        if (letter == NULL)
            return false;
        group = (group << 6 | (unsigned)(letter - letters)) & 0xffffff;
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        if (out != NULL)
            out[len] = (char)(group >> bits & 0xff);
        len++;
    }
    *ret_len = len;
    return true;
}

static bool decode_into(struct bytes text, const char *letters, struct arena *arena, struct bytes *ret_data)
{
    size_t len;
    char *out = arena_alloc(arena, text.len / 4 * 3 + 4);
    if (!decode(text, letters, out, &len))
        return false;
    out[len] = '\0';
    *ret_data = bytes_make(out, len);
    return true;
}

bool base64_decode(struct bytes text, struct arena *arena, struct bytes *ret_data)
{
    struct bytes letters;
    return strip_padding(text, &letters) && decode_into(letters, standard_letters, arena, ret_data);
}

bool base64url_decode(struct bytes text, struct arena *arena, struct bytes *ret_data)
{
    return text.len % 4 != 1 && decode_into(text, url_letters, arena, ret_data);
}

bool base64_is_valid(struct bytes text)
{
    struct bytes letters;
    size_t len;
    return strip_padding(text, &letters) && decode(letters, standard_letters, NULL, &len);
}
