/* SPDX-License-Identifier: Apache-2.0 */
/* batch_queue.c: lanes that keep their places in one order.  Pure; the engine's thread. */
#include "sim/model/batch_queue.h"

#include <stdlib.h>

void batch_queue_init(struct batch_queue *queue)
{
    /* The order grows both ways: preempted sequences go before all others. */
    *queue = (struct batch_queue){.first_order = UINT64_MAX / 2, .next_order = UINT64_MAX / 2};
}

void batch_queue_deinit(struct batch_queue *queue)
{
    for (uint32_t i = 0; i < queue->lane_count; i++)
        free(queue->lanes[i]);
    free(queue->lanes);
    free(queue->open);
}

static struct batch_lane *find_lane(struct batch_queue *queue, uint64_t adapter)
{
    struct batch_lane *empty = NULL;
    for (uint32_t i = 0; i < queue->lane_count; i++) {
        if (queue->lanes[i]->adapter == adapter)
            return queue->lanes[i];
        if (list_is_empty(&queue->lanes[i]->queue))
            empty = queue->lanes[i];
    }
    if (empty == NULL) {
        queue->lanes = must(reallocarray(queue->lanes, queue->lane_count + 1u, sizeof(struct batch_lane *)));
        queue->open = must(reallocarray(queue->open, queue->lane_count + 1u, sizeof(struct batch_lane *)));
        empty = queue->lanes[queue->lane_count++] = must(calloc(1, sizeof *empty));
        list_init(&empty->queue);
    }
    empty->adapter = adapter;
    return empty;
}

void batch_queue_put(struct batch_queue *queue, struct batch_sequence *sequence, bool is_preempted)
{
    struct batch_lane *lane = find_lane(queue, sequence->adapter);
    sequence->order = is_preempted ? --queue->first_order : queue->next_order++;
    if (is_preempted)
        list_push_front(&lane->queue, &sequence->link);
    else
        list_push(&lane->queue, &sequence->link);
    queue->count++;
}

void batch_queue_remove(struct batch_queue *queue, struct batch_sequence *sequence)
{
    list_remove(&sequence->link);
    queue->count--;
}

void batch_queue_open(struct batch_queue *queue)
{
    queue->open_count = 0;
    for (uint32_t i = 0; i < queue->lane_count; i++)
        if (!list_is_empty(&queue->lanes[i]->queue))
            queue->open[queue->open_count++] = queue->lanes[i];
}

void batch_queue_close(struct batch_queue *queue, const struct batch_lane *lane)
{
    uint32_t at = 0;
    while (queue->open[at] != lane)
        at++;
    queue->open[at] = queue->open[--queue->open_count];
}

struct batch_sequence *batch_queue_first(struct batch_queue *queue, struct batch_lane **ret_lane)
{
    struct batch_sequence *first = NULL;
    for (uint32_t i = 0; i < queue->open_count; i++) {
        struct batch_lane *lane = queue->open[i];
        if (list_is_empty(&lane->queue))
            continue;
        struct batch_sequence *sequence = LIST_ENTRY(lane->queue.next, struct batch_sequence, link);
        if (first == NULL || sequence->order < first->order) {
            first = sequence;
            *ret_lane = lane;
        }
    }
    return first;
}

uint32_t batch_queue_adapters(const struct batch_queue *queue, uint64_t *ret_adapters, uint32_t max)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < queue->lane_count && count < max; i++)
        if (queue->lanes[i]->adapter != 0 && !list_is_empty(&queue->lanes[i]->queue))
            ret_adapters[count++] = queue->lanes[i]->adapter;
    return count;
}
