/* SPDX-License-Identifier: Apache-2.0 */
/* test_url.c: percent-decoding and query parameters. */
#include "codec_test.h"

#include "http/codec/url.h"

static void test_escapes_are_decoded(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct bytes got;
    assert_true(url_decode(BYTES("/a%2Fb%2fc+%41"), URL_PATH, arena, &got));
    assert_text(got, "/a/b/c+A");
    assert_true(url_decode(BYTES("a+b%2B"), URL_QUERY, arena, &got));
    assert_text(got, "a b+");
    assert_true(url_decode(BYTES("%00"), URL_QUERY, arena, &got));
    assert_true(got.len == 1 && got.data[0] == '\0');
    assert_true(url_decode(BYTES(""), URL_QUERY, arena, &got));
    assert_text(got, "");
    struct bytes plain = BYTES("/plain+x");
    assert_true(url_decode(plain, URL_PATH, arena, &got));
    assert_ptr_equal(got.data, plain.data);
    arena_free(arena);
}

static void test_malformed_escapes_are_told(void **state)
{
    (void)state;
    static const char *const cases[] = {"%", "a%", "%4", "%g0", "%0g", "%%41", "ok%20%2"};
    struct arena *arena = arena_new(0);
    struct bytes got = BYTES("untouched");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_false(url_decode(bytes_of(cases[i]), URL_PATH, arena, &got));
    assert_text(got, "untouched");
    arena_free(arena);
}

static void test_query_parameters_are_walked(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct url_query query;
    struct bytes name, value;
    url_query_init(&query, BYTES("&a=1&&b+c=x%26y=z&flag&=v&bad=%zz&"));
    static const char *const wanted[][2] = {{"a", "1"}, {"b c", "x&y=z"}, {"flag", ""}, {"", "v"}, {"bad", "%zz"}};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        assert_true(url_query_next(&query, arena, &name, &value));
        assert_text(name, wanted[i][0]);
        assert_text(value, wanted[i][1]);
    }
    assert_false(url_query_next(&query, arena, &name, &value));
    arena_free(arena);
}

static void test_the_first_value_of_a_name_is_found(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct bytes value = BYTES("untouched");
    assert_false(url_query_find(BYTES("watch=1"), BYTES("Watch"), arena, &value));
    assert_false(url_query_find(BYTES(""), BYTES("watch"), arena, &value));
    assert_text(value, "untouched");
    assert_true(url_query_find(BYTES("x=0&w%61tch=1&watch=2"), BYTES("watch"), arena, &value));
    assert_text(value, "1");
    arena_free(arena);
}

static void encoding_keeps_what_decoding_gives_back(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct buffer out = {0};
    static const char text[] = "a-Z_0.9~ /?&=+%\n\xc3\xa9";
    struct bytes back;
    url_encode(&out, BYTES(text));
    assert_true(bytes_equal_str(buffer_bytes(&out), "a-Z_0.9~%20%2F%3F%26%3D%2B%25%0A%C3%A9"));
    assert_true(url_decode(buffer_bytes(&out), URL_QUERY, arena, &back));
    assert_true(bytes_equal_str(back, text));
    buffer_deinit(&out);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoding_keeps_what_decoding_gives_back), cmocka_unit_test(test_escapes_are_decoded),
        cmocka_unit_test(test_malformed_escapes_are_told),         cmocka_unit_test(test_query_parameters_are_walked),
        cmocka_unit_test(test_the_first_value_of_a_name_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
