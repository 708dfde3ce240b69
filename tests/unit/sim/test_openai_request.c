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

static struct openai_request read_ok(struct arena *arena, bool is_chat, const char *text)
{
    struct openai_request request;
    struct openai_problem problem;
    if (!openai_request_parse(bytes_of(text), is_chat, arena, &request, &problem))
        fail_msg("%s: %s", text, problem.message);
    return request;
}

static void a_chat_request_is_read(void **state)
{
    struct openai_request request =
        read_ok(*state, true,
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
        read_ok(*state, true,
                "{\"model\":null,\"messages\":[{\"role\":\"assistant\",\"content\":null}],\"stream\":null,"
                "\"max_tokens\":null,\"stop\":null,\"seed\":null,\"n\":null,\"stream_options\":null}");
    assert_false(request.has_max_tokens || request.stream || request.has_seed);
    assert_int_equal(request.model.len, 0);
    assert_int_equal(request.n, 1);
}

static void content_may_be_parts(void **state)
{
    struct openai_request request =
        read_ok(*state, true,
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"1234\"},"
                "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:\"}}]}]}");
    assert_int_equal(request.prompts[0].tokens, 3 + 4 + 1 + 256);
}

/* Blocks of 64 bytes, over the borders of messages; another model's are others. */
static void prompts_with_the_same_head_share_its_blocks(void **state)
{
#define SIXTY "012345678901234567890123456789012345678901234567890123456789"
    struct openai_request first = read_ok(*state, true,
                                          "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"" SIXTY
                                          "\"},{\"role\":\"user\",\"content\":\"abcdef" SIXTY "\"}]}");
    struct openai_request second = read_ok(*state, true,
                                           "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"" SIXTY
                                           "\"},{\"role\":\"user\",\"content\":\"abcdxx" SIXTY SIXTY "\"}]}");
    struct openai_request other =
        read_ok(*state, true, "{\"model\":\"n\",\"messages\":[{\"role\":\"user\",\"content\":\"" SIXTY "abcd\"}]}");
    assert_int_equal(first.prompts[0].block_count, 1);
    assert_int_equal(second.prompts[0].block_count, 2);
    assert_true(first.prompts[0].blocks[0] == second.prompts[0].blocks[0]);
    assert_true(other.prompts[0].blocks[0] != second.prompts[0].blocks[0]);
}

static void a_prompt_has_four_forms(void **state)
{
    struct openai_request one = read_ok(*state, false, "{\"prompt\":\"12345\"}");
    struct openai_request list = read_ok(*state, false, "{\"prompt\":[\"1\",\"12345\"],\"n\":2}");
    struct openai_request ids = read_ok(*state, false, "{\"prompt\":[5,6,7]}");
    struct openai_request lists = read_ok(*state, false, "{\"prompt\":[[1,2],[3]]}");
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

static void bad_requests_name_the_member(void **state)
{
    static const struct {
        bool is_chat;
        const char *text, *param;
    } cases[] = {
        {true, "", NULL},
        {true, "[1]", NULL},
        {true, "{\"messages\":[],\"messages\":[]}", NULL},
        {true, "{}", "messages"},
        {true, "{\"messages\":[]}", "messages"},
        {true, "{\"messages\":[1]}", "messages"},
        {true, "{\"messages\":[{\"content\":\"x\"}]}", "messages"},
        {true, "{\"messages\":[{\"role\":\"user\",\"content\":5}]}", "messages"},
        {true, "{\"messages\":[{\"role\":\"user\",\"content\":[5]}]}", "messages"},
        {true, "{\"model\":5}", "model"},
        {true, "{\"stream\":1}", "stream"},
        {true, "{\"stream_options\":{\"include_usage\":true}}", "stream_options"},
        {true, "{\"max_tokens\":0}", "max_tokens"},
        {true, "{\"max_tokens\":1.5}", "max_tokens"},
        {true, "{\"max_completion_tokens\":-1}", "max_completion_tokens"},
        {true, "{\"max_tokens\":5,\"min_tokens\":6}", "min_tokens"},
        {true, "{\"stop\":5}", "stop"},
        {true, "{\"stop\":[1]}", "stop"},
        {true, "{\"seed\":\"x\"}", "seed"},
        {true, "{\"messages\":[{\"role\":\"user\"}],\"n\":0}", "n"},
        {false, "{}", "prompt"},
        {false, "{\"prompt\":[]}", "prompt"},
        {false, "{\"prompt\":5}", "prompt"},
        {false, "{\"prompt\":[-1]}", "prompt"},
        {false, "{\"prompt\":[\"a\",5]}", "prompt"},
        {false, "{\"prompt\":[[\"a\"]]}", "prompt"},
        {false, "{\"prompt\":[\"a\",\"b\"],\"n\":1000}", "n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct openai_request request;
        struct openai_problem problem;
        if (openai_request_parse(bytes_of(cases[i].text), cases[i].is_chat, *state, &request, &problem))
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
        cmocka_unit_test_setup_teardown(nulls_are_as_good_as_absent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(content_may_be_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(prompts_with_the_same_head_share_its_blocks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_prompt_has_four_forms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_requests_name_the_member, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
