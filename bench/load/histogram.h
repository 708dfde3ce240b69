/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.h: durations in buckets 3 % wide, for percentiles. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 32, HISTOGRAM_BUCKETS = 64 * HISTOGRAM_STEPS };

struct histogram {
    uint64_t total;
    uint32_t counts[HISTOGRAM_BUCKETS];
};

static inline unsigned histogram_bucket(uint64_t value)
{
    if (value < HISTOGRAM_STEPS)
        return (unsigned)value;
    unsigned power = 63 - (unsigned)__builtin_clzll(value); /* >= 5 */
    return (power - 4) * HISTOGRAM_STEPS + (unsigned)(value >> (power - 5)) - HISTOGRAM_STEPS;
}

/* The smallest value of a bucket. */
static inline uint64_t histogram_value(unsigned bucket)
{
    unsigned row = bucket / HISTOGRAM_STEPS, step = bucket % HISTOGRAM_STEPS;
    return row == 0 ? step : (uint64_t)(HISTOGRAM_STEPS + step) << (row - 1);
}

static inline void histogram_add(struct histogram *histogram, uint64_t value)
{
    histogram->total++;
    histogram->counts[histogram_bucket(value)]++;
}

/* share: 0..1.  0 when there is nothing. */
static inline uint64_t histogram_at(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)((double)histogram->total * share), seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen > wanted || (seen == histogram->total && seen > 0))
            return histogram_value(i);
    }
    return 0;
}

#endif
