/* SPDX-License-Identifier: Apache-2.0 */
/* price.h: what an exchange costs, by its tokens.  Pure. */
#ifndef CANARY_PRICE_H
#define CANARY_PRICE_H

#include "canary/observation.h"

/* Of a million tokens, in millionths of the operator's unit: 0.25 for a million is 250000. */
struct token_price {
    uint64_t input_micros;
    uint64_t cached_micros; /* input that the prefix cache had */
    uint64_t output_micros;
};

/* In millionths of the unit, rounded; OBSERVATION_UNKNOWN when the output was not counted. */
uint64_t price_of(const struct token_price *price, const struct observation *observation);

#endif
