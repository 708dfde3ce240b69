/* SPDX-License-Identifier: Apache-2.0 */
/* spare_bodies.c: see spare_bodies.h. */
#include "proxy/spare_bodies.h"

#define LARGEST_BYTES (1u << 20)
#define ALL_BYTES     (16u << 20)
#define HARDLY        8

static struct buffer take_out(struct spare_bodies *spare, unsigned index)
{
    struct buffer taken = spare->items[index];
    spare->bytes -= taken.capacity;
    spare->count--;
    memmove(&spare->items[index], &spare->items[index + 1], (spare->count - index) * sizeof spare->items[0]);
    return taken;
}

/* The newest, which may still be in a cache, of those that hardly have too much; else the one with least too much. */
bool spare_bodies_take(struct spare_bodies *spare, size_t least, struct buffer *body)
{
    unsigned best = SPARE_BODIES;
    for (unsigned i = spare->count; i-- > 0;) {
        size_t capacity = spare->items[i].capacity;
        if (capacity < least || capacity / 2 > least ||
            (best != SPARE_BODIES && capacity >= spare->items[best].capacity))
            continue;
        best = i;
        if (capacity - least <= least / HARDLY)
            break;
    }
    if (best == SPARE_BODIES)
        return false;
    buffer_deinit(body);
    *body = take_out(spare, best);
    return true;
}

void spare_bodies_give(struct spare_bodies *spare, struct buffer *body, const struct memory_budget *budget)
{
    if (body->capacity > LARGEST_BYTES || memory_budget_is_tight(budget)) {
        buffer_deinit(body);
        return;
    }
    while (spare->count > 0 && (spare->count == SPARE_BODIES || spare->bytes + body->capacity > ALL_BYTES)) {
        struct buffer oldest = take_out(spare, 0);
        buffer_deinit(&oldest);
    }
    buffer_clear(body);
    spare->bytes += body->capacity;
    spare->items[spare->count++] = *body;
    buffer_init(body);
}

void spare_bodies_free(struct spare_bodies *spare)
{
    for (unsigned i = 0; i < spare->count; i++)
        buffer_deinit(&spare->items[i]);
    spare->count = 0;
    spare->bytes = 0;
}
