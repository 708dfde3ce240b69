/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_kubeconfig.c: any bytes as a kubeconfig: refused with a sentence, or whole. */
/* uses: cli */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    char error[KUBECONFIG_ERROR_SIZE] = "";
    struct kubeconfig config;
    bool is_good = kubeconfig_parse(bytes_make((const char *)data, size), arena, &config, error);
    if (is_good ? config.host[0] == '\0' || config.port[0] == '\0' || config.namespace_[0] == '\0' : error[0] == '\0')
        abort();
    if (is_good && (strpbrk(config.host, "/\r\n") != NULL || strpbrk(config.path, " \r\n") != NULL))
        abort();
    arena_free(arena);
    return 0;
}
