/* SPDX-License-Identifier: Apache-2.0 */
/* random.h: seeds from the kernel, and a small fast generator whose state the caller owns (xoshiro256**). */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random_state {
    uint64_t word[4];
};

/* From getrandom(2); aborts if the kernel has none. */
void random_fill(void *data, size_t size);
void random_seed(struct random_state *state, uint64_t seed); /* a seed gives the same sequence for ever */
void random_seed_from_kernel(struct random_state *state);
uint64_t random_next(struct random_state *state);
/* Uniform in [0, bound); bound > 0. */
uint64_t random_below(struct random_state *state, uint64_t bound);
/* Uniform in [0, 1). */
double random_unit(struct random_state *state);
/* Normal distribution (mean 0, deviation 1). */
double random_normal(struct random_state *state);

#endif
