/* SPDX-License-Identifier: Apache-2.0 */
/* upstream_pool.c: idle lists by endpoint, newest first, emptied by one timer per pool.
 *
 * An address that comes back, or that two InferencePools share, is another endpoint each time: it is keyed by identity,
 * so that no request meets a connection of its namesake. */
#include "proxy/upstream_pool.h"

#include <stdlib.h>

#include "base/hashmap.h"

#define SWEEP_MS         1000
#define HEAD_ARENA_BYTES 4000

struct upstream {
    struct upstream_pool *pool;
    struct endpoint *endpoint; /* one count */
    struct list idle;          /* struct upstream_connection, the one used last first */
    struct list busy;
    unsigned idle_count;
    unsigned count; /* idle and busy */
};

struct upstream_connection {
    struct list link; /* on idle or busy */
    struct upstream *upstream;
    struct client_connection *connection;
    uint64_t idle_since_ms;
    bool is_idle;
};

struct upstream_pool {
    struct reactor *reactor;
    struct upstream_pool_config config;
    struct client_config client;
    struct hashmap *upstreams; /* by the endpoint's address in memory, which our count keeps unique */
    struct wheel_timer sweep_timer;
    struct metric_series *idle_gauge;
    struct metric_series *busy_gauge;
    struct metric_series *connects, *connects_refused, *closed_idle, *closed_surplus, *closed_worn;
};

static void set_idle(struct upstream_connection *held, bool is_idle)
{
    struct upstream *upstream = held->upstream;
    if (held->is_idle == is_idle)
        return;
    held->is_idle = is_idle;
    list_remove(&held->link);
    if (is_idle) {
        list_push_front(&upstream->idle, &held->link);
        upstream->idle_count++;
        held->idle_since_ms = reactor_now_ms(upstream->pool->reactor);
    } else {
        list_push(&upstream->busy, &held->link);
        upstream->idle_count--;
    }
    metric_add(upstream->pool->idle_gauge, is_idle ? 1 : -1);
    metric_add(upstream->pool->busy_gauge, is_idle ? -1 : 1);
}

static void forget(struct upstream_connection *held)
{
    struct upstream *upstream = held->upstream;
    if (held->is_idle)
        upstream->idle_count--;
    upstream->count--;
    metric_add(held->is_idle ? upstream->pool->idle_gauge : upstream->pool->busy_gauge, -1);
    list_remove(&held->link);
    free(held);
}

static void close_held(struct upstream_connection *held)
{
    struct client_connection *connection = held->connection;
    forget(held);
    client_connection_close(connection);
}

static void on_idle(struct client_connection *connection)
{
    struct upstream_connection *held = client_connection_data(connection);
    struct upstream *upstream = held->upstream;
    const struct upstream_pool_config *config = &upstream->pool->config;
    bool is_worn = config->max_requests > 0 && client_connection_served(connection) >= config->max_requests;
    bool is_surplus = !is_worn && upstream->idle_count >= config->max_idle_per_endpoint;
    if (is_worn || is_surplus || atomic_load_explicit(&upstream->endpoint->load.is_removed, memory_order_relaxed)) {
        metric_add(upstream->pool->closed_worn, is_worn);
        metric_add(upstream->pool->closed_surplus, is_surplus);
        close_held(held);
        return;
    }
    set_idle(held, true);
}

static void on_closed(struct client_connection *connection)
{
    forget(client_connection_data(connection));
}

static const struct client_owner owner = {.on_idle = on_idle, .on_closed = on_closed};

static void close_all(struct list *list)
{
    while (!list_is_empty(list))
        close_held(LIST_ENTRY(list->next, struct upstream_connection, link));
}

/* The key is this field of the upstream or, to look one up, any variable of the same value. */
static struct bytes key_of(struct endpoint *const *endpoint)
{
    return bytes_make((const char *)endpoint, sizeof *endpoint);
}

static void free_upstream(struct upstream *upstream)
{
    endpoint_give_back(upstream->endpoint);
    free(upstream);
}

static bool is_stale(const struct upstream_connection *held, uint64_t now_ms)
{
    return held->idle_since_ms + held->upstream->pool->config.idle_timeout_ms <= now_ms;
}

/* Closes what idled too long; forgets endpoints that are gone. */
static void sweep(struct upstream_pool *pool, struct upstream *upstream, uint64_t now_ms)
{
    bool is_removed = atomic_load_explicit(&upstream->endpoint->load.is_removed, memory_order_relaxed);
    while (!list_is_empty(&upstream->idle)) {
        struct upstream_connection *oldest = LIST_ENTRY(upstream->idle.prev, struct upstream_connection, link);
        if (!is_removed && !is_stale(oldest, now_ms))
            break;
        metric_add(pool->closed_idle, !is_removed);
        close_held(oldest);
    }
    if (is_removed && list_is_empty(&upstream->idle) && list_is_empty(&upstream->busy)) {
        hashmap_remove(pool->upstreams, key_of(&upstream->endpoint));
        free_upstream(upstream);
    }
}

static void on_sweep(struct wheel_timer *timer)
{
    struct upstream_pool *pool = container_of(timer, struct upstream_pool, sweep_timer);
    uint64_t now_ms = reactor_now_ms(pool->reactor);
    /* The map must not change under a walk: collect, then sweep. */
    size_t count = hashmap_len(pool->upstreams);
    struct upstream **all = calloc(count > 0 ? count : 1, sizeof *all);
    size_t cursor = 0, found = 0;
    void *value;
    while (all != NULL && hashmap_next(pool->upstreams, &cursor, NULL, &value))
        all[found++] = value;
    for (size_t i = 0; i < found; i++)
        sweep(pool, all[i], now_ms);
    free(all);
    reactor_timer_set(pool->reactor, &pool->sweep_timer, SWEEP_MS);
}

struct upstream_pool *upstream_pool_new(struct reactor *reactor, const struct upstream_pool_config *config,
                                        struct metrics *metrics, unsigned shard)
{
    struct upstream_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        abort();
    pool->reactor = reactor;
    pool->config = *config;
    pool->client = client_defaults;
    pool->client.connect_timeout_ms = config->connect_timeout_ms;
    pool->client.head_arena = arena_new(HEAD_ARENA_BYTES);
    pool->client.budget = config->budget;
    pool->upstreams = hashmap_new();
    pool->idle_gauge = metrics_series(metrics, shard, METRIC_UPSTREAM_CONNECTIONS, (const char *[]){"idle"});
    pool->busy_gauge = metrics_series(metrics, shard, METRIC_UPSTREAM_CONNECTIONS, (const char *[]){"busy"});
    pool->connects = metrics_series(metrics, shard, METRIC_UPSTREAM_CONNECTS, (const char *[]){"started"});
    pool->connects_refused = metrics_series(metrics, shard, METRIC_UPSTREAM_CONNECTS, (const char *[]){"refused"});
    pool->closed_idle = metrics_series(metrics, shard, METRIC_UPSTREAM_CLOSES, (const char *[]){"idle"});
    pool->closed_surplus = metrics_series(metrics, shard, METRIC_UPSTREAM_CLOSES, (const char *[]){"surplus"});
    pool->closed_worn = metrics_series(metrics, shard, METRIC_UPSTREAM_CLOSES, (const char *[]){"worn"});
    wheel_timer_init(&pool->sweep_timer, on_sweep);
    reactor_timer_set(reactor, &pool->sweep_timer, SWEEP_MS);
    return pool;
}

void upstream_pool_free(struct upstream_pool *pool)
{
    if (pool == NULL)
        return;
    reactor_timer_cancel(pool->reactor, &pool->sweep_timer);
    size_t cursor = 0;
    void *value;
    while (hashmap_next(pool->upstreams, &cursor, NULL, &value)) {
        struct upstream *upstream = value;
        close_all(&upstream->idle);
        close_all(&upstream->busy);
        free_upstream(upstream);
    }
    hashmap_free(pool->upstreams);
    arena_free(pool->client.head_arena);
    free(pool);
}

static struct upstream *find_upstream(struct upstream_pool *pool, struct endpoint *endpoint)
{
    struct upstream *upstream = hashmap_get(pool->upstreams, key_of(&endpoint));
    if (upstream != NULL)
        return upstream;
    upstream = calloc(1, sizeof *upstream);
    if (upstream == NULL)
        abort();
    upstream->pool = pool;
    upstream->endpoint = endpoint_take(endpoint);
    list_init(&upstream->idle);
    list_init(&upstream->busy);
    hashmap_put(pool->upstreams, key_of(&upstream->endpoint), upstream);
    return upstream;
}

static struct client_connection *open_new(struct upstream *upstream)
{
    struct upstream_pool *pool = upstream->pool;
    struct upstream_connection *held = calloc(1, sizeof *held);
    if (held == NULL)
        abort();
    held->upstream = upstream;
    list_push(&upstream->busy, &held->link);
    upstream->count++;
    metric_add(pool->busy_gauge, 1);
    metric_add(pool->connects, 1);
    held->connection = client_connect(pool->reactor, &upstream->endpoint->address, &pool->client, &owner, held);
    return held->connection;
}

struct client_connection *upstream_pool_take(struct upstream_pool *pool, struct endpoint *endpoint, bool *ret_is_new)
{
    struct upstream *upstream = find_upstream(pool, endpoint);
    uint64_t now_ms = reactor_now_ms(pool->reactor);
    while (!list_is_empty(&upstream->idle)) {
        struct upstream_connection *held = LIST_ENTRY(upstream->idle.next, struct upstream_connection, link);
        bool is_old = is_stale(held, now_ms);
        if (is_old || !client_connection_is_usable(held->connection)) {
            metric_add(pool->closed_idle, is_old);
            close_held(held);
            continue;
        }
        set_idle(held, false);
        *ret_is_new = false;
        return held->connection;
    }
    if (pool->config.max_connections > 0 && upstream->count >= pool->config.max_connections) {
        metric_add(pool->connects_refused, 1);
        return NULL;
    }
    *ret_is_new = true;
    return open_new(upstream);
}

void upstream_pool_drop_idle(struct upstream_pool *pool, struct endpoint *endpoint)
{
    struct upstream *upstream = hashmap_get(pool->upstreams, key_of(&endpoint));
    if (upstream != NULL)
        close_all(&upstream->idle);
}
