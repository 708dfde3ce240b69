/* SPDX-License-Identifier: Apache-2.0 */
/* random.c: kernel seeds and xoshiro256** (Blackman and Vigna).  A state belongs to one thread.  Not for secrets: who
 * sees some outputs can compute the rest; secrets come from random_fill(). */
#include "base/random.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/random.h>

void random_fill(void *data, size_t size)
{
    char *at = data;
    while (size > 0) {
        ssize_t count = getrandom(at, size, 0);
        if (count < 0) {
            if (errno == EINTR)
                continue;
            abort();
        }
        at += count;
        size -= (size_t)count;
    }
}

void random_seed(struct random_state *state, uint64_t seed)
{
    /* SplitMix64, as the authors of xoshiro advise: it spreads any seed, 0 too, and never gives four zero words. */
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15u;
        uint64_t mixed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
        state->word[i] = mixed ^ (mixed >> 31);
    }
}

void random_seed_from_kernel(struct random_state *state)
{
    uint64_t seed;
    random_fill(&seed, sizeof(seed));
    random_seed(state, seed);
}

static uint64_t rotate_left(uint64_t value, unsigned count)
{
    return (value << count) | (value >> (64 - count));
}

uint64_t random_next(struct random_state *state)
{
    uint64_t *word = state->word;
    uint64_t result = rotate_left(word[1] * 5, 7) * 9;
    uint64_t shifted = word[1] << 17;
    word[2] ^= word[0];
    word[3] ^= word[1];
    word[1] ^= word[2];
    word[0] ^= word[3];
    word[2] ^= shifted;
    word[3] = rotate_left(word[3], 45);
    return result;
}

uint64_t random_below(struct random_state *state, uint64_t bound)
{
    /* The high half of a 128-bit product is uniform once the low halves below 2^64 mod bound are thrown away
     * (Lemire, 2019). */
    uint64_t threshold = (0 - bound) % bound;
    for (;;) {
        unsigned __int128 product = (unsigned __int128)random_next(state) * bound;
        if ((uint64_t)product >= threshold)
            return (uint64_t)(product >> 64);
    }
}

double random_unit(struct random_state *state)
{
    return (double)(random_next(state) >> 11) * 0x1p-53;
}

double random_normal(struct random_state *state)
{
    /* Box-Muller; 1 - unit lies in (0, 1], where the logarithm is finite. */
    double radius = sqrt(-2 * log(1 - random_unit(state)));
    return radius * cos(2 * M_PI * random_unit(state));
}
