/* SPDX-License-Identifier: Apache-2.0 */
/* prompt_blob.c: a walk over the strings of a JSON text, which are skipped as openai_scan does it.  Only bodies in
 * which the scan has seen something that may be data are walked. */
#include "inference/payload/prompt_blob.h"

#define XXH_STATIC_LINKING_ONLY /* the size of its state */
#include <xxhash.h>

#include "inference/payload/string_skip.h"

enum { SIGHT_BYTES = 64, URL_HEAD_BYTES = 256 };

/* RFC 4648, and the backslash of an escaped slash. */
static bool is_base64(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
           c == '\\';
}

bool blob_may_begin(const char *at, const char *end)
{
    static const char scheme[] = {'d', 'a', 't', 'a', ':'};
    size_t len = (size_t)(end - at), seen = 0;
    if (len >= sizeof scheme && memcmp(at, scheme, sizeof scheme) == 0)
        return true;
    if (len > SIGHT_BYTES)
        len = SIGHT_BYTES;
    while (seen < len && is_base64(at[seen]))
        seen++;
    return seen == len;
}

/* From inside a string to its closing quote; end: it is not there. */
static const char *string_end(const char *at, const char *end)
{
    string_skip_fn skip = string_skip_best();
    for (at = skip(at, end); at < end && *at != '"'; at = skip(at, end)) {
        size_t step = *at == '\\' ? 2 : 1;
        at += step < (size_t)(end - at) ? step : (size_t)(end - at);
    }
    return at;
}

/* Behind "data:image/png;base64,"; at: it is no URL; NULL: it is one without data. */
static const char *behind_url_head(const char *at, const char *end)
{
    size_t room = (size_t)(end - at) < URL_HEAD_BYTES ? (size_t)(end - at) : URL_HEAD_BYTES;
    if (!bytes_starts_with(bytes_make(at, room), BYTES("data:")))
        return at;
    const char *comma = memchr(at, ',', room);
    return comma != NULL ? comma + 1 : NULL;
}

/* Of the data without the backslashes in it, as far as BLOB_HASHED_BYTES. */
static uint64_t hash_data(struct bytes data, size_t *ret_hashed)
{
    size_t run = bytes_find(data, '\\'), left = BLOB_HASHED_BYTES;
    if (run == data.len) {
        *ret_hashed = run < left ? run : left;
        return XXH3_64bits(data.data, *ret_hashed);
    }
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    while (data.len > 0 && left > 0) {
        run = bytes_find(data, '\\');
        XXH3_64bits_update(&state, data.data, run < left ? run : left);
        left -= run < left ? run : left;
        data = bytes_skip(data, run < data.len ? run + 1 : run);
    }
    *ret_hashed = BLOB_HASHED_BYTES - left;
    return XXH3_64bits_digest(&state);
}

/* Padding says nothing. */
static void make_digest(struct bytes data, bool is_whole, struct prompt_blob *blob)
{
    size_t hashed = 0;
    while (is_whole && data.len > 0 && data.data[data.len - 1] == '=')
        data.len--;
    blob->digest = hash_data(data, &hashed);
    blob->has_digest = is_whole || hashed == BLOB_HASHED_BYTES;
}

bool prompt_blob_next(struct bytes messages, size_t *cursor, struct prompt_blob *ret_blob)
{
    const char *at = messages.data + *cursor, *end = messages.data + messages.len;
    while (at < end && (at = memchr(at, '"', (size_t)(end - at))) != NULL) {
        const char *start = at + 1, *close = string_end(start, end);
        const char *data = blob_may_begin(start, close) ? behind_url_head(start, close) : NULL;
        at = close < end ? close + 1 : end;
        if (data == NULL || close - data < BLOB_LEAST_BYTES)
            continue;
        *ret_blob = (struct prompt_blob){
            .offset = (size_t)(start - messages.data), .len = (size_t)(close - start), .data = (size_t)(data - start)};
        make_digest(bytes_make(data, (size_t)(close - data)), close < end, ret_blob);
        *cursor = (size_t)(at - messages.data);
        return true;
    }
    return false;
}
