/* SPDX-License-Identifier: Apache-2.0 */
/* check.c: `serin check`: one line per problem on standard output, exit 1 when there is any.
 *
 * What an object says wrongly is a problem; what it refers to and the files do not hold is a warning, because the rest
 * may be elsewhere. */
#include <stdio.h>

#include "base/compiler.h"
#include "cli/cli.h"
#include "cli/loaded.h"
#include "cli/options.h"

struct check_options {
    struct option_files files;
};

static const struct option_spec specs[] = {
    {"--file", "-f", "FILE|DIR|-", "manifests to check; may be given several times", option_take_file},
};

static bool is_missing_reference(const struct problem *problem)
{
    /* Of backendRefs, policy targets, parentRefs, an InferenceModel's pool, a Gateway's class, a pool's
     * picker configuration. */
    static const char *const reasons[] = {"BackendNotFound", "TargetNotFound", "NoMatchingParent",
                                          "Pending",         "NotReconciled",  "ConfigMapNotFound"};
    for (unsigned i = 0; i < ARRAY_LEN(reasons); i++)
        if (strcmp(problem->reason, reasons[i]) == 0)
            return true;
    return false;
}

static unsigned print_problems(const struct problems *problems, struct arena *arena)
{
    unsigned count = 0;
    for (const struct problem *problem = problems->first; problem != NULL; problem = problem->next) {
        bool is_warning = is_missing_reference(problem);
        printf("%s%s\n", is_warning ? "warning: " : "", problem_text(problem, arena));
        count += !is_warning;
    }
    return count;
}

static int check(const struct check_options *options)
{
    struct loaded loaded;
    loaded_init(&loaded, options->files.paths, options->files.count);
    if (loaded.report != NULL)
        status_report_problems(loaded.report, &loaded.problems);
    unsigned count = print_problems(&loaded.problems, loaded.arena);
    if (count == 0)
        printf("%u objects, no problems\n", loaded.manifest.len);
    loaded_deinit(&loaded);
    if (count > 0)
        fprintf(stderr, "serin check: %u problem%s\n", count, count == 1 ? "" : "s");
    return count > 0 ? EXIT_FAILED : EXIT_FINE;
}

int cli_check(int argc, char **argv)
{
    struct check_options options = {0};
    enum options_result result = options_read(argc, argv, specs, ARRAY_LEN(specs),
                                              "Validates manifests offline: exit 0 when they are good, 1 with one line "
                                              "per problem.",
                                              "serin check -f examples/canary", &options);
    if (result != OPTIONS_OK)
        return result == OPTIONS_HELP ? EXIT_FINE : EXIT_USAGE;
    if (options.files.count == 0) {
        fprintf(stderr, "serin check: -f FILE|DIR is needed; see `serin check --help`\n");
        return EXIT_USAGE;
    }
    return check(&options);
}
