/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler.c: the pick: one walk over the members under the pool's lock, comparing scores.
 *
 * Any thread.  The choice and the raise of in_flight happen under the same lock, so that the next pick sees it; pure
 * but for that.  Does not connect, queue or retry. */
#include "inference/schedule/scheduler.h"

#include <assert.h>

static unsigned load_of(const atomic_uint *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

void schedule_score(struct endpoint *endpoint, struct bytes target_model, uint64_t now_ms, struct pick_score *ret_score)
{
    const struct endpoint_load *load = &endpoint->load;
    *ret_score = (struct pick_score){
        .endpoint = endpoint,
        .is_usable = endpoint_is_usable(endpoint),
        .is_avoided = atomic_load_explicit(&load->avoid_until_ms, memory_order_relaxed) > now_ms,
        .has_lora = target_model.len > 0 && endpoint_has_lora(endpoint, target_model),
        .waiting = load_of(&load->waiting),
        .running = load_of(&load->running),
        .in_flight = load_of(&load->in_flight),
        .kv_permille = load_of(&load->kv_permille),
    };
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* true is the better one */
static int compare_wish(bool a, bool b)
{
    return (int)b - (int)a;
}

int schedule_compare(const struct pick_score *a, const struct pick_score *b)
{
    int order = compare_wish(a->is_usable, b->is_usable);
    if (order == 0)
        order = compare_wish(!a->is_avoided, !b->is_avoided);
    if (order == 0)
        order = compare_wish(a->has_lora, b->has_lora);
    if (order == 0)
        order = compare_u64(a->waiting, b->waiting);
    if (order == 0)
        order = compare_u64((uint64_t)a->running + a->in_flight, (uint64_t)b->running + b->in_flight);
    if (order == 0)
        order = compare_u64(a->kv_permille, b->kv_permille);
    return order;
}

static bool is_excluded(const struct pick_request *request, const struct endpoint *endpoint)
{
    for (unsigned i = 0; i < request->excluded_count; i++)
        if (request->excluded[i] == endpoint)
            return true;
    return false;
}

/* The next number of a request's own sequence (the finalizer of splitmix64). */
static uint64_t mix(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Ties are drawn by reservoir: the nth equal one replaces the choice with chance 1/n, so all are equally likely. */
static struct endpoint *find_best(struct pool *pool, const struct pick_request *request)
{
    uint64_t random = request->random + atomic_fetch_add_explicit(&pool->rotation, 1, memory_order_relaxed);
    struct endpoint *chosen = NULL;
    struct pick_score best, score;
    unsigned equals = 0;
    for (unsigned i = 0; i < pool->member_count; i++) {
        struct endpoint *endpoint = pool->members[i];
        if (!endpoint_is_usable(endpoint) || is_excluded(request, endpoint))
            continue;
        schedule_score(endpoint, request->target_model, request->now_ms, &score);
        int order = chosen == NULL ? -1 : schedule_compare(&score, &best);
        if (order > 0)
            continue;
        equals = order < 0 ? 1 : equals + 1;
        if (order < 0 || mix(&random) % equals == 0) {
            chosen = endpoint;
            best = score;
        }
    }
    return chosen;
}

struct endpoint *schedule_pick(struct pool *pool, const struct pick_request *request)
{
    pthread_mutex_lock(&pool->lock);
    struct endpoint *chosen = find_best(pool, request);
    if (chosen != NULL) {
        endpoint_take(chosen);
        atomic_fetch_add_explicit(&chosen->load.in_flight, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&pool->lock);
    return chosen;
}

void schedule_release(struct endpoint *endpoint)
{
    unsigned former = atomic_fetch_sub_explicit(&endpoint->load.in_flight, 1, memory_order_relaxed);
    assert(former > 0);
    (void)former;
}
