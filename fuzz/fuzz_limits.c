/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_limits.c: any text as a limit: what is refused changes nothing, what is taken lies within its bounds. */
/* uses: gateway */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct limits before = limits_default(), limits = before;
    char *text = malloc(size + 1);
    require(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    const char *problem = limits_set(&limits, text);
    require(problem == NULL || memcmp(&limits, &before, sizeof limits) == 0); /* a copy: its padding is the same */
#define X(field, name, default_, unit, least, most, meaning, then)                                                     \
    require((uint64_t)limits.field + 1 > least && limits.field <= most);
#include "gateway/limits.def"
#undef X
    free(text);
    return 0;
}
