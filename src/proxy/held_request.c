/* SPDX-License-Identifier: Apache-2.0 */
/* held_request.c: what is held of requests, used again from one to the next; larger body buffers by themselves
 * (spare_bodies.h). */
#include <stdlib.h>

#include "proxy/proxied.h"

static void free_held(struct held_request *held)
{
    buffer_deinit(&held->body);
    buffer_deinit(&held->head);
    free(held);
}

static struct held_request *pop_spare(struct proxy *proxy)
{
    struct held_request *held = LIST_ENTRY(list_pop(&proxy->spare_held), struct held_request, link);
    proxy->spare_held_count--;
    return held;
}

struct held_request *held_request_take(struct proxy *proxy)
{
    struct held_request *held;
    if (list_is_empty(&proxy->spare_held)) {
        held = must(malloc(sizeof *held));
        buffer_init(&held->body);
        buffer_init(&held->head);
    } else {
        held = pop_spare(proxy);
    }
    struct buffer body = held->body, head = held->head;
    memset(held, 0, offsetof(struct held_request, scan));
    held->body = body;
    held->head = head;
    list_init(&held->link);
    openai_scan_init(&held->scan);
    return held;
}

void held_request_let_go_of_body(struct proxy *proxy, struct held_request *held)
{
    if (held->body.capacity > MEMORY_UNCOUNTED_BYTES)
        spare_bodies_give(&proxy->spare_bodies, &held->body, proxy->config.budget);
    buffer_clear(&held->body);
}

void held_request_give_back(struct proxy *proxy, struct held_request *held)
{
    held_request_let_go_of_body(proxy, held);
    if (proxy->spare_held_count >= MAX_SPARE) {
        free_held(held);
        return;
    }
    buffer_clear(&held->head);
    list_push_front(&proxy->spare_held, &held->link);
    proxy->spare_held_count++;
}

void held_request_free_spare(struct proxy *proxy)
{
    while (!list_is_empty(&proxy->spare_held))
        free_held(pop_spare(proxy));
}
