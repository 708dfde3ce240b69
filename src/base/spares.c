/* SPDX-License-Identifier: Apache-2.0 */
/* spares.c: a stack, so that the memory taken next is most likely in the cache. */
#include "base/spares.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

void *spares_take(struct spares *spares)
{
    void *memory = spares->first;
    if (memory == NULL)
        return must(malloc(spares->size));
    memcpy(&spares->first, memory, sizeof spares->first);
    spares->count--;
    return memory;
}

void spares_give_back(struct spares *spares, void *memory)
{
    assert(spares->size >= sizeof spares->first);
    if (memory == NULL || spares->count >= spares->limit) {
        free(memory);
        return;
    }
    memcpy(memory, &spares->first, sizeof spares->first);
    spares->first = memory;
    spares->count++;
}

void spares_deinit(struct spares *spares)
{
    while (spares->first != NULL)
        free(spares_take(spares));
}
