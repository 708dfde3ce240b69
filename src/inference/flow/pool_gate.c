/* SPDX-License-Identifier: Apache-2.0 */
/* pool_gate.c: a lock around a queue, and the arithmetic of saturation. */
#include "inference/flow/pool_gate.h"

#include <stdlib.h>

struct pool_gate {
    pthread_mutex_t lock;
    struct gate_settings settings;
    struct flow_queue *queue;
    uint32_t passing; /* let through, and not picked for yet: their weight is not on any endpoint */
};

const struct gate_settings gate_settings_default = {
    .has_queue = false,
    .limits = {.order = FLOW_FCFS, .max_requests = 5000, .max_bytes = 1000000000, .ttl_ms = 60000},
    .queue_depth = 5,
    .kv_usage = 0.8,
};

static void gate_free(struct pool_gate *gate)
{
    flow_queue_free(gate->queue);
    pthread_mutex_destroy(&gate->lock);
    free(gate);
}

/* Made at first use; afterwards it stays for the life of the pool. */
static struct pool_gate *gate_of(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    if (pool->gate == NULL) {
        struct pool_gate *gate = must(calloc(1, sizeof *gate));
        pthread_mutex_init(&gate->lock, NULL);
        gate->settings = gate_settings_default;
        gate->queue = flow_queue_new(&gate->settings.limits);
        pool->gate = gate;
        pool->gate_free = gate_free;
    }
    struct pool_gate *gate = pool->gate;
    pthread_mutex_unlock(&pool->lock);
    return gate;
}

void pool_gate_set(struct pool *pool, const struct gate_settings *settings)
{
    struct pool_gate *gate = gate_of(pool);
    pthread_mutex_lock(&gate->lock);
    gate->settings = *settings;
    flow_queue_set_limits(gate->queue, &settings->limits);
    atomic_store_explicit(&pool->has_queue, settings->has_queue, memory_order_relaxed);
    pthread_mutex_unlock(&gate->lock);
}

/* Saturation. */

static unsigned load_of(const atomic_uint *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static double endpoint_saturation(const struct endpoint *endpoint, const struct gate_settings *settings)
{
    const struct endpoint_load *load = &endpoint->load;
    unsigned in_flight = load_of(&load->in_flight), scraped = load_of(&load->in_flight_scraped);
    double waiting = load_of(&load->waiting) + (in_flight > scraped ? in_flight - scraped : 0);
    double queue = waiting / settings->queue_depth, kv = load_of(&load->kv_permille) / 1000.0 / settings->kv_usage;
    return queue > kv ? queue : kv;
}

/* `passing` requests are on their way to some endpoint. */
static double saturation_with(struct pool *pool, const struct gate_settings *settings, uint32_t passing,
                              unsigned *ret_usable)
{
    double sum = 0;
    unsigned usable = 0;
    pthread_mutex_lock(&pool->lock);
    for (unsigned i = 0; i < pool->member_count; i++) {
        if (!endpoint_is_usable(pool->members[i]))
            continue;
        sum += endpoint_saturation(pool->members[i], settings);
        usable++;
    }
    pthread_mutex_unlock(&pool->lock);
    *ret_usable = usable;
    return usable > 0 ? (sum + passing / settings->queue_depth) / usable : 1;
}

double pool_saturation(struct pool *pool, const struct gate_settings *settings)
{
    unsigned usable;
    return saturation_with(pool, settings, 0, &usable);
}

/* Tickets. */

static void set_state(struct gate_ticket *ticket, enum gate_state state)
{
    atomic_store_explicit(&ticket->state, (int)state, memory_order_release);
}

static enum gate_state state_of(struct gate_ticket *ticket)
{
    return (enum gate_state)atomic_load_explicit(&ticket->state, memory_order_acquire);
}

static struct gate_ticket *ticket_of(struct flow_item *item)
{
    return container_of(item, struct gate_ticket, item);
}

static void pass(struct pool_gate *gate, struct gate_ticket *ticket)
{
    gate->passing++;
    set_state(ticket, GATE_PASSED);
}

/* Nobody waits for an empty pool: who passes learns at the pick that it is empty. */
static bool is_open(struct pool_gate *gate, struct pool *pool)
{
    unsigned usable;
    return saturation_with(pool, &gate->settings, gate->passing, &usable) < 1 || usable == 0;
}

static void let_pass(struct pool_gate *gate, struct pool *pool, uint64_t now_ms)
{
    struct flow_item *item;
    while ((item = flow_queue_take_expired(gate->queue, now_ms)) != NULL)
        set_state(ticket_of(item), GATE_EXPIRED);
    bool is_drained = !gate->settings.has_queue; /* since it was switched off, nobody waits any more */
    while (flow_queue_len(gate->queue) > 0 && (is_drained || is_open(gate, pool)))
        pass(gate, ticket_of(flow_queue_take(gate->queue)));
}

static enum gate_state enter_queue(struct pool_gate *gate, struct gate_ticket *ticket, uint64_t now_ms)
{
    let_pass(gate, ticket->pool, now_ms);
    if (flow_queue_len(gate->queue) == 0 && is_open(gate, ticket->pool)) {
        pass(gate, ticket);
        return GATE_PASSED;
    }
    if (ticket->item.priority < 0)
        return GATE_SHED;
    if (!flow_queue_put(gate->queue, &ticket->item, now_ms))
        return GATE_FULL;
    set_state(ticket, GATE_WAITING);
    return GATE_WAITING;
}

bool pool_gate_asks(const struct pool *pool, int32_t priority)
{
    return priority < 0 || atomic_load_explicit(&pool->has_queue, memory_order_relaxed);
}

enum gate_state pool_gate_enter(struct pool *pool, struct gate_ticket *ticket, uint64_t now_ms)
{
    struct pool_gate *gate = gate_of(pool);
    ticket->pool = pool;
    ticket->entered_ms = now_ms;
    pthread_mutex_lock(&gate->lock);
    enum gate_state state = GATE_PASSED;
    if (gate->settings.has_queue)
        state = enter_queue(gate, ticket, now_ms);
    else if (ticket->item.priority < 0 && !is_open(gate, pool))
        state = GATE_SHED;
    pthread_mutex_unlock(&gate->lock);
    return state;
}

enum gate_state pool_gate_poll(struct gate_ticket *ticket, uint64_t now_ms)
{
    if (state_of(ticket) != GATE_WAITING)
        return state_of(ticket);
    struct pool_gate *gate = gate_of(ticket->pool);
    pthread_mutex_lock(&gate->lock);
    let_pass(gate, ticket->pool, now_ms);
    pthread_mutex_unlock(&gate->lock);
    return state_of(ticket);
}

void pool_gate_leave(struct gate_ticket *ticket)
{
    if (state_of(ticket) == GATE_IDLE)
        return;
    struct pool_gate *gate = gate_of(ticket->pool);
    pthread_mutex_lock(&gate->lock);
    flow_queue_remove(gate->queue, &ticket->item);
    gate->passing -= state_of(ticket) == GATE_PASSED;
    set_state(ticket, GATE_IDLE);
    pthread_mutex_unlock(&gate->lock);
}

void pool_gate_figures(struct pool *pool, struct gate_figures *ret_figures)
{
    struct pool_gate *gate = gate_of(pool);
    pthread_mutex_lock(&gate->lock);
    *ret_figures = (struct gate_figures){
        .queued = flow_queue_len(gate->queue),
        .queued_bytes = flow_queue_bytes(gate->queue),
        .saturation = pool_saturation(pool, &gate->settings),
        .has_queue = gate->settings.has_queue,
    };
    pthread_mutex_unlock(&gate->lock);
}
