/* SPDX-License-Identifier: Apache-2.0 */
/* memory.h: what a Canary remembers in its own status: the rollout's state, what stable was found to be, history.
 *
 * The status is the only memory: a process that starts anew reads it and goes on.  Pure. */
#ifndef CONTROL_CANARIES_MEMORY_H
#define CONTROL_CANARIES_MEMORY_H

#include <jansson.h>

#include "canary/rollout.h"

enum { HISTORY_MAX = 32 };

struct canary_memory {
    struct rollout_state rollout;
    char stable[254]; /* "" not found yet */
};

/* From status.state.  What is missing or makes no sense is as if nothing had begun; true when it was whole. */
bool memory_read(const json_t *status, struct canary_memory *ret_memory);
/* The member `state`; the caller's to give away. */
json_t *memory_write(const struct canary_memory *memory);
/* status.history with one entry more, the oldest dropped; new; the caller's. */
json_t *history_add(const json_t *history, uint64_t now_wall_ms, const char *event, const char *message,
                    unsigned weight_bp);

#endif
