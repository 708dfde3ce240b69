/* SPDX-License-Identifier: Apache-2.0 */
/* version.c: `serin version`. */
#include <jansson.h>
#include <stdio.h>
#include <xxhash.h>
#include <yaml.h>

#include "cli/cli.h"

int cli_version(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        fprintf(stderr, "serin version: takes no arguments\n");
        return EXIT_USAGE;
    }
    printf("serin %s\n", SERIN_VERSION);
    printf("built with %s\n", __VERSION__);
    printf("jansson %s, libyaml %s, xxHash %u.%u.%u\n", jansson_version_str(), yaml_get_version_string(),
           XXH_versionNumber() / 10000, XXH_versionNumber() / 100 % 100, XXH_versionNumber() % 100);
    return EXIT_FINE;
}
