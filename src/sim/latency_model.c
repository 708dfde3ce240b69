/* SPDX-License-Identifier: Apache-2.0 */
/* latency_model.c: samples of normal distributions that never leave 30 % to 170 % of their mean.  Pure. */
#include "sim/latency_model.h"

static double sample_us(uint64_t mean_us, uint64_t std_dev_us, struct random_state *random)
{
    double mean = (double)mean_us;
    if (std_dev_us == 0 || mean_us == 0)
        return mean;
    double value = mean + random_normal(random) * (double)std_dev_us;
    if (value < 0.3 * mean)
        return 0.3 * mean;
    return value > 1.7 * mean ? 1.7 * mean : value;
}

double latency_factor(const struct behaviour *behaviour, struct latency_load load)
{
    if (load.max_num_seqs <= 1 || load.running <= 1)
        return 1;
    return 1 + (behaviour->load_factor - 1) * (double)(load.running - 1) / (double)(load.max_num_seqs - 1);
}

uint64_t latency_first_token_us(const struct behaviour *behaviour, uint64_t uncached_tokens, struct latency_load load,
                                struct random_state *random)
{
    double prefill = (double)behaviour->prefill_us * (double)uncached_tokens;
    if (prefill > (double)behaviour->prefill_max_us)
        prefill = (double)behaviour->prefill_max_us;
    double first = sample_us(behaviour->ttft_us, behaviour->ttft_std_dev_us, random);
    return (uint64_t)((first + prefill) * latency_factor(behaviour, load) + 0.5);
}

uint64_t latency_next_token_us(const struct behaviour *behaviour, struct latency_load load, struct random_state *random)
{
    if (behaviour->itl_us == 0)
        return 0;
    double gap = sample_us(behaviour->itl_us, behaviour->itl_std_dev_us, random);
    return (uint64_t)(gap * latency_factor(behaviour, load) + 0.5);
}
