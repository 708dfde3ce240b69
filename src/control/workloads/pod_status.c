/* SPDX-License-Identifier: Apache-2.0 */
/* pod_status.c: conditions and containerStatuses.
 *
 * Only the first container is simulated; the others are shown in its state, so that "ready" counts come out as on a
 * cluster. */
#include "control/workloads/pod_status.h"

#include <sys/wait.h>

#include "control/workloads/conditions.h"
#include "control/workloads/metadata.h"
#include "control/workloads/pod_facts.h"

struct pod_exit pod_exit_of(int wait_status, uint64_t started_wall_ms, uint64_t ended_wall_ms)
{
    struct pod_exit result = {.is_set = true, .started_wall_ms = started_wall_ms, .ended_wall_ms = ended_wall_ms};
    if (WIFSIGNALED(wait_status)) {
        result.signal = WTERMSIG(wait_status);
        result.code = 128 + result.signal;
    } else {
        result.code = WEXITSTATUS(wait_status);
    }
    return result;
}

static const json_t *first_container(const struct kube_object *pod)
{
    return json_array_get(json_object_get(status_of(pod), "containerStatuses"), 0);
}

unsigned pod_status_restarts(const struct kube_object *pod)
{
    return json_count(first_container(pod), "restartCount");
}

struct pod_exit pod_status_last(const struct kube_object *pod)
{
    const json_t *ended = json_object_get(json_object_get(first_container(pod), "lastState"), "terminated");
    if (ended == NULL)
        return (struct pod_exit){0};
    return (struct pod_exit){.is_set = true,
                             .code = (int)json_count(ended, "exitCode"),
                             .signal = (int)json_count(ended, "signal"),
                             .why = json_text(ended, "reason"),
                             .started_wall_ms = json_time(ended, "startedAt"),
                             .ended_wall_ms = json_time(ended, "finishedAt")};
}

static json_t *exit_state(const struct pod_exit *last)
{
    const char *reason = last->why != NULL && last->why[0] != '\0' ? last->why
                         : last->code == 0                         ? "Completed"
                                                                   : "Error";
    json_t *ended = json_pack("{s:i, s:s}", "exitCode", last->code, "reason", reason);
    if (last->signal > 0)
        json_object_set_new(ended, "signal", json_integer(last->signal));
    if (last->started_wall_ms > 0)
        json_set_time(ended, "startedAt", last->started_wall_ms);
    json_set_time(ended, "finishedAt", last->ended_wall_ms);
    return json_pack("{s:o}", "terminated", ended);
}

static json_t *present_state(const struct pod_report *report)
{
    if (report->state == CONTAINER_ENDED)
        return exit_state(&report->last);
    json_t *inner = json_object();
    if (report->state == CONTAINER_RUNNING) {
        json_set_time(inner, "startedAt", report->started_wall_ms);
        return json_pack("{s:o}", "running", inner);
    }
    json_set_text(inner, "reason", report->waiting_reason);
    if (report->waiting_message != NULL && report->waiting_message[0] != '\0')
        json_set_text(inner, "message", report->waiting_message);
    return json_pack("{s:o}", "waiting", inner);
}

static json_t *container_status(const struct container_spec *container, const struct pod_report *report)
{
    bool has_last = report->last.is_set && report->state != CONTAINER_ENDED;
    json_t *status =
        json_pack("{s:s, s:s, s:s, s:b, s:b, s:i, s:o}", "name", container->name, "image", container->image, "imageID",
                  "", "ready", report->is_ready, "started", report->state == CONTAINER_RUNNING, "restartCount",
                  (int)report->restarts, "state", present_state(report));
    json_object_set_new(status, "lastState", has_last ? exit_state(&report->last) : json_object());
    return status;
}

static void set_conditions(json_t *conditions, const struct pod_report *report, uint64_t now)
{
    bool is_over = report->state == CONTAINER_ENDED;
    const char *reason = report->is_ready ? "" : is_over ? "PodCompleted" : "ContainersNotReady";
    const char *message = report->is_ready || is_over ? "" : "the model server is not ready";
    condition_set(conditions, "PodScheduled", true, "", "", now);
    condition_set(conditions, "Initialized", true, "", "", now);
    condition_set(conditions, "ContainersReady", report->is_ready, reason, message, now);
    condition_set(conditions, "Ready", report->is_ready, reason, message, now);
}

json_t *pod_status_build(const struct kube_object *pod, const struct pod_report *report, uint64_t now_wall_ms)
{
    const struct pod_template *spec = &((const struct pod_spec *)pod->spec)->pod;
    const json_t *before = status_of(pod);
    json_t *conditions = conditions_edit(json_object_get(before, "conditions")), *containers = json_array();
    set_conditions(conditions, report, now_wall_ms);
    for (unsigned i = 0; i < spec->container_count; i++)
        json_array_append_new(containers, container_status(&spec->containers[i], report));
    json_t *status = json_pack("{s:s, s:s, s:[{s:s}], s:s, s:o, s:o}", "phase", report->phase, "hostIP", "127.0.0.1",
                               "hostIPs", "ip", "127.0.0.1", "qosClass", "BestEffort", "conditions", conditions,
                               "containerStatuses", containers);
    uint64_t start_ms = json_time(before, "startTime");
    json_set_time(status, "startTime", start_ms > 0 ? start_ms : now_wall_ms);
    if (report->ip[0] != '\0') {
        json_set_text(status, "podIP", report->ip);
        json_object_set_new(status, "podIPs", json_pack("[{s:s}]", "ip", report->ip));
    }
    return status;
}

json_t *pod_status_unschedulable(const struct kube_object *pod, const char *message, uint64_t now_wall_ms)
{
    json_t *conditions = conditions_edit(json_object_get(status_of(pod), "conditions"));
    condition_set(conditions, "PodScheduled", false, REASON_UNSCHEDULABLE, message, now_wall_ms);
    return json_pack("{s:s, s:o}", "phase", "Pending", "conditions", conditions);
}

/* When it ran last, as far as its status tells. */
static struct pod_exit lost_exit(const json_t *state, uint64_t now_wall_ms)
{
    return (struct pod_exit){.is_set = true,
                             .code = 255,
                             .why = "Unknown",
                             .started_wall_ms = json_time(json_object_get(state, "running"), "startedAt"),
                             .ended_wall_ms = now_wall_ms};
}

json_t *pod_status_lost(const struct kube_object *pod, uint64_t now_wall_ms)
{
    const struct pod_spec *spec = pod->spec;
    const json_t *state = json_object_get(first_container(pod), "state");
    bool was_running = json_object_get(state, "running") != NULL;
    bool was_crashing = strcmp(json_text(json_object_get(state, "waiting"), "reason"), CRASH_LOOP) == 0 ||
                        json_object_get(state, "terminated") != NULL;
    if (!was_running && !was_crashing && !spec->is_ready)
        return NULL;
    struct pod_report report = {.phase = "Running",
                                .ip = spec->pod_ip,
                                .state = CONTAINER_WAITING,
                                .waiting_reason = "ContainerCreating",
                                .waiting_message = "",
                                .last = was_running ? lost_exit(state, now_wall_ms) : pod_status_last(pod),
                                .restarts = pod_status_restarts(pod) + 1};
    return pod_status_build(pod, &report, now_wall_ms);
}
