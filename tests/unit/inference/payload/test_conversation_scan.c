/* SPDX-License-Identifier: Apache-2.0 */
/* test_conversation_scan.c: which bodies are turns of one conversation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "conversation_oracle.h"

static struct conversation_scan read_all_ways(const char *body)
{
    struct conversation_scan whole, pieces;
    struct openai_scan scan;
    struct bytes text = bytes_of(body);
    conversation_read(&whole, &scan, text, text.len + 1);
    if (scan.error != SCAN_OK)
        fail_msg("%s: %s", body, scan_error_message(scan.error));
    for (size_t step = 1; step < 20; step++) {
        conversation_read(&pieces, &scan, text, step);
        if (!conversation_is_same(&whole, &pieces))
            fail_msg("in pieces of %zu another conversation: %s", step, body);
    }
    const char *wrong = conversation_check(&whole, text);
    if (wrong != NULL)
        fail_msg("%s: %s", wrong, body);
    return whole;
}

static uint64_t reply(const char *text, const char *first_call, const char *second_call)
{
    struct reply_hash hash;
    reply_hash_init(&hash);
    reply_hash_add_text(&hash, bytes_of(text));
    if (first_call != NULL)
        reply_hash_add_tool_call(&hash, bytes_of(first_call));
    if (second_call != NULL)
        reply_hash_add_tool_call(&hash, bytes_of(second_call));
    return reply_hash_value(&hash);
}

#define USER(text)      "{\"role\":\"user\",\"content\":\"" text "\"}"
#define ASSISTANT(text) "{\"role\":\"assistant\",\"content\":\"" text "\"}"
#define BODY(messages)  "{\"messages\":[" messages "]}"

/* The first body and the reply to it are what the second one begins with. */
static void expect_next(const char *first, uint64_t reply_hash, const char *second)
{
    struct conversation_scan before = read_all_ways(first), after = read_all_ways(second);
    assert_true(after.has_reply);
    if (conversation_next_hash(&before, reply_hash) != after.last_hash)
        fail_msg("%s\nis no turn after\n%s", second, first);
}

static void the_next_turn_is_found_by_messages_and_reply(void **state)
{
    (void)state;
    expect_next(BODY(USER("hi")), reply("hello", NULL, NULL), BODY(USER("hi") "," ASSISTANT("hello") "," USER("more")));
    expect_next(BODY(USER("hi") "," ASSISTANT("hello") "," USER("more")), reply("well", NULL, NULL),
                BODY(USER("hi") "," ASSISTANT("hello") "," USER("more") "," ASSISTANT("well") "," USER("and")));
    /* escapes are resolved, and a reply that ends a body counts */
    expect_next(BODY(USER("h\\u00e9\\n")), reply("\"\xc3\xa9\xf0\x9f\x98\x80", NULL, NULL),
                "{\"messages\":[" USER("h\xc3\xa9\\n") "," ASSISTANT("\\\"\\u00e9\\ud83d\\ude00") "]}");
}

static void the_first_answer_is_known_in_every_later_turn(void **state)
{
    (void)state;
    struct conversation_scan second = read_all_ways(BODY(USER("a") "," ASSISTANT("b") "," USER("c")));
    struct conversation_scan third =
        read_all_ways(BODY(USER("a") "," ASSISTANT("b") "," USER("c") "," ASSISTANT("d") "," USER("e")));
    assert_int_equal(second.first_hash, second.last_hash);
    assert_int_equal(third.first_hash, second.first_hash);
    assert_true(third.last_hash != second.last_hash);
    assert_int_equal(third.opening_hash, second.opening_hash);
}

static void a_first_turn_has_an_opening_and_no_reply(void **state)
{
    (void)state;
    struct conversation_scan scan = read_all_ways(BODY(USER("a") "," USER("b")));
    assert_true(scan.has_opening && !scan.has_reply);
    scan = read_all_ways(BODY("{\"role\":\"system\",\"content\":\"x\"}"));
    assert_false(scan.has_opening || scan.has_reply);
    assert_int_equal(scan.hash, 0);
    scan = read_all_ways("{\"prompt\":\"a\"}");
    assert_false(scan.has_opening);
    scan = read_all_ways("{\"input\":\"a\"}");
    assert_true(scan.has_opening);
}

struct same_case {
    const char *one, *other;
    bool is_same;
};

static const struct same_case same_cases[] = {
    /* a string is a text part; parts are one text; members in any order */
    {BODY(USER("ab")), BODY("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"ab\"}]}"), true},
    {BODY(USER("ab")),
     BODY("{\"content\":[{\"text\":\"a\",\"type\":\"text\"},{\"text\":\"b\"}],\"name\":\"n\",\"role\":\"user\"}"),
     true},
    {BODY(USER("ab")), "{\"input\":[{\"content\":[{\"type\":\"input_text\",\"text\":\"ab\"}],\"role\":\"user\"}]}",
     true},
    {BODY(USER("ab")), "{\"input\":\"ab\"}", true},
    /* what clients change between turns */
    {BODY("{\"role\":\"system\",\"content\":\"12:00\"}," USER("a")),
     BODY("{\"role\":\"developer\",\"content\":\"12:01\"}," USER("a")), true},
    {BODY("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\",\"cache_control\":{\"type\":\"e\"}}]}"),
     BODY(USER("a")), true},
    {BODY(USER("a") ","
                    "{\"role\":\"assistant\",\"reasoning_content\":\"t\",\"content\":\"b\"}"),
     BODY(USER("a") "," ASSISTANT("b")), true},
    /* thoughts */
    {"{\"input\":[{\"type\":\"reasoning\",\"content\":[{\"type\":\"reasoning_text\",\"text\":\"t\"}]}," USER("a") "]}",
     "{\"input\":[" USER("a") "]}", true},
    {BODY("{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\"},{\"type\":\"text\","
          "\"text\":\"b\"}]}"),
     BODY(ASSISTANT("b")), true},
    /* differences that count */
    {BODY(USER("a")), BODY(USER("b")), false},
    {BODY(USER("a")), BODY(ASSISTANT("a")), false},
    {BODY(USER("a") "," USER("b")), BODY(USER("b") "," USER("a")), false},
    {BODY(USER("a") "," USER("b")), BODY(USER("ab")), false},
    {BODY(USER("a") ",{\"role\":\"tool\",\"content\":\"x\"}"), BODY(USER("a") ",{\"role\":\"tool\",\"content\":\"y\"}"),
     false},
    /* the last of several counts */
    {"{\"messages\":[" USER("a") "],\"messages\":[" USER("b") "]}", BODY(USER("b")), true},
    /* shapes that are no conversation */
    {"{\"messages\":{\"role\":\"user\",\"content\":\"a\"}}", "{\"messages\":5}", true},
    {"{\"messages\":[[" USER("a") "]]}", "{\"messages\":[]}", true},
    {"{\"messages\":[{\"role\":\"user\",\"content\":{\"text\":\"a\"}}]}", BODY("{\"role\":\"user\"}"), true},
};

static void words_count_and_forms_do_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(same_cases); i++) {
        struct conversation_scan one = read_all_ways(same_cases[i].one), other = read_all_ways(same_cases[i].other);
        if ((one.hash == other.hash) != same_cases[i].is_same)
            fail_msg("%s\n%s\n%s", same_cases[i].one, same_cases[i].is_same ? "is not the same as" : "is the same as",
                     same_cases[i].other);
    }
}

#define CALL(id) "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"

static void tool_calls_count_by_their_ids(void **state)
{
    (void)state;
    expect_next(BODY(USER("a")), reply("", "call_1", "call_2"),
                BODY(USER("a") ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[" CALL("call_1") "," CALL(
                    "call_2") "]},{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"x\"}"));
    expect_next(BODY(USER("a")), reply("b", "toolu_1", NULL),
                BODY(USER("a") ",{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"toolu_1\","
                               "\"input\":{\"id\":\"no\"}},{\"type\":\"text\",\"text\":\"b\"}]}"));
    struct conversation_scan one =
        read_all_ways(BODY("{\"role\":\"assistant\",\"tool_calls\":[" CALL("x") "," CALL("y") "]}"));
    struct conversation_scan other =
        read_all_ways(BODY("{\"role\":\"assistant\",\"tool_calls\":[" CALL("y") "," CALL("x") "]}"));
    assert_true(one.hash != other.hash);
}

static void items_of_one_answer_are_one_message(void **state)
{
    (void)state;
    static const char next[] =
        "{\"input\":[" USER("a") ",{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[{\"type\":\"summary_text\","
                                 "\"text\":\"t\"}]},{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{"
                                 "\"type\":\"output_text\",\"text\":\"b\"}]},{\"type\":\"function_call\",\"call_id\":"
                                 "\"c1\",\"id\":\"fc_1\"},{\"type\":\"function_call\",\"id\":\"fc_2\",\"call_id\":"
                                 "\"c2\"},{\"type\":\"function_call_output\",\"call_id\":\"c1\",\"output\":\"x\"}]}";
    expect_next("{\"input\":[" USER("a") "]}", reply("b", "c1", "c2"), next);
}

static void a_long_id_counts_with_its_first_bytes(void **state)
{
    (void)state;
    char body[400], id[201];
    memset(id, 'i', 200);
    id[200] = '\0';
    snprintf(body, sizeof body, "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"%s\"}]}]}", id);
    struct conversation_scan none = {.hash = 0};
    assert_int_equal(read_all_ways(body).last_hash, conversation_next_hash(&none, reply("", id, NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_turn_is_found_by_messages_and_reply),
        cmocka_unit_test(the_first_answer_is_known_in_every_later_turn),
        cmocka_unit_test(a_first_turn_has_an_opening_and_no_reply),
        cmocka_unit_test(words_count_and_forms_do_not),
        cmocka_unit_test(tool_calls_count_by_their_ids),
        cmocka_unit_test(items_of_one_answer_are_one_message),
        cmocka_unit_test(a_long_id_counts_with_its_first_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
