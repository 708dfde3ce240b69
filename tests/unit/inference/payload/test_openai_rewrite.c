/* SPDX-License-Identifier: Apache-2.0 */
/* test_openai_rewrite.c: the three runs together are the body with another model, and nothing else changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "inference/payload/openai_rewrite.h"

static void expect_rewrite(const char *body, const char *model, const char *wanted)
{
    struct openai_scan scan;
    openai_scan_init(&scan);
    assert_true(openai_scan_feed(&scan, bytes_of(body)));
    assert_true(openai_scan_finish(&scan));
    struct arena *arena = arena_new(0);
    struct openai_rewrite rewrite;
    openai_rewrite_model(&scan, bytes_of(body), bytes_of(model), arena, &rewrite);
    struct buffer joined = {0};
    buffer_append(&joined, rewrite.before);
    buffer_append(&joined, rewrite.replacement);
    buffer_append(&joined, rewrite.after);
    assert_int_equal(rewrite.content_length, buffer_len(&joined));
    assert_true(bytes_equal_str(buffer_bytes(&joined), wanted));
    buffer_deinit(&joined);
    arena_free(arena);
}

static void the_name_is_replaced_in_place(void **state)
{
    (void)state;
    expect_rewrite("{\"model\":\"a\"}", "travel-v2", "{\"model\":\"travel-v2\"}");
    expect_rewrite("{\"x\":1, \"model\" : \"a\\u0062\" , \"y\":\"model\"}", "m",
                   "{\"x\":1, \"model\" : \"m\" , \"y\":\"model\"}");
    expect_rewrite("{\"\\u006dodel\":\"\"}", "m", "{\"\\u006dodel\":\"m\"}");
}

static void the_new_name_is_quoted(void **state)
{
    (void)state;
    expect_rewrite("{\"model\":\"a\"}", "q\"b\\n", "{\"model\":\"q\\\"b\\\\n\"}");
}

static void a_body_without_model_passes_unchanged(void **state)
{
    (void)state;
    expect_rewrite("{\"a\":\"model\"}", "m", "{\"a\":\"model\"}");
    expect_rewrite("", "m", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_is_replaced_in_place),
        cmocka_unit_test(the_new_name_is_quoted),
        cmocka_unit_test(a_body_without_model_passes_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
