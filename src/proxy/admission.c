/* SPDX-License-Identifier: Apache-2.0 */
/* admission.c: the way past a pool's gate: what a request tells it, and looking after those that wait.
 *
 * Runs on the exchange's worker.  Waiting ones hold their body and nothing of an endpoint; their deadline goes on. What
 * comes of a body that is still on its way stays with the client. */
#include <xxhash.h>

#include "proxy/proxied.h"

/* Between two looks at those that wait: the worst case of what the queue adds to a wait. */
enum { LOOK_MS = 2 };

static struct bytes header(struct proxied *proxied, struct bytes name, struct bytes alias)
{
    struct exchange *exchange = proxied->exchange;
    struct bytes value = BYTES("");
    if (!http_fields_joined(&exchange->request.fields, name, exchange->arena, &value) || value.len == 0)
        (void)http_fields_joined(&exchange->request.fields, alias, exchange->arena, &value);
    return value;
}

/* All that name nobody share one flow. */
static uint64_t flow_of(struct proxied *proxied)
{
    struct bytes name =
        header(proxied, BYTES("x-llm-d-inference-fairness-id"), BYTES("x-gateway-inference-fairness-id"));
    return name.len > 0 ? XXH3_64bits(name.data, name.len) : 0;
}

static uint64_t deadline_of(struct proxied *proxied, uint64_t now_ms)
{
    unsigned long long slo_ms = 0;
    struct bytes text = header(proxied, BYTES("x-llm-d-slo-ttft-ms"), BYTES("x-slo-ttft-ms"));
    return text.len > 0 && bytes_to_u64(text, 86400000, &slo_ms) ? now_ms + slo_ms : 0;
}

static enum end_reason refusal(enum gate_state state)
{
    return state == GATE_SHED ? END_SHED : state == GATE_FULL ? END_QUEUE_FULL : END_QUEUE_TIMEOUT;
}

static void wait_for_turn(struct proxied *proxied)
{
    struct proxy *proxy = proxied->proxy;
    if (list_is_empty(&proxy->waiting))
        reactor_timer_set(proxy->reactor, &proxy->waiting_timer, LOOK_MS);
    list_push(&proxy->waiting, &proxied->turn);
    proxied->is_waiting = true;
    proxied->waiting_since_us = reactor_now_us(proxy->reactor);
    if (proxied->is_open)
        exchange_pause_body(proxied->exchange);
}

/* What has no body costs a model server next to nothing. */
bool admission_enter(struct proxied *proxied)
{
    struct pool *pool = proxied->choice.arm->pool;
    int32_t priority = proxied->choice.model != NULL ? proxied->choice.model->priority : 0;
    if (proxied->choice.arm->kind != POOL_ARM_POOL || !proxied->has_body || !pool_gate_asks(pool, priority))
        return true;
    uint64_t now_ms = reactor_now_ms(proxied->proxy->reactor);
    proxied->gate.item = (struct flow_item){
        .priority = priority,
        .flow = flow_of(proxied),
        .bytes = buffer_len(&proxied->held->body),
        .deadline_ms = deadline_of(proxied, now_ms),
    };
    enum gate_state state = pool_gate_enter(pool, &proxied->gate, now_ms);
    if (state == GATE_PASSED)
        return true;
    if (state == GATE_WAITING)
        wait_for_turn(proxied);
    else
        proxied_fail(proxied, refusal(state));
    return false;
}

uint64_t admission_waited_us(const struct proxied *proxied)
{
    return proxied->is_waiting ? reactor_now_us(proxied->proxy->reactor) - proxied->waiting_since_us
                               : proxied->waited_us;
}

static void stop_waiting(struct proxied *proxied)
{
    proxied->waited_us = admission_waited_us(proxied);
    list_remove(&proxied->turn);
    proxied->is_waiting = false;
}

void admission_leave(struct proxied *proxied)
{
    if (proxied->is_waiting)
        stop_waiting(proxied);
    pool_gate_leave(&proxied->gate);
}

static void look_after(struct proxied *proxied)
{
    enum gate_state state = pool_gate_poll(&proxied->gate, reactor_now_ms(proxied->proxy->reactor));
    if (state == GATE_WAITING)
        return;
    stop_waiting(proxied);
    if (state == GATE_PASSED)
        forward_admitted(proxied);
    else
        proxied_fail(proxied, refusal(state));
}

/* Those that come meanwhile, by a client's next request, are looked after the next time. */
static void on_waiting_timer(struct wheel_timer *timer)
{
    struct proxy *proxy = container_of(timer, struct proxy, waiting_timer);
    struct list all;
    list_init(&all);
    while (!list_is_empty(&proxy->waiting))
        list_push(&all, list_pop(&proxy->waiting));
    while (!list_is_empty(&all)) {
        struct proxied *proxied = LIST_ENTRY(list_pop(&all), struct proxied, turn);
        list_push(&proxy->waiting, &proxied->turn);
        look_after(proxied);
    }
    if (!list_is_empty(&proxy->waiting))
        reactor_timer_set(proxy->reactor, timer, LOOK_MS);
}

void admission_init(struct proxy *proxy)
{
    list_init(&proxy->waiting);
    wheel_timer_init(&proxy->waiting_timer, on_waiting_timer);
}

void admission_deinit(struct proxy *proxy)
{
    reactor_timer_cancel(proxy->reactor, &proxy->waiting_timer);
}
