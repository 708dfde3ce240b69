/* SPDX-License-Identifier: Apache-2.0 */
/* batch_queue.h: the waiting queue of a batching engine: one order of arrival, in a lane per adapter, so that those who
 * wait for an adapter are passed over at once.  The engine's own. */
#ifndef SIM_MODEL_BATCH_QUEUE_H
#define SIM_MODEL_BATCH_QUEUE_H

#include "sim/model/batch_engine.h"

/* The sequences that wait for one adapter, or for the base model, in their order. */
struct batch_lane {
    uint64_t adapter;
    struct list queue;
};

struct batch_queue {
    struct batch_lane **lanes; /* empty ones are used again */
    uint32_t lane_count;
    struct batch_lane **open; /* while a step is planned: lanes that may be admitted from; room for all */
    uint32_t open_count;
    uint64_t first_order, next_order;
    uint32_t count; /* of sequences */
};

void batch_queue_init(struct batch_queue *queue);
void batch_queue_deinit(struct batch_queue *queue);
/* Behind all others; a preempted one goes before them. */
void batch_queue_put(struct batch_queue *queue, struct batch_sequence *sequence, bool is_preempted);
void batch_queue_remove(struct batch_queue *queue, struct batch_sequence *sequence);
/* Planning a step: all lanes are open, until one is closed because its adapter is not ready.  Nothing may be put
 * meanwhile. */
void batch_queue_open(struct batch_queue *queue);
void batch_queue_close(struct batch_queue *queue, const struct batch_lane *lane);
/* The first one of the open lanes; NULL: none. */
struct batch_sequence *batch_queue_first(struct batch_queue *queue, struct batch_lane **ret_lane);
/* The adapters that are waited for, at most `max`; returns how many. */
uint32_t batch_queue_adapters(const struct batch_queue *queue, uint64_t *ret_adapters, uint32_t max);

#endif
