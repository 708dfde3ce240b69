/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_write.c: commas, escapes and numbers of the JSON writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>

#include "base/json_write.h"

static void commas_stand_between_items_of_each_level(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct json_writer writer;
    jw_init(&writer, &out);
    jw_begin_object(&writer);
    jw_member_str(&writer, "s", "text");
    jw_member_str(&writer, "n", NULL);
    jw_member_string(&writer, "b", BYTES("x"));
    jw_key(&writer, "list");
    jw_begin_array(&writer);
    jw_u64(&writer, UINT64_MAX);
    jw_i64(&writer, INT64_MIN);
    jw_begin_object(&writer);
    jw_end_object(&writer);
    jw_begin_array(&writer);
    jw_end_array(&writer);
    jw_bool(&writer, true);
    jw_null(&writer);
    jw_raw(&writer, BYTES("{\"raw\":1}"));
    jw_end_array(&writer);
    jw_member_u64(&writer, "u", 1);
    jw_member_i64(&writer, "i", -1);
    jw_member_double(&writer, "d", 0.5);
    jw_member_bool(&writer, "f", false);
    jw_end_object(&writer);
    assert_true(bytes_equal_str(buffer_bytes(&out),
                                "{\"s\":\"text\",\"n\":null,\"b\":\"x\",\"list\":[18446744073709551615,"
                                "-9223372036854775808,{},[],true,null,{\"raw\":1}],\"u\":1,\"i\":-1,\"d\":0.5,"
                                "\"f\":false}"));
    buffer_deinit(&out);
}

static void levels_go_down_to_thirty_two(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct json_writer writer;
    jw_init(&writer, &out);
    for (int i = 0; i < 32; i++) {
        jw_begin_array(&writer);
        jw_u64(&writer, 1);
    }
    for (int i = 0; i < 32; i++) {
        jw_u64(&writer, 2);
        jw_end_array(&writer);
    }
    struct bytes text = buffer_bytes(&out);
    json_t *root = json_loadb(text.data, text.len, 0, NULL);
    assert_int_equal(json_array_size(root), 3);
    json_decref(root);
    buffer_deinit(&out);
}

static void strings_are_escaped_as_rfc_8259_says(void **state)
{
    (void)state;
    static const struct {
        struct bytes value;
        const char *text;
    } cases[] = {
        {BYTES(""), "\"\""},
        {BYTES("plain /text"), "\"plain /text\""},
        {BYTES("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
        {BYTES("a\0b\x1f\x7f"), "\"a\\u0000b\\u001f\x7f\""},
        {BYTES("caf\xc3\xa9 \xf0\x9f\x98\x80"), "\"caf\xc3\xa9 \xf0\x9f\x98\x80\""},
        {BYTES("a\xff\xfe z"), "\"a\xef\xbf\xbd\xef\xbf\xbd z\""},
        {BYTES("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {BYTES("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buffer out = {0};
        jw_append_quoted(&out, cases[i].value);
        buffer_append_char(&out, '\0');
        assert_string_equal(buffer_bytes(&out).data, cases[i].text);
        buffer_deinit(&out);
    }
}

static void numbers_are_short_and_read_back_the_same(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1, "1"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {-2.5, "-2.5"},
        {1e300, "1e+300"},
        {5e-324, "4.94065645841247e-324"},
        {123456789012345680.0, "1.2345678901234568e+17"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buffer out = {0};
        struct json_writer writer;
        jw_init(&writer, &out);
        jw_double(&writer, cases[i].value);
        buffer_append_char(&out, '\0');
        assert_string_equal(buffer_bytes(&out).data, cases[i].text);
        buffer_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_between_items_of_each_level),
        cmocka_unit_test(levels_go_down_to_thirty_two),
        cmocka_unit_test(strings_are_escaped_as_rfc_8259_says),
        cmocka_unit_test(numbers_are_short_and_read_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
