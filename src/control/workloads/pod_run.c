/* SPDX-License-Identifier: Apache-2.0 */
/* pod_run.c: starts, probes, restarts and ends the process of a Pod.
 *
 * Deletion goes by what is durable, not by heads: readers (routing among them) are shown durable objects, so a process
 * hears SIGTERM only in a turn after the one in which everybody could see that its Pod is leaving. */
#include "control/workloads/pod_run_internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/workloads/metadata.h"
#include "control/workloads/pod_facts.h"
#include "control/workloads/pod_logs.h"
#include "kube/apiserver/change.h"

enum {
    FIRST_BACK_OFF_MS = 1000,
    MAX_BACK_OFF_MS = 300000,
    WELL_MS = 10000, /* Ready for so long: its next end is a new story */
    NEXT_TURN_MS = 1
};

const struct kube_object *pod_run_object(const struct pod_run *run)
{
    return run->pod->object;
}

const struct pod_template *pod_run_template(const struct pod_run *run)
{
    return &((const struct pod_spec *)pod_run_object(run)->spec)->pod;
}

const struct container_spec *pod_run_container(const struct pod_run *run)
{
    return &pod_run_template(run)->containers[0];
}

uint64_t pod_run_scaled_ms(const struct pod_run *run, uint64_t ms)
{
    double scaled = (double)ms / run->context->speed;
    return scaled < 1 ? 1 : (uint64_t)scaled;
}

void pod_run_set_timer(struct pod_run *run, uint64_t delay_ms)
{
    reactor_timer_set(run->context->reactor, &run->timer, delay_ms);
}

void pod_run_hold(struct pod_run *run, const struct stored *pod)
{
    struct stored *taken = stored_take(pod);
    stored_give_back(run->pod);
    run->pod = taken;
}

const struct stored *pod_run_head(const struct pod_run *run)
{
    const struct kube_object *object = pod_run_object(run);
    const struct stored *head = store_head(run->context->store, KUBE_POD, object->namespace_, object->name);
    return head != NULL && strcmp(head->object->uid, object->uid) == 0 ? head : NULL;
}

/* Readers see that it is leaving, or do not see it at all. */
static bool is_seen_leaving(const struct pod_run *run)
{
    const struct kube_object *object = pod_run_object(run);
    const struct stored *durable = store_get(run->context->store, KUBE_POD, object->namespace_, object->name);
    return durable == NULL || strcmp(durable->object->uid, object->uid) != 0 || metadata_is_deleting(durable->object);
}

bool pod_run_log_path(const struct pod_run *run, char out[POD_LOG_PATH_SIZE])
{
    return pod_log_path(run->context->log_dir, pod_run_object(run)->namespace_, pod_run_object(run)->name,
                        pod_run_container(run)->name, out);
}

static void describe(const struct pod_run *run, struct pod_report *report)
{
    *report = (struct pod_report){.phase = "Running",
                                  .ip = run->ip,
                                  .is_ready = run->is_ready,
                                  .state = CONTAINER_WAITING,
                                  .waiting_reason = run->reason,
                                  .waiting_message = run->why,
                                  .started_wall_ms = run->started_wall_ms,
                                  .last = run->last,
                                  .restarts = run->restarts};
    if (run->state == RUN_RUNNING) {
        report->state = CONTAINER_RUNNING;
    } else if (run->state == RUN_OVER) {
        report->state = CONTAINER_ENDED;
        report->phase = run->last.code == 0 ? "Succeeded" : "Failed";
    } else if (run->reason == NULL) {
        report->state = CONTAINER_ENDED;
    } else if (!run->last.is_set) {
        report->phase = "Pending";
    }
}

bool pod_run_publish(struct pod_run *run)
{
    const struct stored *head = pod_run_head(run);
    struct pod_report report;
    if (head == NULL)
        return false;
    uint64_t now = clock_wall_ms();
    pod_run_hold(run, head);
    describe(run, &report);
    const struct kube_object *object = pod_run_object(run);
    bool is_written = object_set_status(run->context->store, KUBE_POD, object->namespace_, object->name,
                                        pod_status_build(object, &report, now), now);
    head = pod_run_head(run);
    if (head != NULL) {
        pod_run_hold(run, head);
        run->published = head->version;
    }
    return is_written;
}

void pod_run_wait(struct pod_run *run, enum run_state state, const char *reason, const char *why)
{
    run->state = state;
    run->reason = reason;
    run->why = why;
    if (!pod_run_publish(run))
        return;
    log_warn(pod_run_object(run)->name, "%s: %s", reason, why);
    const char *event = strcmp(reason, CRASH_LOOP) == 0 ? "BackOff" : reason;
    event_record(run->context->recorder, pod_run_object(run), true, KUBELET, event, "%s", why);
}

void pod_run_back_off(struct pod_run *run, const char *reason, const char *why)
{
    uint64_t delay_ms = pod_run_scaled_ms(run, run->back_off_ms);
    run->back_off_ms = run->back_off_ms * 2 > MAX_BACK_OFF_MS ? MAX_BACK_OFF_MS : run->back_off_ms * 2;
    pod_run_set_timer(run, delay_ms);
    pod_run_wait(run, RUN_BACK_OFF, reason, why);
}

static void send_signal(const struct pod_run *run, int signal)
{
    if (run->pid > 0)
        run->context->processes->signal(run->pid, signal);
}

static uint64_t grace_ms(const struct pod_run *run)
{
    return json_count(metadata_of(pod_run_object(run)), "deletionGracePeriodSeconds") * 1000ull;
}

/* Counts from the SIGTERM; a later deletion may have shortened it. */
static void await_end(struct pod_run *run)
{
    uint64_t due_ms = run->signalled_at_ms + grace_ms(run), now_ms = reactor_now_ms(run->context->reactor);
    pod_run_set_timer(run, due_ms > now_ms ? due_ms - now_ms : NEXT_TURN_MS);
}

static void on_ending(struct pod_run *run)
{
    if (run->is_signalled) {
        send_signal(run, SIGKILL);
        return;
    }
    run->is_signalled = true;
    run->signalled_at_ms = reactor_now_ms(run->context->reactor);
    event_record(run->context->recorder, pod_run_object(run), false, KUBELET, "Killing", "Stopping container %s",
                 pod_run_container(run)->name);
    send_signal(run, SIGTERM);
    await_end(run);
}

static void on_timer(struct wheel_timer *timer)
{
    struct pod_run *run = container_of(timer, struct pod_run, timer);
    switch (run->state) {
    case RUN_RUNNING:
        pod_run_probe(run);
        break;
    case RUN_BACK_OFF:
        pod_run_start(run);
        break;
    case RUN_ENDING:
        on_ending(run);
        break;
    case RUN_GONE:
        send_signal(run, SIGKILL);
        break;
    case RUN_UNABLE:
    case RUN_NO_CONFIG:
    case RUN_OVER:
        break;
    }
}

struct pod_run *pod_run_new(struct run_context *context, const struct stored *pod)
{
    char log_path[POD_LOG_PATH_SIZE];
    struct pod_run *run = must(calloc(1, sizeof *run));
    run->context = context;
    run->uid = must(strdup(pod->object->uid));
    run->pod = stored_take(pod);
    run->back_off_ms = FIRST_BACK_OFF_MS;
    run->arena = arena_new(0);
    run->restarts = pod_status_restarts(pod->object);
    snprintf(run->ip, sizeof run->ip, "%s", ((const struct pod_spec *)pod->object->spec)->pod_ip);
    wheel_timer_init(&run->timer, on_timer);
    probe_init(&run->probe, context->reactor, pod_run_on_probed);
    list_init(&run->link);
    if (status_of(pod->object) == NULL && pod_run_log_path(run, log_path))
        pod_log_remove(log_path); /* of a former Pod of this name */
    pod_run_start(run);
    return run;
}

static void stop_timers(struct pod_run *run)
{
    probe_cancel(&run->probe);
    reactor_timer_cancel(run->context->reactor, &run->timer);
}

void pod_run_free(struct pod_run *run)
{
    int status;
    stop_timers(run);
    probe_deinit(&run->probe);
    send_signal(run, SIGKILL);
    if (run->pid > 0)
        run->context->processes->reap(run->pid, true, &status);
    stored_give_back(run->pod);
    list_remove(&run->link);
    arena_free(run->arena);
    free(run->uid);
    free(run);
}

bool pod_run_is_over(const struct pod_run *run)
{
    return run->state == RUN_GONE && run->pid == 0;
}

void pod_run_lose(struct pod_run *run)
{
    if (run->state != RUN_GONE)
        stop_timers(run);
    run->state = RUN_GONE;
    if (run->pid > 0 && is_seen_leaving(run) && !wheel_timer_is_armed(&run->timer))
        pod_run_set_timer(run, NEXT_TURN_MS); /* not now: readers learn of it in this very turn */
}

/* Nothing runs any more: the Pod may go. */
static void finish_deletion(struct pod_run *run)
{
    const struct kube_object *object = pod_run_object(run);
    object_delete(run->context->store, KUBE_POD, object->namespace_, object->name, NULL, 0, clock_wall_ms());
    if (pod_run_head(run) == NULL)
        pod_run_lose(run);
}

static void end(struct pod_run *run)
{
    if (run->state != RUN_ENDING)
        stop_timers(run);
    run->state = RUN_ENDING;
    if (run->pid == 0)
        finish_deletion(run);
    else if (run->is_signalled)
        await_end(run);
    else if (is_seen_leaving(run) && !wheel_timer_is_armed(&run->timer))
        pod_run_set_timer(run, NEXT_TURN_MS); /* the same */
}

/* The disk refused the deletion: it never was, and no signal was sent. */
static void revive(struct pod_run *run)
{
    if (run->pid == 0) {
        pod_run_start(run);
        return;
    }
    stop_timers(run);
    run->state = RUN_RUNNING;
    pod_run_begin_probing(run);
}

void pod_run_update(struct pod_run *run, const struct stored *pod)
{
    if (pod != run->pod)
        pod_run_hold(run, pod);
    if (metadata_is_deleting(pod->object))
        end(run);
    else if (run->state == RUN_GONE || run->state == RUN_ENDING)
        revive(run);
    else if (run->state == RUN_NO_CONFIG)
        pod_run_start(run);
    else if (pod->version != run->published) /* somebody changed it, or the disk refused the newest status */
        pod_run_publish(run);
}

/* "namespace/name" of the Deployment behind the Pod; of the Pod itself when there is none. */
static void owner_name(const struct pod_run *run, char out[320])
{
    const struct kube_object *object = pod_run_object(run);
    const char *set_name = json_text(metadata_controller(object), "name"), *name = object->name;
    const struct stored *set = store_head(run->context->store, KUBE_REPLICA_SET, object->namespace_, set_name);
    if (set != NULL && strcmp(set->object->uid, metadata_controller_uid(object)) == 0) {
        const char *deployment = json_text(metadata_controller(set->object), "name");
        name = deployment[0] != '\0' ? deployment : set_name;
    }
    snprintf(out, 320, "%.60s/%.250s", object->namespace_, name);
}

static void count_restart(const struct pod_run *run)
{
    char name[320];
    owner_name(run, name);
    metric_add(
        metrics_series(run->context->metrics, run->context->shard, METRIC_WORKLOAD_RESTARTS, (const char *[]){name}),
        1);
}

static bool is_restarted(const struct pod_run *run)
{
    enum restart_policy policy = pod_run_template(run)->restart_policy;
    return policy == RESTART_ALWAYS || (policy == RESTART_ON_FAILURE && run->last.code != 0);
}

static void log_end(const struct pod_run *run, bool is_restarting)
{
    const char *next = is_restarting ? "; restarting" : "";
    if (run->last.signal != 0)
        log_warn(pod_run_object(run)->name, "its process was killed by signal %d%s", run->last.signal, next);
    else
        log_warn(pod_run_object(run)->name, "its process ended with status %d%s", run->last.code, next);
}

/* The first restart of a pod that was well is immediate, as a kubelet's is. */
static void restart(struct pod_run *run, bool was_well)
{
    run->restarts++;
    count_restart(run);
    if (was_well)
        run->back_off_ms = FIRST_BACK_OFF_MS;
    if (run->back_off_ms > FIRST_BACK_OFF_MS) {
        pod_run_back_off(run, CRASH_LOOP, "it ends again and again");
        return;
    }
    run->back_off_ms *= 2;
    run->state = RUN_BACK_OFF;
    run->reason = NULL;
    pod_run_set_timer(run, NEXT_TURN_MS);
    pod_run_publish(run);
}

static void fail(struct pod_run *run, int wait_status)
{
    uint64_t now_ms = reactor_now_ms(run->context->reactor);
    bool was_well = run->is_ready && now_ms - run->ready_at_ms >= pod_run_scaled_ms(run, WELL_MS);
    run->last = pod_exit_of(wait_status, run->started_wall_ms, clock_wall_ms());
    run->is_ready = false;
    stop_timers(run);
    log_end(run, is_restarted(run));
    if (is_restarted(run)) {
        restart(run, was_well);
        return;
    }
    run->state = RUN_OVER;
    pod_run_publish(run);
}

void pod_run_exited(struct pod_run *run, int wait_status)
{
    run->pid = 0;
    if (run->state == RUN_ENDING)
        finish_deletion(run);
    else if (run->state == RUN_RUNNING)
        fail(run, wait_status);
}

void pod_run_stop(struct pod_run *run, uint32_t wait_ms)
{
    stop_timers(run);
    run->state = RUN_GONE;
    send_signal(run, SIGTERM);
    pod_run_set_timer(run, wait_ms);
}
