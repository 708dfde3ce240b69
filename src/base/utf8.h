/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h: validation and coding of UTF-8 (RFC 3629). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdint.h>

#include "base/bytes.h"

/* Refuses overlong forms, surrogates, and code points above U+10FFFF. */
bool utf8_is_valid(struct bytes text);
/* The length of the well-formed sequence at the start of text; 0 when there is none. */
size_t utf8_sequence_len(struct bytes text);
/* Writes the code point (1-4 bytes) and returns the count; 0 for surrogates and values above U+10FFFF. */
size_t utf8_encode(uint32_t code_point, char out[4]);

#endif
