/* SPDX-License-Identifier: Apache-2.0 */
/* canaries.c: a run per object; one task per turn at most, and a tick for what time brings. */
#include "control/canaries/canaries.h"

#include <stdlib.h>

#include "base/clock.h"

enum { TICK_MS = 250 };

struct canaries {
    struct run_context context;
    struct canary_run **runs;
    unsigned count, capacity;
    struct reactor_task look;
    struct wheel_timer tick;
    bool is_started;
    bool is_ticking; /* only while there are Canaries */
};

static struct canary_run *find(const struct canaries *canaries, const struct kube_object *canary)
{
    for (unsigned i = 0; i < canaries->count; i++) {
        if (run_is_for(canaries->runs[i], canary))
            return canaries->runs[i];
    }
    return NULL;
}

static struct canary_run *find_or_add(struct canaries *canaries, const struct kube_object *canary)
{
    struct canary_run *run = find(canaries, canary);
    if (run != NULL)
        return run;
    if (canaries->count == canaries->capacity) {
        canaries->capacity = canaries->capacity > 0 ? canaries->capacity * 2 : 8;
        canaries->runs = must(reallocarray(canaries->runs, canaries->capacity, sizeof *canaries->runs));
    }
    run = run_new(&canaries->context, canary);
    canaries->runs[canaries->count++] = run;
    return run;
}

/* The objects as they are on disk; a run may write, which does not move what is durable in this turn. */
static void sync_all(struct canaries *canaries, bool only_due)
{
    struct store_cursor cursor = store_cursor_at(canaries->context.store, KUBE_CANARY, "", "", "");
    uint64_t now_ms = reactor_now_ms(canaries->context.reactor);
    const struct stored *stored;
    while ((stored = store_next(canaries->context.store, KUBE_CANARY, &cursor)) != NULL) {
        struct canary_run *run = find_or_add(canaries, stored->object);
        struct kube_object *canary = kube_object_take(stored->object);
        if (!only_due || run_is_due(run, now_ms))
            run_sync(run, canary, now_ms, clock_wall_ms());
        kube_object_give_back(canary);
    }
}

static void drop_gone(struct canaries *canaries)
{
    for (unsigned i = 0; i < canaries->count;) {
        if (run_is_gone(canaries->runs[i])) {
            run_free(canaries->runs[i]);
            canaries->runs[i] = canaries->runs[--canaries->count];
        } else {
            i++;
        }
    }
}

static void tick_on(struct canaries *canaries)
{
    canaries->is_ticking = canaries->count > 0;
    if (canaries->is_ticking)
        reactor_timer_set(canaries->context.reactor, &canaries->tick, TICK_MS);
}

static void on_look(struct reactor_task *task)
{
    struct canaries *canaries = container_of(task, struct canaries, look);
    drop_gone(canaries);
    sync_all(canaries, false);
    if (!canaries->is_ticking)
        tick_on(canaries);
}

static void on_tick(struct wheel_timer *timer)
{
    struct canaries *canaries = container_of(timer, struct canaries, tick);
    sync_all(canaries, true);
    tick_on(canaries);
}

struct canaries *canaries_new(const struct run_context *context)
{
    struct canaries *canaries = must(calloc(1, sizeof *canaries));
    canaries->context = *context;
    reactor_task_init(&canaries->look, on_look);
    wheel_timer_init(&canaries->tick, on_tick);
    return canaries;
}

void canaries_start(struct canaries *canaries)
{
    canaries->is_started = true;
    canaries_wake(canaries);
}

void canaries_wake(struct canaries *canaries)
{
    if (canaries->is_started)
        reactor_task_schedule(canaries->context.reactor, &canaries->look);
}

void canaries_free(struct canaries *canaries)
{
    if (canaries == NULL)
        return;
    reactor_task_cancel(&canaries->look);
    reactor_timer_cancel(canaries->context.reactor, &canaries->tick);
    for (unsigned i = 0; i < canaries->count; i++)
        run_free(canaries->runs[i]);
    free(canaries->runs);
    free(canaries);
}

void canaries_set_gauges(const struct canaries *canaries, struct metrics *metrics, unsigned shard)
{
    metrics_clear(metrics, METRIC_CANARY_SHARE);
    metrics_clear(metrics, METRIC_CANARY_OVERFLOWED);
    for (unsigned i = 0; i < canaries->count; i++)
        run_set_gauges(canaries->runs[i], metrics, shard);
}

void canaries_write(const struct canaries *canaries, struct json_writer *json)
{
    jw_begin_array(json);
    for (unsigned i = 0; i < canaries->count; i++)
        run_write(canaries->runs[i], json);
    jw_end_array(json);
}
