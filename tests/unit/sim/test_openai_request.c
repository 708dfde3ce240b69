/* SPDX-License-Identifier: Apache-2.0 */
/* test_openai_request.c: reading completion requests. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sim/openai_request.h"

static int set_up(void **state)
{
    *state = arena_new(0);
    return 0;
}

static int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static struct openai_request read_ok(struct arena *arena, enum openai_kind kind, const char *text)
{
    struct openai_request request;
    struct openai_problem problem;
    if (!openai_request_parse(bytes_of(text), kind, arena, &request, &problem))
        fail_msg("%s: %s", text, problem.message);
    return request;
}

static void a_chat_request_is_read(void **state)
{
    struct openai_request request =
        read_ok(*state, OPENAI_CHAT,
                "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"12345678\"}],\"stream\":true,"
                "\"stream_options\":{\"include_usage\":true},\"max_completion_tokens\":7,\"max_tokens\":9,\"n\":2,"
                "\"seed\":-3,\"stop\":[\"a\",\"b\"],\"temperature\":0.7,\"ignore_eos\":true,\"min_tokens\":3,"
                "\"tools\":null}");
    assert_true(bytes_equal_str(request.model, "m"));
    assert_true(request.stream && request.include_usage && request.ignore_eos && request.has_seed);
    assert_int_equal(request.max_tokens, 7);
    assert_int_equal(request.min_tokens, 3);
    assert_int_equal(request.n, 2);
    assert_int_equal(request.stop_count, 2);
    assert_int_equal(request.prompt_count, 1);
    assert_int_equal(request.prompts[0].tokens, 3 + 4 + 2);
}

static void nulls_are_as_good_as_absent(void **state)
{
    struct openai_request request =
        read_ok(*state, OPENAI_CHAT,
                "{\"model\":null,\"messages\":[{\"role\":\"assistant\",\"content\":null}],\"stream\":null,"
                "\"max_tokens\":null,\"stop\":null,\"seed\":null,\"n\":null,\"stream_options\":null}");
    assert_false(request.has_max_tokens || request.stream || request.has_seed);
    assert_int_equal(request.model.len, 0);
    assert_int_equal(request.n, 1);
}

static void content_may_be_parts(void **state)
{
    struct openai_request request =
        read_ok(*state, OPENAI_CHAT,
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"1234\"},"
                "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:\"}}]}]}");
    assert_int_equal(request.prompts[0].tokens, 3 + 4 + 1 + 256);
}

/* Blocks of 64 bytes, over the borders of messages; another model's are others. */
static void prompts_with_the_same_head_share_its_blocks(void **state)
{
#define SIXTY "012345678901234567890123456789012345678901234567890123456789"
    struct openai_request first = read_ok(*state, OPENAI_CHAT,
                                          "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"" SIXTY
                                          "\"},{\"role\":\"user\",\"content\":\"abcdef" SIXTY "\"}]}");
    struct openai_request second = read_ok(*state, OPENAI_CHAT,
                                           "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"" SIXTY
                                           "\"},{\"role\":\"user\",\"content\":\"abcdxx" SIXTY SIXTY "\"}]}");
    struct openai_request other = read_ok(
        *state, OPENAI_CHAT, "{\"model\":\"n\",\"messages\":[{\"role\":\"user\",\"content\":\"" SIXTY "abcd\"}]}");
    assert_int_equal(first.prompts[0].block_count, 1);
    assert_int_equal(second.prompts[0].block_count, 2);
    assert_true(first.prompts[0].blocks[0] == second.prompts[0].blocks[0]);
    assert_true(other.prompts[0].blocks[0] != second.prompts[0].blocks[0]);
}

static void a_prompt_has_four_forms(void **state)
{
    struct openai_request one = read_ok(*state, OPENAI_TEXT, "{\"prompt\":\"12345\"}");
    struct openai_request list = read_ok(*state, OPENAI_TEXT, "{\"prompt\":[\"1\",\"12345\"],\"n\":2}");
    struct openai_request ids = read_ok(*state, OPENAI_TEXT, "{\"prompt\":[5,6,7]}");
    struct openai_request lists = read_ok(*state, OPENAI_TEXT, "{\"prompt\":[[1,2],[3]]}");
    assert_int_equal(one.prompt_count, 1);
    assert_int_equal(one.prompts[0].tokens, 2);
    assert_int_equal(list.prompt_count, 2);
    assert_int_equal(list.prompts[1].tokens, 2);
    assert_true(list.prompts[1].hash == one.prompts[0].hash);
    assert_int_equal(ids.prompt_count, 1);
    assert_int_equal(ids.prompts[0].tokens, 3);
    assert_int_equal(lists.prompt_count, 2);
    assert_int_equal(lists.prompts[0].tokens, 2);
}

static void a_request_for_a_response_is_read(void **state)
{
    struct openai_request text = read_ok(*state, OPENAI_RESPONSE,
                                         "{\"input\":\"12345678\",\"instructions\":\"1234\",\"store\":false,"
                                         "\"previous_response_id\":\"resp_1\",\"max_output_tokens\":5,\"n\":7}");
    assert_true(bytes_equal_str(text.previous, "resp_1"));
    assert_int_equal(text.max_tokens, 5);
    assert_int_equal(text.n, 1);
    assert_int_equal(text.prompts[0].tokens, 3 + 2 + 1);
    assert_false(text.is_stored);
    struct openai_request items = read_ok(*state, OPENAI_RESPONSE,
                                          "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\","
                                          "\"text\":\"12345678\"}]},{\"type\":\"function_call_output\"}]}");
    assert_int_equal(items.prompts[0].tokens, 3 + 4 + 2 + 256);
    assert_int_equal(items.previous.len, 0);
    assert_true(items.is_stored);
}

static void bad_requests_name_the_member(void **state)
{
    static const struct {
        enum openai_kind kind;
        const char *text, *param;
    } cases[] = {
        {OPENAI_CHAT, "", NULL},
        {OPENAI_CHAT, "[1]", NULL},
        {OPENAI_CHAT, "{\"messages\":[],\"messages\":[]}", NULL},
        {OPENAI_CHAT, "{}", "messages"},
        {OPENAI_CHAT, "{\"messages\":[]}", "messages"},
        {OPENAI_CHAT, "{\"messages\":[1]}", "messages"},
        {OPENAI_CHAT, "{\"messages\":[{\"content\":\"x\"}]}", "messages"},
        {OPENAI_CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":5}]}", "messages"},
        {OPENAI_CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":[5]}]}", "messages"},
        {OPENAI_CHAT, "{\"model\":5}", "model"},
        {OPENAI_CHAT, "{\"stream\":1}", "stream"},
        {OPENAI_CHAT, "{\"stream_options\":{\"include_usage\":true}}", "stream_options"},
        {OPENAI_CHAT, "{\"max_tokens\":0}", "max_tokens"},
        {OPENAI_CHAT, "{\"max_tokens\":1.5}", "max_tokens"},
        {OPENAI_CHAT, "{\"max_completion_tokens\":-1}", "max_completion_tokens"},
        {OPENAI_CHAT, "{\"max_tokens\":5,\"min_tokens\":6}", "min_tokens"},
        {OPENAI_CHAT, "{\"stop\":5}", "stop"},
        {OPENAI_CHAT, "{\"stop\":[1]}", "stop"},
        {OPENAI_CHAT, "{\"seed\":\"x\"}", "seed"},
        {OPENAI_CHAT, "{\"messages\":[{\"role\":\"user\"}],\"n\":0}", "n"},
        {OPENAI_RESPONSE, "{}", "input"},
        {OPENAI_RESPONSE, "{\"input\":[]}", "input"},
        {OPENAI_RESPONSE, "{\"input\":[{\"content\":\"x\"}]}", "input"},
        {OPENAI_RESPONSE, "{\"input\":[{\"role\":\"user\",\"content\":5}]}", "input"},
        {OPENAI_RESPONSE, "{\"input\":\"x\",\"previous_response_id\":5}", "previous_response_id"},
        {OPENAI_RESPONSE, "{\"input\":\"x\",\"instructions\":[]}", "instructions"},
        {OPENAI_RESPONSE, "{\"input\":\"x\",\"max_output_tokens\":0}", "max_output_tokens"},
        {OPENAI_RESPONSE, "{\"input\":\"x\",\"store\":1}", "store"},
        {OPENAI_TEXT, "{}", "prompt"},
        {OPENAI_TEXT, "{\"prompt\":[]}", "prompt"},
        {OPENAI_TEXT, "{\"prompt\":5}", "prompt"},
        {OPENAI_TEXT, "{\"prompt\":[-1]}", "prompt"},
        {OPENAI_TEXT, "{\"prompt\":[\"a\",5]}", "prompt"},
        {OPENAI_TEXT, "{\"prompt\":[[\"a\"]]}", "prompt"},
        {OPENAI_TEXT, "{\"prompt\":[\"a\",\"b\"],\"n\":1000}", "n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct openai_request request;
        struct openai_problem problem;
        if (openai_request_parse(bytes_of(cases[i].text), cases[i].kind, *state, &request, &problem))
            fail_msg("%s was taken", cases[i].text);
        assert_true(problem.message[0] != '\0');
        if (cases[i].param == NULL)
            assert_null(problem.param);
        else
            assert_string_equal(problem.param, cases[i].param);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_chat_request_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_for_a_response_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nulls_are_as_good_as_absent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(content_may_be_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(prompts_with_the_same_head_share_its_blocks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_prompt_has_four_forms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_requests_name_the_member, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
