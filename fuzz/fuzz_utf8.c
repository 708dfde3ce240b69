/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_utf8.c: our view of what is UTF-8 against jansson's. */
/* uses: base */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = size > 0 ? (const char *)data : "";
    json_t *theirs = json_stringn(text, size);
    if ((theirs != NULL) != utf8_is_valid(bytes_make(text, size)))
        abort();
    json_decref(theirs);
    return 0;
}
