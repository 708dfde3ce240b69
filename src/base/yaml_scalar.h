/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_scalar.h: which JSON value a YAML scalar means.  For yaml.c; others use yaml.h.
 *
 * Plain scalars without a tag:
 *   null     ~ null Null NULL, and nothing at all
 *   boolean  true false yes no on off, each also Capitalised and UPPER; y and n are strings
 *   integer  decimal, 0x hex, 0o or 0 octal, 0b binary, with sign, _ between digits ignored
 *   real     1.5  .5  1e3; a whole one (1e3, 2.0) becomes an integer, as kubectl sends it
 *   error    .inf and .nan: JSON has no such numbers
 *   string   all else: dates, 1.2.3, 12:30
 * A decimal integer beyond int64 becomes a real; one in another base stays a string. */
#ifndef BASE_YAML_SCALAR_H
#define BASE_YAML_SCALAR_H

#include <jansson.h>

#include "base/bytes.h"

/* tag: a full tag URI, "!", or NULL; plain: written without quotes and not as a block.  The caller owns the result;
 * NULL with a static sentence in *ret_problem when the scalar has no meaning. */
json_t *yaml_scalar_value(struct bytes text, const char *tag, bool is_plain, const char **ret_problem);

#endif
