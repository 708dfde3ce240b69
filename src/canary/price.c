/* SPDX-License-Identifier: Apache-2.0 */
/* price.c: three products.  Floating point: what a server says of its tokens may be any number. */
#include "canary/price.h"

#define MILLION  1e6
#define COST_MAX 1e15

uint64_t price_of(const struct token_price *price, const struct observation *observation)
{
    uint32_t prompt = observation->prompt_tokens, cached = observation->cached_tokens;
    if (observation->output_tokens == OBSERVATION_UNKNOWN)
        return OBSERVATION_UNKNOWN;
    if (cached > prompt)
        cached = prompt;
    double cost =
        ((double)(prompt - cached) * (double)price->input_micros + (double)cached * (double)price->cached_micros +
         (double)observation->output_tokens * (double)price->output_micros) /
        MILLION;
    return cost < COST_MAX ? (uint64_t)(cost + 0.5) : (uint64_t)COST_MAX;
}
