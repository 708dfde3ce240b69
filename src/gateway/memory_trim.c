/* SPDX-License-Identifier: Apache-2.0 */
/* memory_trim.c: see memory_trim.h.
 *
 * Left alone, glibc raises the size from which memory is mapped with each mapped piece that is freed, up to 32 MiB:
 * after the first long bodies all others lie in heaps, of which only the top is ever given back. */
#include "gateway/memory_trim.h"

#include <malloc.h>

#define LOOK_MS        2000
#define MAPPED_BYTES   (128 << 10) /* glibc's own value at the start */
#define TRIMMED_BYTES  (8 << 20)   /* of a heap's top: less goes to and fro */
#define CROWDED_SHARE  8           /* of the budget, held: worth the while when it ends */
#define DESERTED_SHARE 64

void memory_trim_prepare(void)
{
    mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    mallopt(M_TRIM_THRESHOLD, TRIMMED_BYTES);
}

static void look(struct wheel_timer *timer)
{
    struct memory_trim *trim = container_of(timer, struct memory_trim, timer);
    unsigned long long limit_bytes = trim->budget->limit_bytes;
    unsigned long long held_bytes = atomic_load_explicit(&trim->budget->held_bytes, memory_order_relaxed);
    if (held_bytes > limit_bytes / CROWDED_SHARE) {
        trim->was_crowded = true;
    } else if (trim->was_crowded && held_bytes < limit_bytes / DESERTED_SHARE) {
        trim->was_crowded = false;
        malloc_trim(0);
    }
    reactor_timer_set(trim->reactor, timer, LOOK_MS);
}

void memory_trim_start(struct memory_trim *trim, struct reactor *reactor, const struct memory_budget *budget)
{
    *trim = (struct memory_trim){.reactor = reactor, .budget = budget};
    wheel_timer_init(&trim->timer, look);
    reactor_timer_set(reactor, &trim->timer, LOOK_MS);
}

void memory_trim_stop(struct memory_trim *trim)
{
    if (trim->reactor != NULL)
        reactor_timer_cancel(trim->reactor, &trim->timer);
}
