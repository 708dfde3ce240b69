/* SPDX-License-Identifier: Apache-2.0 */
/* options.c: reads flags by their table, and writes their help from it. */
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_word(const struct option_spec *spec)
{
    return spec->name[0] != '-';
}

static void print_help(const char *command, const struct option_spec *specs, unsigned count, const char *summary,
                       const char *example)
{
    printf("%s\n\nUsage: serin %s", summary, command);
    for (unsigned i = 0; i < count; i++) {
        if (is_word(&specs[i]))
            printf(" %s", specs[i].name);
    }
    printf(" [flags]\n\n");
    for (unsigned i = 0; i < count; i++) {
        char names[80];
        snprintf(names, sizeof names, "%s%s%s%s%s", specs[i].short_ != NULL ? specs[i].short_ : "",
                 specs[i].short_ != NULL ? ", " : "", specs[i].name, specs[i].argument != NULL ? " " : "",
                 specs[i].argument != NULL ? specs[i].argument : "");
        printf("  %-28s  %s\n", names, specs[i].help);
    }
    printf("  %-28s  %s\n\nExample:\n  %s\n", "--help", "this text", example);
}

static const struct option_spec *find(const struct option_spec *specs, unsigned count, const char *word,
                                      const char **ret_inline_value)
{
    size_t len = strcspn(word, "=");
    for (unsigned i = 0; i < count; i++) {
        if (is_word(&specs[i])) {
            if (word[0] == '-')
                continue;
            *ret_inline_value = word;
            return &specs[i];
        }
        bool is_long = strlen(specs[i].name) == len && strncmp(specs[i].name, word, len) == 0;
        bool is_short = specs[i].short_ != NULL && strcmp(specs[i].short_, word) == 0;
        if (!is_long && !is_short)
            continue;
        *ret_inline_value = is_long && word[len] == '=' ? word + len + 1 : NULL;
        return &specs[i];
    }
    return NULL;
}

enum options_result options_read(int argc, char **argv, const struct option_spec *specs, unsigned count,
                                 const char *summary, const char *example, void *context)
{
    for (int i = 1; i < argc; i++) {
        const char *value = NULL;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(argv[0], specs, count, summary, example);
            return OPTIONS_HELP;
        }
        const struct option_spec *spec = find(specs, count, argv[i], &value);
        if (spec == NULL) {
            fprintf(stderr, "serin %s: unknown flag \"%s\"; see `serin %s --help`\n", argv[0], argv[i], argv[0]);
            return OPTIONS_BAD;
        }
        const char *name = spec->name;
        if (spec->argument != NULL && value == NULL) {
            if (i + 1 >= argc) {
                fprintf(stderr, "serin %s: %s needs a value: %s\n", argv[0], name, spec->argument);
                return OPTIONS_BAD;
            }
            value = argv[++i];
        } else if (spec->argument == NULL && value != NULL && !is_word(spec)) {
            fprintf(stderr, "serin %s: %s takes no value\n", argv[0], name);
            return OPTIONS_BAD;
        }
        const char *wrong = spec->take(context, value);
        if (wrong != NULL) {
            fprintf(stderr, "serin %s: %s: %s\n", argv[0], name, wrong);
            return OPTIONS_BAD;
        }
    }
    return OPTIONS_OK;
}

bool option_number(const char *text, double least, double most, double *ret_value)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= least && value <= most))
        return false;
    *ret_value = value;
    return true;
}

const char *option_take_file(void *context, const char *value)
{
    struct option_files *files = context;
    if (files->count == OPTION_MAX_FILES)
        return "at most 64 times; use a folder";
    files->paths[files->count++] = value;
    return NULL;
}
