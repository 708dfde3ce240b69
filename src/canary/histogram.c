/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.c: the buckets are those of a floating-point number with five bits behind the leading one. */
#include "canary/histogram.h"

#include <assert.h>
#include <math.h>

enum { SUB_BITS = 5, SUB_BUCKETS = 1 << SUB_BITS };

static const uint64_t VALUE_MAX = (UINT64_C(1) << 36) - 1;

static uint32_t bucket_of(uint64_t value)
{
    if (value < SUB_BUCKETS)
        return (uint32_t)value;
    if (value > VALUE_MAX)
        value = VALUE_MAX;
    uint32_t shift = 63u - (uint32_t)__builtin_clzll(value) - SUB_BITS;
    return shift * SUB_BUCKETS + (uint32_t)(value >> shift);
}

static double start_of(uint32_t bucket)
{
    assert(bucket <= HISTOGRAM_BUCKETS);
    if (bucket < SUB_BUCKETS)
        return bucket;
    uint32_t shift = bucket / SUB_BUCKETS - 1;
    return (double)((uint64_t)(bucket - shift * SUB_BUCKETS) << shift);
}

/* The numbers of a bucket of width one are all its start. */
static double width_of(uint32_t bucket)
{
    double width = start_of(bucket + 1) - start_of(bucket);
    return width > 1 ? width : 0;
}

/* The first bucket from `bucket` on that may hold counts; HISTOGRAM_BUCKETS when there is none. */
static uint32_t next_used(const uint64_t used[HISTOGRAM_WORDS], uint32_t bucket)
{
    uint32_t word = bucket / 64;
    if (bucket >= HISTOGRAM_BUCKETS)
        return HISTOGRAM_BUCKETS;
    uint64_t bits = used[word] & (~UINT64_C(0) << bucket % 64);
    while (bits == 0) {
        if (++word == HISTOGRAM_WORDS)
            return HISTOGRAM_BUCKETS;
        bits = used[word];
    }
    return word * 64 + (uint32_t)__builtin_ctzll(bits);
}

#define FOR_EACH_USED(bucket, used, first)                                                                             \
    for (uint32_t bucket = next_used(used, first); (bucket) < HISTOGRAM_BUCKETS; bucket = next_used(used, (bucket) + 1))

void histogram_add(struct histogram *histogram, uint64_t value)
{
    uint32_t bucket = bucket_of(value);
    histogram->used[bucket / 64] |= UINT64_C(1) << bucket % 64;
    if (histogram->buckets[bucket] < UINT32_MAX)
        histogram->buckets[bucket]++;
    histogram->count++;
    histogram->sum += (double)value;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (from->count == 0)
        return;
    FOR_EACH_USED(i, from->used, 0)
    {
        uint32_t sum = into->buckets[i] + from->buckets[i];
        into->buckets[i] = sum >= from->buckets[i] ? sum : UINT32_MAX;
    }
    for (unsigned word = 0; word < HISTOGRAM_WORDS; word++)
        into->used[word] |= from->used[word];
    into->count += from->count;
    into->sum += from->sum;
}

void histogram_reset(struct histogram *histogram)
{
    if (histogram->count == 0)
        return;
    FOR_EACH_USED(i, histogram->used, 0)
    histogram->buckets[i] = 0;
    for (unsigned word = 0; word < HISTOGRAM_WORDS; word++)
        histogram->used[word] = 0;
    histogram->count = 0;
    histogram->sum = 0;
}

void histogram_halve(struct histogram *histogram)
{
    uint64_t count = 0;
    uint32_t carry = 0; /* of an odd count to the next one: rounding down would eat the thin tail */
    FOR_EACH_USED(i, histogram->used, 0)
    {
        uint64_t doubled = (uint64_t)histogram->buckets[i] + carry;
        carry = doubled & 1;
        histogram->buckets[i] = (uint32_t)(doubled / 2);
        count += histogram->buckets[i];
    }
    histogram->sum = histogram->count > 0 ? histogram->sum * (double)count / (double)histogram->count : 0;
    histogram->count = count;
}

/* Where in a bucket of `here` counts the rank falls, `below` being before it. */
static double place_in(uint32_t bucket, double rank, double below, double here)
{
    return start_of(bucket) + width_of(bucket) * (rank > below ? (rank - below) / here : 0);
}

double histogram_quantile(const struct histogram *histogram, double q)
{
    double weight = 1;
    double quantile = histogram_weighted_quantile(&histogram, &weight, 1, q);
    return isnan(quantile) ? 0 : quantile;
}

double histogram_mean(const struct histogram *histogram)
{
    return histogram->count > 0 ? histogram->sum / (double)histogram->count : 0;
}

double histogram_above(const struct histogram *histogram, double cut)
{
    if (cut < 0)
        return (double)histogram->count;
    uint32_t bucket = bucket_of(cut < 0x1p62 ? (uint64_t)cut : UINT64_C(1) << 62);
    uint64_t above = 0;
    FOR_EACH_USED(i, histogram->used, bucket + 1)
    above += histogram->buckets[i];
    double width = width_of(bucket), into = cut - start_of(bucket);
    double part = width > into ? 1 - into / width : 0;
    return (double)above + part * histogram->buckets[bucket];
}

double histogram_capped_sum(const struct histogram *histogram, double cap)
{
    double sum = 0;
    FOR_EACH_USED(i, histogram->used, 0)
    {
        double middle = start_of(i) + width_of(i) / 2;
        sum += histogram->buckets[i] * (middle < cap ? middle / cap : 1);
    }
    return sum;
}

double histogram_weighted_quantile(const struct histogram *const *histograms, const double *weights, unsigned count,
                                   double q)
{
    uint64_t used[HISTOGRAM_WORDS] = {0};
    double rank = 0, below = 0;
    for (unsigned h = 0; h < count; h++) {
        rank += q * weights[h] * (double)histograms[h]->count;
        for (unsigned word = 0; word < HISTOGRAM_WORDS; word++)
            used[word] |= histograms[h]->used[word];
    }
    double last = NAN;
    FOR_EACH_USED(i, used, 0)
    {
        double here = 0;
        for (unsigned h = 0; h < count; h++)
            here += weights[h] * histograms[h]->buckets[i];
        if (here > 0 && below + here >= rank)
            return place_in(i, rank, below, here);
        below += here;
        last = here > 0 ? start_of(i) + width_of(i) : last;
    }
    return last; /* rounding: the rank is that of the last value */
}
