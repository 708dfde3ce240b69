/* SPDX-License-Identifier: Apache-2.0 */
/* cli.c: the table of subcommands. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "sim/sim.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"up", cli_up, "serve manifests on this host: controller, data plane, simulated model servers"},
    {"check", cli_check, "validate manifests offline"},
    {"explain", cli_explain, "say which route and arm take a request, and why"},
    {"canary", cli_canary, "show and steer canary releases"},
    {"sim", sim_main, "run one simulated model server"},
    {"version", cli_version, "print the version, the build and the libraries"},
};

static void print_help(FILE *out)
{
    fprintf(
        out,
        "Serin, an inference gateway for canary releases of generative-AI services.\n\nUsage: serin COMMAND ...\n\n");
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].help);
    fprintf(out, "\n`serin COMMAND --help` tells more.  Example:\n  serin up -f examples/canary --workloads sim\n");
}

int cli_main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return EXIT_FINE;
    }
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "serin: unknown command \"%s\"; `serin --help` lists them\n", argv[1]);
    return EXIT_USAGE;
}
