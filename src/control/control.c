/* SPDX-License-Identifier: Apache-2.0 */
/* control.c: the reconcile loop.
 *
 * Changes only mark what is stale; one task at the end of the turn does the work, so that a burst of changes costs one
 * compile.  What a compile needs is gathered anew each time: nothing is kept but the objects themselves. */
#include "control/control.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/health.h"
#include "control/members.h"
#include "kube/api/inference.h"

/* One compile's result. */
struct compiled {
    struct route_snapshot *snapshot; /* one hold; NULL = empty */
    struct status_report *report;
    struct arena *report_arena;
};

struct control {
    struct reactor *reactor;
    struct control_config config;
    struct control_hooks hooks;
    struct object_cache *cache;
    struct pool_registry *pools;
    struct split_registry *splits;
    struct workloads *workloads; /* NULL: --workloads none */
    struct health *health;
    struct file_source *source;
    struct manifest applied;  /* the file objects in force, to see which ones went away */
    struct compiled latest;   /* on its way to the workers; empty once they have it */
    struct compiled in_force; /* what every worker has adopted: what people are shown */
    uint64_t generation;
    struct reactor_task reconcile;
    bool is_started;
    bool is_config_stale;
    bool was_ready;
};

static void mark(struct control *control, bool is_config)
{
    control->is_config_stale = control->is_config_stale || is_config;
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
        .cache = control->cache,
        .pools = control->pools,
        .splits = control->splits,
        .addresses = control->config.addresses,
        .address_count = control->config.address_count,
        .bind = control->hooks.bind,
        .context = control->hooks.context,
        .default_buffer_limit_bytes = control->config.default_buffer_limit_bytes,
        .generation = ++control->generation,
    };
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
        slash != NULL ? object_cache_get(control->cache, KUBE_ENDPOINT_SLICE, pool->namespace_, slash + 1) : NULL;
    static const struct kube_labels none = {0};
    health_add(control->health, endpoint, slice != NULL ? &slice->annotations : &none);
}

/* The object behind a pool, by either spelling of its group. */
static const struct kube_object *pool_object(const struct control *control, const struct pool *pool)
{
    if (pool->is_service)
        return object_cache_get(control->cache, KUBE_SERVICE, pool->namespace_, pool->name);
    const struct kube_object *object =
        object_cache_get(control->cache, KUBE_INFERENCE_POOL, pool->namespace_, pool->name);
    return object != NULL ? object
                          : object_cache_get(control->cache, KUBE_INFERENCE_POOL_X, pool->namespace_, pool->name);
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
            members_of_service(control->cache, object, pool->service_port, arena, &members);
        else if (object != NULL)
            members_of_pool(control->cache, object, arena, &members);
        pool_set_members(pool, members.items, members.len, &change);
    }
    arena_free(arena);
}

static void tell_ready(struct control *control)
{
    if (control->was_ready || !control_is_ready(control))
        return;
    control->was_ready = true;
    control->hooks.ready(control->hooks.context);
}

static void on_reconcile(struct reactor_task *task)
{
    struct control *control = container_of(task, struct control, reconcile);
    if (!control->is_started)
        return;
    bool is_config = control->is_config_stale;
    if (is_config)
        compile(control);
    /* New pools get their members before a request can meet them. */
    update_members(control);
    if (is_config) {
        route_snapshot_take(control->latest.snapshot);
        control->hooks.publish(control->hooks.context, control->latest.snapshot);
    }
    /* Deployments may have changed, and a pod that became Ready may let one of the former revision go. */
    if (control->workloads != NULL)
        workloads_sync(control->workloads);
    tell_ready(control);
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
    tell_ready(control);
}

static void on_pods_changed(void *context)
{
    mark(context, false);
}

/* Pods and EndpointSlices are members; everything else may change routes. */
static bool is_config_kind(enum kube_kind kind)
{
    return kind != KUBE_POD && kind != KUBE_ENDPOINT_SLICE && kind != KUBE_DEPLOYMENT;
}

static bool is_in(const struct manifest *manifest, const struct kube_object *object)
{
    for (unsigned i = 0; i < manifest->len; i++) {
        const struct kube_object *other = manifest->objects[i];
        if (other->kind == object->kind && strcmp(other->name, object->name) == 0 &&
            strcmp(other->namespace_, object->namespace_) == 0)
            return true;
    }
    return false;
}

/* Puts all of the manifest into the cache and removes what an earlier one had and this one has not. */
static void apply(struct control *control, struct manifest *manifest)
{
    bool is_config = false;
    for (unsigned i = 0; i < control->applied.len; i++) {
        const struct kube_object *object = control->applied.objects[i];
        if (is_in(manifest, object))
            continue;
        object_cache_remove(control->cache, object->kind, object->namespace_, object->name);
        is_config = is_config || is_config_kind(object->kind);
    }
    for (unsigned i = 0; i < manifest->len; i++) {
        struct kube_object *object = kube_object_take(manifest->objects[i]);
        enum kube_kind kind = object->kind;
        enum object_change change = object_cache_put(control->cache, object, clock_wall_ms());
        is_config = is_config || (change != OBJECT_UNCHANGED && is_config_kind(kind));
    }
    manifest_deinit(&control->applied);
    control->applied = *manifest;
    mark(control, is_config);
}

static int read_and_apply(struct control *control)
{
    struct arena *arena = arena_new(0);
    struct problems problems;
    struct manifest manifest;
    problems_init(&problems, arena);
    manifest_init(&manifest);
    file_source_read(control->source, &manifest, &problems);
    for (const struct problem *problem = problems.first; problem != NULL; problem = problem->next)
        log_error(NULL, "%s", problem_text(problem, arena));
    bool is_bad = problems.count > 0;
    arena_free(arena);
    if (is_bad)
        manifest_deinit(&manifest);
    else
        apply(control, &manifest);
    count_reload(control, is_bad ? "refused" : "taken");
    return is_bad ? -1 : 0;
}

static void on_files_changed(void *context)
{
    if (read_and_apply(context) < 0)
        log_error(NULL, "the edited manifests have problems; the former ones stay in force");
}

int control_follow(struct control *control, struct file_source *source)
{
    control->source = source;
    if (read_and_apply(control) < 0)
        return -1;
    int error = file_source_watch(source, control->reactor, on_files_changed, control);
    if (error < 0)
        log_warn(NULL, "edits of the manifests will not be seen: %s", strerror(-error));
    return 0;
}

void control_start(struct control *control)
{
    control->is_started = true;
    mark(control, true);
}

struct control *control_new(struct reactor *reactor, const struct control_config *config,
                            const struct control_hooks *hooks)
{
    struct control *control = calloc(1, sizeof *control);
    if (control == NULL)
        abort();
    control->reactor = reactor;
    control->config = *config;
    control->hooks = *hooks;
    control->cache = object_cache_new();
    control->pools = pool_registry_new();
    control->splits = split_registry_new();
    control->health = health_new(reactor);
    manifest_init(&control->applied);
    reactor_task_init(&control->reconcile, on_reconcile);
    if (config->has_workloads) {
        struct workloads_config workloads = config->workloads;
        workloads.on_pods_changed = on_pods_changed;
        workloads.context = control;
        workloads.metrics = config->metrics;
        workloads.shard = config->shard;
        control->workloads = workloads_new(reactor, control->cache, &workloads);
    }
    return control;
}

void control_free(struct control *control)
{
    if (control == NULL)
        return;
    reactor_task_cancel(&control->reconcile);
    workloads_free(control->workloads);
    health_free(control->health);
    compiled_deinit(&control->latest);
    compiled_deinit(&control->in_force);
    manifest_deinit(&control->applied);
    split_registry_free(control->splits);
    pool_registry_free(control->pools);
    object_cache_free(control->cache);
    free(control);
}

void control_reap(struct control *control)
{
    if (control->workloads != NULL)
        workloads_reap(control->workloads);
}

static void on_workloads_stopped(void *context)
{
    struct control *control = context;
    control->hooks.stopped(control->hooks.context);
}

void control_stop(struct control *control, uint32_t grace_ms)
{
    if (control->workloads != NULL)
        workloads_stop(control->workloads, grace_ms, on_workloads_stopped);
    else
        control->hooks.stopped(control->hooks.context);
}

bool control_is_ready(const struct control *control)
{
    return control->in_force.report != NULL && status_report_is_programmed(control->in_force.report) &&
           (control->workloads == NULL || workloads_are_ready(control->workloads));
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
