/* SPDX-License-Identifier: Apache-2.0 */
/* test_response.c: answers of the Responses API are good JSON and events in order; the store knows the latest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/json_tree.h"
#include "sim/response.h"
#include "sim/response_store.h"

static struct response some_response(void)
{
    return (struct response){.id = 0xabc,
                             .created_s = 1700000000,
                             .model_json = BYTES("\"my\\\"model\""),
                             .previous_json = BYTES("\"resp_1\"")};
}

static const struct answer_usage usage = {
    .prompt_tokens = 7, .completion_tokens = 3, .has_cached_tokens = true, .cached_tokens = 4};

static json_t *json_of(struct bytes text)
{
    json_error_t error;
    json_t *tree = json_loadb(text.data, text.len, 0, &error);
    if (tree == NULL)
        fail_msg("%s: %.*s", error.text, BYTES_ARG(text));
    return tree;
}

static void expect_whole(const json_t *tree, const char *status, const char *text)
{
    const json_t *item = json_array_get(json_object_get(tree, "output"), 0);
    const json_t *part = json_array_get(json_object_get(item, "content"), 0);
    assert_string_equal(tree_text(tree, "id"), "resp_0000000000000abc");
    assert_string_equal(tree_text(tree, "model"), "my\"model");
    assert_string_equal(tree_text(tree, "previous_response_id"), "resp_1");
    assert_string_equal(tree_text(tree, "status"), status);
    assert_string_equal(tree_text(item, "status"), status);
    assert_string_equal(tree_text(part, "text"), text);
    assert_int_equal(json_integer_value(tree_at(tree, "usage.input_tokens")), 7);
    assert_int_equal(json_integer_value(tree_at(tree, "usage.input_tokens_details.cached_tokens")), 4);
    assert_int_equal(json_integer_value(tree_at(tree, "usage.total_tokens")), 10);
}

static void a_whole_response_has_its_text_and_usage(void **state)
{
    (void)state;
    struct response response = some_response();
    struct buffer out = {0};
    response_whole(&response, &out, BYTES("a \\\"b\\\""), "stop", usage);
    json_t *tree = json_of(buffer_bytes(&out));
    expect_whole(tree, "completed", "a \"b\"");
    assert_true(json_is_null(json_object_get(tree, "incomplete_details")));
    json_decref(tree);
    buffer_clear(&out);
    response_whole(&response, &out, BYTES("a"), "length", usage);
    tree = json_of(buffer_bytes(&out));
    expect_whole(tree, "incomplete", "a");
    assert_string_equal(tree_text(tree, "incomplete_details.reason"), "max_output_tokens");
    json_decref(tree);
    buffer_deinit(&out);
}

/* Takes an event from the front. */
static json_t *next_event(struct bytes *stream, uint64_t number)
{
    const char *end = memmem(stream->data, stream->len, "\n\n", 2),
               *data = memmem(stream->data, stream->len, "data: ", 6);
    assert_true(end != NULL && data != NULL && data < end);
    json_t *tree = json_of(bytes_make(data + 6, (size_t)(end - data) - 6));
    char line[100];
    int len = snprintf(line, sizeof line, "event: %s\n", tree_text(tree, "type"));
    assert_memory_equal(stream->data, line, (size_t)len);
    assert_int_equal(json_integer_value(json_object_get(tree, "sequence_number")), number);
    *stream = bytes_skip(*stream, (size_t)(end + 2 - stream->data));
    return tree;
}

static void a_stream_has_its_events_in_order(void **state)
{
    (void)state;
    static const char *const types[] = {
        "created",           "in_progress",      "output_item.added", "content_part.added", "output_text.delta",
        "output_text.delta", "output_text.done", "content_part.done", "output_item.done",   "completed"};
    struct response response = some_response();
    struct buffer out = {0};
    response_begin_events(&response, &out);
    response_text_event(&response, &out, BYTES("Hel"));
    response_text_event(&response, &out, BYTES("lo"));
    response_end_events(&response, &out, BYTES("Hello"), "stop", usage);
    struct bytes stream = buffer_bytes(&out);
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++) {
        json_t *event = next_event(&stream, i);
        assert_string_equal(tree_text(event, "type") + strlen("response."), types[i]);
        if (i == 4)
            assert_string_equal(tree_text(event, "delta"), "Hel");
        if (i == 9)
            expect_whole(json_object_get(event, "response"), "completed", "Hello");
        json_decref(event);
    }
    assert_int_equal(stream.len, 0);
    buffer_deinit(&out);
}

static void the_store_knows_the_latest_ones(void **state)
{
    (void)state;
    static struct response_store store;
    char text[RESPONSE_ID_SIZE];
    uint64_t tokens;
    response_id_text(0, text);
    assert_false(response_store_find(&store, bytes_of(text), &tokens));
    for (uint64_t id = 1; id <= RESPONSE_STORE_MAX + 1; id++)
        response_store_add(&store, id, id * 2);
    response_id_text(1, text);
    assert_false(response_store_find(&store, bytes_of(text), &tokens));
    response_id_text(2, text);
    assert_true(response_store_find(&store, bytes_of(text), &tokens));
    assert_int_equal(tokens, 4);
    assert_false(response_store_find(&store, BYTES("resp_2"), &tokens));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_response_has_its_text_and_usage),
        cmocka_unit_test(a_stream_has_its_events_in_order),
        cmocka_unit_test(the_store_knows_the_latest_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
