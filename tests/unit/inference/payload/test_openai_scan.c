/* SPDX-License-Identifier: Apache-2.0 */
/* test_openai_scan.c: tables of bodies and what the scanner says of them; each at every split, and against jansson. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/random.h"
#include "scan_oracle.h"

static void expect_agreement(const struct openai_scan *whole, struct bytes text)
{
    struct openai_scan pieces;
    oracle_scan(&pieces, text, 0, 1);
    bool is_same = oracle_is_same(whole, &pieces);
    for (size_t first = 0; first <= text.len && is_same; first++) {
        oracle_scan(&pieces, text, first, text.len + 1);
        is_same = oracle_is_same(whole, &pieces);
    }
    const char *wrong = is_same ? oracle_check(whole, text) : "pieces and whole differ";
    if (wrong != NULL)
        fail_msg("%s: %.*s", wrong, (int)text.len, text.data);
}

static struct openai_scan scan_all_ways(struct bytes text)
{
    struct openai_scan whole;
    oracle_scan(&whole, text, text.len, 1);
    expect_agreement(&whole, text);
    return whole;
}

static struct openai_scan scan_text(const char *text)
{
    return scan_all_ways(bytes_of(text));
}

static void expect_model(const char *body, const char *model)
{
    struct openai_scan scan = scan_text(body);
    if (scan.error != SCAN_OK || !bytes_equal_str(openai_scan_model(&scan), model))
        fail_msg("%s: %s, model %.*s", body, scan_error_reason(scan.error), BYTES_ARG(openai_scan_model(&scan)));
    assert_true(scan.is_complete);
}

static void expect_error(const char *body, enum scan_error error)
{
    struct openai_scan scan = scan_text(body);
    if (scan.error != error)
        fail_msg("%s: %s, not %s", body, scan_error_reason(scan.error), scan_error_reason(error));
}

static void finds_the_model_wherever_it_stands(void **state)
{
    (void)state;
    expect_model("{\"model\":\"m\"}", "m");
    expect_model(" \t\r\n{ \"model\" : \"m\" } \n", "m");
    expect_model("\xef\xbb\xbf{\"model\":\"m\"}", "m");
    expect_model("\xef\xbb\xbf \n{\"model\":\"m\"}", "m");
    expect_model("{\"a\":{\"model\":\"x\"},\"b\":[{\"model\":\"y\"}],\"model\":\"m\"}", "m");
    expect_model("{\"messages\":[{\"role\":\"user\",\"content\":\"\\\"model\\\":\\\"x\\\"\"}],\"model\":\"m\"}", "m");
    expect_model("{\"model\":\"m\",\"n\":[1,-2.5e+3,0,0.5,1E-2,true,false,null,[],{},[[]]]}", "m");
    expect_model("{}", "");
    expect_model("{\"model\":\"\"}", "");
    expect_model("{\"Model\":\"x\",\"models\":\"y\",\"mode\":\"z\"}", "");
}

static void resolves_escapes_in_names_and_values(void **state)
{
    (void)state;
    expect_model("{\"\\u006dodel\":\"m\"}", "m");
    expect_model("{\"\\u006D\\u006fde\\u006C\":\"m\"}", "m");
    expect_model("{\"mo\\/del\":\"x\"}", "");
    expect_model("{\"model\":\"a\\/b\\\\c\\\"d\\b\\f\\n\\r\\t\"}", "a/b\\c\"d\b\f\n\r\t");
    expect_model("{\"model\":\"\\u00e4\\u4f60\\ud83d\\ude00\"}", "\xc3\xa4\xe4\xbd\xa0\xf0\x9f\x98\x80");
    expect_model("{\"x\":\"\\u00e4\\uD83D\\uDE00\\u4f60\\u4f60 \\u4f60\",\"model\":\"m\"}", "m");
    expect_model("{\"model\":\"\xc3\xa4\"}", "\xc3\xa4");
    struct openai_scan scan = scan_text("{\"model\":\"a\\u0000b\"}");
    assert_true(bytes_equal(openai_scan_model(&scan), BYTES("a\0b")));
}

static void a_second_model_is_refused_however_it_is_spelled(void **state)
{
    (void)state;
    expect_error("{\"model\":\"a\",\"model\":\"a\"}", SCAN_ERROR_DUPLICATE_MODEL);
    expect_error("{\"model\":\"a\",\"x\":1,\"\\u006dodel\":\"b\"}", SCAN_ERROR_DUPLICATE_MODEL);
    expect_error("{\"model\":\"\",\"model\":\"b\"}", SCAN_ERROR_DUPLICATE_MODEL);
    expect_error("{\"model\":\"a\",\"model\":1}", SCAN_ERROR_DUPLICATE_MODEL);
    expect_model("{\"model\":\"a\",\"x\":{\"model\":1,\"model\":2}}", "a");
}

static void a_model_that_is_no_string_is_refused(void **state)
{
    (void)state;
    static const char *const values[] = {"1", "-1", "null", "true", "false", "{}", "[]", "[\"m\"]", "0.5"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char body[64];
        snprintf(body, sizeof body, "{\"model\":%s}", values[i]);
        expect_error(body, SCAN_ERROR_MODEL_TYPE);
    }
    expect_error("{\"model\":}", SCAN_ERROR_SYNTAX);
    expect_error("{\"model\":\"\xff\"}", SCAN_ERROR_SYNTAX);
}

static void a_model_may_have_256_bytes_and_no_more(void **state)
{
    (void)state;
    for (unsigned len = 255; len <= 258; len++) {
        char body[400];
        int size = snprintf(body, sizeof body, "{\"x\":0,\"model\":\"%0*d\",\"y\":1}", (int)len, 7);
        struct openai_scan scan = scan_all_ways(bytes_make(body, (size_t)size));
        assert_int_equal(scan.error, len <= 256 ? SCAN_OK : SCAN_ERROR_MODEL_TOO_LONG);
        if (len <= 256)
            assert_int_equal(scan.model_len, len);
    }
}

static void the_top_must_be_an_object(void **state)
{
    (void)state;
    static const char *const bodies[] = {"[]", "\"x\"", "1", "-1", "true", "null", " [{\"model\":\"m\"}]"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        expect_error(bodies[i], SCAN_ERROR_NOT_OBJECT);
    static const char *const garbage[] = {"x",     "}", ":", ",", "'", "\xef\xbb{}", "\xef\xbb\xbf\xef\xbb\xbf{}",
                                          "\xbb{}"};
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++)
        expect_error(garbage[i], SCAN_ERROR_SYNTAX);
}

static void wrong_structure_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "{\"a\":1]",
        "{\"a\":[1}",
        "{\"a\":[1,]}",
        "{\"a\":[,1]}",
        "{\"a\":[1 2]}",
        "{\"a\"::1}",
        "{\"a\":1,,}",
        "{}x",
        "{} {}",
        "{},",
        "{}]",
        "{\"a\":1}}",
        "{\"a\":/**/1}",
        "{\"a\":1}\n//",
        "{\"a\":\v1}",
        "{\"a\":tru}",
        "{\"a\":True}",
        "{\"a\":nul}",
        "{\"a\":falsy}",
        "{\"a\":undefined}",
        "{\"a\":NaN}",
        "{\"a\":truee}",
        "{\"a\":[}",
        "{\"a\":\xc2\xa0"
        "1}",
        "{\"a\":b}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        expect_error(bodies[i], SCAN_ERROR_SYNTAX);
}

static void numbers_follow_the_grammar(void **state)
{
    (void)state;
    static const char *const good[] = {"0", "-0", "1", "10", "0.0", "1.5", "-1.25e10", "1E5", "1e+5", "1e-5", "0e0"};
    static const char *const bad[] = {"01",  "-",   "+1",  ".5",   "1.",   "1.e5",     "1e", "1e+",  "0x1", "1_0",
                                      "--1", "1-1", "-01", "1.5.", "1e5e", "Infinity", "-a", "0.5a", "1 .5"};
    char body[64];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(body, sizeof body, "{\"a\":%s}", good[i]);
        expect_model(body, "");
        snprintf(body, sizeof body, "{\"a\":[%s ,%s]}", good[i], good[i]);
        expect_model(body, "");
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(body, sizeof body, "{\"a\":%s}", bad[i]);
        expect_error(body, SCAN_ERROR_SYNTAX);
    }
}

static void strings_follow_the_grammar_read_or_skipped(void **state)
{
    (void)state;
    static const char *const bad[] = {"\n",
                                      "\t",
                                      "\x1f",
                                      "\\x",
                                      "\\u12",
                                      "\\u12g4",
                                      "\\U0041",
                                      "\\'",
                                      "\\ud800",
                                      "\\ud800x",
                                      "\\udc00",
                                      "\\ud800\\n",
                                      "\\ud800\\u0041",
                                      "\\ud800\\ud800",
                                      "\\ude00\\ud83d",
                                      "\\uD83D\\uZE00",
                                      "\\0"};
    static const char *const frames[] = {
        "{\"model\":\"%s\"}", "{\"a\":\"%s\"}", "{\"%s\":1}", "{\"a\":[{\"%s\":1}]}",
        "{\"a\":\"0123456789abcdefghijklmnopqrstuvwxyz%szz0123456789abcdefghijklmnop\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (size_t j = 0; j < sizeof frames / sizeof frames[0]; j++) {
            char format[128], body[160];
            snprintf(format, sizeof format, "%s", frames[j]);
            char *mark = strstr(format, "%s");
            snprintf(body, sizeof body, "%.*s%s%s", (int)(mark - format), format, bad[i], mark + 2);
            expect_error(body, SCAN_ERROR_SYNTAX);
        }
}

static void a_body_cut_anywhere_is_truncated(void **state)
{
    (void)state;
    struct bytes body = BYTES("{\"model\":\"m\\u00e4\",\"a\":[1.5e3,{\"b\":true}],\"c\":\"\\ud83d\\ude00\"}");
    struct openai_scan scan;
    for (size_t len = 1; len < body.len; len++) {
        openai_scan_init(&scan);
        assert_true(openai_scan_feed(&scan, bytes_make(body.data, len)));
        assert_false(openai_scan_finish(&scan));
        assert_int_equal(scan.error, SCAN_ERROR_TRUNCATED);
        assert_false(scan.is_complete);
    }
    expect_error(" ", SCAN_ERROR_TRUNCATED);
    expect_error("\xef\xbb\xbf", SCAN_ERROR_TRUNCATED);
}

static void an_empty_body_is_whole_and_has_nothing(void **state)
{
    (void)state;
    struct openai_scan scan;
    openai_scan_init(&scan);
    assert_true(openai_scan_feed(&scan, BYTES("")));
    assert_true(openai_scan_finish(&scan));
    assert_false(scan.is_complete);
    assert_int_equal(openai_scan_model(&scan).len, 0);
    assert_int_equal(openai_scan_session(&scan, SCAN_KEY_PROMPT_CACHE_KEY).len, 0);
}

static void an_error_stays(void **state)
{
    (void)state;
    struct openai_scan scan;
    openai_scan_init(&scan);
    assert_false(openai_scan_feed(&scan, BYTES("{\"a\":x")));
    assert_false(openai_scan_feed(&scan, BYTES("{}")));
    assert_false(openai_scan_finish(&scan));
    assert_int_equal(scan.error, SCAN_ERROR_SYNTAX);
    assert_string_equal(scan_error_reason(SCAN_ERROR_DEPTH), "json_too_deep");
    assert_string_equal(scan_error_message(SCAN_OK), "");
}

static struct openai_scan scan_nested(unsigned depth, const char *open, const char *close)
{
    struct buffer body = {0};
    buffer_append_str(&body, "{\"a\":");
    for (unsigned i = 1; i < depth; i++)
        buffer_append_str(&body, open);
    buffer_append_str(&body, "1");
    for (unsigned i = 1; i < depth; i++)
        buffer_append_str(&body, close);
    buffer_append_str(&body, "}");
    struct openai_scan scan;
    oracle_scan(&scan, buffer_bytes(&body), 0, 7);
    buffer_deinit(&body);
    return scan;
}

static void nesting_is_checked_at_any_depth_and_bounded(void **state)
{
    (void)state;
    assert_int_equal(scan_nested(SCAN_MAX_DEPTH, "[", "]").error, SCAN_OK);
    assert_int_equal(scan_nested(SCAN_MAX_DEPTH, "{\"x\":", "}").error, SCAN_OK);
    assert_int_equal(scan_nested(SCAN_MAX_DEPTH + 1, "[", "]").error, SCAN_ERROR_DEPTH);
    assert_int_equal(scan_nested(100, "[", "}").error, SCAN_ERROR_SYNTAX);
    assert_int_equal(scan_nested(100, "{\"x\":", "]").error, SCAN_ERROR_SYNTAX);
}

static void stream_is_true_only_when_its_last_value_is_true(void **state)
{
    (void)state;
    assert_true(scan_text("{\"stream\":true}").is_stream);
    assert_false(scan_text("{\"stream\":false}").is_stream);
    assert_false(scan_text("{\"stream\":\"true\"}").is_stream);
    assert_false(scan_text("{\"stream\":[true]}").is_stream);
    assert_false(scan_text("{\"x\":{\"stream\":true}}").is_stream);
    assert_false(scan_text("{\"stream\":true,\"stream\":null}").is_stream);
    assert_true(scan_text("{\"stream\":1,\"stream\" : true}").is_stream);
}

static void max_tokens_takes_the_later_plain_integer(void **state)
{
    (void)state;
    assert_int_equal(scan_text("{\"max_tokens\":100}").max_tokens, 100);
    assert_int_equal(scan_text("{\"max_completion_tokens\":7}").max_tokens, 7);
    assert_int_equal(scan_text("{\"max_tokens\":1,\"max_completion_tokens\":2}").max_tokens, 2);
    assert_int_equal(scan_text("{\"max_completion_tokens\":2,\"max_tokens\":1 }").max_tokens, 1);
    assert_int_equal(scan_text("{\"max_tokens\":3,\"max_completion_tokens\":null}").max_tokens, 3);
    struct openai_scan zero = scan_text("{\"max_tokens\":0}");
    assert_true(zero.has_max_tokens);
    assert_int_equal(zero.max_tokens, 0);
    static const char *const no_values[] = {"-1", "1.0", "1e3", "\"5\"", "null", "[5]", "18446744073709551616"};
    for (size_t i = 0; i < sizeof no_values / sizeof no_values[0]; i++) {
        char body[64];
        snprintf(body, sizeof body, "{\"max_tokens\":%s}", no_values[i]);
        assert_false(scan_text(body).has_max_tokens);
    }
}

static void expect_span(const char *body, struct scan_span span, const char *wanted)
{
    assert_int_equal(span.len, strlen(wanted));
    assert_memory_equal(body + span.offset, wanted, span.len);
}

static void spans_tell_where_model_and_prompt_stand(void **state)
{
    (void)state;
    const char *chat =
        "\xef\xbb\xbf{\"messages\" : [{\"role\":\"user\"} ] ,\"model\" :\t\"m\\u00e4\" ,\"prompt\":\"x\"}";
    struct openai_scan scan = scan_text(chat);
    expect_span(chat, scan.prompt_span, "[{\"role\":\"user\"} ]");
    expect_span(chat, scan.model_span, "\"m\\u00e4\"");
    const char *tokens = "{\"prompt\":[1,2],\"input\":3}";
    expect_span(tokens, scan_text(tokens).prompt_span, "[1,2]");
    const char *number = "{\"input\":12.5 }";
    expect_span(number, scan_text(number).prompt_span, "12.5");
    assert_int_equal(scan_text("{\"x\":{\"prompt\":\"y\"}}").prompt_span.len, 0);
    const char *claude = "{\"tools\":[{\"name\":\"f\"}],\"system\":\"S\",\"instructions\":\"I\",\"cache_salt\":\"z\"}";
    scan = scan_text(claude);
    expect_span(claude, scan.tools_span, "[{\"name\":\"f\"}]");
    expect_span(claude, scan.system_span, "\"S\"");
    expect_span(claude, scan.salt_span, "\"z\"");
    assert_int_equal(scan_text("{\"x\":{\"tools\":1,\"system\":2}}").tools_span.len, 0);
}

static void expect_session(const char *body, enum scan_session_key key, const char *wanted)
{
    struct openai_scan scan = scan_text(body);
    assert_int_equal(scan.error, SCAN_OK);
    if (!bytes_equal_str(bytes_make(scan.session[key], scan.session_len[key]), wanted))
        fail_msg("%s: %.*s", body, (int)scan.session_len[key], scan.session[key]);
}

static void session_keys_are_found_in_all_their_forms(void **state)
{
    (void)state;
    expect_session("{\"prompt_cache_key\":\"k\"}", SCAN_KEY_PROMPT_CACHE_KEY, "k");
    expect_session("{\"prompt_cache_key\":5}", SCAN_KEY_PROMPT_CACHE_KEY, "");
    expect_session("{\"prompt_cache_key\":\"k\",\"prompt_cache_key\":5}", SCAN_KEY_PROMPT_CACHE_KEY, "");
    expect_session("{\"x\":{\"prompt_cache_key\":\"k\"}}", SCAN_KEY_PROMPT_CACHE_KEY, "");
    expect_session("{\"conversation\":\"c\"}", SCAN_KEY_CONVERSATION, "c");
    expect_session("{\"conversation\":{\"a\":[1],\"id\":\"c\",\"b\":\"x\"}}", SCAN_KEY_CONVERSATION, "c");
    expect_session("{\"conversation\":{\"\\u0069d\":\"c\"}}", SCAN_KEY_CONVERSATION, "c");
    expect_session("{\"conversation\":{\"x\":{\"id\":\"c\"}}}", SCAN_KEY_CONVERSATION, "");
    expect_session("{\"conversation\":{\"id\":{\"id\":\"c\"}}}", SCAN_KEY_CONVERSATION, "");
    expect_session("{\"conversation\":{\"id\":[\"c\"]}}", SCAN_KEY_CONVERSATION, "");
    expect_session("{\"conversation\":[{\"id\":\"c\"}]}", SCAN_KEY_CONVERSATION, "");
    expect_session("{\"conversation\":[\"id\",\"c\"]}", SCAN_KEY_CONVERSATION, "");
    expect_session("{\"conversation\":{\"id\":\"c\",\"id\":null}}", SCAN_KEY_CONVERSATION, "");
    expect_session("{\"conversation\":{\"session_id\":\"c\"}}", SCAN_KEY_CONVERSATION, "");
    expect_session("{\"conversation\":\"c\",\"conversation\":{}}", SCAN_KEY_CONVERSATION, "");
    expect_session("{\"previous_response_id\":\"r\"}", SCAN_KEY_PREVIOUS_RESPONSE_ID, "r");
    expect_session("{\"metadata\":{\"id\":\"x\",\"session_id\":\"s\"}}", SCAN_KEY_METADATA_SESSION_ID, "s");
    expect_session("{\"metadata\":\"s\"}", SCAN_KEY_METADATA_SESSION_ID, "");
    expect_session("{\"user\":\"u\",\"safety_identifier\":\"i\"}", SCAN_KEY_USER, "u");
    expect_session("{\"user\":{\"id\":\"u\"},\"safety_identifier\":\"i\"}", SCAN_KEY_SAFETY_IDENTIFIER, "i");
}

static void a_long_session_key_is_cut(void **state)
{
    (void)state;
    char body[400];
    int len = snprintf(body, sizeof body, "{\"prompt_cache_key\":\"%0300d\",\"model\":\"m\"}", 1);
    struct openai_scan scan = scan_all_ways(bytes_make(body, (size_t)len));
    assert_int_equal(scan.error, SCAN_OK);
    assert_int_equal(scan.session_len[SCAN_KEY_PROMPT_CACHE_KEY], SCAN_KEY_BYTES);
    assert_true(bytes_equal_str(openai_scan_model(&scan), "m"));
}

static void a_long_name_matches_nothing(void **state)
{
    (void)state;
    char body[200];
    snprintf(body, sizeof body, "{\"model%0100d\":\"x\",\"model\":\"m\"}", 0);
    expect_model(body, "m");
}

static void a_model_is_told_as_soon_as_it_was_read(void **state)
{
    (void)state;
    struct openai_scan scan;
    openai_scan_init(&scan);
    assert_true(openai_scan_feed(&scan, BYTES("{\"model\":\"my")));
    assert_int_equal(openai_scan_model(&scan).len, 0);
    assert_true(openai_scan_feed(&scan, BYTES("model\"")));
    assert_true(bytes_equal_str(openai_scan_model(&scan), "mymodel"));
}

/* Random documents: mostly well-formed, of the names that matter, some broken by one byte. */

static const char *const words[] = {
    "\"model\"",
    "\"stream\"",
    "\"max_tokens\"",
    "\"max_completion_tokens\"",
    "\"messages\"",
    "\"prompt\"",
    "\"input\"",
    "\"prompt_cache_key\"",
    "\"id\"",
    "\"conversation\"",
    "\"session_id\"",
    "\"metadata\"",
    "\"previous_response_id\"",
    "\"\\u006dodel\"",
    "\"a\\n\\\"b\\\\\"",
    "\"\\ud83d\\ude00\\u4f60\"",
    "\"the quick brown fox jumps over the lazy dog \\n\"",
    "\"\"",
};
static const char *const scalars[] = {"true", "false", "null", "0", "-1", "17", "1.5e3", "4096"};

#define ANY(random, list) (list)[random_below(random, sizeof(list) / sizeof *(list))]

static void write_space(struct random_state *random, struct buffer *out)
{
    if (random_below(random, 4) == 0)
        buffer_append_char(out, " \t\r\n"[random_below(random, 4)]);
}

static void write_value(struct random_state *random, struct buffer *out, unsigned depth)
{
    uint64_t kind = depth == 0 ? 3 : random_below(random, depth > 4 ? 2 : 4);
    if (kind == 0)
        buffer_append_str(out, ANY(random, words));
    else if (kind == 1)
        buffer_append_str(out, ANY(random, scalars));
    if (kind < 2)
        return;
    buffer_append_char(out, kind == 2 ? '[' : '{');
    for (uint64_t items = random_below(random, 5), i = 0; i < items; i++) {
        if (i > 0)
            buffer_append_char(out, ',');
        write_space(random, out);
        if (kind == 3) {
            buffer_append_str(out, ANY(random, words));
            write_space(random, out);
            buffer_append_char(out, ':');
        }
        write_space(random, out);
        write_value(random, out, depth + 1);
        write_space(random, out);
    }
    buffer_append_char(out, kind == 2 ? ']' : '}');
}

static void agrees_with_a_whole_parse_on_random_documents(void **state)
{
    (void)state;
    static const char noise[] = "{}[],:\"\\u0d8e1-+. \ntfn\x01\xff";
    struct random_state random;
    random_seed(&random, 20);
    struct buffer body = {0};
    for (unsigned round = 0; round < 4000; round++) {
        buffer_clear(&body);
        write_value(&random, &body, 0);
        if (buffer_len(&body) > 400)
            continue;
        if (round % 2 == 0)
            body.data[body.head + random_below(&random, buffer_len(&body))] =
                noise[random_below(&random, sizeof noise - 1)];
        scan_all_ways(buffer_bytes(&body));
    }
    buffer_deinit(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_model_wherever_it_stands),
        cmocka_unit_test(resolves_escapes_in_names_and_values),
        cmocka_unit_test(a_second_model_is_refused_however_it_is_spelled),
        cmocka_unit_test(a_model_that_is_no_string_is_refused),
        cmocka_unit_test(a_model_may_have_256_bytes_and_no_more),
        cmocka_unit_test(the_top_must_be_an_object),
        cmocka_unit_test(wrong_structure_is_refused),
        cmocka_unit_test(numbers_follow_the_grammar),
        cmocka_unit_test(strings_follow_the_grammar_read_or_skipped),
        cmocka_unit_test(a_body_cut_anywhere_is_truncated),
        cmocka_unit_test(an_empty_body_is_whole_and_has_nothing),
        cmocka_unit_test(an_error_stays),
        cmocka_unit_test(nesting_is_checked_at_any_depth_and_bounded),
        cmocka_unit_test(stream_is_true_only_when_its_last_value_is_true),
        cmocka_unit_test(max_tokens_takes_the_later_plain_integer),
        cmocka_unit_test(spans_tell_where_model_and_prompt_stand),
        cmocka_unit_test(session_keys_are_found_in_all_their_forms),
        cmocka_unit_test(a_long_session_key_is_cut),
        cmocka_unit_test(a_long_name_matches_nothing),
        cmocka_unit_test(a_model_is_told_as_soon_as_it_was_read),
        cmocka_unit_test(agrees_with_a_whole_parse_on_random_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
