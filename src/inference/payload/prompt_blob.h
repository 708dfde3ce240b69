/* SPDX-License-Identifier: Apache-2.0 */
/* prompt_blob.h: images, sounds and files within the messages of a prompt: their base64 is no text, and how long it is
 * says little about the tokens that it becomes.
 *
 * Data is what stands behind the comma of a "data:" URL, or a string that begins with 64 characters of base64 (as
 * Anthropic's sources do), when it is a kilobyte or more.  Pure. */
#ifndef INFERENCE_PAYLOAD_PROMPT_BLOB_H
#define INFERENCE_PAYLOAD_PROMPT_BLOB_H

#include <stdint.h>

#include "base/bytes.h"

enum {
    BLOB_LEAST_BYTES = 1024,
    BLOB_HASHED_BYTES = 256 << 10, /* data is known by its head: its end may not have come yet */
};

/* A string value that begins at `at`, of which the bytes up to `end` are here, may be data.  For the scan. */
bool blob_may_begin(const char *at, const char *end);

struct prompt_blob {
    size_t offset, len; /* of the string's contents */
    size_t data;        /* where in them the base64 begins */
    bool has_digest;    /* false: too little of it is here */
    uint64_t digest;    /* of the base64, however its slashes are escaped and whether or not it is padded */
};

/* messages: JSON that was scanned without error, perhaps cut off at its end.  *cursor = 0 at first; false: none is
 * left.
 */
bool prompt_blob_next(struct bytes messages, size_t *cursor, struct prompt_blob *ret_blob);

#endif
