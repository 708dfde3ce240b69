/* SPDX-License-Identifier: Apache-2.0 */
/* pool_gauges.c: gauges under our names, and under those of llm-d's picker and of the Gateway API Inference Extension
 * where the meaning is the same, so that dashboards made for them work. */
#include "gateway/pool_gauges.h"

#include <stdio.h>

#include "inference/flow/pool_gate.h"
#include "inference/schedule/scheduler.h"

struct gauges {
    struct metrics *metrics;
    unsigned shard;
    uint64_t now_ms;
};

/* Of the usable endpoints of a pool. */
struct pool_sums {
    unsigned usable, all;
    uint64_t waiting, running, kv_permille;
};

static void set(const struct gauges *gauges, enum metric_id id, const char *const *labels, int64_t value)
{
    metric_set(metrics_series(gauges->metrics, gauges->shard, id, labels), value);
}

/* As millionths, which the page writes as a decimal number. */
static void set_mean(const struct gauges *gauges, enum metric_id id, const char *name, double sum, unsigned count)
{
    set(gauges, id, &name, count > 0 ? (int64_t)(sum / count * 1e6) : 0);
}

static void gauge_endpoint(const struct gauges *gauges, const struct pool *pool, const char *key,
                           struct endpoint *endpoint, struct pool_sums *sums)
{
    struct pick_score score;
    schedule_score(endpoint, BYTES(""), gauges->now_ms, &score);
    const char *labels[] = {key, endpoint->text};
    set(gauges, METRIC_ENDPOINT_WAITING, labels, score.waiting);
    set(gauges, METRIC_ENDPOINT_RUNNING, labels, score.running);
    set(gauges, METRIC_ENDPOINT_KV_USE, labels, score.kv_permille / 10);
    set(gauges, METRIC_ENDPOINT_IN_FLIGHT, labels, score.in_flight);
    sums->all++;
    if (!score.is_usable)
        return;
    sums->usable++;
    sums->waiting += score.waiting;
    sums->running += score.running;
    sums->kv_permille += score.kv_permille;
    if (pool->is_service)
        return;
    set(gauges, METRIC_EPP_ENDPOINT_QUEUE, (const char *[]){pool->name, endpoint->text}, score.waiting);
    const char *slash = strchr(endpoint->pod, '/');
    set(gauges, METRIC_GAIE_POD_QUEUE, (const char *[]){pool->name, slash != NULL ? slash + 1 : endpoint->pod},
        score.waiting);
}

static void gauge_foreign_names(const struct gauges *gauges, struct pool *pool, const struct pool_sums *sums)
{
    struct gate_figures figures;
    const char *name = pool->name;
    pool_gate_figures(pool, &figures);
    set(gauges, METRIC_EPP_READY, &name, sums->usable);
    set_mean(gauges, METRIC_EPP_KV, name, (double)sums->kv_permille / 1000, sums->usable);
    set_mean(gauges, METRIC_EPP_QUEUE, name, (double)sums->waiting, sums->usable);
    set_mean(gauges, METRIC_EPP_RUNNING, name, (double)sums->running, sums->usable);
    set(gauges, METRIC_EPP_QUEUE_SIZE, &name, figures.queued);
    set(gauges, METRIC_EPP_QUEUE_BYTES, &name, (int64_t)figures.queued_bytes);
    set(gauges, METRIC_EPP_SATURATION, (const char *[]){name, "effective"}, (int64_t)(figures.saturation * 1e6));
}

static void gauge_pool(const struct gauges *gauges, struct pool *pool)
{
    char key[600];
    const char *label = key;
    struct pool_sums sums = {0};
    snprintf(key, sizeof key, "%s/%s", pool->namespace_, pool->name);
    pthread_mutex_lock(&pool->lock);
    for (unsigned i = 0; i < pool->member_count; i++)
        gauge_endpoint(gauges, pool, key, pool->members[i], &sums);
    pthread_mutex_unlock(&pool->lock);
    set(gauges, METRIC_POOL_ENDPOINTS, (const char *[]){key, "all"}, sums.all);
    set(gauges, METRIC_POOL_ENDPOINTS, (const char *[]){key, "ready"}, sums.usable);
    if (pool->is_service)
        return;
    struct gate_figures figures;
    pool_gate_figures(pool, &figures);
    set(gauges, METRIC_POOL_QUEUED, &label, figures.queued);
    set(gauges, METRIC_POOL_QUEUED_BYTES, &label, (int64_t)figures.queued_bytes);
    gauge_foreign_names(gauges, pool, &sums);
}

/* Only what is there has a series: pods come with new addresses for as long as the gateway runs. */
void pool_gauges_set(const struct pool_registry *pools, struct metrics *metrics, unsigned shard, uint64_t now_ms)
{
    static const enum metric_id ids[] = {
        METRIC_POOL_ENDPOINTS,    METRIC_ENDPOINT_WAITING,   METRIC_ENDPOINT_RUNNING,
        METRIC_ENDPOINT_KV_USE,   METRIC_ENDPOINT_IN_FLIGHT, METRIC_POOL_QUEUED,
        METRIC_POOL_QUEUED_BYTES, METRIC_EPP_READY,          METRIC_EPP_KV,
        METRIC_EPP_QUEUE,         METRIC_EPP_RUNNING,        METRIC_EPP_ENDPOINT_QUEUE,
        METRIC_EPP_SATURATION,    METRIC_EPP_QUEUE_SIZE,     METRIC_EPP_QUEUE_BYTES,
        METRIC_GAIE_POD_QUEUE,
    };
    const struct gauges gauges = {metrics, shard, now_ms};
    struct prefix_index *prefixes = NULL;
    struct pool *pool;
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        metrics_clear(metrics, ids[i]);
    for (size_t cursor = 0; (pool = pool_registry_next(pools, &cursor)) != NULL;) {
        gauge_pool(&gauges, pool);
        prefixes = pool->prefixes;
    }
    if (prefixes == NULL)
        return;
    set(&gauges, METRIC_PREFIX_ENTRIES, NULL, prefix_index_entries(prefixes));
    set(&gauges, METRIC_PREFIX_BYTES, NULL, (int64_t)prefix_index_bytes(prefixes));
}
