/* SPDX-License-Identifier: Apache-2.0 */
/* arm_text.c: see arm_text.h.  Pure. */
#include "route/arm_text.h"

enum { MODEL_MAX = 256 };

struct bytes arm_text_make(struct arena *arena, struct bytes pool, struct bytes model)
{
    size_t model_len = model.len < MODEL_MAX ? model.len : MODEL_MAX;
    char *text = arena_alloc(arena, pool.len + 1 + model_len);
    if (pool.len > 0)
        memcpy(text, pool.data, pool.len);
    text[pool.len] = '/';
    for (size_t i = 0; i < model_len; i++) {
        char c = model.data[i];
        text[pool.len + 1 + i] = c > 0x20 && c < 0x7f ? c : '?';
    }
    return bytes_make(text, pool.len + 1 + model_len);
}
