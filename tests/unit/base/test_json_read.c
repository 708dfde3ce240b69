/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_read.c: which texts are one JSON document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "base/json_read.h"

static void a_whole_document_is_read(void **state)
{
    (void)state;
    char error[200];
    json_t *root = json_read(BYTES(" {\"a\": [1, 2.5, \"x\", null]} \n"), error);
    assert_non_null(root);
    assert_int_equal(json_array_size(json_object_get(root, "a")), 4);
    json_decref(root);
}

static void the_text_need_not_end_in_nul(void **state)
{
    (void)state;
    char error[200];
    json_t *root = json_read(bytes_make("[1]garbage", 3), error);
    assert_non_null(root);
    json_decref(root);
}

static void wrong_texts_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        struct bytes text;
        const char *start;
    } cases[] = {
        {BYTES(""), "line 1 column 0: "},
        {{NULL, 0}, "line 1 column 0: "},
        {BYTES("{\"a\": 1,\n \"a\": 2}"), "line 2 column 4: duplicate"},
        {BYTES("{\"a\": 1} x"), "line 1 column 10: "},
        {BYTES("{\"a\": \"\xff\"}"), "line 1 column "},
        {BYTES("[\"a\\u0000\"]"), "line 1 column "},
        {BYTES("\"text\""), "line 1 column 6: "},
        {BYTES("[1,]"), "line 1 column 4: "},
        {BYTES("[NaN]"), "line 1 column "},
        {BYTES("{'a': 1}"), "line 1 column "},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char error[200] = "";
        assert_null(json_read(cases[i].text, error));
        assert_memory_equal(error, cases[i].start, strlen(cases[i].start));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_document_is_read),
        cmocka_unit_test(the_text_need_not_end_in_nul),
        cmocka_unit_test(wrong_texts_are_refused_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
