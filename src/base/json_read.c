/* SPDX-License-Identifier: Apache-2.0 */
/* json_read.c: jansson with the options this project wants.  Any thread; no state.  Jansson itself bounds the depth
 * (2048 levels) and refuses invalid UTF-8 and U+0000 in strings. */
#include "base/json_read.h"

#include <stdio.h>

json_t *json_read(struct bytes text, char error[200])
{
    json_error_t what;
    json_t *root = json_loadb(text.len > 0 ? text.data : "", text.len, JSON_REJECT_DUPLICATES, &what);
    if (root == NULL)
        snprintf(error, 200, "line %d column %d: %.150s", what.line, what.column, what.text);
    return root;
}
