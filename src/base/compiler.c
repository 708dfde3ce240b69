/* SPDX-License-Identifier: Apache-2.0 */
/* compiler.c: the function behind AUTO_FREE.  Any thread; no state. */
#include "base/compiler.h"

#include <stdlib.h>

void auto_free(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}
