/* SPDX-License-Identifier: Apache-2.0 */
/* test_answer.c: the hand-made JSON of answers, read back by a real parser. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "sim/answer.h"

static struct answer make(struct arena *arena, bool is_chat, bool include_usage)
{
    struct answer answer = {0};
    answer_init(&answer, arena, is_chat, 0xabc, 1700000000, BYTES("\"my\\\"model\""));
    answer.include_usage = include_usage;
    return answer;
}

static json_t *parse(struct bytes text)
{
    char error[200];
    json_t *root = json_read(text, error);
    if (root == NULL)
        fail_msg("%s in %.*s", error, BYTES_ARG(text));
    return root;
}

/* One event in the buffer, which is emptied. */
static json_t *parse_event(struct buffer *out)
{
    struct bytes text = buffer_bytes(out);
    assert_true(bytes_starts_with(text, BYTES("data: ")));
    assert_true(bytes_ends_with(text, BYTES("\n\n")));
    json_t *root = parse(bytes_make(text.data + 6, text.len - 8));
    assert_string_equal(json_string_value(json_object_get(root, "model")), "my\"model");
    assert_int_equal(json_integer_value(json_object_get(root, "created")), 1700000000);
    buffer_clear(out);
    return root;
}

static void chat_events_have_deltas(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct answer answer = make(arena, true, false);
    struct buffer out = {0};
    const char *object, *text, *finish;
    int index;

    answer_role_event(&answer, &out, 0);
    json_t *root = parse_event(&out);
    assert_int_equal(json_unpack(root, "{s:s,s:[{s:{s:s,s:s},s:n}]}", "object", &object, "choices", "delta", "role",
                                 &text, "content", &finish, "finish_reason"),
                     0);
    assert_string_equal(object, "chat.completion.chunk");
    assert_null(json_object_get(root, "usage"));
    json_decref(root);

    answer_token_event(&answer, &out, 3, BYTES(" a\\n"));
    root = parse_event(&out);
    assert_int_equal(json_unpack(root, "{s:[{s:i,s:{s:s},s:n}]}", "choices", "index", &index, "delta", "content", &text,
                                 "finish_reason"),
                     0);
    assert_int_equal(index, 3);
    assert_string_equal(text, " a\n");
    json_decref(root);

    answer_last_event(&answer, &out, 0, "stop");
    root = parse_event(&out);
    assert_int_equal(json_unpack(root, "{s:[{s:{},s:s}]}", "choices", "delta", "finish_reason", &finish), 0);
    assert_string_equal(finish, "stop");
    json_decref(root);
    buffer_deinit(&out);
    arena_free(arena);
}

static void completion_events_have_text_and_a_null_usage_until_the_last(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct answer answer = make(arena, false, true);
    struct buffer out = {0};
    const char *object, *text;
    int prompt, completion, total;

    answer_token_event(&answer, &out, 0, BYTES("hi"));
    json_t *root = parse_event(&out);
    assert_int_equal(json_unpack(root, "{s:s,s:[{s:s,s:n}],s:n}", "object", &object, "choices", "text", &text,
                                 "finish_reason", "usage"),
                     0);
    assert_string_equal(object, "text_completion");
    assert_string_equal(text, "hi");
    json_decref(root);

    answer_usage_event(&answer, &out, (struct answer_usage){3, 4});
    root = parse_event(&out);
    assert_int_equal(json_unpack(root, "{s:[!],s:{s:i,s:i,s:i}}", "choices", "usage", "prompt_tokens", &prompt,
                                 "completion_tokens", &completion, "total_tokens", &total),
                     0);
    assert_int_equal(total, 7);
    assert_null(json_object_get(json_object_get(root, "usage"), "prompt_tokens_details"));
    json_decref(root);

    answer_usage_event(&answer, &out, (struct answer_usage){3, 4, .has_cached_tokens = true, .cached_tokens = 2});
    root = parse_event(&out);
    assert_int_equal(json_unpack(root, "{s:{s:{s:i}}}", "usage", "prompt_tokens_details", "cached_tokens", &total), 0);
    assert_int_equal(total, 2);
    json_decref(root);
    buffer_deinit(&out);
    arena_free(arena);
}

static void a_whole_answer_has_its_choices_and_usage(void **state)
{
    (void)state;
    for (int is_chat = 0; is_chat < 2; is_chat++) {
        struct arena *arena = arena_new(0);
        struct answer answer = make(arena, is_chat, false);
        struct buffer out = {0};
        answer_begin(&answer, &out);
        for (unsigned i = 0; i < 2; i++) {
            answer_begin_choice(&answer, &out, i);
            buffer_append_str(&out, "text");
            answer_end_choice(&answer, &out, "length");
        }
        answer_end(&out, (struct answer_usage){1, 2});
        json_t *root = parse(buffer_bytes(&out));
        json_t *choices = json_object_get(root, "choices");
        assert_int_equal(json_array_size(choices), 2);
        json_t *second = json_array_get(choices, 1);
        json_t *text =
            is_chat ? json_object_get(json_object_get(second, "message"), "content") : json_object_get(second, "text");
        assert_string_equal(json_string_value(text), "text");
        assert_string_equal(json_string_value(json_object_get(second, "finish_reason")), "length");
        assert_string_equal(json_string_value(json_object_get(root, "object")),
                            is_chat ? "chat.completion" : "text_completion");
        json_decref(root);
        buffer_deinit(&out);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chat_events_have_deltas),
        cmocka_unit_test(completion_events_have_text_and_a_null_usage_until_the_last),
        cmocka_unit_test(a_whole_answer_has_its_choices_and_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
