/* SPDX-License-Identifier: Apache-2.0 */
/* test_yaml.c: documents, structure, anchors, merges and errors.  Scalars have test_yaml_scalar.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/buffer.h"
#include "base/yaml.h"

struct seen {
    struct buffer text; /* "line:json " per document, keys sorted */
    size_t stop_after;  /* 0: never */
    size_t count;
};

static bool note_document(json_t *document, size_t line, void *context)
{
    struct seen *seen = context;
    char *json = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    buffer_printf(&seen->text, "%s%zu:%s", seen->count > 0 ? " " : "", line, json);
    free(json);
    return ++seen->count != seen->stop_after;
}

struct yaml_case {
    const char *yaml;
    const char *documents;
    const char *error; /* how it starts; NULL: none */
};

static void check(const struct yaml_case *wanted)
{
    struct seen seen = {0};
    char error[200] = "";
    int result = yaml_parse(bytes_of(wanted->yaml), note_document, &seen, error);
    buffer_append_char(&seen.text, '\0');
    const char *documents = buffer_bytes(&seen.text).data;
    if (result != (wanted->error != NULL ? -1 : 0))
        fail_msg("%s\nresult %d %s", wanted->yaml, result, error);
    if (strcmp(documents, wanted->documents) != 0)
        fail_msg("%s\ngave %s\n not %s", wanted->yaml, documents, wanted->documents);
    if (wanted->error != NULL && strncmp(error, wanted->error, strlen(wanted->error)) != 0)
        fail_msg("%s\nerror %s\n  not %s", wanted->yaml, error, wanted->error);
    buffer_deinit(&seen.text);
}

static void check_all(const struct yaml_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(&cases[i]);
}

static void mappings_sequences_and_scalars_become_json(void **state)
{
    (void)state;
    static const struct yaml_case cases[] = {
        {"a: 1\nb:\n  - x\n  - y: true\n    z:\n  -\n", "1:{\"a\":1,\"b\":[\"x\",{\"y\":true,\"z\":null},null]}", NULL},
        {"port: \"8000\"\ntarget: 8000\n", "1:{\"port\":\"8000\",\"target\":8000}", NULL},
        {"{\"json\": true}", "1:{\"json\":true}", NULL},
        {"{json: true, list: [1, 'two']}", "1:{\"json\":true,\"list\":[1,\"two\"]}", NULL},
        {"[]", "1:[]", NULL},
        {"plain text", "1:\"plain text\"", NULL},
        {"a: 'it''s'\nb: \"\\x41\\n\\u20ac\"\n", "1:{\"a\":\"it's\",\"b\":\"A\\n\xe2\x82\xac\"}", NULL},
        {"url: http://example.com:80/x#y\n", "1:{\"url\":\"http://example.com:80/x#y\"}", NULL},
        {"a: b # comment\n", "1:{\"a\":\"b\"}", NULL},
        {"empty: \"\"\nnone:\ntilde: ~\n", "1:{\"empty\":\"\",\"none\":null,\"tilde\":null}", NULL},
        {"a: one\n  two\n", "1:{\"a\":\"one two\"}", NULL},
        {"a: !!str 1\nb: !!int \"2\"\nc: !!map {x: 1}\nd: !!seq [1]\n",
         "1:{\"a\":\"1\",\"b\":2,\"c\":{\"x\":1},\"d\":[1]}", NULL},
        {"\xef\xbb\xbf"
         "a: 1\n",
         "1:{\"a\":1}", NULL}, /* a byte order mark */
        {"a: 1\r\nb: 2\r\n", "1:{\"a\":1,\"b\":2}", NULL},
    };
    check_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void block_scalars_keep_or_fold_their_lines(void **state)
{
    (void)state;
    static const struct yaml_case cases[] = {
        {"a: |\n  one\n  two\n", "1:{\"a\":\"one\\ntwo\\n\"}", NULL},
        {"a: |-\n  one\n    two\n", "1:{\"a\":\"one\\n  two\"}", NULL},
        {"a: |+\n  one\n\nb: 1\n", "1:{\"a\":\"one\\n\\n\",\"b\":1}", NULL},
        {"a: >\n  one\n  two\n\n  three\n", "1:{\"a\":\"one two\\nthree\\n\"}", NULL},
        {"a: |\n  8000\n", "1:{\"a\":\"8000\\n\"}", NULL},
        {"a: |-\n  true\n", "1:{\"a\":\"true\"}", NULL},
        {"a: |2\n   x\n", "1:{\"a\":\" x\\n\"}", NULL},
        {"a: |\n  ---\n  # not a comment\n", "1:{\"a\":\"---\\n# not a comment\\n\"}", NULL},
    };
    check_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void a_stream_has_many_documents_and_empty_ones_are_skipped(void **state)
{
    (void)state;
    static const struct yaml_case cases[] = {
        {"", "", NULL},
        {"\n\n", "", NULL},
        {"# only a comment\n", "", NULL},
        {"---\n# comment\n---\n...\n---\n", "", NULL},
        {"--- null\n", "", NULL},
        {"a: 1\n---\nb: 2\n", "1:{\"a\":1} 3:{\"b\":2}", NULL},
        {"---\na: 1\n...\n---\nb: 2\n...\n", "2:{\"a\":1} 5:{\"b\":2}", NULL},
        {"# head\n---\n\n# more\na: 1\n---\n---\n# nothing\n---\nb: 2\n", "5:{\"a\":1} 10:{\"b\":2}", NULL},
        {"--- {a: 1}\n--- [b]\n", "1:{\"a\":1} 2:[\"b\"]", NULL},
        {"{\"a\": 1}\n---\n{\"b\": 2}\n", "1:{\"a\":1} 3:{\"b\":2}", NULL},
        {"%YAML 1.1\n---\na: 1\n", "3:{\"a\":1}", NULL},
        {"a: 1\n---\nb: [\n", "1:{\"a\":1}", "line "},
        {"a: &x 1\n---\nb: *x\n", "1:{\"a\":1}", "line 3: alias *x has no anchor"},
    };
    check_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void the_callee_can_stop_the_walk(void **state)
{
    (void)state;
    struct seen seen = {.stop_after = 2};
    char error[200];
    assert_int_equal(yaml_parse(BYTES("a\n---\nb\n---\nc\n--- ["), note_document, &seen, error), 0);
    assert_int_equal(seen.count, 2);
    buffer_deinit(&seen.text);
}

static void keys_become_strings_and_must_differ(void **state)
{
    (void)state;
    static const struct yaml_case cases[] = {
        {"1: a\ntrue: b\nno: c\n0x10: d\n1.5: e\n\"2\": f\n",
         "1:{\"1\":\"a\",\"1.5\":\"e\",\"16\":\"d\",\"2\":\"f\",\"false\":\"c\",\"true\":\"b\"}", NULL},
        {"y: 1\nn: 2\n", "1:{\"n\":2,\"y\":1}", NULL},
        {"? a\n: 1\n? b\n", "1:{\"a\":1,\"b\":null}", NULL},
        {"a: 1\nb: 2\na: 3\n", "", "line 3: key \"a\" appears twice"},
        {"x:\n  a: 1\n  a: 1\n", "", "line 3: key \"a\" appears twice"},
        {"1: a\n\"1\": b\n", "", "line 2: key \"1\" appears twice"},
        {"{\"a\": 1,\n\"a\": 2}", "", "line 2: key \"a\" appears twice"},
        {"? [a]\n: 1\n", "", "line 1: a key must be a string"},
        {"? {a: 1}\n: 1\n", "", "line 1: a key must be a string"},
        {"~: 1\n", "", "line 1: a key must be a string"},
    };
    check_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void aliases_are_copies_of_their_anchor(void **state)
{
    (void)state;
    static const struct yaml_case cases[] = {
        {"a: &x {k: [1]}\nb: *x\n", "1:{\"a\":{\"k\":[1]},\"b\":{\"k\":[1]}}", NULL},
        {"- &x 1\n- &x 2\n- *x\n", "1:[1,2,2]", NULL},
        {"&k key: 1\nother: *k\n", "1:{\"key\":1,\"other\":\"key\"}", NULL},
        {"- &k key\n- *k : 1\n", "1:[\"key\",{\"key\":1}]", NULL},
        {"- &x [&x 1, *x]\n- *x\n", "1:[[1,1],1]", NULL}, /* the name belongs to the node that took it last */
        {"a: *x\n", "", "line 1: alias *x has no anchor"},
        {"a: &x\n  b: *x\n", "", "line 2: anchor &x contains itself"},
        {"&x [*x]", "", "line 1: anchor &x contains itself"},
    };
    check_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static bool change_first_item(json_t *document, size_t line, void *context)
{
    (void)line;
    (void)context;
    json_object_set_new(json_array_get(document, 0), "k", json_integer(2));
    assert_int_equal(json_integer_value(json_object_get(json_array_get(document, 1), "k")), 1);
    return true;
}

static void changing_one_copy_leaves_the_others(void **state)
{
    (void)state;
    char error[200];
    assert_int_equal(yaml_parse(BYTES("- &x {k: 1}\n- *x\n"), change_first_item, NULL, error), 0);
}

static void merge_keys_fill_in_what_is_missing(void **state)
{
    (void)state;
    static const struct yaml_case cases[] = {
        {"- &x {a: 1, b: 2}\n- <<: *x\n  b: 3\n  c: 4\n", "1:[{\"a\":1,\"b\":2},{\"a\":1,\"b\":3,\"c\":4}]", NULL},
        {"- &x {a: 1, b: 2}\n- b: 3\n  <<: *x\n", "1:[{\"a\":1,\"b\":2},{\"a\":1,\"b\":3}]", NULL},
        {"- &x {a: 1}\n- &y {a: 2, b: 2}\n- <<: [*x, *y]\n", "1:[{\"a\":1},{\"a\":2,\"b\":2},{\"a\":1,\"b\":2}]", NULL},
        {"<<: {a: 1}\nb: 2\n", "1:{\"a\":1,\"b\":2}", NULL},
        {"\"<<\": {a: 1}\n", "1:{\"<<\":{\"a\":1}}", NULL},
        {"- <<\n", "1:[\"<<\"]", NULL},
        {"<<: 1\n", "", "line 1: \"<<\" needs a mapping"},
        {"<<: [1]\n", "", "line 1: \"<<\" needs a mapping"},
        {"<<: {a: 1}\n<<: {b: 1}\n", "", "line 2: key \"<<\" appears twice"},
    };
    check_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void broken_texts_are_refused_with_their_line(void **state)
{
    (void)state;
    static const struct yaml_case cases[] = {
        {"a:\n\t- 1\n", "", "line 2: "}, /* a tab as indentation */
        {"a: 1\n b: 2\n", "", "line 2: "},
        {"a: [1, 2\n", "", "line "},
        {"a: 'x\n", "", "line "},
        {"a: b: c\n", "", "line 1: "},
        {"a: 1\n]\n", "", "line 2: "},
        {"a: 1\nb: \xff\n", "", "line 2: "},
        {"a: 1\nb: \x01\n", "", "line 2: "},
        {"a: \"\\0\"\n", "", "line 1: a string contains NUL"},
        {"a: \"\\ud800\"\n", "", "line 1: "},
        {"a: 1\nb: .inf\n", "", "line 2: infinity"},
        {"a: !!binary aGk=\n", "", "line 1: the tag is not supported"},
        {"a: !Ref x\n", "", "line 1: the tag is not supported"},
        {"a: !mine {b: 1}\n", "", "line 1: the tag is not supported"},
        {"a: !!map [1]\n", "", "line 1: the tag is not supported"},
        {"a: @x\n", "", "line 1: "},
        {"a: `x`\n", "", "line 1: "},
        {"{\"a\": 1", "", "line "},
    };
    check_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void a_nul_byte_in_the_text_is_refused(void **state)
{
    (void)state;
    struct seen seen = {0};
    char error[200] = "";
    assert_int_equal(yaml_parse(BYTES("a: b\nc: d\0e\n"), note_document, &seen, error), -1);
    assert_memory_equal(error, "line 2: ", 8);
    assert_int_equal(seen.count, 0);
}

static void json_is_read_with_its_own_rules(void **state)
{
    (void)state;
    static const struct yaml_case cases[] = {
        {"{\"a\": \"\\ud83d\\ude00\"}", "1:{\"a\":\"\xf0\x9f\x98\x80\"}", NULL},
        {"\n\t{\n\t\"a\":\t1,\n\t\"b\": [\"x\\/y\"]\n}\n", "2:{\"a\":1,\"b\":[\"x/y\"]}", NULL},
        {"{\"big\": 9223372036854775808}", "1:{\"big\":9.2233720368547758e18}", NULL},
    };
    check_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void check_text(struct buffer *text, const char *error_part)
{
    struct seen seen = {0};
    char error[200] = "";
    int result = yaml_parse(buffer_bytes(text), note_document, &seen, error);
    assert_int_equal(result, error_part != NULL ? -1 : 0);
    if (error_part != NULL && strstr(error, error_part) == NULL)
        fail_msg("%s", error);
    buffer_deinit(&seen.text);
    buffer_clear(text);
}

static void append_repeated(struct buffer *text, const char *piece, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_append_str(text, piece);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    struct buffer text = {0};
    append_repeated(&text, "[", 100);
    append_repeated(&text, "]", 100);
    check_text(&text, NULL);
    append_repeated(&text, "[", 101);
    append_repeated(&text, "]", 101);
    check_text(&text, "nested deeper");
    append_repeated(&text, "{\"a\":", 500);
    buffer_append_str(&text, "1");
    append_repeated(&text, "}", 500);
    check_text(&text, "nested deeper");
    append_repeated(&text, "- ", 50000);
    check_text(&text, "line ");
    /* Sixty levels, and the same once more below them through an alias. */
    buffer_append_str(&text, "- &a ");
    append_repeated(&text, "[", 60);
    append_repeated(&text, "]", 60);
    buffer_append_str(&text, "\n- ");
    append_repeated(&text, "[", 60);
    buffer_append_str(&text, "*a");
    append_repeated(&text, "]", 60);
    check_text(&text, "nested deeper");
    buffer_deinit(&text);
}

static void aliases_of_aliases_do_not_explode(void **state)
{
    (void)state;
    struct buffer text = {0};
    buffer_append_str(&text, "l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for (int i = 1; i < 10; i++) {
        buffer_printf(&text, "l%d: &l%d [", i, i);
        for (int j = 0; j < 9; j++)
            buffer_printf(&text, "%s*l%d", j > 0 ? ", " : "", i - 1);
        buffer_append_str(&text, "]\n");
    }
    check_text(&text, "more than 1000000 values");
    buffer_deinit(&text);
}

static void copies_of_long_strings_do_not_explode(void **state)
{
    (void)state;
    struct buffer text = {0};
    buffer_append_str(&text, "- &x ");
    append_repeated(&text, "0123456789", 10000);
    append_repeated(&text, "\n- *x", 10000); /* would be 1 GB */
    check_text(&text, "more than 1000000 values");
    buffer_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mappings_sequences_and_scalars_become_json),
        cmocka_unit_test(block_scalars_keep_or_fold_their_lines),
        cmocka_unit_test(a_stream_has_many_documents_and_empty_ones_are_skipped),
        cmocka_unit_test(the_callee_can_stop_the_walk),
        cmocka_unit_test(keys_become_strings_and_must_differ),
        cmocka_unit_test(aliases_are_copies_of_their_anchor),
        cmocka_unit_test(changing_one_copy_leaves_the_others),
        cmocka_unit_test(merge_keys_fill_in_what_is_missing),
        cmocka_unit_test(broken_texts_are_refused_with_their_line),
        cmocka_unit_test(a_nul_byte_in_the_text_is_refused),
        cmocka_unit_test(json_is_read_with_its_own_rules),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(aliases_of_aliases_do_not_explode),
        cmocka_unit_test(copies_of_long_strings_do_not_explode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
