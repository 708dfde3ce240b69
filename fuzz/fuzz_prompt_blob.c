/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_prompt_blob.c: any bytes as messages.  Data lies where a string is, one behind the other, and with a backslash
 * before each of its slashes it is the same data. */
/* uses: inference_payload */
#include <stdint.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "inference/payload/prompt_blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_escaped(struct bytes base64, const struct prompt_blob *blob)
{
    struct buffer text = {0};
    struct prompt_blob again;
    size_t cursor = 0;
    buffer_append_str(&text, "[\"data:,");
    for (size_t i = 0; i < base64.len; i++) {
        if (base64.data[i] == '/' && (i == 0 || base64.data[i - 1] != '\\'))
            buffer_append_char(&text, '\\');
        buffer_append_char(&text, base64.data[i]);
    }
    buffer_append_str(&text, "\"]");
    if (!prompt_blob_next(buffer_bytes(&text), &cursor, &again) || again.digest != blob->digest)
        abort();
    buffer_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes messages = bytes_make((const char *)data, size);
    struct prompt_blob blob;
    size_t behind = 0;
    for (size_t cursor = 0; prompt_blob_next(messages, &cursor, &blob); behind = blob.offset + blob.len) {
        struct bytes base64 = bytes_make(messages.data + blob.offset + blob.data, blob.len - blob.data);
        bool is_cut = blob.offset + blob.len == size;
        if (blob.offset <= behind || cursor < blob.offset + blob.len || cursor > size ||
            base64.len < BLOB_LEAST_BYTES || (!is_cut && !blob.has_digest) ||
            (is_cut && base64.len < BLOB_HASHED_BYTES && blob.has_digest))
            abort();
        if (!is_cut && bytes_find(base64, '\\') == base64.len)
            check_escaped(base64, &blob);
    }
    return 0;
}
