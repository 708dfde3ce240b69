/* SPDX-License-Identifier: Apache-2.0 */
/* openai_rewrite.h: puts another model name into a body by splicing: three runs for writev, nothing is re-encoded. */
#ifndef INFERENCE_PAYLOAD_OPENAI_REWRITE_H
#define INFERENCE_PAYLOAD_OPENAI_REWRITE_H

#include "base/arena.h"
#include "inference/payload/openai_scan.h"

struct openai_rewrite {
    struct bytes before;      /* of the body */
    struct bytes replacement; /* the quoted name, in the arena */
    struct bytes after;       /* of the body */
    uint64_t content_length;  /* of the three together */
};

/* body: the whole body in one piece.  Without a model in the scan the body passes unchanged. */
void openai_rewrite_model(const struct openai_scan *scan, struct bytes body, struct bytes model, struct arena *arena,
                          struct openai_rewrite *ret_rewrite);

#endif
