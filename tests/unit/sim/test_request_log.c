/* SPDX-License-Identifier: Apache-2.0 */
/* test_request_log.c: the ring of remembered requests. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "sim/request_log.h"

static json_t *written(const struct request_log *log)
{
    struct buffer out = {0};
    struct json_writer json;
    char error[200];
    jw_init(&json, &out);
    request_log_write(log, &json);
    json_t *root = json_read(buffer_bytes(&out), error);
    assert_non_null(root);
    buffer_deinit(&out);
    return root;
}

static void routing_headers_are_kept_and_credentials_are_not(void **state)
{
    (void)state;
    struct http_field items[] = {
        {.name = BYTES("X-Session-ID"), .value = BYTES("a\"b")},
        {.name = BYTES("session_id"), .value = BYTES("s")},
        {.name = BYTES("Authorization"), .value = BYTES("Bearer t")},
        {.name = BYTES("X-Api-Key"), .value = BYTES("k")},
    };
    struct http_fields fields = {.items = items, .len = 4, .capacity = 4};
    struct request_facts facts = {.path = BYTES("/v1/completions"),
                                  .model = BYTES("m"),
                                  .stream = true,
                                  .prompt_tokens = 3,
                                  .body_bytes = 9,
                                  .fields = &fields};
    struct request_log *log = request_log_new();
    assert_int_equal(request_log_add(log, &facts, "started"), 1);
    request_log_set_state(log, 1, "aborted");
    json_t *root = written(log);
    json_t *entry = json_array_get(root, 0), *headers = json_object_get(entry, "headers");
    assert_string_equal(json_string_value(json_object_get(entry, "state")), "aborted");
    assert_int_equal(json_integer_value(json_object_get(entry, "body_bytes")), 9);
    assert_true(json_is_true(json_object_get(entry, "stream")));
    assert_int_equal(json_object_size(headers), 2);
    assert_string_equal(json_string_value(json_object_get(headers, "X-Session-ID")), "a\"b");
    json_decref(root);
    request_log_free(log);
}

static void only_the_last_hundred_are_kept(void **state)
{
    (void)state;
    struct http_fields fields = {0};
    struct request_facts facts = {.path = BYTES("/"), .model = BYTES("m"), .fields = &fields};
    struct request_log *log = request_log_new();
    for (unsigned i = 0; i < 250; i++)
        request_log_add(log, &facts, "started");
    request_log_set_state(log, 150, "finished"); /* pushed out by number 250 */
    json_t *root = written(log);
    assert_int_equal(json_array_size(root), 100);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(root, 0), "id")), 151);
    json_t *last = json_array_get(root, 99);
    assert_int_equal(json_integer_value(json_object_get(last, "id")), 250);
    assert_string_equal(json_string_value(json_object_get(last, "state")), "started");
    json_decref(root);
    request_log_free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routing_headers_are_kept_and_credentials_are_not),
        cmocka_unit_test(only_the_last_hundred_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
