/* SPDX-License-Identifier: Apache-2.0 */
/* control.c: the reconcile loop.
 *
 * Changes only mark what is stale; one task at the end of the turn does the work, so that a burst of changes costs one
 * compile.  What a compile needs is gathered anew each time: nothing is kept but the objects themselves.  Statuses are
 * written once every worker serves by what they say. */
#include "control/control.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/bind_retry.h"
#include "control/canaries/canaries.h"
#include "control/health.h"
#include "control/manifest_apply.h"
#include "control/members.h"
#include "control/pool_settings.h"
#include "control/status_writer.h"
#include "control/store_feed.h"
#include "kube/api/inference.h"

/* One compile's result. */
struct compiled {
    struct route_snapshot *snapshot; /* one hold; NULL = empty */
    struct status_report *report;
    struct arena *report_arena;
};

enum { ADDRESS_RETRY_MS = 2000 };

struct control {
    struct reactor *reactor;
    struct store *store;
    struct event_recorder *recorder;
    struct control_config config;
    struct control_hooks hooks;
    struct store_feed feed;
    struct manifest_apply *manifests;
    struct pool_registry *pools;
    struct split_registry *splits;
    struct canary_taps *taps;
    struct strata_options strata; /* of all taps */
    struct canaries *canaries;
    struct workloads *workloads;
    struct health *health;
    struct file_source *source; /* NULL: no files */
    struct compiled latest;     /* on its way to the workers; empty once they have it */
    struct compiled in_force;   /* what every worker has adopted: what people are shown */
    struct bind_retry binds;
    uint64_t generation;
    struct reactor_task reconcile;
    struct wheel_timer status_retry;
    struct wheel_timer address_retry;
    bool are_statuses_unsure; /* written, and perhaps not durable */
    bool is_repaired;         /* Pods of an earlier run are not taken for ready any more: members may be looked at */
    bool is_config_stale;
    bool are_members_stale;
    bool was_ready;
};

static void mark(struct control *control, bool is_config, bool is_members)
{
    control->is_config_stale = control->is_config_stale || is_config;
    control->are_members_stale = control->are_members_stale || is_members;
    reactor_task_schedule(control->reactor, &control->reconcile);
}

static void count_reload(struct control *control, const char *result)
{
    metric_add(metrics_series(control->config.metrics, control->config.shard, METRIC_RELOADS, (const char *[]){result}),
               1);
}

/* Conditions that say no, once per change of configuration. */
static void log_refusals(const struct compiled *compiled)
{
    struct problems problems;
    problems_init(&problems, compiled->report_arena);
    status_report_problems(compiled->report, &problems);
    for (const struct problem *problem = problems.first; problem != NULL; problem = problem->next)
        log_warn(NULL, "%s", problem_text(problem, compiled->report_arena));
}

static void compiled_deinit(struct compiled *compiled)
{
    if (compiled->snapshot == NULL)
        return;
    status_report_deinit(compiled->report);
    arena_free(compiled->report_arena);
    route_snapshot_give_back(compiled->snapshot);
    *compiled = (struct compiled){0};
}

static void compile(struct control *control)
{
    struct arena *arena = arena_new(0);
    struct status_report *report = NULL;
    struct compile_input input = {
        .cache = control->feed.cache,
        .pools = control->pools,
        .splits = control->splits,
        .taps = control->taps,
        .addresses = control->config.addresses,
        .address_count = control->config.address_count,
        .bind = bind_retry_bind,
        .context = &control->binds,
        .default_buffer_limit_bytes = control->config.default_buffer_limit_bytes,
        .generation = ++control->generation,
    };
    bind_retry_begin(&control->binds);
    struct route_snapshot *snapshot = route_compile(&input, arena, &report);
    compiled_deinit(&control->latest);
    control->latest = (struct compiled){.snapshot = snapshot, .report = report, .report_arena = arena};
    control->is_config_stale = false;
    log_refusals(&control->latest);
}

static void on_endpoint_added(void *context, struct pool *pool, struct endpoint *endpoint)
{
    struct control *control = context;
    if (!pool->is_service)
        control->hooks.scrape(control->hooks.context, endpoint);
    if (!endpoint->is_checked)
        return;
    const char *slash = strchr(endpoint->pod, '/');
    const struct kube_object *slice =
        slash != NULL ? object_cache_get(control->feed.cache, KUBE_ENDPOINT_SLICE, pool->namespace_, slash + 1) : NULL;
    static const struct kube_labels none = {0};
    health_add(control->health, endpoint, slice != NULL ? &slice->annotations : &none);
}

/* The object behind a pool, by either spelling of its group. */
static const struct kube_object *pool_object(const struct control *control, const struct pool *pool)
{
    if (pool->is_service)
        return object_cache_get(control->feed.cache, KUBE_SERVICE, pool->namespace_, pool->name);
    const struct kube_object *object =
        object_cache_get(control->feed.cache, KUBE_INFERENCE_POOL, pool->namespace_, pool->name);
    return object != NULL ? object
                          : object_cache_get(control->feed.cache, KUBE_INFERENCE_POOL_X, pool->namespace_, pool->name);
}

static void update_members(struct control *control)
{
    struct arena *arena = arena_new(0);
    struct pool_change change = {.on_added = on_endpoint_added, .context = control};
    struct pool *pool;
    for (size_t cursor = 0; (pool = pool_registry_next(control->pools, &cursor)) != NULL;) {
        const struct kube_object *object = pool_object(control, pool);
        struct member_list members = {0};
        if (object != NULL && pool->is_service)
            members_of_service(control->feed.cache, object, pool->service_port, arena, &members);
        else if (object != NULL)
            members_of_pool(control->feed.cache, object, arena, &members);
        pool_set_members(pool, members.items, members.len, &change);
        if (object != NULL && !pool->is_service)
            pool_settings_follow(control->feed.cache, object, pool);
    }
    control->are_members_stale = false;
    arena_free(arena);
}

static struct store_figures figures(const struct control *control)
{
    struct store_figures now;
    store_figures(control->store, &now);
    return now;
}

/* Nothing waits for the disk, or was refused by it: the statuses that say so can be read. */
static void tell_ready(struct control *control)
{
    if (control->was_ready || !control_is_ready(control))
        return;
    struct store_figures now = figures(control);
    if (now.pending > 0 || now.last_error != 0)
        return;
    control->was_ready = true;
    control->hooks.ready(control->hooks.context);
}

static void on_reconcile(struct reactor_task *task)
{
    struct control *control = container_of(task, struct control, reconcile);
    if (!control->is_repaired)
        return;
    /* An edit of files becomes durable in pieces, but is looked at as a whole. */
    bool is_config = control->is_config_stale && manifest_apply_is_settled(control->manifests);
    if (is_config)
        compile(control);
    /* New pools get their members before a request can meet them. */
    if (is_config || control->are_members_stale)
        update_members(control);
    if (is_config) {
        route_snapshot_take(control->latest.snapshot);
        control->hooks.publish(control->hooks.context, control->latest.snapshot);
    }
    tell_ready(control);
}

static void write_statuses(struct control *control)
{
    control->are_statuses_unsure =
        status_writer_write(control->store, control->recorder, control->in_force.report, clock_wall_ms()) > 0;
}

/* What the disk refused is gone without a word to us.  When nothing is under way, what is not as it should be was
 * refused, and the rest is found unchanged. */
static void on_status_retry(struct wheel_timer *timer)
{
    struct control *control = container_of(timer, struct control, status_retry);
    if (control->are_statuses_unsure && figures(control).pending == 0)
        write_statuses(control);
    tell_ready(control);
    reactor_timer_set(control->reactor, timer, control->config.status_retry_ms);
}

static void on_address_retry(struct wheel_timer *timer)
{
    struct control *control = container_of(timer, struct control, address_retry);
    if (bind_retry_succeeds(&control->binds))
        mark(control, true, false);
    reactor_timer_set(control->reactor, timer, ADDRESS_RETRY_MS);
}

void control_adopted(struct control *control, uint64_t generation)
{
    if (control->latest.snapshot == NULL || control->latest.snapshot->generation != generation)
        return; /* a newer one is on its way already */
    compiled_deinit(&control->in_force);
    control->in_force = control->latest;
    control->latest = (struct compiled){0};
    pool_registry_sweep(control->pools);
    split_registry_sweep(control->splits);
    canary_taps_sweep(control->taps);
    write_statuses(control);
    tell_ready(control);
}

static void on_news(void *context, struct store_news news)
{
    struct control *control = context;
    canaries_wake(control->canaries);
    mark(control, news.is_config, news.is_members);
}

static void on_repaired(void *context)
{
    struct control *control = context;
    control->is_repaired = true;
    canaries_start(control->canaries);
    mark(control, true, true);
}

static void on_settled(void *context, bool is_complete)
{
    struct control *control = context;
    count_reload(control, is_complete ? "taken" : "refused");
    mark(control, false, false);
}

static void log_problems(const struct problems *problems, struct arena *arena)
{
    for (const struct problem *problem = problems->first; problem != NULL; problem = problem->next)
        log_error(NULL, "%s", problem_text(problem, arena));
}

static int read_and_apply(struct control *control)
{
    struct arena *arena = arena_new(0);
    struct problems problems;
    struct manifest manifest;
    problems_init(&problems, arena);
    manifest_init(&manifest);
    file_source_read(control->source, &manifest, &problems);
    bool is_good = problems.count == 0 && manifest_apply_run(control->manifests, &manifest, &problems, clock_wall_ms());
    log_problems(&problems, arena);
    if (!is_good)
        count_reload(control, "refused");
    manifest_deinit(&manifest);
    arena_free(arena);
    return is_good ? 0 : -1;
}

static void on_files_changed(void *context)
{
    if (read_and_apply(context) < 0)
        log_error(NULL, "the edited manifests have problems; the former ones stay in force");
}

static int follow(struct control *control, struct file_source *source)
{
    control->source = source;
    if (read_and_apply(control) < 0)
        return -1;
    int error = file_source_watch(source, control->reactor, on_files_changed, control);
    if (error < 0)
        log_warn(NULL, "edits of the manifests will not be seen: %s", strerror(-error));
    return 0;
}

int control_start(struct control *control, struct file_source *source)
{
    workloads_start(control->workloads);
    if (source != NULL && follow(control, source) < 0)
        return -1;
    reactor_timer_set(control->reactor, &control->status_retry, control->config.status_retry_ms);
    reactor_timer_set(control->reactor, &control->address_retry, ADDRESS_RETRY_MS);
    return 0;
}

static void on_workloads_stopped(void *context)
{
    struct control *control = context;
    control->hooks.stopped(control->hooks.context);
}

static void on_pool_taken(void *context)
{
    mark(context, false, true);
}

struct control *control_new(struct reactor *reactor, struct store *store, struct event_recorder *recorder,
                            const struct control_config *config, const struct control_hooks *hooks)
{
    struct control *control = must(calloc(1, sizeof *control));
    control->reactor = reactor;
    control->store = store;
    control->recorder = recorder;
    control->config = *config;
    control->hooks = *hooks;
    control->pools = pool_registry_new();
    control->splits = split_registry_new();
    control->health = health_new(reactor);
    control->manifests = manifest_apply_new(store, on_settled, control);
    reactor_task_init(&control->reconcile, on_reconcile);
    wheel_timer_init(&control->status_retry, on_status_retry);
    wheel_timer_init(&control->address_retry, on_address_retry);
    control->binds = (struct bind_retry){.bind = hooks->bind, .context = hooks->context};
    strata_default_options(&control->strata);
    control->taps = canary_taps_new(config->shard > 0 ? config->shard : 1, &control->strata);
    control->canaries = canaries_new(&(struct run_context){.reactor = reactor,
                                                           .store = store,
                                                           .recorder = recorder,
                                                           .pools = control->pools,
                                                           .taps = control->taps,
                                                           .strata = &control->strata,
                                                           .on_pool_taken = on_pool_taken,
                                                           .context = control});
    store_feed_init(&control->feed, store, on_news, control);
    struct workloads_config workloads = config->workloads;
    workloads.on_repaired = on_repaired;
    workloads.context = control;
    workloads.metrics = config->metrics;
    workloads.shard = config->shard;
    control->workloads = workloads_new(reactor, store, recorder, &workloads);
    return control;
}

void control_free(struct control *control)
{
    if (control == NULL)
        return;
    reactor_task_cancel(&control->reconcile);
    reactor_timer_cancel(control->reactor, &control->status_retry);
    reactor_timer_cancel(control->reactor, &control->address_retry);
    canaries_free(control->canaries);
    workloads_free(control->workloads);
    store_feed_deinit(&control->feed);
    manifest_apply_free(control->manifests);
    health_free(control->health);
    compiled_deinit(&control->latest);
    compiled_deinit(&control->in_force);
    split_registry_free(control->splits);
    canary_taps_free(control->taps);
    pool_registry_free(control->pools);
    free(control);
}

void control_reap(struct control *control)
{
    workloads_reap(control->workloads);
}

void control_stop(struct control *control, uint32_t grace_ms)
{
    workloads_stop(control->workloads, grace_ms, on_workloads_stopped);
}

bool control_is_ready(const struct control *control)
{
    return control->in_force.report != NULL && status_report_is_programmed(control->in_force.report) &&
           workloads_are_ready(control->workloads);
}

const struct route_snapshot *control_snapshot(const struct control *control)
{
    return control->in_force.snapshot;
}

const struct status_report *control_report(const struct control *control)
{
    return control->in_force.report;
}

struct pool_registry *control_pools(struct control *control)
{
    return control->pools;
}

void control_set_canary_gauges(const struct control *control, struct metrics *metrics, unsigned shard)
{
    canaries_set_gauges(control->canaries, metrics, shard);
}

void control_write_canaries(const struct control *control, struct json_writer *json)
{
    canaries_write(control->canaries, json);
}
