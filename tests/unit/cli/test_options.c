/* SPDX-License-Identifier: Apache-2.0 */
/* Flags by a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "cli/options.h"

struct taken {
    char text[256]; /* "name=value;" in order */
};

static const char *take_file(void *context, const char *value)
{
    struct taken *taken = context;
    size_t len = strlen(taken->text);
    snprintf(taken->text + len, sizeof taken->text - len, "file=%s;", value);
    return NULL;
}

static const char *take_number(void *context, const char *value)
{
    double number;
    (void)context;
    return option_number(value, 1, 9, &number) ? NULL : "must be 1..9";
}

static const char *take_switch(void *context, const char *value)
{
    assert_null(value);
    strcat(((struct taken *)context)->text, "quiet;");
    return NULL;
}

static const struct option_spec specs[] = {
    {"--file", "-f", "FILE", "a file", take_file},
    {"--file-number", NULL, "N", "a number", take_number},
    {"--quiet", "-q", NULL, "says less", take_switch},
};

/* Runs with standard output and error in text; words ends with NULL. */
static enum options_result read_table(const struct option_spec *table, unsigned count, const char *const *words,
                                      struct taken *taken, char *text, size_t size)
{
    char *argv[8] = {(char[]){"test"}};
    int argc = 1, pipe_ends[2], out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    *taken = (struct taken){0};
    assert_int_equal(pipe(pipe_ends), 0);
    fflush(stdout);
    dup2(pipe_ends[1], STDOUT_FILENO);
    dup2(pipe_ends[1], STDERR_FILENO);
    enum options_result result = options_read(argc, argv, table, count, "Does a thing.", "serin test -f x", taken);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(pipe_ends[1]);
    ssize_t got = read(pipe_ends[0], text, size - 1);
    text[got > 0 ? got : 0] = '\0';
    close(pipe_ends[0]);
    close(out);
    close(err);
    return result;
}

static enum options_result read_flags(const char *const *words, struct taken *taken, char *text, size_t size)
{
    return read_table(specs, ARRAY_LEN(specs), words, taken, text, size);
}

static void values_come_after_a_blank_or_an_equals_sign_and_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *words[6];
        const char *taken;
    } cases[] = {
        {{NULL}, ""},
        {{"--file", "a"}, "file=a;"},
        {{"--file=a=b"}, "file=a=b;"},
        {{"--file="}, "file=;"},
        {{"-f", "a", "--quiet", "-f", "-"}, "file=a;quiet;file=-;"},
        {{"-q", "--file-number", "3"}, "quiet;"},
        {{"-f", "--help"}, "file=--help;"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct taken taken;
        char text[1024];
        assert_int_equal(read_flags(cases[i].words, &taken, text, sizeof text), OPTIONS_OK);
        assert_string_equal(taken.text, cases[i].taken);
        assert_string_equal(text, "");
    }
}

static void wrong_usage_is_one_line_that_names_the_flag(void **state)
{
    (void)state;
    static const struct {
        const char *words[4];
        const char *line;
    } cases[] = {
        {{"--nothing"}, "serin test: unknown flag \"--nothing\"; see `serin test --help`\n"},
        {{"word"}, "serin test: unknown flag \"word\"; see `serin test --help`\n"},
        {{"--fil", "x"}, "serin test: unknown flag \"--fil\"; see `serin test --help`\n"},
        {{"-f"}, "serin test: --file needs a value: FILE\n"},
        {{"--quiet=yes"}, "serin test: --quiet takes no value\n"},
        {{"--file-number", "10"}, "serin test: --file-number: must be 1..9\n"},
        {{"--file-number=x"}, "serin test: --file-number: must be 1..9\n"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct taken taken;
        char text[1024];
        assert_int_equal(read_flags(cases[i].words, &taken, text, sizeof text), OPTIONS_BAD);
        assert_string_equal(text, cases[i].line);
    }
}

static void help_lists_every_flag_and_the_example(void **state)
{
    (void)state;
    static const char *const asks[] = {"--help", "-h"};
    for (unsigned i = 0; i < ARRAY_LEN(asks); i++) {
        struct taken taken;
        char text[2048];
        assert_int_equal(read_flags((const char *[]){asks[i], "--unknown", NULL}, &taken, text, sizeof text),
                         OPTIONS_HELP);
        assert_non_null(strstr(text, "Does a thing.\n\nUsage: serin test [flags]\n"));
        assert_non_null(strstr(text, "  -f, --file FILE "));
        assert_non_null(strstr(text, "  --file-number N "));
        assert_non_null(strstr(text, "  -q, --quiet "));
        assert_non_null(strstr(text, "\nExample:\n  serin test -f x\n"));
    }
}

static const char *take_word(void *context, const char *value)
{
    struct taken *taken = context;
    size_t len = strlen(taken->text);
    snprintf(taken->text + len, sizeof taken->text - len, "word=%s;", value);
    return strcmp(value, "bad") == 0 ? "must be good" : NULL;
}

static void words_go_to_the_row_for_words(void **state)
{
    (void)state;
    static const struct option_spec with_words[] = {
        {"NAME", NULL, NULL, "a name", take_word},
        {"--quiet", "-q", NULL, "says less", take_switch},
    };
    struct taken taken;
    char text[1024];
    assert_int_equal(read_table(with_words, 2, (const char *[]){"a", "-q", "b=c", NULL}, &taken, text, sizeof text),
                     OPTIONS_OK);
    assert_string_equal(taken.text, "word=a;quiet;word=b=c;");
    assert_int_equal(read_table(with_words, 2, (const char *[]){"bad", NULL}, &taken, text, sizeof text), OPTIONS_BAD);
    assert_string_equal(text, "serin test: NAME: must be good\n");
    assert_int_equal(read_table(with_words, 2, (const char *[]){"-x", NULL}, &taken, text, sizeof text), OPTIONS_BAD);
    assert_string_equal(text, "serin test: unknown flag \"-x\"; see `serin test --help`\n");
    assert_int_equal(read_table(with_words, 2, (const char *[]){"-h", NULL}, &taken, text, sizeof text), OPTIONS_HELP);
    assert_non_null(strstr(text, "Usage: serin test NAME [flags]\n"));
}

static void numbers_are_whole_words_within_their_bounds(void **state)
{
    (void)state;
    static const char *const bad[] = {"", " ", "x", "1x", "0", "11", "nan", "inf", "-1", "1 "};
    double value = 0;
    assert_true(option_number("2.5", 1, 10, &value));
    assert_true(value > 2.4 && value < 2.6);
    assert_true(option_number("1e1", 1, 10, &value));
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(option_number(bad[i], 1, 10, &value));
    assert_true(value > 9.9); /* untouched by what failed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_after_a_blank_or_an_equals_sign_and_in_order),
        cmocka_unit_test(wrong_usage_is_one_line_that_names_the_flag),
        cmocka_unit_test(help_lists_every_flag_and_the_example),
        cmocka_unit_test(words_go_to_the_row_for_words),
        cmocka_unit_test(numbers_are_whole_words_within_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
