/* SPDX-License-Identifier: Apache-2.0 */
/* watch_log.c: a ring of pointers, so that an event stays where it is when the ring grows.  Owns the events and a count
 * of each version in them; used by the store's callers' thread. */
#include "kube/store/watch_log.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

void watch_log_init(struct watch_log *log, uint64_t floor)
{
    *log = (struct watch_log){.floor = floor};
}

static struct store_event *event_at(const struct watch_log *log, size_t index)
{
    return log->events[(log->first + index) & (log->capacity - 1)];
}

/* What the event keeps alive.  A version that two events share is counted twice, to be on the safe side. */
static size_t event_bytes(const struct store_event *event)
{
    return event->now->text.len + (event->before != NULL ? event->before->text.len : 0);
}

/* The log's count, which an event shows as something to read only. */
static void give_back(const struct stored *stored)
{
    stored_give_back((struct stored *)(uintptr_t)stored);
}

static void drop_oldest(struct watch_log *log)
{
    struct store_event *event = event_at(log, 0);
    log->first = (log->first + 1) & (log->capacity - 1);
    log->len--;
    log->bytes -= event_bytes(event);
    log->floor = event->version;
    give_back(event->now);
    give_back(event->before);
    free(event);
}

void watch_log_deinit(struct watch_log *log)
{
    while (log->len > 0)
        drop_oldest(log);
    free(log->events);
    *log = (struct watch_log){0};
}

static void grow(struct watch_log *log)
{
    size_t capacity = log->capacity > 0 ? log->capacity * 2 : FIRST_CAPACITY;
    struct store_event **events = must(malloc(capacity * sizeof(struct store_event *)));
    for (size_t i = 0; i < log->len; i++)
        events[i] = event_at(log, i);
    free(log->events);
    log->events = events;
    log->capacity = capacity;
    log->first = 0;
}

void watch_log_add(struct watch_log *log, enum store_event_type type, struct stored *now, struct stored *before,
                   uint64_t now_ms)
{
    assert(now->version > (log->len > 0 ? event_at(log, log->len - 1)->version : log->floor));
    assert((before == NULL) == (type == STORE_ADDED));
    if (log->len == log->capacity)
        grow(log);
    struct store_event *event = must(malloc(sizeof *event));
    *event = (struct store_event){.version = now->version, .type = type, .now = now, .before = before, .at_ms = now_ms};
    log->events[(log->first + log->len) & (log->capacity - 1)] = event;
    log->len++;
    log->bytes += event_bytes(event);
}

void watch_log_trim(struct watch_log *log, const struct store_limits *limits, uint64_t now_ms)
{
    while (log->len > 1 && (log->len > limits->log_events || log->bytes > limits->log_bytes ||
                            now_ms - event_at(log, 0)->at_ms > limits->log_ms))
        drop_oldest(log);
}

const struct store_event *watch_log_after(const struct watch_log *log, uint64_t version)
{
    size_t low = 0, high = log->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (event_at(log, middle)->version <= version)
            low = middle + 1;
        else
            high = middle;
    }
    return low < log->len ? event_at(log, low) : NULL;
}
