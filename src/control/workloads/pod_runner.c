/* SPDX-License-Identifier: Apache-2.0 */
/* pod_runner.c: gives Pods to this node, finds the run of each, and lets go of what is over. */
#include "control/workloads/pod_runner.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hashmap.h"
#include "control/workloads/metadata.h"
#include "control/workloads/pod_facts.h"
#include "control/workloads/pod_logs.h"

#define SCHEDULER "default-scheduler"

enum {
    /* On this machine in all; what is beyond waits. */
    MAX_PODS = 1024,
    ROTATE_MS = 2000
};

struct pod_runner {
    struct run_context *context;
    struct list runs;
    struct hashmap *by_uid; /* uid of a Pod -> struct pod_run */
    unsigned pass;          /* number of the present one */
    struct wheel_timer rotation;
    bool is_stopping;
    void (*on_stopped)(void *data);
    void *stopped_data;
};

static void rotate_logs(struct wheel_timer *timer)
{
    struct pod_runner *runner = container_of(timer, struct pod_runner, rotation);
    char path[POD_LOG_PATH_SIZE];
    LIST_FOR_EACH (node, &runner->runs) {
        const struct pod_run *run = LIST_ENTRY(node, const struct pod_run, link);
        if (run->pid > 0 && pod_run_log_path(run, path))
            pod_log_rotate(path, POD_LOG_MAX_BYTES);
    }
    reactor_timer_set(runner->context->reactor, timer, ROTATE_MS);
}

struct pod_runner *pod_runner_new(struct run_context *context)
{
    struct pod_runner *runner = must(calloc(1, sizeof *runner));
    runner->context = context;
    runner->by_uid = hashmap_new();
    list_init(&runner->runs);
    wheel_timer_init(&runner->rotation, rotate_logs);
    reactor_timer_set(context->reactor, &runner->rotation, ROTATE_MS);
    return runner;
}

static void forget(struct pod_runner *runner, struct pod_run *run)
{
    hashmap_remove(runner->by_uid, bytes_of(run->uid));
    pod_run_free(run);
}

void pod_runner_free(struct pod_runner *runner)
{
    if (runner == NULL)
        return;
    while (!list_is_empty(&runner->runs))
        forget(runner, LIST_ENTRY(runner->runs.next, struct pod_run, link));
    reactor_timer_cancel(runner->context->reactor, &runner->rotation);
    hashmap_free(runner->by_uid);
    free(runner);
}

static bool is_ours(const struct kube_object *pod)
{
    return strcmp(((const struct pod_spec *)pod->spec)->node_name, NODE_NAME) == 0;
}

void pods_take_back(struct pass *pass)
{
    const struct heads *pods = pass_heads(pass, KUBE_POD, "");
    for (unsigned i = 0; i < pods->len; i++) {
        const struct kube_object *pod = pods->items[i]->object;
        json_t *status = is_ours(pod) && pod_is_active(pod) ? pod_status_lost(pod, pass->now_wall_ms) : NULL;
        if (status != NULL)
            pass_set_status(pass, pod, status);
    }
}

/* Gives the Pod to this node.  NULL: not now. */
static const struct stored *schedule(struct pod_runner *runner, struct pass *pass, const struct stored *pod)
{
    const struct kube_object *object = pod->object;
    if (is_ours(object))
        return pod;
    if (hashmap_len(runner->by_uid) >= MAX_PODS) {
        const char *why = "this machine runs as many pods as it may";
        if (pass_set_status(pass, object, pod_status_unschedulable(object, why, pass->now_wall_ms)))
            event_record(pass->recorder, object, true, SCHEDULER, "FailedScheduling", "%s", why);
        return NULL;
    }
    json_t *tree = tree_edit(object);
    json_set_text(tree_edit_member(tree, "spec"), "nodeName", NODE_NAME);
    const struct stored *placed = pass_update(pass, object, tree);
    if (placed != NULL)
        event_record(pass->recorder, placed->object, false, SCHEDULER, "Scheduled", "Assigned %s/%s to %s",
                     object->namespace_, object->name, NODE_NAME);
    return placed;
}

/* A Pod that has no run. */
static void consider(struct pod_runner *runner, struct pass *pass, const struct stored *pod)
{
    const struct pod_spec *spec = pod->object->spec;
    if (spec->is_deleting) { /* nothing of it runs, wherever it was meant to */
        pass_delete(pass, pod->object, NULL, 0);
        return;
    }
    bool is_elsewhere = spec->node_name[0] != '\0' && !is_ours(pod->object);
    if (is_elsewhere || pod_is_over(pod->object))
        return;
    const struct stored *placed = schedule(runner, pass, pod);
    if (placed == NULL)
        return;
    struct pod_run *run = pod_run_new(runner->context, placed);
    run->seen = runner->pass;
    list_push(&runner->runs, &run->link);
    hashmap_put(runner->by_uid, bytes_of(run->uid), run);
    pass->writes++;
}

/* The log goes with the Pod, unless another one has its name by now. */
static void let_go(struct pod_runner *runner, struct pod_run *run)
{
    char path[POD_LOG_PATH_SIZE];
    const struct kube_object *pod = run->pod->object;
    if (!runner->is_stopping && store_head(runner->context->store, KUBE_POD, pod->namespace_, pod->name) == NULL &&
        pod_run_log_path(run, path))
        pod_log_remove(path);
    forget(runner, run);
}

static void drop_lost(struct pod_runner *runner)
{
    LIST_FOR_EACH_SAFE (node, &runner->runs) {
        struct pod_run *run = LIST_ENTRY(node, struct pod_run, link);
        if (run->seen != runner->pass)
            pod_run_lose(run);
        if (pod_run_is_over(run))
            let_go(runner, run);
    }
}

void pod_runner_sync(struct pod_runner *runner, struct pass *pass)
{
    if (runner->is_stopping)
        return;
    runner->pass++;
    const struct heads *pods = pass_heads(pass, KUBE_POD, "");
    for (unsigned i = 0; i < pods->len; i++) {
        struct pod_run *run = hashmap_get(runner->by_uid, bytes_of(pods->items[i]->object->uid));
        if (run == NULL) {
            consider(runner, pass, pods->items[i]);
            continue;
        }
        run->seen = runner->pass;
        /* Not ours any more: the disk refused what gave it to this node. */
        const struct stored *pod =
            is_ours(pods->items[i]->object) ? pods->items[i] : schedule(runner, pass, pods->items[i]);
        if (pod != NULL)
            pod_run_update(run, pod);
    }
    drop_lost(runner);
}

static struct pod_run *find_by_pid(struct pod_runner *runner, pid_t pid)
{
    LIST_FOR_EACH (node, &runner->runs) {
        struct pod_run *run = LIST_ENTRY(node, struct pod_run, link);
        if (run->pid == pid)
            return run;
    }
    return NULL;
}

static void tell_stopped(struct pod_runner *runner)
{
    if (!runner->is_stopping || !list_is_empty(&runner->runs) || runner->on_stopped == NULL)
        return;
    void (*on_stopped)(void *) = runner->on_stopped;
    runner->on_stopped = NULL;
    on_stopped(runner->stopped_data);
}

void pod_runner_reap(struct pod_runner *runner)
{
    int status;
    pid_t pid;
    while ((pid = runner->context->processes->reap(-1, false, &status)) > 0) {
        struct pod_run *run = find_by_pid(runner, pid);
        if (run == NULL)
            continue;
        pod_run_exited(run, status);
        if (pod_run_is_over(run))
            let_go(runner, run);
    }
    tell_stopped(runner);
}

void pod_runner_stop(struct pod_runner *runner, uint32_t wait_ms, void (*on_done)(void *data), void *data)
{
    runner->is_stopping = true;
    runner->on_stopped = on_done;
    runner->stopped_data = data;
    LIST_FOR_EACH_SAFE (node, &runner->runs) {
        struct pod_run *run = LIST_ENTRY(node, struct pod_run, link);
        pod_run_stop(run, wait_ms);
        if (pod_run_is_over(run))
            let_go(runner, run);
    }
    tell_stopped(runner);
}

void pods_release(struct pass *pass, bool is_start)
{
    const struct heads *pods = pass_heads(pass, KUBE_POD, "");
    for (unsigned i = 0; i < pods->len; i++) {
        const struct kube_object *pod = pods->items[i]->object;
        if (((const struct pod_spec *)pod->spec)->is_deleting || (is_start && is_ours(pod)))
            pass_delete(pass, pod, NULL, 0);
    }
}

static bool has_pod(void *context, const char *namespace_, const char *name)
{
    return store_head(context, KUBE_POD, namespace_, name) != NULL;
}

void pods_sweep_logs(struct store *store, const char *log_dir)
{
    pod_logs_sweep(log_dir, has_pod, store);
}
