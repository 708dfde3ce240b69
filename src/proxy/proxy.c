/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.c: the life of a worker's proxy, and what it counts of its HTTP server. */
#include <stdlib.h>

#include "proxy/arm_metrics.h"
#include "proxy/decision.h"
#include "proxy/request_metrics.h"
#include "proxy/sticky.h"

static void on_connection(void *server_data, int delta)
{
    struct proxy *proxy = server_data;
    metric_add(proxy->connections_open, delta);
    if (delta > 0)
        metric_add(proxy->connections_total, delta);
}

static void on_bad_request(void *server_data, const char *reason, unsigned status)
{
    struct proxy *proxy = server_data;
    enum metric_id id = status == 414 || status == 431 ? METRIC_HEADER_LIMIT_HITS : METRIC_BAD_REQUESTS;
    metric_add(metrics_series(proxy->metrics, proxy->shard, id, (const char *[]){reason}), 1);
}

static void on_evicted(void *server_data)
{
    struct proxy *proxy = server_data;
    metric_add(metrics_series(proxy->metrics, proxy->shard, METRIC_EVICTIONS, NULL), 1);
}

const struct http_server_observer proxy_observer = {
    .on_connection = on_connection,
    .on_bad_request = on_bad_request,
    .on_evicted = on_evicted,
};

static struct metric_series *plain(struct proxy *proxy, enum metric_id id)
{
    return metrics_series(proxy->metrics, proxy->shard, id, NULL);
}

struct proxy *proxy_new(struct reactor *reactor, const struct proxy_config *config, struct metrics *metrics,
                        unsigned shard)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    if (proxy == NULL)
        abort();
    proxy->reactor = reactor;
    proxy->config = *config;
    proxy->metrics = metrics;
    proxy->shard = shard;
    proxy->upstreams = upstream_pool_new(reactor, &config->upstreams, metrics, shard);
    proxy->arms = arm_table_new(metrics, shard);
    random_seed_from_kernel(&proxy->random);
    proxy->spare_proxied = SPARES(struct proxied, MAX_SPARE);
    proxy->spare_answers = SPARES(struct answer_scan, MAX_SPARE);
    list_init(&proxy->spare_held);
    admission_init(proxy);
    proxy->decisions = decisions_new(config->decision_log);
    proxy->requests = request_metrics_table_new(metrics, shard);
    proxy->pick_time = metrics_series(metrics, shard, METRIC_EPP_PICK_TIME, NULL);
    for (unsigned i = 0; i < END_REASON_COUNT; i++)
        proxy->ends[i] =
            metrics_series(metrics, shard, METRIC_REQUEST_ENDS, (const char *[]){end_reason_text((enum end_reason)i)});
    proxy->active = plain(proxy, METRIC_REQUESTS_ACTIVE);
    proxy->aborts = plain(proxy, METRIC_CLIENT_ABORTS);
    proxy->cut = plain(proxy, METRIC_STREAMS_CUT);
    proxy->held_bytes = plain(proxy, METRIC_BODY_BYTES_HELD);
    proxy->connections_total = plain(proxy, METRIC_CONNECTIONS_ACCEPTED);
    proxy->connections_open = plain(proxy, METRIC_CONNECTIONS_OPEN);
    proxy->retries_refused = plain(proxy, METRIC_RETRIES_REFUSED);
    proxy->connects_failed = metrics_series(metrics, shard, METRIC_UPSTREAM_CONNECTS, (const char *[]){"failed"});
    sticky_init(proxy);
    return proxy;
}

void proxy_free(struct proxy *proxy)
{
    if (proxy == NULL)
        return;
    admission_deinit(proxy);
    decisions_free(proxy->decisions);
    request_metrics_table_free(proxy->requests);
    upstream_pool_free(proxy->upstreams);
    held_request_free_spare(proxy);
    spares_deinit(&proxy->spare_proxied);
    spares_deinit(&proxy->spare_answers);
    spare_bodies_free(&proxy->spare_bodies);
    arm_table_free(proxy->arms);
    if (proxy->lease != NULL)
        route_lease_retire(proxy->lease);
    free(proxy);
}

void proxy_adopt(struct proxy *proxy, struct route_snapshot *snapshot)
{
    if (proxy->lease != NULL)
        route_lease_retire(proxy->lease);
    proxy->lease = route_lease_new(snapshot);
}
