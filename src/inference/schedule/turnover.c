/* SPDX-License-Identifier: Apache-2.0 */
/* turnover.c: see turnover.h. */
#include "inference/schedule/turnover.h"

#include <math.h>

static const double fade_ms = 60000;
/* Of an exponent: float has room for e^88, and neighbours are still told apart. */
static const double exponent_max = 20;
/* Tokens after which what was before counts half. */
static const double memory_tokens = 1 << 24;

static void rebase(struct turnover *turnover, struct pool *pool, uint64_t now_ms, double factor)
{
    for (unsigned i = 0; i < pool->member_count; i++) {
        _Atomic float *taken_in = &pool->members[i]->work.taken_in;
        float former = atomic_load_explicit(taken_in, memory_order_relaxed);
        atomic_store_explicit(taken_in, (float)(former * factor), memory_order_relaxed);
    }
    turnover->base_ms = now_ms;
}

double turnover_weight(struct turnover *turnover, struct pool *pool, uint64_t now_ms)
{
    double exponent = now_ms > turnover->base_ms ? (double)(now_ms - turnover->base_ms) / fade_ms : 0;
    if (exponent <= exponent_max)
        return exp(exponent);
    rebase(turnover, pool, now_ms, exp(-exponent));
    return 1;
}

void turnover_note(struct turnover *turnover, struct endpoint *endpoint, double weight, uint32_t fresh, uint32_t again)
{
    _Atomic float *taken_in = &endpoint->work.taken_in;
    float former = atomic_load_explicit(taken_in, memory_order_relaxed);
    atomic_store_explicit(taken_in, (float)(former + fresh * weight), memory_order_relaxed);
    turnover->taken_in += fresh;
    turnover->asked_again += again;
    if (turnover->taken_in > memory_tokens) {
        turnover->taken_in /= 2;
        turnover->asked_again /= 2;
    }
}

double turnover_reuse(const struct turnover *turnover)
{
    if (turnover->taken_in == 0)
        return 0;
    /* Can be more than all: the index forgets by and by that a block was asked for, and then counts it once more. */
    double share = turnover->asked_again / turnover->taken_in;
    return share < 1 ? share : 1;
}
