/* SPDX-License-Identifier: Apache-2.0 */
/* json_read.h: JSON text into jansson trees, for stored objects and configuration only: request bodies are scanned by
 * inference/payload, never parsed into a tree. */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H

#include <jansson.h>

#include "base/bytes.h"

/* Parses one whole document, an object or an array (duplicate keys refused).  NULL on failure, with
 * "line N column N: what" in error.
 * The caller owns the result (json_decref). */
json_t *json_read(struct bytes text, char error[200]);

#endif
