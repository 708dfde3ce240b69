/* SPDX-License-Identifier: Apache-2.0 */
/* warmup.h: is a canary ready to take (more) share, and what makes it so.
 *
 * A pool is warm when enough of its endpoints are usable, and its share then grows slowly; an adapter when
 * enough usable endpoints of its pool list it.  Those that do not are asked to load it, again and again, also in mid
 * rollout when a pod is new.  Control thread. */
#ifndef CONTROL_CANARIES_WARMUP_H
#define CONTROL_CANARIES_WARMUP_H

#include "inference/pool.h"
#include "net/reactor.h"

enum { WARMUP_TEXT_MAX = 300 };

struct warmup;

struct warmup_wish {
    struct pool *pool;   /* NULL: not known yet */
    const char *adapter; /* NULL: the arm is the pool itself */
    const char *path;    /* of the adapter's weights */
    unsigned endpoints;  /* enough of them; 0: one, of an adapter all that are usable */
};

struct warmup *warmup_new(struct reactor *reactor);
/* Accepts NULL. */
void warmup_free(struct warmup *warmup);
/* Whether it is warm now; starts what is missing (loads: only when may_load).  text: what is missing, for people. */
bool warmup_check(struct warmup *warmup, const struct warmup_wish *wish, bool may_load, uint64_t now_ms,
                  char text[WARMUP_TEXT_MAX]);

#endif
