/* SPDX-License-Identifier: Apache-2.0 */
/* codec_test.h: what the codec's unit tests share: cmocka, text comparison, heads built to a given size. */
#ifndef CODEC_TEST_H
#define CODEC_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/codec/h1_parse.h"

/* A macro, so that failures name the test's line. */
#define assert_text(piece, text)                                                                                       \
    do {                                                                                                               \
        struct bytes text_found = (piece);                                                                             \
        if (!bytes_equal_str(text_found, (text)))                                                                      \
            fail_msg("found \"%.*s\", wanted \"%s\"", BYTES_ARG(text_found), (text));                                  \
    } while (0)

/* An exact-size copy on the heap, so that AddressSanitizer sees a read past the end. */
static inline char *exact_copy(struct bytes text)
{
    char *copy = malloc(text.len > 0 ? text.len : 1);
    assert_non_null(copy);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    return copy;
}

static inline const char *error_name(enum h1_error error)
{
    return h1_error_reason(error);
}

#endif
