/* SPDX-License-Identifier: Apache-2.0 */
/* version.c: `serin version`. */
#include <jansson.h>
#include <stdio.h>
#include <xxhash.h>
#include <yaml.h>

#include "cli/cli.h"
#include "cli/options.h"

int cli_version(int argc, char **argv)
{
    static const char summary[] = "Prints the version, the compiler and the libraries.";
    enum options_result result = options_read(argc, argv, NULL, 0, summary, "serin version", NULL);
    if (result != OPTIONS_OK)
        return result == OPTIONS_HELP ? EXIT_FINE : EXIT_USAGE;
    printf("serin %s\n", SERIN_VERSION);
    printf("built with gcc %s\n", __VERSION__);
    printf("jansson %s, libyaml %s, xxHash %u.%u.%u\n", jansson_version_str(), yaml_get_version_string(),
           XXH_versionNumber() / 10000, XXH_versionNumber() / 100 % 100, XXH_versionNumber() % 100);
    return EXIT_FINE;
}
