/* SPDX-License-Identifier: Apache-2.0 */
/* openai_rewrite.c: cuts the body around the model's span.  Pure; the body is borrowed, the new name is the arena's. */
#include "inference/payload/openai_rewrite.h"

#include <assert.h>

#include "base/json_write.h"

static struct bytes quote(struct bytes text, struct arena *arena)
{
    struct buffer quoted = {0};
    jw_append_quoted(&quoted, text);
    struct bytes copy = arena_copy(arena, buffer_bytes(&quoted));
    buffer_deinit(&quoted);
    return copy;
}

void openai_rewrite_model(const struct openai_scan *scan, struct bytes body, struct bytes model, struct arena *arena,
                          struct openai_rewrite *ret_rewrite)
{
    struct scan_span span = scan->model_span;
    if (!scan->has_model) {
        *ret_rewrite = (struct openai_rewrite){
            .before = body, .replacement = BYTES(""), .after = BYTES(""), .content_length = body.len};
        return;
    }
    assert(span.offset + span.len <= body.len);
    struct bytes replacement = quote(model, arena);
    *ret_rewrite = (struct openai_rewrite){
        .before = bytes_make(body.data, span.offset),
        .replacement = replacement,
        .after = bytes_skip(body, span.offset + span.len),
        .content_length = body.len - span.len + replacement.len,
    };
}
