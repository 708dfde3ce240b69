/* SPDX-License-Identifier: Apache-2.0 */
/* test_base64.c: the vectors of RFC 4648 section 10, and what is no base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"

static const struct {
    const char *data, *text, *url;
} vectors[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+", "-__-"},
};

static void data_becomes_text_and_comes_back(void **state)
{
    struct arena *arena = arena_new(0);
    struct bytes data;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct buffer text = {0}, url = {0};
        base64_append(&text, bytes_of(vectors[i].data));
        base64url_append(&url, bytes_of(vectors[i].data));
        assert_true(bytes_equal_str(buffer_bytes(&text), vectors[i].text));
        assert_true(bytes_equal_str(buffer_bytes(&url), vectors[i].url));
        assert_true(base64_decode(bytes_of(vectors[i].text), arena, &data));
        assert_true(bytes_equal_str(data, vectors[i].data));
        assert_true(base64url_decode(bytes_of(vectors[i].url), arena, &data));
        assert_true(bytes_equal_str(data, vectors[i].data));
        buffer_deinit(&text);
        buffer_deinit(&url);
    }
    arena_free(arena);
}

static void lines_may_be_broken(void **state)
{
    struct arena *arena = arena_new(0);
    struct bytes data;
    (void)state;
    assert_true(base64_decode(BYTES("Zm9v\r\nYg=\n=\n"), arena, &data));
    assert_true(bytes_equal_str(data, "foob"));
    arena_free(arena);
}

static void what_is_no_base64_is_refused(void **state)
{
    static const char *const texts[] = {"*",    "Zg",    "Zg=",  "Zg===", "Z===", "=",
                                        "====", "Zm9v=", "Z=g=", "Zm-v",  "Zm9vZ"};
    struct arena *arena = arena_new(0);
    struct bytes data = BYTES("untouched");
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (base64_is_valid(bytes_of(texts[i])) || base64_decode(bytes_of(texts[i]), arena, &data))
            fail_msg("\"%s\" was taken", texts[i]);
    }
    assert_false(base64_is_valid(bytes_make("Zg\0=", 4)));
    assert_false(base64url_decode(BYTES("Zm9v+"), arena, &data));
    assert_false(base64url_decode(BYTES("Z"), arena, &data));
    assert_true(bytes_equal_str(data, "untouched"));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_becomes_text_and_comes_back),
        cmocka_unit_test(lines_may_be_broken),
        cmocka_unit_test(what_is_no_base64_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
