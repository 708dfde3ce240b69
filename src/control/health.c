/* SPDX-License-Identifier: Apache-2.0 */
/* health.c: a timer and a probe per checked endpoint. */
#include "control/health.h"

#include <stdlib.h>

#include "base/log.h"
#include "control/workloads/probe.h"

#define DEFAULT_INTERVAL_MS 2000
#define MIN_INTERVAL_MS     50

struct health {
    struct reactor *reactor;
    struct list checks;
};

struct check {
    struct list link;
    struct health *health;
    struct endpoint *endpoint;
    struct probe_attempt attempt;
    struct wheel_timer timer;
    uint32_t interval_ms;
    char path[256];
};

static void drop(struct check *check)
{
    reactor_timer_cancel(check->health->reactor, &check->timer);
    probe_deinit(&check->attempt);
    list_remove(&check->link);
    endpoint_give_back(check->endpoint);
    free(check);
}

static void on_result(struct probe_attempt *attempt, bool ok)
{
    struct check *check = container_of(attempt, struct check, attempt);
    bool was = atomic_exchange(&check->endpoint->load.is_healthy, ok);
    if (was != ok)
        log_info(check->endpoint->text, ok ? "healthy again" : "health check failed: taken out");
    reactor_timer_set(check->health->reactor, &check->timer, check->interval_ms);
}

static void on_timer(struct wheel_timer *timer)
{
    struct check *check = container_of(timer, struct check, timer);
    if (atomic_load(&check->endpoint->load.is_removed)) {
        drop(check);
        return;
    }
    uint32_t timeout_ms = check->interval_ms < 1000 ? 1000 : check->interval_ms;
    probe_start(&check->attempt, &check->endpoint->address, check->path, timeout_ms);
}

struct health *health_new(struct reactor *reactor)
{
    struct health *health = calloc(1, sizeof *health);
    if (health == NULL)
        abort();
    health->reactor = reactor;
    list_init(&health->checks);
    return health;
}

void health_free(struct health *health)
{
    if (health == NULL)
        return;
    while (!list_is_empty(&health->checks))
        drop(LIST_ENTRY(health->checks.next, struct check, link));
    free(health);
}

void health_add(struct health *health, struct endpoint *endpoint, const struct kube_labels *annotations)
{
    struct check *check = calloc(1, sizeof *check);
    if (check == NULL)
        abort();
    const char *interval = kube_labels_get(annotations, "serin.dev/health-interval");
    const char *path = kube_labels_get(annotations, "serin.dev/health-path");
    uint64_t interval_ms = DEFAULT_INTERVAL_MS;
    if (interval != NULL && !kube_duration_ms(interval, &interval_ms))
        log_warn(endpoint->pod, "serin.dev/health-interval: \"%s\" is no duration; using 2s", interval);
    if (path != NULL && (path[0] != '/' || strlen(path) >= sizeof check->path)) {
        log_warn(endpoint->pod, "serin.dev/health-path: \"%s\" must start with / and be short; using /health", path);
        path = NULL;
    }
    check->health = health;
    check->endpoint = endpoint_take(endpoint);
    check->interval_ms = interval_ms < MIN_INTERVAL_MS ? MIN_INTERVAL_MS
                         : interval_ms > 3600000       ? 3600000
                                                       : (uint32_t)interval_ms;
    memcpy(check->path, path != NULL ? path : "/health", strlen(path != NULL ? path : "/health") + 1);
    probe_init(&check->attempt, health->reactor, on_result);
    wheel_timer_init(&check->timer, on_timer);
    list_push(&health->checks, &check->link);
    reactor_timer_set(health->reactor, &check->timer, 0);
}
