/* SPDX-License-Identifier: Apache-2.0 */
/* test_prompt_blob.c: what of a prompt is data, and what is the same data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "inference/payload/openai_scan.h"
#include "inference/payload/prompt_blob.h"

enum { MANY = 300 << 10 };

/* len characters of base64 that depend on the seed, between head and tail. */
static struct buffer text_of(const char *head, unsigned seed, size_t len, const char *tail)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct buffer text = {0};
    buffer_append_str(&text, head);
    for (size_t i = 0; i < len; i++)
        buffer_append_char(&text, alphabet[(seed + i * 7 + i / 64) % 64]);
    buffer_append_str(&text, tail);
    return text;
}

/* The only data in it; frees the text. */
static struct prompt_blob only(struct buffer text)
{
    struct prompt_blob blob, next;
    size_t cursor = 0;
    assert_true(prompt_blob_next(buffer_bytes(&text), &cursor, &blob));
    assert_false(prompt_blob_next(buffer_bytes(&text), &cursor, &next));
    buffer_deinit(&text);
    return blob;
}

static unsigned count(const char *text)
{
    struct prompt_blob blob;
    unsigned found = 0;
    for (size_t cursor = 0; prompt_blob_next(bytes_of(text), &cursor, &blob);)
        found++;
    return found;
}

#define URL "[{\"url\":\"data:image/png;base64,"

static void a_data_url_and_plain_base64_are_found_with_their_place(void **state)
{
    (void)state;
    struct prompt_blob url = only(text_of(URL, 1, 2000, "\"}]"));
    assert_int_equal(url.offset + url.data, strlen(URL));
    assert_int_equal(url.len - url.data, 2000);
    assert_true(url.has_digest);
    struct prompt_blob source = only(text_of("[\"a \\\"quote\\\" and \\u00e4\", {\"data\":\"", 1, 2000, "\"}]"));
    assert_int_equal(source.digest, url.digest);
    assert_int_not_equal(only(text_of(URL, 2, 2000, "\"}]")).digest, url.digest);
    assert_int_not_equal(only(text_of(URL, 1, 2001, "\"}]")).digest, url.digest);
    assert_int_equal(only(text_of(URL, 1, 2000, "==\"}]")).digest, url.digest);
}

static void escaped_slashes_are_the_same_data(void **state)
{
    (void)state;
    struct buffer plain = text_of("", 1, MANY, ""), escaped = {0};
    buffer_append_str(&escaped, "[\"data:image\\/png;base64,");
    for (size_t i = 0; i < buffer_len(&plain); i++) {
        if (buffer_bytes(&plain).data[i] == '/')
            buffer_append_char(&escaped, '\\');
        buffer_append_char(&escaped, buffer_bytes(&plain).data[i]);
    }
    buffer_append_str(&escaped, "\"]");
    buffer_deinit(&plain);
    assert_int_equal(only(escaped).digest, only(text_of(URL, 1, MANY, "\"}]")).digest);
}

static void text_and_short_data_are_none(void **state)
{
    (void)state;
    struct buffer words = {0};
    buffer_append_str(&words, "[\"");
    for (unsigned i = 0; i < 1000; i++)
        buffer_append_str(&words, "words, ");
    buffer_append_str(&words, "\"]");
    buffer_append_char(&words, '\0');
    assert_int_equal(count(buffer_bytes(&words).data), 0);
    buffer_deinit(&words);
    assert_int_equal(count("[]"), 0);
    assert_int_equal(count(""), 0);
    assert_int_equal(count(URL "AAAA\"}]"), 0);
    struct buffer no_comma = text_of("[\"data:image/png;base64", 1, 2000, "\"]");
    buffer_append_char(&no_comma, '\0');
    assert_int_equal(count(buffer_bytes(&no_comma).data), 0);
    buffer_deinit(&no_comma);
}

/* However much of it is here, when it is enough. */
static void cut_data_is_known_by_its_head(void **state)
{
    (void)state;
    struct prompt_blob whole = only(text_of(URL, 1, 2 * MANY, "\"}]")), cut = only(text_of(URL, 1, MANY, ""));
    assert_true(cut.has_digest);
    assert_int_equal(cut.digest, whole.digest);
    assert_false(only(text_of(URL, 1, 2000, "")).has_digest);
}

static bool scan_sees(const char *body, size_t step)
{
    struct openai_scan scan;
    openai_scan_init(&scan);
    for (struct bytes rest = bytes_of(body); rest.len > 0; rest = bytes_skip(rest, step < rest.len ? step : rest.len))
        assert_true(openai_scan_feed(&scan, bytes_make(rest.data, step < rest.len ? step : rest.len)));
    assert_true(openai_scan_finish(&scan));
    return scan.has_blob;
}

static void the_scan_tells_bodies_that_may_have_data(void **state)
{
    (void)state;
    static const char image[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}]}]}";
    for (size_t step = 1; step < sizeof image; step++)
        assert_true(scan_sees(image, step));
    static const char text[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"some words\"}],\"user\":\"data:,x\"}";
    assert_false(scan_sees(text, sizeof text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_data_url_and_plain_base64_are_found_with_their_place),
        cmocka_unit_test(escaped_slashes_are_the_same_data),
        cmocka_unit_test(text_and_short_data_are_none),
        cmocka_unit_test(cut_data_is_known_by_its_head),
        cmocka_unit_test(the_scan_tells_bodies_that_may_have_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
