/* SPDX-License-Identifier: Apache-2.0 */
/* test_prompt_prefix.c: which bodies share the head of a prompt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "inference/prefix_hash.h"
#include "inference/prompt_prefix.h"

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct prompt_prefix prefix_of(const char *body, const char *model)
{
    struct openai_scan scan;
    struct prompt_prefix prefix;
    openai_scan_init(&scan);
    assert_true(openai_scan_feed(&scan, bytes_of(body)) && openai_scan_finish(&scan));
    prompt_prefix_make(&scan, bytes_of(body), bytes_of(model), arena, &prefix);
    assert_int_equal(prompt_prefix_tokens(&scan, bytes_of(body)), prefix.tokens);
    return prefix;
}

/* printf into the arena, with a run of 600 letters for %s. */
static const char *body_of(const char *format, char letter)
{
    char text[601], *body = arena_alloc(arena, 4096);
    memset(text, letter, 600);
    text[600] = '\0';
    snprintf(body, 4096, format, text);
    return body;
}

static unsigned shared(struct prompt_prefix a, struct prompt_prefix b)
{
    unsigned count = 0;
    while (count < a.count && count < b.count && a.hashes[count] == b.hashes[count])
        count++;
    return count;
}

static void a_body_without_a_prompt_has_no_blocks(void **state)
{
    (void)state;
    struct prompt_prefix prefix = prefix_of("{\"model\":\"m\"}", "m");
    assert_int_equal(prefix.count, 0);
    assert_int_equal(prefix.tokens, 0);
    assert_int_equal(prefix_of("{\"prompt\":\"short\"}", "m").count, 0);
    assert_int_equal(prefix_of("{\"prompt\":\"short\"}", "m").tokens, 1);
}

/* 600 letters and two quotes are two blocks of 256 bytes and a rest. */
static void whole_blocks_are_hashed_and_all_bytes_are_counted(void **state)
{
    (void)state;
    struct prompt_prefix prefix = prefix_of(body_of("{\"model\":\"m\",\"prompt\":\"%s\"}", 'a'), "m");
    assert_int_equal(prefix.count, 2);
    assert_int_equal(prefix.tokens, 150);
}

static void the_next_turn_begins_with_the_former_one(void **state)
{
    (void)state;
    const char *first = body_of("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}", 'a');
    const char *second = body_of("{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"%s\"},"
                                 "{\"role\":\"assistant\",\"content\":\"b\"}],\"model\":\"m\"}",
                                 'a');
    assert_int_equal(shared(prefix_of(first, "m"), prefix_of(second, "m")), 2);
    assert_int_equal(shared(prefix_of(first, "m"), prefix_of(body_of(first, 'c'), "n")), 0);
}

/* As in a chat template, whatever the order in the body. */
static void tools_and_system_text_come_before_the_messages(void **state)
{
    (void)state;
    const char *tools_first = body_of("{\"tools\":[\"%s\"],\"system\":\"s\",\"messages\":[\"x\"]}", 't');
    const char *tools_last = body_of("{\"messages\":[\"y\"],\"system\":\"s\",\"tools\":[\"%s\"]}", 't');
    const char *no_tools = body_of("{\"messages\":[\"%s\"]}", 't');
    assert_int_equal(prefix_of(tools_first, "m").count, 2);
    assert_int_equal(shared(prefix_of(tools_first, "m"), prefix_of(tools_last, "m")), 2);
    assert_int_equal(
        shared(prefix_of(no_tools, "m"), prefix_of(body_of("{\"system\":\"s\",\"messages\":[\"%s\"]}", 't'), "m")), 0);
}

static void models_and_salts_share_nothing(void **state)
{
    (void)state;
    const char *plain = body_of("{\"prompt\":\"%s\"}", 'a');
    const char *salted = body_of("{\"cache_salt\":\"tenant\",\"prompt\":\"%s\"}", 'a');
    assert_int_equal(shared(prefix_of(plain, "m"), prefix_of(plain, "m")), 2);
    assert_int_equal(shared(prefix_of(plain, "m"), prefix_of(plain, "adapter")), 0);
    assert_int_equal(shared(prefix_of(plain, "m"), prefix_of(salted, "m")), 0);
    assert_int_equal(shared(prefix_of(salted, "m"), prefix_of(salted, "m")), 2);
}

static struct prompt_prefix prefix_of_head(const char *body, size_t len)
{
    struct openai_scan scan;
    struct prompt_prefix prefix;
    struct bytes head = bytes_make(body, len);
    openai_scan_init(&scan);
    assert_true(openai_scan_feed(&scan, head));
    prompt_prefix_make(&scan, head, BYTES("m"), arena, &prefix);
    return prefix;
}

static void of_a_prompt_whose_end_is_still_to_come_the_head_is_hashed(void **state)
{
    (void)state;
    static const char *const formats[] = {"{\"prompt\":\"%s\"}",
                                          "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}"};
    for (unsigned i = 0; i < 2; i++) {
        const char *body = body_of(formats[i], 'a');
        struct prompt_prefix head = prefix_of_head(body, 500);
        assert_int_equal(head.count, 1);
        assert_int_equal(shared(head, prefix_of(body, "m")), 1);
        assert_in_range(head.tokens, 120, 125);
        assert_int_equal(prefix_of_head(body, 9).tokens, 0);
    }
    assert_int_equal(prefix_of_head("{\"prompt\":\"ab\",\"messages\":[\"abcdefghijklmnop", 34).tokens, 1);
}

static void of_a_huge_prompt_the_head_is_hashed(void **state)
{
    (void)state;
    enum { BYTES_MANY = 3 << 20 };
    char *body = malloc(BYTES_MANY + 16);
    memcpy(body, "{\"prompt\":\"", 11);
    memset(body + 11, 'a', BYTES_MANY);
    memcpy(body + 11 + BYTES_MANY, "\"}", 3);
    struct prompt_prefix prefix = prefix_of(body, "m");
    assert_int_equal(prefix.count, PROMPT_PREFIX_BLOCKS);
    assert_int_equal(prefix.tokens, (BYTES_MANY + 2) / 4);
    free(body);
}

#define ARENA_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_body_without_a_prompt_has_no_blocks),
        ARENA_TEST(whole_blocks_are_hashed_and_all_bytes_are_counted),
        ARENA_TEST(the_next_turn_begins_with_the_former_one),
        ARENA_TEST(tools_and_system_text_come_before_the_messages),
        ARENA_TEST(models_and_salts_share_nothing),
        ARENA_TEST(of_a_prompt_whose_end_is_still_to_come_the_head_is_hashed),
        ARENA_TEST(of_a_huge_prompt_the_head_is_hashed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
