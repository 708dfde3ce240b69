/* SPDX-License-Identifier: Apache-2.0 */
/* test_answer_scan.c: answers of four dialects and what is read of them, each at every split of its bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "answer_feeding.h"
#include "base/buffer.h"

#define CHUNK(delta, finish)                                                                                           \
    "data: {\"id\":\"chatcmpl-7\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":"     \
    "[{\"index\":0,\"delta\":" delta ",\"logprobs\":null,\"finish_reason\":" finish "}]}\n\n"
#define USAGE_CHUNK(usage) "data: {\"id\":\"chatcmpl-7\",\"choices\":[],\"usage\":" usage "}\n\n"
#define DONE               "data: [DONE]\n\n"

/* The expectations of a case are fields of struct answer_scan itself; hash_of: the reply's text, NULL = none. */
struct answer_case {
    const char *name;
    const char *text;
    struct answer_scan wanted;
    const char *hash_of;
    const char *tool_ids[3];
};

static const struct answer_case streams[] = {
    {"chat",
     CHUNK("{\"role\":\"assistant\",\"content\":\"\"}", "null") CHUNK("{\"content\":\"Hi\"}", "null")
         CHUNK("{\"content\":\" there\"}", "null") CHUNK("{}", "\"stop\"")
             USAGE_CHUNK("{\"prompt_tokens\":11,\"total_tokens\":13,\"completion_tokens\":2,"
                         "\"prompt_tokens_details\":{\"cached_tokens\":8}}") DONE,
     {.has_usage = true,
      .has_text = true,
      .is_generation = true,
      .is_done = true,
      .prompt_tokens = 11,
      .cached_tokens = 8,
      .output_tokens = 2,
      .output_events = 2,
      .finish = "stop",
      .id = "chatcmpl-7"},
     .hash_of = "Hi there"},
    {"usage null and none at the end",
     CHUNK("{\"content\":\"a\"}", "null") "data: {\"usage\":null,\"choices\":[]}\n\n",
     {.has_text = true, .is_generation = true, .output_events = 1, .id = "chatcmpl-7"},
     .hash_of = "a"},
    {"thought before text",
     CHUNK("{\"reasoning_content\":\"hm\"}", "null") CHUNK("{\"reasoning\":\"hm\"}", "null")
         CHUNK("{\"content\":\"yes\",\"reasoning_content\":null}", "\"length\""),
     {.has_text = true, .is_generation = true, .output_events = 3, .finish = "length", .id = "chatcmpl-7"},
     .hash_of = "yes"},
    {"nothing but tool calls",
     CHUNK("{\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\",\"index\":0,\"function\":{\"name\":\"f\"}}]}",
           "null") CHUNK("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\"}}]}", "null")
         CHUNK("{\"tool_calls\":[{\"id\":\"call_2\",\"index\":1}]}", "null") CHUNK("{}", "\"tool_calls\"") DONE,
     {.has_tool_call = true,
      .is_generation = true,
      .is_done = true,
      .output_events = 3,
      .finish = "tool_calls",
      .id = "chatcmpl-7"},
     .hash_of = "",
     .tool_ids = {"call_1", "call_2"}},
    {"empty",
     CHUNK("{\"role\":\"assistant\",\"content\":\"\"}", "null") CHUNK("{\"content\":\"\"}", "\"stop\"") DONE,
     {.is_generation = true, .is_done = true, .finish = "stop", .id = "chatcmpl-7"},
     .hash_of = ""},
    {"two choices: the first is the reply",
     "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"no\"},\"finish_reason\":\"length\"}]}\n\n"
     "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"yes\"},\"finish_reason\":\"stop\"},"
     "{\"index\":1,\"delta\":{\"content\":\"no\"},\"finish_reason\":\"length\"}]}\n\n",
     {.has_text = true, .is_generation = true, .output_events = 2, .finish = "stop"},
     .hash_of = "yes"},
    {"cut in mid event",
     CHUNK("{\"content\":\"a\"}", "null") "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b",
     {.has_text = true, .is_generation = true, .output_events = 2, .id = "chatcmpl-7"},
     .hash_of = "ab"},
    {"an error event",
     CHUNK("{\"content\":\"a\"}", "null") "data: {\"error\":{\"message\":\"oom\",\"code\":500}}\n\n",
     {.has_text = true, .has_error = true, .is_generation = true, .output_events = 1, .id = "chatcmpl-7"},
     .hash_of = "a"},
    {"an error event of older vLLM",
     "data: {\"object\":\"error\",\"message\":\"x\",\"type\":\"InternalServerError\"}\n\n",
     {.has_error = true}},
    {"CRLF, comments, other fields, data without a blank, on two lines",
     ": ping\r\n\r\nid: 3\r\nretry: "
     "5\r\nnothing\r\ndata:{\"choices\":[{\"delta\":\r\ndata:{\"content\":\"x\"}}]}\r\n\r\n"
     "data: [DONE]\r\n\r\n",
     {.has_text = true, .is_generation = true, .is_done = true, .output_events = 1},
     .hash_of = "x"},
    {"continuous usage: the last counts",
     "data: {\"choices\":[{\"text\":\"a\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\n"
     "data: {\"choices\":[{\"text\":\"b\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n",
     {.has_usage = true,
      .has_text = true,
      .is_generation = true,
      .prompt_tokens = 3,
      .output_tokens = 2,
      .output_events = 2},
     .hash_of = "ab"},
    {"Anthropic",
     "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\","
     "\"role\":\"assistant\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":5,"
     "\"cache_creation_input_tokens\":20,\"cache_read_input_tokens\":100,\"output_tokens\":1}}}\n\n"
     "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
     "{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n"
     "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
     "{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}\n\n"
     "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":"
     "{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n"
     "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":2,\"content_block\":"
     "{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\",\"input\":{}}}\n\n"
     "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":2,\"delta\":"
     "{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"usage\\\":\"}}\n\n"
     "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\","
     "\"stop_sequence\":null},\"usage\":{\"output_tokens\":15}}\n\n"
     "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
     {.has_usage = true,
      .has_text = true,
      .has_tool_call = true,
      .is_generation = true,
      .is_done = true,
      .prompt_tokens = 125,
      .cached_tokens = 100,
      .output_tokens = 15,
      .output_events = 4,
      .finish = "tool_use",
      .id = "msg_1"},
     .hash_of = "Hello",
     .tool_ids = {"toolu_1"}},
    {"an error of Anthropic",
     "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n",
     {.has_error = true}},
    {"responses",
     "event: response.created\ndata: {\"response\":{\"id\":\"resp_1\",\"status\":\"in_progress\",\"error\":null,"
     "\"output\":[],\"usage\":null},\"type\":\"response.created\"}\n\n"
     "event: response.reasoning_text.delta\ndata: {\"delta\":\"hm\",\"type\":\"response.reasoning_text.delta\"}\n\n"
     "event: response.output_text.delta\ndata: {\"content_index\":0,\"delta\":\"Hel\",\"item_id\":\"i\"}\n\n"
     "data: {\"type\":\"response.output_text.delta\",\"delta\":\"lo\"}\n\n"
     "event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\",\"text\":\"Hello\"}\n\n"
     "event: response.output_item.added\ndata: {\"item\":{\"type\":\"function_call\",\"id\":\"fc_1\","
     "\"call_id\":\"call_1\"}}\n\n"
     "event: response.function_call_arguments.delta\ndata: {\"delta\":\"{}\"}\n\n"
     "event: response.output_item.done\ndata: {\"item\":{\"type\":\"message\",\"content\":[{\"text\":\"Hello\"}]}}\n\n"
     "event: response.completed\ndata: {\"response\":{\"id\":\"resp_1\",\"status\":\"completed\",\"output\":"
     "[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"Hello\"}]}],\"usage\":"
     "{\"input_tokens\":9,\"input_tokens_details\":{\"cached_tokens\":4},\"output_tokens\":6,"
     "\"output_tokens_details\":{\"reasoning_tokens\":1}}}}\n\n",
     {.has_usage = true,
      .has_text = true,
      .has_tool_call = true,
      .is_generation = true,
      .is_done = true,
      .prompt_tokens = 9,
      .cached_tokens = 4,
      .output_tokens = 6,
      .output_events = 5,
      .finish = "completed",
      .id = "resp_1"},
     .hash_of = "Hello",
     .tool_ids = {"call_1"}},
    {"a response that fails",
     "event: response.failed\ndata: {\"response\":{\"id\":\"resp_1\",\"status\":\"failed\",\"error\":{\"code\":"
     "\"server_error\"}}}\n\n",
     {.has_error = true, .id = "resp_1"}},
};

static const struct answer_case wholes[] = {
    {"chat",
     "{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":"
     "{\"role\":\"assistant\",\"content\":\"say \\\"usage\\\": {}\",\"tool_calls\":[],\"function_call\":null},"
     "\"logprobs\":{\"content\":[{\"token\":\"x\",\"top_logprobs\":[{\"id\":\"no\"}]}]},\"finish_reason\":\"stop\"}],"
     "\"usage\":{\"prompt_tokens\":5,\"total_tokens\":10,\"completion_tokens\":5,\"prompt_tokens_details\":null},"
     "\"kv_transfer_params\":null}",
     {.has_usage = true,
      .has_text = true,
      .is_generation = true,
      .prompt_tokens = 5,
      .output_tokens = 5,
      .finish = "stop",
      .id = "c"},
     .hash_of = "say \"usage\": {}"},
    {"pretty, with escapes of every kind",
     "{ \"id\" : \"c\" ,\n \"choices\" : [ { \"index\" : 0 , \"message\" : { \"content\" : "
     "\"a\\n\\\\\\/\\u00e9\\ud83d\\ude00\\ud83d!\\udead\" } } ] }",
     {.has_text = true, .is_generation = true, .id = "c"},
     .hash_of = "a\n\\/\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd!\xef\xbf\xbd"},
    {"completions",
     "{\"choices\":[{\"index\":1,\"text\":\"b\"},{\"index\":0,\"text\":\"a\",\"finish_reason\":\"length\"}]}",
     {.has_text = true, .is_generation = true, .finish = "length"},
     .hash_of = "a"},
    {"empty",
     "{\"choices\":[{\"index\":0,\"message\":{\"content\":null,\"tool_calls\":null},\"finish_reason\":\"stop\"}]}",
     {.is_generation = true, .finish = "stop"}},
    {"nothing but tool calls",
     "{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{\"id\":\"t1\"},{\"id\":\"t2\"}]},"
     "\"finish_reason\":\"tool_calls\"}]}",
     {.has_tool_call = true, .is_generation = true, .finish = "tool_calls"},
     .hash_of = "",
     .tool_ids = {"t1", "t2"}},
    {"Anthropic, with the name usage in a tool's input",
     "{\"id\":\"msg\",\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"Hi\"},{\"type\":\"tool_use\","
     "\"id\":\"t\",\"input\":{\"usage\":{\"output_tokens\":99},\"id\":\"no\"}}],\"stop_reason\":\"tool_use\","
     "\"usage\":{\"input_tokens\":7,\"output_tokens\":3}}",
     {.has_usage = true,
      .has_text = true,
      .has_tool_call = true,
      .is_generation = true,
      .prompt_tokens = 7,
      .output_tokens = 3,
      .finish = "tool_use",
      .id = "msg"},
     .hash_of = "Hi",
     .tool_ids = {"t"}},
    {"responses, cut by its limit",
     "{\"id\":\"resp\",\"object\":\"response\",\"status\":\"incomplete\",\"error\":null,\"incomplete_details\":"
     "{\"reason\":\"max_output_tokens\"},\"output\":[{\"id\":\"r\",\"summary\":[{\"text\":\"no\"}],\"type\":"
     "\"reasoning\","
     "\"content\":[{\"text\":\"hm\",\"type\":\"reasoning_text\"}]},{\"id\":\"m\",\"type\":\"message\",\"content\":"
     "[{\"annotations\":[],\"text\":\"Hi\",\"type\":\"output_text\"}]}],\"usage\":{\"input_tokens\":7,"
     "\"input_tokens_details\":{\"cached_tokens\":2},\"output_tokens\":3}}",
     {.has_usage = true,
      .has_text = true,
      .is_generation = true,
      .prompt_tokens = 7,
      .cached_tokens = 2,
      .output_tokens = 3,
      .finish = "max_output_tokens",
      .id = "resp"},
     .hash_of = "Hi"},
    {"embeddings",
     "{\"object\":\"list\",\"data\":[{\"embedding\":[0.1,-2e-3,[\"}\"]],\"index\":0}],\"usage\":{\"prompt_tokens\":4}}",
     {.has_usage = true, .prompt_tokens = 4}},
    {"a model that is missing",
     "{\"error\":{\"message\":\"x\",\"type\":\"NotFoundError\",\"code\":404}}",
     {.has_error = true, .is_model_missing = true}},
    {"a model that is missing, as OpenAI says",
     "{\"error\":{\"type\":\"invalid\",\"code\":\"model_not_found\"}}",
     {.has_error = true, .is_model_missing = true}},
    {"a model that is missing, as older vLLM says",
     "{\"object\":\"error\",\"type\":\"NotFoundError\",\"code\":404}",
     {.has_error = true, .is_model_missing = true}},
    {"an error in words", "{\"error\":\"overloaded\"}", {.has_error = true}},
    {"numbers that are no counts",
     "{\"usage\":{\"prompt_tokens\":-1,\"completion_tokens\":1.5,\"input_tokens\":99999999999999999999999}}",
     {0}},
    {"a count beyond all sense",
     "{\"usage\":{\"prompt_tokens\":9999999999}}",
     {.has_usage = true, .prompt_tokens = UINT32_MAX}},
    {"an id that is cut",
     "{\"id\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}",
     {.id = "0123456789012345678901234567890123456789012345678901234567890123"}},
    {"nesting without end", "{\"choices\":[[[[[[[[{\"message\":{\"content\":\"a\"}}", {.is_generation = true}},
    {"message in message",
     "{\"message\":{\"message\":{\"message\":{\"message\":{\"message\":{\"message\":{\"message\":"
     "{\"message\":{\"message\":{\"message\":{\"message\":{\"message\":{\"message\":{\"id\":\"x\"",
     {0}},
    {"no JSON", "<html>{\"id\":\"x\"}", {0}},
    {"an array", "[{\"id\":\"x\"}]", {0}},
    {"nothing", "", {0}},
    {"a member that is none", "{\"id\":\"x\",:1,\"usage\":{\"prompt_tokens\":1}}", {.id = "x"}},
};

static uint64_t wanted_hash(const struct answer_case *row)
{
    struct reply_hash hash;
    reply_hash_init(&hash);
    reply_hash_add_text(&hash, bytes_of(row->hash_of));
    for (unsigned i = 0; i < ARRAY_LEN(row->tool_ids) && row->tool_ids[i] != NULL; i++)
        reply_hash_add_tool_call(&hash, bytes_of(row->tool_ids[i]));
    return reply_hash_value(&hash);
}

static void check(const struct answer_case *row, bool is_stream, size_t first, size_t step)
{
    struct answer_scan got, wanted = row->wanted;
    wanted.finish_len = (unsigned)strlen(wanted.finish);
    wanted.id_len = (unsigned)strnlen(wanted.id, sizeof wanted.id);
    wanted.reply_hash = wanted_hash(row);
    uint64_t told = answer_feed(&got, bytes_of(row->text), is_stream, first, step);
    const char *wrong = answer_differs(&got, &wanted);
    if (wrong != NULL)
        fail_msg("%s, pieces of %zu and then %zu: %s", row->name, first, step, wrong);
    assert_int_equal(told, is_stream ? got.output_events : 0);
    assert_string_equal(got.finish, wanted.finish);
}

static void check_all(const struct answer_case *rows, unsigned count, bool is_stream)
{
    for (unsigned i = 0; i < count; i++) {
        size_t len = strlen(rows[i].text);
        for (size_t cut = 0; cut <= len; cut++)
            check(&rows[i], is_stream, cut, len);
        for (size_t step = 1; step < 20; step++)
            check(&rows[i], is_stream, 0, step);
    }
}

static void streams_are_read_at_every_split(void **state)
{
    (void)state;
    check_all(streams, ARRAY_LEN(streams), true);
}

static void whole_answers_are_read_at_every_split(void **state)
{
    (void)state;
    check_all(wholes, ARRAY_LEN(wholes), false);
}

/* The first token is known with the piece that brings its first byte. */
static void a_piece_tells_how_many_events_began_to_carry_output(void **state)
{
    (void)state;
    struct answer_scan scan;
    answer_scan_init(&scan, true, false);
    assert_int_equal(answer_scan_feed(&scan, BYTES(CHUNK("{\"role\":\"assistant\",\"content\":\"\"}", "null"))), 0);
    assert_int_equal(answer_scan_feed(&scan, BYTES("data: {\"choices\":[{\"delta\":{\"content\":\"")), 0);
    assert_int_equal(answer_scan_feed(&scan, BYTES("a")), 1);
    assert_int_equal(answer_scan_feed(&scan, BYTES("b\",\"reasoning\":\"c\"}}]}\n\n")), 0);
    assert_int_equal(
        answer_scan_feed(&scan, BYTES(CHUNK("{\"content\":\"d\"}", "null") CHUNK("{\"content\":\"e\"}", "null"))), 2);
    assert_int_equal(scan.reply_hash, 0);
}

/* Events that are alike are known by their bytes: what differs must not be lost between them. */
static void events_that_are_alike_but_for_more_than_their_text(void **state)
{
    (void)state;
    static const struct answer_case row = {
        "alike",
        CHUNK("{\"content\":\"a\"}", "null") CHUNK("{\"content\":\"b\\n\"}", "null") CHUNK("{\"content\":\"\"}", "null")
            CHUNK("{\"reasoning\":\"no\"}", "null") CHUNK("{\"content\":\"c\"}", "null")
                CHUNK("{\"content\":\"d\"}", "\"length\"")
                    CHUNK("{\"content\":\"e\"}", "null") "event: x\n" CHUNK("{\"content\":\"f\"}", "null")
                        CHUNK("{\"content\":\"A\nB\"}", "null") CHUNK("{\"content\":\"g\"}", "\"stop\""),
        {.has_text = true, .is_generation = true, .output_events = 9, .finish = "stop", .id = "chatcmpl-7"},
        .hash_of = "ab\ncdefAg"};
    check_all(&row, 1, true);
}

static void check_shaped(const char *text, struct answer_shape *shape)
{
    struct answer_scan shaped, plain;
    answer_feed_shaped(&shaped, bytes_of(text), shape);
    answer_feed_shaped(&plain, bytes_of(text), NULL);
    const char *wrong = answer_differs(&shaped, &plain);
    if (wrong != NULL)
        fail_msg("%s: %s", text, wrong);
}

/* Each after each other, so that each meets the shape of every other one. */
static void answers_of_any_shape_are_read_the_same_after_one_of_another(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(wholes); i++) {
        for (unsigned j = 0; j < ARRAY_LEN(wholes); j++) {
            struct answer_shape shape = {0};
            check_shaped(wholes[i].text, &shape);
            check_shaped(wholes[j].text, &shape);
            check_shaped(wholes[i].text, &shape);
        }
    }
}

#define ANSWER(id, created, content, finish, tokens)                                                                   \
    "{\"id\":\"" id "\",\"created\":" created ",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":"      \
    "\"assistant\",\"content\":\"" content "\"},\"logprobs\":null,\"finish_reason\":\"" finish "\"}],\"usage\":"       \
    "{\"prompt_tokens\":" tokens ",\"total_tokens\":9}}"

static void an_answer_like_the_one_before_is_known_by_its_shape(void **state)
{
    (void)state;
    static const char *const alike[] = {
        ANSWER("a", "1", "hi", "stop", "3"),
        ANSWER("longer", "1732619479", "say \\\"}\\\" \\\\", "length", "41"),
        ANSWER("a", "2", "", "stop", "0"),
        ANSWER("a", "2", "x", "", "99999999999"),
        ANSWER("", "2", "\\ud83d", "stop", "0012"),
    };
    static const char *const others[] = {
        ANSWER("a", "1.5", "hi", "stop", "3"),   ANSWER("a", "1", "hi", "stop", "-3"),
        ANSWER("a", "1", "hi", "stop", "3e2"),   ANSWER("a", "1", "hi", "stop", "99999999999999999999999999999"),
        ANSWER("a", "1", "hi", "stop", "3") "x", ANSWER("a", "", "hi", "stop", "3"),
        ANSWER("a", "1", "hi\\", "stop", "3"),
    };
    struct answer_shape shape = {0};
    check_shaped(alike[0], &shape);
    assert_int_equal(shape.count, 6); /* id, created, content, finish_reason and two counts */
    struct answer_shape first = shape;
    for (unsigned i = 0; i < ARRAY_LEN(alike); i++) {
        check_shaped(alike[i], &shape);
        assert_memory_equal(&shape, &first, sizeof shape); /* matched, not learnt anew */
    }
    for (unsigned i = 0; i < ARRAY_LEN(others); i++) {
        shape = first;
        check_shaped(others[i], &shape);
    }
    shape = (struct answer_shape){0};
    check_shaped("{\"id\":\"r\",\"status\":15}", &shape);
    check_shaped("{\"id\":\"r\",\"status\":16}", &shape); /* a word is wanted there: no usage */
    shape = first;
    for (size_t len = 0; len < strlen(alike[1]); len++) { /* cut anywhere */
        struct answer_scan shaped, plain;
        shape = first;
        answer_feed_shaped(&shaped, bytes_make(alike[1], len), &shape);
        answer_scan_feed(&shaped, bytes_make(alike[1] + len, strlen(alike[1]) - len));
        answer_feed_shaped(&plain, bytes_of(alike[1]), NULL);
        assert_null(answer_differs(&shaped, &plain));
    }
}

static void a_long_text_is_passed_over_and_hashed(void **state)
{
    (void)state;
    struct buffer text = {0}, answer = {0};
    for (unsigned i = 0; i < 3000; i++)
        buffer_append_char(&text, (char)('a' + i % 26));
    buffer_printf(&answer, "{\"choices\":[{\"message\":{\"content\":\"%.*s\\u0001\\t\"}}],\"id\":\"x\"}",
                  BYTES_ARG(buffer_bytes(&text)));
    buffer_append(&text, BYTES("\1\t"));
    struct answer_scan scan;
    for (size_t step = 1; step < 4000; step = step * 2 + 1) {
        answer_feed(&scan, buffer_bytes(&answer), false, 0, step);
        struct reply_hash hash;
        reply_hash_init(&hash);
        reply_hash_add_text(&hash, buffer_bytes(&text));
        assert_true(scan.reply_hash == reply_hash_value(&hash));
        assert_int_equal(scan.id_len, 1);
    }
    buffer_deinit(&text);
    buffer_deinit(&answer);
}

static void a_tool_call_s_id_that_is_repeated_counts_once(void **state)
{
    (void)state;
    struct reply_hash once, twice;
    reply_hash_init(&once);
    reply_hash_init(&twice);
    reply_hash_add_tool_call(&once, BYTES("a"));
    reply_hash_add_tool_call(&twice, BYTES("a"));
    reply_hash_add_tool_call(&twice, BYTES("a"));
    assert_true(reply_hash_value(&once) == reply_hash_value(&twice));
    reply_hash_add_tool_call(&twice, BYTES("b"));
    assert_true(reply_hash_value(&once) != reply_hash_value(&twice));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_read_at_every_split),
        cmocka_unit_test(whole_answers_are_read_at_every_split),
        cmocka_unit_test(a_piece_tells_how_many_events_began_to_carry_output),
        cmocka_unit_test(events_that_are_alike_but_for_more_than_their_text),
        cmocka_unit_test(answers_of_any_shape_are_read_the_same_after_one_of_another),
        cmocka_unit_test(an_answer_like_the_one_before_is_known_by_its_shape),
        cmocka_unit_test(a_long_text_is_passed_over_and_hashed),
        cmocka_unit_test(a_tool_call_s_id_that_is_repeated_counts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
