/* SPDX-License-Identifier: Apache-2.0 */
/* cli.h: the subcommands: each takes its own arguments (argv[0] is its name) and returns the exit code. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

int cli_main(int argc, char **argv);

int cli_up(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_canary(int argc, char **argv);
int cli_version(int argc, char **argv);

#define EXIT_FINE   0
#define EXIT_FAILED 1
#define EXIT_USAGE  2

#endif
