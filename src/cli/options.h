/* SPDX-License-Identifier: Apache-2.0 */
/* options.h: flags of a subcommand by a table: `--name value`, `--name=value`, `-x value`; and words without a flag. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>

struct option_spec {
    const char *name;     /* "--file"; "NAME": takes every word that does not start with '-' */
    const char *short_;   /* "-f", or NULL */
    const char *argument; /* "FILE|DIR|-", or NULL for a switch and for words */
    const char *help;
    /* Takes the value; returns NULL, or what it should have been ("must be a number above 0"). */
    const char *(*take)(void *context, const char *value);
};

enum options_result { OPTIONS_OK, OPTIONS_HELP, OPTIONS_BAD };

/* Reads argv[1..]; every word must belong to a row of the table.  HELP: the help was printed.  BAD: one line was
 * printed on standard error. */
enum options_result options_read(int argc, char **argv, const struct option_spec *specs, unsigned count,
                                 const char *summary, const char *example, void *context);

/* Values of -f; the first member of the context of a command that takes them. */
#define OPTION_MAX_FILES 64
struct option_files {
    const char *paths[OPTION_MAX_FILES];
    unsigned count;
};
const char *option_take_file(void *context, const char *value);

bool option_number(const char *text, double least, double most, double *ret_value);

#endif
