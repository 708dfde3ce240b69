/* SPDX-License-Identifier: Apache-2.0 */
/* workloads.c: which controllers have something to look at, and when.
 *
 * Every durable change marks the controllers that it may concern; one task at the end of the turn runs them.  They read
 * heads, which may fall back when the disk refuses a write, and nobody is told of that: so all of them look again every
 * 30 s whether anything happened or not. */
#include "control/workloads/workloads.h"

#include <stdlib.h>

#include "base/clock.h"
#include "control/workloads/controllers.h"
#include "control/workloads/metadata.h"
#include "control/workloads/pod_facts.h"
#include "control/workloads/pod_runner.h"

enum {
    RESYNC_MS = 30000,
    /* With a thousand pods a pass takes a while, and each of them may change on its own: changes that come while the
     * thread rests for twice as long share the next pass. */
    SHORT_PASS_US = 3000,
    MAX_REST_MS = 500
};

enum aspect { NAMESPACES, GARBAGE, PODS, SLICES, ASPECT_COUNT };

struct workloads {
    struct reactor *reactor;
    struct store *store;
    struct event_recorder *recorder;
    struct workloads_config config;
    struct run_context context;
    struct pod_runner *runner; /* NULL: no pods are run */
    struct store_watcher watcher;
    uint64_t seen; /* the newest change that was looked at */
    bool is_marked[ASPECT_COUNT];
    struct reactor_task task;
    struct wheel_timer rest; /* armed: the last pass was long, the next one waits */
    struct wheel_timer timer;
    uint64_t wake_wall_ms;      /* when PODS asked to look again */
    struct store_write barrier; /* behind what the start wrote */
    struct reactor_task repaired;
    bool is_stopped;
};

static void mark(struct workloads *workloads, enum aspect aspect)
{
    workloads->is_marked[aspect] = true;
    if (!workloads->is_stopped && !wheel_timer_is_armed(&workloads->rest))
        reactor_task_schedule(workloads->reactor, &workloads->task);
}

static void mark_all(struct workloads *workloads)
{
    for (unsigned i = 0; i < ASPECT_COUNT; i++)
        mark(workloads, (enum aspect)i);
}

static const json_t *owners_of(const struct stored *stored)
{
    return json_object_get(metadata_of(stored->object), "ownerReferences");
}

/* Somebody may have lost an owner, or waits for dependents. */
static bool concerns_garbage(const struct store_event *event)
{
    if (event->type == STORE_DELETED || metadata_is_deleting(event->now->object))
        return true;
    const json_t *owners = owners_of(event->now);
    if (event->before == NULL)
        return owners != NULL;
    const json_t *before = owners_of(event->before);
    return owners != before && !json_equal(owners, before);
}

static bool concerns_namespaces(const struct workloads *workloads, const struct store_event *event)
{
    const struct kube_object *object = event->now->object;
    if (object->kind == KUBE_NAMESPACE || (object->kind == KUBE_SERVICE_ACCOUNT && event->type == STORE_DELETED))
        return true;
    const struct stored *namespace_ = store_head(workloads->store, KUBE_NAMESPACE, "", object->namespace_);
    return namespace_ != NULL && metadata_is_deleting(namespace_->object);
}

static void tell_disabled(const struct workloads *workloads, const struct kube_object *deployment)
{
    event_record(workloads->recorder, deployment, true, "deployment-controller", "WorkloadsDisabled",
                 "no pods are run here: the gateway was started without --workloads sim");
}

static void note(struct workloads *workloads, const struct store_event *event)
{
    const struct kube_object *object = event->now->object;
    if (concerns_namespaces(workloads, event))
        mark(workloads, NAMESPACES);
    if (object->kind != KUBE_EVENT && concerns_garbage(event))
        mark(workloads, GARBAGE);
    switch (object->kind) {
    case KUBE_POD:
        mark(workloads, PODS);
        mark(workloads, SLICES);
        break;
    case KUBE_DEPLOYMENT:
        if (workloads->runner == NULL && event->type == STORE_ADDED)
            tell_disabled(workloads, object);
        mark(workloads, PODS);
        break;
    case KUBE_REPLICA_SET:
    case KUBE_CONFIG_MAP:
    case KUBE_SECRET:
        mark(workloads, PODS);
        break;
    case KUBE_SERVICE:
    case KUBE_ENDPOINT_SLICE:
        mark(workloads, SLICES);
        break;
    default:
        break;
    }
}

static void on_events(struct store_watcher *watcher)
{
    struct workloads *workloads = container_of(watcher, struct workloads, watcher);
    const struct store_event *event;
    if (!store_can_resume(workloads->store, workloads->seen)) {
        workloads->seen = store_version(workloads->store);
        mark_all(workloads);
        return;
    }
    while ((event = store_event_after(workloads->store, workloads->seen)) != NULL) {
        workloads->seen = event->version;
        note(workloads, event);
    }
}

static void sync_pods(struct workloads *workloads, struct pass *pass)
{
    if (workloads->runner == NULL) {
        pods_release(pass, false);
        return;
    }
    replica_sets_sync(pass); /* first: Deployments go by their statuses */
    unsigned writes = pass->writes;
    deployments_sync(pass);
    if (pass->writes > writes)
        replica_sets_sync(pass);
    pod_runner_sync(workloads->runner, pass);
}

static void set_timer(struct workloads *workloads, uint64_t now_wall_ms)
{
    uint64_t delay_ms = RESYNC_MS;
    if (workloads->wake_wall_ms < now_wall_ms + delay_ms)
        delay_ms = workloads->wake_wall_ms > now_wall_ms ? workloads->wake_wall_ms - now_wall_ms : 1;
    reactor_timer_set(workloads->reactor, &workloads->timer, delay_ms);
}

static void rest(struct workloads *workloads, uint64_t took_us)
{
    uint64_t rest_ms = took_us * 2 / 1000;
    if (took_us > SHORT_PASS_US)
        reactor_timer_set(workloads->reactor, &workloads->rest, rest_ms < MAX_REST_MS ? rest_ms : MAX_REST_MS);
}

static void on_rested(struct wheel_timer *timer)
{
    struct workloads *workloads = container_of(timer, struct workloads, rest);
    for (unsigned i = 0; i < ASPECT_COUNT; i++)
        if (workloads->is_marked[i])
            reactor_task_schedule(workloads->reactor, &workloads->task);
}

static void run_pass(struct reactor_task *task)
{
    struct workloads *workloads = container_of(task, struct workloads, task);
    uint64_t started_us = clock_now_us();
    struct pass pass;
    bool is_marked[ASPECT_COUNT];
    if (workloads->is_stopped)
        return;
    memcpy(is_marked, workloads->is_marked, sizeof is_marked);
    memset(workloads->is_marked, 0, sizeof workloads->is_marked);
    pass_init(&pass, workloads->store, workloads->recorder, clock_wall_ms());
    if (is_marked[NAMESPACES])
        namespaces_sync(&pass);
    if (is_marked[GARBAGE])
        garbage_sync(&pass);
    if (is_marked[PODS])
        sync_pods(workloads, &pass);
    if (is_marked[SLICES])
        endpoint_slices_sync(&pass);
    if (is_marked[PODS] || pass.wake_wall_ms < workloads->wake_wall_ms)
        workloads->wake_wall_ms = pass.wake_wall_ms;
    set_timer(workloads, pass.now_wall_ms);
    pass_deinit(&pass);
    rest(workloads, clock_now_us() - started_us);
}

static void on_timer(struct wheel_timer *timer)
{
    mark_all(container_of(timer, struct workloads, timer));
}

static void tell_repaired(struct reactor_task *task)
{
    struct workloads *workloads = container_of(task, struct workloads, repaired);
    if (workloads->config.on_repaired != NULL)
        workloads->config.on_repaired(workloads->config.context);
}

/* A refused write too: its endpoint answers nobody, and the Pod's next status corrects it. */
static void on_barrier(struct store_write *write, int error)
{
    struct workloads *workloads = container_of(write, struct workloads, barrier);
    (void)error;
    if (!workloads->is_stopped)
        reactor_task_schedule(workloads->reactor, &workloads->repaired);
}

static void make_runner(struct workloads *workloads)
{
    const struct workloads_config *config = &workloads->config;
    workloads->context = (struct run_context){
        .reactor = workloads->reactor,
        .store = workloads->store,
        .recorder = workloads->recorder,
        .program = config->program,
        .log_dir = config->log_dir,
        .speed = config->speed,
        .metrics = config->metrics,
        .shard = config->shard,
        .processes = config->processes != NULL ? config->processes : &process_ops_real,
    };
    random_seed_from_kernel(&workloads->context.random);
    workloads->runner = pod_runner_new(&workloads->context);
}

struct workloads *workloads_new(struct reactor *reactor, struct store *store, struct event_recorder *recorder,
                                const struct workloads_config *config)
{
    struct workloads *workloads = must(calloc(1, sizeof *workloads));
    workloads->reactor = reactor;
    workloads->store = store;
    workloads->recorder = recorder;
    workloads->config = *config;
    workloads->wake_wall_ms = UINT64_MAX;
    workloads->watcher.on_events = on_events;
    list_init(&workloads->watcher.link);
    reactor_task_init(&workloads->task, run_pass);
    reactor_task_init(&workloads->repaired, tell_repaired);
    workloads->barrier.on_done = on_barrier;
    list_init(&workloads->barrier.link);
    wheel_timer_init(&workloads->rest, on_rested);
    wheel_timer_init(&workloads->timer, on_timer);
    if (config->runs_pods)
        make_runner(workloads);
    return workloads;
}

static void tell_all_disabled(struct workloads *workloads, struct pass *pass)
{
    const struct heads *deployments = pass_heads(pass, KUBE_DEPLOYMENT, "");
    for (unsigned i = 0; i < deployments->len; i++)
        tell_disabled(workloads, deployments->items[i]->object);
}

void workloads_start(struct workloads *workloads)
{
    struct pass pass;
    workloads->seen = store_version(workloads->store);
    pass_init(&pass, workloads->store, workloads->recorder, clock_wall_ms());
    namespaces_make(&pass);
    if (workloads->runner != NULL) {
        pods_take_back(&pass);
    } else {
        pods_release(&pass, true);
        tell_all_disabled(workloads, &pass);
    }
    pass_deinit(&pass);
    pods_sweep_logs(workloads->store, workloads->config.log_dir);
    if (!store_barrier(workloads->store, &workloads->barrier))
        reactor_task_schedule(workloads->reactor, &workloads->repaired);
    store_watch(workloads->store, &workloads->watcher);
    mark_all(workloads);
}

void workloads_reap(struct workloads *workloads)
{
    if (workloads->runner != NULL)
        pod_runner_reap(workloads->runner);
}

static bool is_set_made(const struct kube_object *set)
{
    const struct deployment_spec *spec = set->spec;
    const json_t *status = status_of(set);
    unsigned wanted = spec->replicas < MAX_REPLICAS ? spec->replicas : MAX_REPLICAS;
    return metadata_is_deleting(set) ||
           (json_count(status, "observedGeneration") >= set->generation && json_count(status, "replicas") >= wanted);
}

static bool is_deployment_seen(const struct kube_object *deployment)
{
    return metadata_is_deleting(deployment) ||
           json_count(status_of(deployment), "observedGeneration") >= deployment->generation;
}

static bool is_pod_settled(const struct kube_object *pod)
{
    const struct pod_spec *spec = pod->spec;
    bool is_elsewhere = spec->node_name[0] != '\0' && strcmp(spec->node_name, NODE_NAME) != 0;
    return is_elsewhere || !pod_is_active(pod) || spec->is_ready || pod_is_stuck(pod);
}

static bool all_are(const struct store *store, enum kube_kind kind, bool (*is_good)(const struct kube_object *object))
{
    const struct stored *stored;
    struct store_cursor cursor = store_cursor_at(store, kind, "", "", "");
    while ((stored = store_next_head(store, kind, &cursor)) != NULL)
        if (!is_good(stored->object))
            return false;
    return true;
}

bool workloads_are_ready(const struct workloads *workloads)
{
    return workloads->runner == NULL || (all_are(workloads->store, KUBE_DEPLOYMENT, is_deployment_seen) &&
                                         all_are(workloads->store, KUBE_REPLICA_SET, is_set_made) &&
                                         all_are(workloads->store, KUBE_POD, is_pod_settled));
}

static void stop_passes(struct workloads *workloads)
{
    workloads->is_stopped = true;
    store_unwatch(&workloads->watcher);
    store_write_forget(workloads->store, &workloads->barrier);
    reactor_task_cancel(&workloads->task);
    reactor_task_cancel(&workloads->repaired);
    reactor_timer_cancel(workloads->reactor, &workloads->rest);
    reactor_timer_cancel(workloads->reactor, &workloads->timer);
}

void workloads_stop(struct workloads *workloads, uint32_t grace_ms, void (*on_done)(void *context))
{
    stop_passes(workloads);
    if (workloads->runner != NULL)
        pod_runner_stop(workloads->runner, grace_ms, on_done, workloads->config.context);
    else
        on_done(workloads->config.context);
}

void workloads_free(struct workloads *workloads)
{
    if (workloads == NULL)
        return;
    stop_passes(workloads);
    pod_runner_free(workloads->runner);
    free(workloads);
}
