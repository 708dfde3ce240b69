/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h: counters, gauges and histograms by the table metrics.def, and their Prometheus text, in which some have
 * second names (metric_aliases.def).
 *
 * A registry has one shard per thread.  A series is found once (by its label values) and kept as a pointer; one
 * thread at a time may change a series of a shard, on cache lines of its own.  Reading, by any thread, sums them. */
#ifndef OBSERVE_METRICS_H
#define OBSERVE_METRICS_H

#include <stdint.h>

#include "base/buffer.h"

enum metric_id {
#define X(id, kind, name, labels, help) METRIC_##id,
#include "observe/metrics.def"
#undef X
    METRIC_COUNT
};

struct metrics;
/* One labelled series in one shard.  Valid until the registry dies or its metric is cleared. */
struct metric_series;

/* shards: threads that write (workers + control).  max_series bounds each metric's label combinations; beyond it new
 * ones share a series whose label values are all "other". */
struct metrics *metrics_new(unsigned shards, unsigned max_series);
void metrics_free(struct metrics *metrics);

/* Finds or makes the series of this shard.  values: as many strings as the metric has labels, copied.  Takes a short
 * lock; keep the pointer when it is hot. */
struct metric_series *metrics_series(struct metrics *metrics, unsigned shard, enum metric_id id,
                                     const char *const *values);
void metric_add(struct metric_series *series, int64_t delta);            /* counters and gauges, also those in us */
void metric_set(struct metric_series *series, int64_t value);            /* gauges set by one owner */
void metric_observe_us(struct metric_series *series, uint64_t value_us); /* HISTOGRAM, HISTOGRAM_FINE */
void metric_observe(struct metric_series *series, uint64_t value);       /* HISTOGRAM_SIZE */

/* Forgets all series of a gauge, which must be one that its only thread sets anew before each metrics_write(). */
void metrics_clear(struct metrics *metrics, enum metric_id id);

/* The value summed over the shards, for tests and debug pages; a histogram's count. */
int64_t metrics_value(struct metrics *metrics, enum metric_id id, const char *const *values);

/* Prometheus text format 0.0.4 of everything, in the order of the table. */
void metrics_write(struct metrics *metrics, struct buffer *out);

#endif
