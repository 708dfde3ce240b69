/* SPDX-License-Identifier: Apache-2.0 */
/* answer_feeding.h: an answer in pieces of any size, and whether two scans say the same; for the unit test and the fuzz
 * target. */
#ifndef TESTS_UNIT_INFERENCE_PAYLOAD_ANSWER_FEEDING_H
#define TESTS_UNIT_INFERENCE_PAYLOAD_ANSWER_FEEDING_H

#include "inference/payload/answer_scan.h"

/* The first bytes, then pieces of step bytes.  Returns the sum of what the pieces told. */
static inline uint64_t answer_feed(struct answer_scan *scan, struct bytes text, bool is_stream, size_t first,
                                   size_t step)
{
    answer_scan_init(scan, is_stream, true);
    uint64_t told = answer_scan_feed(scan, bytes_make(text.data, first));
    text = bytes_skip(text, first);
    while (text.len > 0) {
        size_t len = text.len < step ? text.len : step;
        told += answer_scan_feed(scan, bytes_make(text.data, len));
        text = bytes_skip(text, len);
    }
    answer_scan_finish(scan);
    return told;
}

/* In one piece, with a shape and without the hash. */
static inline void answer_feed_shaped(struct answer_scan *scan, struct bytes text, struct answer_shape *shape)
{
    answer_scan_init(scan, false, false);
    scan->shape = shape;
    (void)answer_scan_feed(scan, text);
    answer_scan_finish(scan);
}

/* NULL, or what differs. */
static inline const char *answer_differs(const struct answer_scan *a, const struct answer_scan *b)
{
    if (a->has_usage != b->has_usage || a->prompt_tokens != b->prompt_tokens || a->cached_tokens != b->cached_tokens ||
        a->output_tokens != b->output_tokens)
        return "usage";
    if (a->has_text != b->has_text || a->has_tool_call != b->has_tool_call || a->is_generation != b->is_generation)
        return "output";
    if (a->has_error != b->has_error || a->is_model_missing != b->is_model_missing || a->is_done != b->is_done)
        return "error or end";
    if (a->output_events != b->output_events)
        return "output events";
    if (!bytes_equal(bytes_make(a->finish, a->finish_len), bytes_make(b->finish, b->finish_len)))
        return "finish";
    if (!bytes_equal(bytes_make(a->id, a->id_len), bytes_make(b->id, b->id_len)))
        return "id";
    return a->reply_hash != b->reply_hash ? "hash" : NULL;
}

#endif
