/* SPDX-License-Identifier: Apache-2.0 */
/* latency_model.h: how long a token takes.  Pure: the load and the source of chance are arguments. */
#ifndef SIM_LATENCY_MODEL_H
#define SIM_LATENCY_MODEL_H

#include "base/random.h"
#include "sim/behaviour.h"

struct latency_load {
    unsigned running; /* sequences, the asking one included */
    unsigned max_num_seqs;
};

/* 1 with one sequence running, load_factor with all slots taken, a straight line between. */
double latency_factor(const struct behaviour *behaviour, struct latency_load load);
/* From the start of a sequence to its first token. */
uint64_t latency_first_token_us(const struct behaviour *behaviour, uint64_t uncached_tokens, struct latency_load load,
                                struct random_state *random);
/* From a token to the next. */
uint64_t latency_next_token_us(const struct behaviour *behaviour, struct latency_load load,
                               struct random_state *random);

#endif
