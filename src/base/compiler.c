/* SPDX-License-Identifier: Apache-2.0 */
/* compiler.c: the function behind must().  Any thread; no state. */
#include "base/compiler.h"

#include <stdlib.h>

void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}
