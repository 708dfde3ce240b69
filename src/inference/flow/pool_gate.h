/* SPDX-License-Identifier: Apache-2.0 */
/* pool_gate.h: whether a request may go to its pool now: the pool's saturation, shedding and the queue before it.
 *
 * Without a queue (the default) requests of negative priority are refused while the pool is saturated and all others
 * pass.  With one, all wait for their turn while it is.  Shared by all workers under a lock of its own, taken before
 * the pool's.  Who waits looks after its item now and then (pool_gate_poll()): nobody is called back, so nothing can be
 * told to somebody who has gone. */
#ifndef INFERENCE_FLOW_POOL_GATE_H
#define INFERENCE_FLOW_POOL_GATE_H

#include "inference/flow/flow_queue.h"
#include "inference/pool.h"

struct gate_settings {
    bool has_queue;
    struct flow_limits limits;
    double queue_depth; /* waiting requests at which an endpoint counts as full */
    double kv_usage;    /* the same by its KV cache, 0 to 1 */
};
/* No queue; 5 waiting requests or 0.8 of the KV cache. */
extern const struct gate_settings gate_settings_default;

enum gate_state {
    GATE_IDLE,
    GATE_WAITING,
    GATE_PASSED,  /* may go; charged against the saturation until pool_gate_leave() */
    GATE_SHED,    /* saturated, and it is not one that waits */
    GATE_FULL,    /* its band of the queue is */
    GATE_EXPIRED, /* it waited for too long */
};

/* Embedded by an exchange; zeroed, then `item`'s members of flow_queue.h set. */
struct gate_ticket {
    struct flow_item item;
    struct pool *pool; /* counted by the exchange's snapshot */
    atomic_int state;  /* enum gate_state */
    uint64_t entered_ms;
};

struct pool_gate;

void pool_gate_set(struct pool *pool, const struct gate_settings *settings);
/* False: requests of this priority pass whatever the pool's load; no need to enter. */
bool pool_gate_asks(const struct pool *pool, int32_t priority);
/* The state is WAITING, PASSED, SHED or FULL. */
enum gate_state pool_gate_enter(struct pool *pool, struct gate_ticket *ticket, uint64_t now_ms);
/* Lets pass whom it can, and tells how this one stands. */
enum gate_state pool_gate_poll(struct gate_ticket *ticket, uint64_t now_ms);
/* After the pick, or when the client left; harmless in any state. */
void pool_gate_leave(struct gate_ticket *ticket);

/* The mean over the usable endpoints of max(waiting / queue_depth, KV use / kv_usage); 1 when there are none.  What was
 * sent since an endpoint was scraped counts as waiting there. */
double pool_saturation(struct pool *pool, const struct gate_settings *settings);

struct gate_figures {
    uint32_t queued;
    uint64_t queued_bytes;
    double saturation;
    bool has_queue;
};
void pool_gate_figures(struct pool *pool, struct gate_figures *ret_figures);

#endif
