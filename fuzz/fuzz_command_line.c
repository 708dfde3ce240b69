/* SPDX-License-Identifier: Apache-2.0 */
/* Container commands are a user's text: any bytes are split or refused. */
/* uses: control_workloads */
#include <stdint.h>
#include <stdlib.h>

#include "control/workloads/command_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    const char **words = NULL;
    unsigned count = 0;
    size_t total = 0;
    if (command_line_split(bytes_make((const char *)data, size), arena, &words, &count)) {
        for (unsigned i = 0; i < count; i++)
            total += strlen(words[i]);
        if (total > size || (count > 0 && words[count] != NULL))
            abort();
        const char *command[] = {"sh", "-c", arena_strndup(arena, bytes_make((const char *)data, size))};
        struct container_spec container = {.name = "c", .command = command, .command_count = 3};
        struct command_line line;
        const char *why = NULL;
        if (!command_line_of(&container, arena, &line, &why) && why == NULL)
            abort();
    }
    arena_free(arena);
    return 0;
}
