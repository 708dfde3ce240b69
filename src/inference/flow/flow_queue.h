/* SPDX-License-Identifier: Apache-2.0 */
/* flow_queue.h: requests that wait for a saturated pool: bands of priority, flows that take turns within a band, and an
 * order within a flow.
 *
 * Pure; one owner (pool_gate.h puts a lock around it).  Items are embedded by who waits. */
#ifndef INFERENCE_FLOW_FLOW_QUEUE_H
#define INFERENCE_FLOW_FLOW_QUEUE_H

#include "base/heap.h"
#include "base/list.h"

enum flow_order {
    FLOW_FCFS,    /* first come, first served */
    FLOW_DEADLINE /* the earliest deadline first; without one: behind those that have one */
};

struct flow_limits {
    enum flow_order order;
    uint32_t max_requests; /* of each band */
    uint64_t max_bytes;    /* of each band: bodies held */
    uint64_t ttl_ms;       /* how long an item waits at most */
};
/* FCFS, 5,000 requests and 1 GB in each band, 60 s. */
extern const struct flow_limits flow_limits_default;

struct flow_item {
    /* Set before flow_queue_put(). */
    int32_t priority;     /* higher goes first */
    uint64_t flow;        /* who it is for: a hash */
    uint64_t bytes;       /* that it holds */
    uint64_t deadline_ms; /* 0: none */

    /* The queue's. */
    struct heap_node place; /* in its flow; in none when index is 0 */
    struct list age;        /* among all, in the order of arrival */
    uint64_t expires_ms;
};

struct flow_queue;

struct flow_queue *flow_queue_new(const struct flow_limits *limits);
/* Accepts NULL; items in it are forgotten. */
void flow_queue_free(struct flow_queue *queue);
/* What is there already stays, even beyond new limits. */
void flow_queue_set_limits(struct flow_queue *queue, const struct flow_limits *limits);

/* False: its band is full. */
MUST_CHECK bool flow_queue_put(struct flow_queue *queue, struct flow_item *item, uint64_t now_ms);
/* Harmless for an item that is not there. */
void flow_queue_remove(struct flow_queue *queue, struct flow_item *item);
/* Takes out the next one: of the highest band that has any, of the flow whose turn it is; NULL: none. */
struct flow_item *flow_queue_take(struct flow_queue *queue);
/* Takes out one that has waited too long; NULL: none. */
struct flow_item *flow_queue_take_expired(struct flow_queue *queue, uint64_t now_ms);

bool flow_item_is_queued(const struct flow_item *item);
uint32_t flow_queue_len(const struct flow_queue *queue);
uint64_t flow_queue_bytes(const struct flow_queue *queue);

#endif
