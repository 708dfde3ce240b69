/* SPDX-License-Identifier: Apache-2.0 */
/* What a container's command means to the simulator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/workloads/command_line.h"

static const struct {
    const char *text;
    const char *words[6]; /* NULL first: refused */
} splits[] = {
    {"a b  c", {"a", "b", "c"}},
    {"", {""}},
    {"'a b' \"c d\"", {"a b", "c d"}},
    {"a\\ b", {"a b"}},
    {"a \\\n  b", {"a", "b"}},
    {"x='y z'", {"x=y z"}},
    {"\"a\\\"b\"", {"a\"b"}},
    {"''", {""}},
    {"a$b", {NULL}},
    {"a | b", {NULL}},
    {"a; b", {NULL}},
    {"a && b", {NULL}},
    {"a > b", {NULL}},
    {"`a`", {NULL}},
    {"'unclosed", {NULL}},
    {"'$a'", {"$a"}},
};

static void shell_words_are_split_and_shells_refused(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    for (unsigned i = 0; i < ARRAY_LEN(splits); i++) {
        const char **words = NULL;
        unsigned count = 0;
        bool ok = command_line_split(bytes_of(splits[i].text), arena, &words, &count);
        assert_int_equal(ok, splits[i].words[0] != NULL);
        for (unsigned w = 0; ok && w < count; w++)
            assert_string_equal(words[w], splits[i].words[w]);
        if (ok && splits[i].text[0] != '\0')
            assert_null(splits[i].words[count]);
    }
    arena_free(arena);
}

static bool understand(struct arena *arena, const char **command, unsigned count, struct command_line *ret)
{
    struct container_spec container = {.name = "c", .command = command, .command_count = count};
    const char *why = NULL;
    bool ok = command_line_of(&container, arena, ret, &why);
    assert_true(ok || why != NULL);
    return ok;
}

static void model_server_commands_are_understood(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct command_line line;
    const char *shell[] = {"sh", "-c", "vllm serve /models/m --port 9000 --served-model-name a b"};
    assert_true(understand(arena, shell, 3, &line));
    assert_int_equal(line.port, 9000);
    assert_string_equal(line.words[0], "/models/m");
    const char *direct[] = {"/usr/bin/vllm", "serve", "m"};
    assert_true(understand(arena, direct, 3, &line));
    assert_int_equal(line.port, 8000);
    assert_int_equal(line.len, 1);
    const char *sglang[] = {"python3", "-m", "sglang.launch_server", "--model-path", "m"};
    assert_true(understand(arena, sglang, 5, &line));
    assert_int_equal(line.port, 30000);
    const char *exec[] = {"/bin/bash", "-c", "exec vllm serve m --port=8100"};
    assert_true(understand(arena, exec, 3, &line));
    assert_int_equal(line.port, 8100);
    arena_free(arena);
}

static void other_commands_are_refused_with_a_reason(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct command_line line;
    const char *nginx[] = {"nginx", "-g", "daemon off;"};
    assert_false(understand(arena, nginx, 3, &line));
    const char *piped[] = {"sh", "-c", "vllm serve m | tee log"};
    assert_false(understand(arena, piped, 3, &line));
    assert_false(understand(arena, NULL, 0, &line));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shell_words_are_split_and_shells_refused),
        cmocka_unit_test(model_server_commands_are_understood),
        cmocka_unit_test(other_commands_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
