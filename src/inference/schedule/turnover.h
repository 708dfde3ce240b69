/* SPDX-License-Identifier: Apache-2.0 */
/* turnover.h: how fast the prefix caches of a pool's endpoints are filled anew, and how much of what they take in is
 * asked for again: what it costs others to send a prompt where it is not cached.
 *
 * By what was sent from this process.  Sums fade with a time constant of a minute: instead of fading all of them, what
 * comes later weighs more, until the weights grow too large.  Under the pool's lock. */
#ifndef INFERENCE_SCHEDULE_TURNOVER_H
#define INFERENCE_SCHEDULE_TURNOVER_H

#include <stdint.h>

#include "inference/pool.h"

/* Zeroed at first. */
struct turnover {
    uint64_t base_ms;             /* when a token weighed 1 */
    double taken_in, asked_again; /* tokens of the pool, for reuse */
};

/* What a token weighs now. */
double turnover_weight(struct turnover *turnover, struct pool *pool, uint64_t now_ms);
/* A prompt was sent there: so many of its tokens the endpoint did not have; so many it did, and was sent them for the
 * first time since it took them in. */
void turnover_note(struct turnover *turnover, struct endpoint *endpoint, double weight, uint32_t fresh, uint32_t again);
/* The share of what endpoints take in that they are asked for again: 0 to 1. */
double turnover_reuse(const struct turnover *turnover);

#endif
