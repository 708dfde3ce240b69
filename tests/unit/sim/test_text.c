/* SPDX-License-Identifier: Apache-2.0 */
/* test_text.c: the words of simulated answers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "sim/text.h"

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

static struct text_voice voice_of(struct arena *arena, const char *sentence)
{
    struct text_voice voice;
    text_voice_init(&voice, arena, bytes_of(sentence));
    return voice;
}

static char *text_of(struct arena *arena, const struct text_voice *voice, uint64_t seed, uint64_t count)
{
    struct buffer out = {0};
    for (uint64_t i = 0; i < count; i++)
        buffer_append(&out, text_token(voice, seed, i).plain);
    char *text = arena_strndup(arena, buffer_bytes(&out));
    buffer_deinit(&out);
    return text;
}

static void an_answer_begins_with_who_speaks(void **state)
{
    struct text_voice voice = voice_of(*state, "I am a simulated M (served as m).");
    assert_int_equal(voice.len, 8);
    char *text = text_of(*state, &voice, 1, 30);
    assert_int_equal(strncmp(text, "I am a simulated M (served as m). ", 34), 0);
}

static void the_same_seed_gives_the_same_words_and_another_others(void **state)
{
    struct text_voice voice = voice_of(*state, "Hello.");
    assert_string_equal(text_of(*state, &voice, 5, 200), text_of(*state, &voice, 5, 200));
    assert_string_not_equal(text_of(*state, &voice, 5, 200), text_of(*state, &voice, 6, 200));
}

static void names_are_escaped_for_json(void **state)
{
    struct text_voice voice = voice_of(*state, "I am \"x\\y\".");
    assert_true(bytes_equal_str(voice.pieces[2].plain, " \"x\\y\"."));
    assert_true(bytes_equal_str(voice.pieces[2].json, " \\\"x\\\\y\\\"."));
}

static void sentences_end_where_they_should(void **state)
{
    struct text_voice voice = voice_of(*state, "I am here.");
    assert_int_equal(text_sentence_end(&voice, 0), 3);
    assert_int_equal(text_sentence_end(&voice, 3), 3);
    assert_int_equal(text_sentence_end(&voice, 4), 11);
    for (uint64_t seed = 0; seed < 50; seed++) {
        const char *text = text_of(*state, &voice, seed, 11);
        assert_int_equal(text[strlen(text) - 1], '.');
    }
}

static void a_stop_string_cuts_before_itself(void **state)
{
    struct text_voice voice = voice_of(*state, "one two three four.");
    const struct bytes stops[] = {BYTES("four"), BYTES("o th")};
    uint64_t total = 20;
    size_t last_len = 0;
    assert_true(text_cut_at_stop(&voice, 1, 0, stops, 2, &total, &last_len));
    assert_int_equal(total, 2);
    assert_int_equal(last_len, 3); /* " tw" */
}

static void a_stop_string_at_the_start_leaves_nothing(void **state)
{
    struct text_voice voice = voice_of(*state, "one two.");
    const struct bytes stops[] = {BYTES("on")};
    uint64_t total = 20;
    size_t last_len = 9;
    assert_true(text_cut_at_stop(&voice, 1, 0, stops, 1, &total, &last_len));
    assert_int_equal(total, 0);
}

static void a_cut_at_a_token_boundary_keeps_whole_tokens(void **state)
{
    struct text_voice voice = voice_of(*state, "one two three.");
    const struct bytes stops[] = {BYTES(" three")};
    uint64_t total = 20;
    size_t last_len = 0;
    assert_true(text_cut_at_stop(&voice, 1, 0, stops, 1, &total, &last_len));
    assert_int_equal(total, 2);
    assert_int_equal(last_len, 4);
}

static void stops_count_only_after_min_tokens(void **state)
{
    struct text_voice voice = voice_of(*state, "a b a b a b.");
    const struct bytes stops[] = {BYTES("b")};
    uint64_t total = 6;
    size_t last_len = 0;
    assert_true(text_cut_at_stop(&voice, 1, 2, stops, 1, &total, &last_len));
    assert_int_equal(total, 4);
    assert_int_equal(last_len, 1); /* the space of " b" */
}

static void an_absent_stop_string_changes_nothing(void **state)
{
    struct text_voice voice = voice_of(*state, "one two.");
    const struct bytes stops[] = {BYTES("zzz"), BYTES("")};
    uint64_t total = 20;
    size_t last_len = 9;
    assert_false(text_cut_at_stop(&voice, 1, 0, stops, 2, &total, &last_len));
    assert_int_equal(total, 20);
    assert_false(text_cut_at_stop(&voice, 1, 20, (struct bytes[]){BYTES("one")}, 1, &total, &last_len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_begins_with_who_speaks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_seed_gives_the_same_words_and_another_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_escaped_for_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sentences_end_where_they_should, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_string_cuts_before_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_string_at_the_start_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_at_a_token_boundary_keeps_whole_tokens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stops_count_only_after_min_tokens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_absent_stop_string_changes_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
