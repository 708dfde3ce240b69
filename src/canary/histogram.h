/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.h: counts of whole numbers in buckets whose width grows with the value: fixed memory, mergeable.
 *
 * Values below 32 have a bucket each; above, every doubling is cut into 32 buckets, so that a quantile is at most 1.6 %
 * off.  Values from 2^36 on (19 hours in microseconds) count as the largest.  A zeroed struct is an empty histogram.
 * Belongs to one thread; shards of several threads are merged. */
#ifndef CANARY_HISTOGRAM_H
#define CANARY_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 1024, HISTOGRAM_WORDS = HISTOGRAM_BUCKETS / 64 };

struct histogram {
    uint64_t count;
    double sum;
    uint64_t used[HISTOGRAM_WORDS]; /* a bit per bucket that may hold counts: few values, little work */
    uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);
/* Adds the counts of `from`; a bucket keeps 2^32-1 at most. */
void histogram_merge(struct histogram *into, const struct histogram *from);
void histogram_reset(struct histogram *histogram);
/* Halves the counts: what is old weighs less. */
void histogram_halve(struct histogram *histogram);

/* The value that the share q (0..1) of all values does not pass, straight within a bucket; 0 when empty. */
double histogram_quantile(const struct histogram *histogram, double q);
/* 0 when empty. */
double histogram_mean(const struct histogram *histogram);
/* How many values are above the cut; the bucket that holds the cut counts in part. */
double histogram_above(const struct histogram *histogram, double cut);
/* The sum of min(value, cap) / cap over all values. */
double histogram_capped_sum(const struct histogram *histogram, double cap);

/* Of histograms of which each counts `weights` times: the quantile over all; NaN when they are empty. */
double histogram_weighted_quantile(const struct histogram *const *histograms, const double *weights, unsigned count,
                                   double q);

#endif
