/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c: the registry behind metrics.def.
 *
 * A family is a row of the table; a group is one combination of its label values; a series is a group's value in one
 * shard, on cache lines of its own.  Groups and series are added under the lock and published by a release store:
 * reading (metrics_write, from any thread) needs no lock.  They stay, but those of a metric that is cleared, which one
 * thread alone writes, reads and clears.  Values are relaxed atomics that one thread alone changes, by a load and a
 * store instead of a locked addition: a sum taken meanwhile is right for some moment nearby, which is all that a scrape
 * asks. */
#include "observe/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hashmap.h"
#include "observe/prometheus_text.h"

enum metric_kind { COUNTER, GAUGE, COUNTER_US, GAUGE_US, HISTOGRAM, HISTOGRAM_FINE, HISTOGRAM_SIZE };

struct metric_row {
    enum metric_kind kind;
    const char *name;
    const char *labels;
    const char *help;
};

static const struct metric_row rows[METRIC_COUNT] = {
#define X(id, kind, name, labels, help) [METRIC_##id] = {kind, name, labels, help},
#include "observe/metrics.def"
#undef X
};

static const struct {
    enum metric_id id;
    const char *name;
} aliases[] = {
#define X(id, name) {METRIC_##id, name},
#include "observe/metric_aliases.def"
#undef X
};

static const char *const kind_names[] = {
    [COUNTER] = "counter",         [GAUGE] = "gauge",         [COUNTER_US] = "counter",
    [GAUGE_US] = "gauge",          [HISTOGRAM] = "histogram", [HISTOGRAM_FINE] = "histogram",
    [HISTOGRAM_SIZE] = "histogram"};

static bool is_counter(enum metric_kind kind)
{
    return kind == COUNTER || kind == COUNTER_US;
}

static bool is_gauge(enum metric_kind kind)
{
    return kind == GAUGE || kind == GAUGE_US;
}

static bool is_histogram(enum metric_kind kind)
{
    return kind >= HISTOGRAM;
}

struct bucket {
    uint64_t limit; /* microseconds, or a number */
    const char *le;
};

/* From a cached first token to a long generation: three steps per decade up to five minutes. */
static const struct bucket times[] = {
    {1000, "0.001"},  {2000, "0.002"},  {5000, "0.005"},  {10000, "0.01"},  {20000, "0.02"},    {50000, "0.05"},
    {100000, "0.1"},  {200000, "0.2"},  {500000, "0.5"},  {1000000, "1"},   {2000000, "2"},     {5000000, "5"},
    {10000000, "10"}, {20000000, "20"}, {30000000, "30"}, {60000000, "60"}, {120000000, "120"}, {300000000, "300"},
};
static const struct bucket fine_times[] = {
    {100, "0.0001"}, {200, "0.0002"}, {500, "0.0005"}, {1000, "0.001"}, {2000, "0.002"},
    {5000, "0.005"}, {10000, "0.01"}, {20000, "0.02"}, {50000, "0.05"}, {100000, "0.1"},
    {200000, "0.2"}, {500000, "0.5"}, {1000000, "1"},
};
static const struct bucket sizes[] = {
    {1, "1"},           {8, "8"},           {16, "16"},         {32, "32"},           {64, "64"},
    {128, "128"},       {256, "256"},       {512, "512"},       {1024, "1024"},       {2048, "2048"},
    {4096, "4096"},     {8192, "8192"},     {16384, "16384"},   {32768, "32768"},     {65536, "65536"},
    {131072, "131072"}, {262144, "262144"}, {524288, "524288"}, {1048576, "1048576"}, {4194304, "4194304"},
};
enum { BUCKETS_MAX = ARRAY_LEN(sizes) + 1 /* +Inf */ };

static const struct scale {
    const struct bucket *buckets;
    unsigned count;
} scales[] = {
    [HISTOGRAM] = {times, ARRAY_LEN(times)},
    [HISTOGRAM_FINE] = {fine_times, ARRAY_LEN(fine_times)},
    [HISTOGRAM_SIZE] = {sizes, ARRAY_LEN(sizes)},
};

/* The first bucket that a number of so many bits may fall into. */
struct shortcut {
    uint8_t first[65];
};

struct metric_series {
    enum metric_kind kind;
#ifdef __SANITIZE_THREAD__
    int changed; /* plain, so that two threads that change the series without any order are found */
#endif
    const struct shortcut *shortcut; /* histograms */
    _Atomic int64_t value;           /* counters and gauges */
    _Atomic uint64_t sum;            /* histograms; their count is the sum of the buckets */
    _Atomic uint64_t in_bucket[];    /* of the kind's scale and one more, for histograms only */
};

struct group {
    _Atomic(struct group *) next;
    struct bytes labels;                      /* a="x",b="y": what stands between the braces */
    _Atomic(struct metric_series *) series[]; /* by shard, NULL until asked for */
};

struct family {
    _Atomic(struct group *) first;
    struct group *last; /* under the lock, as all below */
    struct hashmap *by_labels;
    struct group *other; /* where combinations beyond the limit go */
};

struct metrics {
    unsigned shards;
    unsigned max_series;
    pthread_mutex_t lock;
    struct family families[METRIC_COUNT];
    struct shortcut shortcuts[ARRAY_LEN(scales)]; /* of the scales */
};

static void fill_shortcut(const struct scale *scale, struct shortcut *shortcut)
{
    unsigned at = 0;
    for (unsigned bits = 0; bits <= 64; bits++) {
        uint64_t least = bits > 0 ? UINT64_C(1) << (bits - 1) : 0;
        while (at < scale->count && least > scale->buckets[at].limit)
            at++;
        shortcut->first[bits] = (uint8_t)at;
    }
}

struct metrics *metrics_new(unsigned shards, unsigned max_series)
{
    assert(shards > 0 && max_series > 0);
    struct metrics *metrics = calloc(1, sizeof(*metrics));
    if (metrics == NULL || pthread_mutex_init(&metrics->lock, NULL) != 0)
        abort();
    metrics->shards = shards;
    metrics->max_series = max_series;
    for (unsigned kind = HISTOGRAM; kind < ARRAY_LEN(scales); kind++)
        fill_shortcut(&scales[kind], &metrics->shortcuts[kind]);
    for (unsigned id = 0; id < METRIC_COUNT; id++)
        metrics->families[id].by_labels = hashmap_new();
    return metrics;
}

static struct group *first_group(struct family *family)
{
    return atomic_load_explicit(&family->first, memory_order_acquire);
}

static struct group *next_group(struct group *group)
{
    return atomic_load_explicit(&group->next, memory_order_acquire);
}

static struct metric_series *series_of(struct group *group, unsigned shard)
{
    return atomic_load_explicit(&group->series[shard], memory_order_acquire);
}

static void free_group(struct group *group, unsigned shards)
{
    for (unsigned shard = 0; shard < shards; shard++)
        free(series_of(group, shard));
    free((char *)group->labels.data);
    free(group);
}

static void free_family(struct family *family, unsigned shards)
{
    struct group *next;
    for (struct group *group = first_group(family); group != NULL; group = next) {
        next = next_group(group);
        free_group(group, shards);
    }
    hashmap_free(family->by_labels);
}

void metrics_clear(struct metrics *metrics, enum metric_id id)
{
    struct family *family = &metrics->families[id];
    assert(is_gauge(rows[id].kind)); /* a counter that goes back to nothing is a lie */
    pthread_mutex_lock(&metrics->lock);
    free_family(family, metrics->shards);
    *family = (struct family){.by_labels = hashmap_new()};
    pthread_mutex_unlock(&metrics->lock);
}

void metrics_free(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    for (unsigned id = 0; id < METRIC_COUNT; id++)
        free_family(&metrics->families[id], metrics->shards);
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

/* values NULL: every label is "other". */
static void render_labels(struct buffer *out, enum metric_id id, const char *const *values)
{
    struct bytes names = bytes_of(rows[id].labels);
    for (unsigned i = 0; names.len > 0; i++) {
        struct bytes name = bytes_make(names.data, bytes_find(names, ','));
        prometheus_append_label(out, name, values != NULL ? bytes_of(values[i]) : BYTES("other"));
        names = bytes_skip(names, name.len < names.len ? name.len + 1 : name.len);
    }
}

static struct group *add_group(struct metrics *metrics, struct family *family, struct bytes labels)
{
    struct group *group = calloc(1, sizeof(*group) + metrics->shards * sizeof(group->series[0]));
    char *copy = malloc(labels.len + 1);
    if (group == NULL || copy == NULL)
        abort();
    if (labels.len > 0)
        memcpy(copy, labels.data, labels.len);
    group->labels = bytes_make(copy, labels.len);
    hashmap_put(family->by_labels, group->labels, group);
    atomic_store_explicit(family->last != NULL ? &family->last->next : &family->first, group, memory_order_release);
    family->last = group;
    return group;
}

static struct group *add_other_group(struct metrics *metrics, enum metric_id id)
{
    struct buffer labels = {0};
    render_labels(&labels, id, NULL);
    struct family *family = &metrics->families[id];
    struct group *found = hashmap_get(family->by_labels, buffer_bytes(&labels));
    family->other = found != NULL ? found : add_group(metrics, family, buffer_bytes(&labels));
    buffer_deinit(&labels);
    return family->other;
}

static struct group *find_or_add_group(struct metrics *metrics, enum metric_id id, struct bytes labels)
{
    struct family *family = &metrics->families[id];
    struct group *found = hashmap_get(family->by_labels, labels);
    if (found != NULL)
        return found;
    if (family->other != NULL)
        return family->other;
    if (hashmap_len(family->by_labels) < metrics->max_series)
        return add_group(metrics, family, labels);
    return add_other_group(metrics, id);
}

/* Whole cache lines, so that two threads' series never share one. */
static struct metric_series *new_series(const struct metrics *metrics, enum metric_kind kind)
{
    struct metric_series *series;
    size_t size = sizeof(*series) + (is_histogram(kind) ? (scales[kind].count + 1) * sizeof(series->in_bucket[0]) : 0);
    size = (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    series = aligned_alloc(CACHE_LINE, size);
    if (series == NULL)
        abort();
    memset(series, 0, size);
    series->kind = kind;
    series->shortcut = is_histogram(kind) ? &metrics->shortcuts[kind] : NULL;
    return series;
}

struct metric_series *metrics_series(struct metrics *metrics, unsigned shard, enum metric_id id,
                                     const char *const *values)
{
    assert(shard < metrics->shards && id < METRIC_COUNT);
    assert(rows[id].labels[0] == '\0' || values != NULL);
    struct buffer labels = {0};
    render_labels(&labels, id, values);
    pthread_mutex_lock(&metrics->lock);
    struct group *group = find_or_add_group(metrics, id, buffer_bytes(&labels));
    struct metric_series *series = series_of(group, shard);
    if (series == NULL) {
        series = new_series(metrics, rows[id].kind);
        atomic_store_explicit(&group->series[shard], series, memory_order_release);
    }
    pthread_mutex_unlock(&metrics->lock);
    buffer_deinit(&labels);
    return series;
}

/* One thread at a time changes a series: what is atomic here is only the reading beside it. */
static inline void note_change(struct metric_series *series)
{
#ifdef __SANITIZE_THREAD__
    series->changed = 1;
#else
    (void)series;
#endif
}

void metric_add(struct metric_series *series, int64_t delta)
{
    note_change(series);
    assert(!is_histogram(series->kind) && (delta >= 0 || !is_counter(series->kind)));
    int64_t value = atomic_load_explicit(&series->value, memory_order_relaxed);
    atomic_store_explicit(&series->value, value + delta, memory_order_relaxed);
}

void metric_set(struct metric_series *series, int64_t value)
{
    assert(is_gauge(series->kind));
    note_change(series);
    atomic_store_explicit(&series->value, value, memory_order_relaxed);
}

static void increase(_Atomic uint64_t *value, uint64_t by)
{
    atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + by, memory_order_relaxed);
}

static void observe(struct metric_series *series, uint64_t value)
{
    const struct scale *scale = &scales[series->kind];
    note_change(series);
    unsigned at = series->shortcut->first[value > 0 ? 64 - __builtin_clzll(value) : 0];
    while (at < scale->count && value > scale->buckets[at].limit)
        at++;
    increase(&series->in_bucket[at], 1);
    increase(&series->sum, value);
}

void metric_observe_us(struct metric_series *series, uint64_t value_us)
{
    assert(series->kind == HISTOGRAM || series->kind == HISTOGRAM_FINE);
    observe(series, value_us);
}

void metric_observe(struct metric_series *series, uint64_t value)
{
    assert(series->kind == HISTOGRAM_SIZE);
    observe(series, value);
}

static int64_t sum_values(struct metrics *metrics, struct group *group)
{
    int64_t sum = 0;
    for (unsigned shard = 0; shard < metrics->shards; shard++) {
        struct metric_series *series = series_of(group, shard);
        sum += series != NULL ? atomic_load_explicit(&series->value, memory_order_relaxed) : 0;
    }
    return sum;
}

struct histogram {
    const struct scale *scale;
    uint64_t up_to[BUCKETS_MAX]; /* cumulative; that behind the scale is the count */
    uint64_t sum;
};

static void sum_histograms(struct metrics *metrics, enum metric_id id, struct group *group, struct histogram *ret_sum)
{
    const struct scale *scale = &scales[rows[id].kind];
    *ret_sum = (struct histogram){.scale = scale};
    for (unsigned shard = 0; shard < metrics->shards; shard++) {
        struct metric_series *series = series_of(group, shard);
        if (series == NULL)
            continue;
        for (unsigned i = 0; i <= scale->count; i++)
            ret_sum->up_to[i] += atomic_load_explicit(&series->in_bucket[i], memory_order_relaxed);
        ret_sum->sum += atomic_load_explicit(&series->sum, memory_order_relaxed);
    }
    for (unsigned i = 1; i <= scale->count; i++)
        ret_sum->up_to[i] += ret_sum->up_to[i - 1];
}

static int64_t group_value(struct metrics *metrics, enum metric_id id, struct group *group)
{
    if (!is_histogram(rows[id].kind))
        return sum_values(metrics, group);
    struct histogram sum;
    sum_histograms(metrics, id, group, &sum);
    return (int64_t)sum.up_to[sum.scale->count];
}

int64_t metrics_value(struct metrics *metrics, enum metric_id id, const char *const *values)
{
    assert(rows[id].labels[0] == '\0' || values != NULL);
    struct buffer labels = {0};
    render_labels(&labels, id, values);
    pthread_mutex_lock(&metrics->lock);
    struct group *group = hashmap_get(metrics->families[id].by_labels, buffer_bytes(&labels));
    pthread_mutex_unlock(&metrics->lock);
    buffer_deinit(&labels);
    return group != NULL ? group_value(metrics, id, group) : 0;
}

static void write_buckets(struct buffer *out, const char *name, struct bytes labels, const struct histogram *sum)
{
    struct buffer with_le = {0};
    for (unsigned i = 0; i <= sum->scale->count; i++) {
        buffer_clear(&with_le);
        buffer_append(&with_le, labels);
        prometheus_append_label(&with_le, BYTES("le"),
                                i < sum->scale->count ? bytes_of(sum->scale->buckets[i].le) : BYTES("+Inf"));
        prometheus_write_i64(out, name, buffer_bytes(&with_le), (int64_t)sum->up_to[i]);
    }
    buffer_deinit(&with_le);
}

static void write_histogram(struct metrics *metrics, enum metric_id id, const char *name, struct group *group,
                            struct buffer *out)
{
    struct histogram sum;
    sum_histograms(metrics, id, group, &sum);
    char longer[128];
    snprintf(longer, sizeof(longer), "%s_bucket", name);
    write_buckets(out, longer, group->labels, &sum);
    snprintf(longer, sizeof(longer), "%s_sum", name);
    if (rows[id].kind == HISTOGRAM_SIZE)
        prometheus_write_i64(out, longer, group->labels, (int64_t)sum.sum);
    else
        prometheus_write_us(out, longer, group->labels, sum.sum);
    snprintf(longer, sizeof(longer), "%s_count", name);
    prometheus_write_i64(out, longer, group->labels, (int64_t)sum.up_to[sum.scale->count]);
}

static void write_value(enum metric_kind kind, const char *name, struct bytes labels, int64_t value, struct buffer *out)
{
    if (kind == COUNTER_US || kind == GAUGE_US)
        prometheus_write_us(out, name, labels, (uint64_t)value);
    else
        prometheus_write_i64(out, name, labels, value);
}

/* name: its own or an alias. */
static void write_family(struct metrics *metrics, enum metric_id id, const char *name, struct buffer *out)
{
    const struct metric_row *row = &rows[id];
    struct group *group = first_group(&metrics->families[id]);
    prometheus_write_head(out, name, kind_names[row->kind], row->help);
    /* A series that is known beforehand starts at 0, so that its first increase is seen as one. */
    if (group == NULL && row->labels[0] == '\0' && !is_histogram(row->kind))
        write_value(row->kind, name, BYTES(""), 0, out);
    for (; group != NULL; group = next_group(group)) {
        if (is_histogram(row->kind))
            write_histogram(metrics, id, name, group, out);
        else
            write_value(row->kind, name, group->labels, sum_values(metrics, group), out);
    }
}

void metrics_write(struct metrics *metrics, struct buffer *out)
{
    for (unsigned id = 0; id < METRIC_COUNT; id++)
        write_family(metrics, (enum metric_id)id, rows[id].name, out);
    for (unsigned i = 0; i < ARRAY_LEN(aliases); i++)
        write_family(metrics, aliases[i].id, aliases[i].name, out);
}
