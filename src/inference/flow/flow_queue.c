/* SPDX-License-Identifier: Apache-2.0 */
/* flow_queue.c: bands in the order of priority; each has a ring of the flows that have items, whose first one's turn it
 * is.  Bands and flows live as long as they have items.  Pure. */
#include "inference/flow/flow_queue.h"

#include <stdlib.h>
#include <string.h>

struct flow {
    struct list link; /* in its band's ring */
    uint64_t id;
    struct heap items;
};

struct band {
    int32_t priority;
    struct list flows; /* the first one's turn it is */
    uint32_t len;
    uint64_t bytes;
};

struct flow_queue {
    struct flow_limits limits;
    struct band **bands; /* the highest first */
    unsigned band_count, band_capacity;
    struct list ages;
    uint64_t arrivals;
    uint32_t len;
    uint64_t bytes;
};

const struct flow_limits flow_limits_default = {
    .order = FLOW_FCFS, .max_requests = 5000, .max_bytes = 1000000000, .ttl_ms = 60000};

struct flow_queue *flow_queue_new(const struct flow_limits *limits)
{
    struct flow_queue *queue = must(calloc(1, sizeof *queue));
    queue->limits = *limits;
    list_init(&queue->ages);
    return queue;
}

static void flow_free(struct flow *flow)
{
    list_remove(&flow->link);
    heap_deinit(&flow->items);
    free(flow);
}

static void band_free(struct band *band)
{
    LIST_FOR_EACH_SAFE (node, &band->flows) {
        flow_free(LIST_ENTRY(node, struct flow, link));
    }
    free(band);
}

void flow_queue_free(struct flow_queue *queue)
{
    if (queue == NULL)
        return;
    for (unsigned i = 0; i < queue->band_count; i++)
        band_free(queue->bands[i]);
    free(queue->bands);
    free(queue);
}

void flow_queue_set_limits(struct flow_queue *queue, const struct flow_limits *limits)
{
    queue->limits = *limits;
}

/* Where the band is, or would stand. */
static unsigned band_place(const struct flow_queue *queue, int32_t priority)
{
    unsigned i = 0;
    while (i < queue->band_count && queue->bands[i]->priority > priority)
        i++;
    return i;
}

static struct band *find_band(const struct flow_queue *queue, int32_t priority)
{
    unsigned i = band_place(queue, priority);
    return i < queue->band_count && queue->bands[i]->priority == priority ? queue->bands[i] : NULL;
}

static struct band *make_band(struct flow_queue *queue, int32_t priority)
{
    if (queue->band_count == queue->band_capacity) {
        queue->band_capacity = queue->band_capacity * 2 + 4;
        queue->bands = must(reallocarray(queue->bands, queue->band_capacity, sizeof(struct band *)));
    }
    unsigned place = band_place(queue, priority);
    memmove(&queue->bands[place + 1], &queue->bands[place], (queue->band_count - place) * sizeof(struct band *));
    struct band *band = queue->bands[place] = must(calloc(1, sizeof *band));
    queue->band_count++;
    band->priority = priority;
    list_init(&band->flows);
    return band;
}

static void drop_band(struct flow_queue *queue, struct band *band)
{
    unsigned place = band_place(queue, band->priority);
    queue->band_count--;
    memmove(&queue->bands[place], &queue->bands[place + 1], (queue->band_count - place) * sizeof(struct band *));
    band_free(band);
}

static struct flow *find_flow(const struct band *band, uint64_t id)
{
    LIST_FOR_EACH (node, &band->flows)
        if (LIST_ENTRY(node, struct flow, link)->id == id)
            return LIST_ENTRY(node, struct flow, link);
    return NULL;
}

/* A new flow's turn comes after those that are there. */
static struct flow *make_flow(struct band *band, uint64_t id)
{
    struct flow *flow = must(calloc(1, sizeof *flow));
    flow->id = id;
    heap_init(&flow->items);
    list_push(&band->flows, &flow->link);
    return flow;
}

/* The lower 24 bits keep those of one deadline in their order. */
static uint64_t place_key(const struct flow_queue *queue, const struct flow_item *item)
{
    if (queue->limits.order == FLOW_FCFS)
        return queue->arrivals;
    uint64_t deadline_ms = item->deadline_ms > 0 && item->deadline_ms < 1ull << 39 ? item->deadline_ms : 1ull << 39;
    return deadline_ms << 24 | (queue->arrivals & 0xffffff);
}

bool flow_queue_put(struct flow_queue *queue, struct flow_item *item, uint64_t now_ms)
{
    const struct flow_limits *limits = &queue->limits;
    struct band *band = find_band(queue, item->priority);
    uint64_t held = band != NULL ? band->bytes : 0;
    if ((band != NULL ? band->len : 0) >= limits->max_requests || held > limits->max_bytes ||
        item->bytes > limits->max_bytes - held)
        return false;
    if (band == NULL)
        band = make_band(queue, item->priority);
    struct flow *flow = find_flow(band, item->flow);
    if (flow == NULL)
        flow = make_flow(band, item->flow);
    queue->arrivals++;
    item->expires_ms = now_ms + limits->ttl_ms;
    heap_push(&flow->items, &item->place, place_key(queue, item));
    list_push(&queue->ages, &item->age);
    band->len++;
    band->bytes += item->bytes;
    queue->len++;
    queue->bytes += item->bytes;
    return true;
}

bool flow_item_is_queued(const struct flow_item *item)
{
    return item->place.index > 0;
}

static void take_out(struct flow_queue *queue, struct band *band, struct flow *flow, struct flow_item *item)
{
    heap_remove(&flow->items, &item->place);
    list_remove(&item->age);
    band->len--;
    band->bytes -= item->bytes;
    queue->len--;
    queue->bytes -= item->bytes;
    if (heap_peek(&flow->items) == NULL)
        flow_free(flow);
    if (band->len == 0)
        drop_band(queue, band);
}

void flow_queue_remove(struct flow_queue *queue, struct flow_item *item)
{
    if (!flow_item_is_queued(item))
        return;
    struct band *band = find_band(queue, item->priority);
    take_out(queue, band, find_flow(band, item->flow), item);
}

struct flow_item *flow_queue_take(struct flow_queue *queue)
{
    if (queue->band_count == 0)
        return NULL;
    struct band *band = queue->bands[0];
    struct flow *flow = LIST_ENTRY(band->flows.next, struct flow, link);
    struct flow_item *item = container_of(heap_peek(&flow->items), struct flow_item, place);
    list_remove(&flow->link); /* the next one's turn */
    list_push(&band->flows, &flow->link);
    take_out(queue, band, flow, item);
    return item;
}

/* Expiry follows the order of arrival, but for a change of the limits in between. */
struct flow_item *flow_queue_take_expired(struct flow_queue *queue, uint64_t now_ms)
{
    if (list_is_empty(&queue->ages))
        return NULL;
    struct flow_item *item = LIST_ENTRY(queue->ages.next, struct flow_item, age);
    if (item->expires_ms > now_ms)
        return NULL;
    flow_queue_remove(queue, item);
    return item;
}

uint32_t flow_queue_len(const struct flow_queue *queue)
{
    return queue->len;
}

uint64_t flow_queue_bytes(const struct flow_queue *queue)
{
    return queue->bytes;
}
