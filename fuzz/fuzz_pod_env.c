/* SPDX-License-Identifier: Apache-2.0 */
/* $(NAME) in values and commands is a user's text: what comes out is bounded, and text without a '$' stays as it is.
 * The part before the first newline is the value of A. */
/* uses: control_workloads */
#include <stdint.h>
#include <stdlib.h>

#include "base/hashmap.h"
#include "control/workloads/pod_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct bytes input = bytes_make((const char *)data, size);
    size_t end = bytes_find(input, '\n');
    char *value = arena_strndup(arena, bytes_make(input.data, end));
    const char *text = arena_strndup(arena, bytes_skip(input, end < size ? end + 1 : end));
    struct pod_env env = {.values = hashmap_new(), .budget = 4096};
    hashmap_put(env.values, BYTES("A"), value);
    size_t before = env.budget;
    const char *expanded = pod_env_expand(&env, text, arena);
    if (expanded != NULL && (strlen(expanded) > before || env.budget != before - strlen(expanded)))
        abort();
    if (expanded != NULL && strchr(text, '$') == NULL && strcmp(text, expanded) != 0)
        abort();
    pod_env_deinit(&env);
    arena_free(arena);
    return 0;
}
