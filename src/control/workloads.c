/* SPDX-License-Identifier: Apache-2.0 */
/* workloads.c: pods of simulated Deployments: made, probed, restarted, replaced, ended.
 *
 * A pod belongs to the revision (hash of the template) that made it.  When the template changes, pods of the new
 * revision are started first and the old ones end once the new ones are Ready. */
#include "control/workloads.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/pod_process.h"
#include "control/probe.h"
#include "kube/api/core.h"

#define FIRST_BACK_OFF_MS 1000
#define MAX_BACK_OFF_MS   300000
/* Each is a process of this machine: a mistyped number must not fill it. */
#define MAX_REPLICAS 256

enum pod_state {
    POD_PENDING,    /* cannot be simulated: stays so */
    POD_RUNNING,    /* the process lives */
    POD_BACK_OFF,   /* it died; a timer starts it again */
    POD_TERMINATING /* out of its pools; SIGTERM follows in the next turn, SIGKILL after the grace period */
};

struct pod {
    struct list link;
    struct workloads *workloads;
    struct kube_object *deployment; /* the version that made it: one count */
    uint64_t revision;
    char name[254];
    char ip[16];
    uint16_t probe_port;
    enum pod_state state;
    bool is_ready;
    bool is_signalled; /* SIGTERM was sent */
    pid_t pid;         /* 0 = none */
    unsigned restarts, failures, successes;
    uint64_t back_off_ms;
    const char *why; /* it is Pending */
    struct command_line command;
    struct arena *arena;
    struct wheel_timer timer; /* next probe, restart, SIGTERM, or the kill after the grace period */
    struct probe_attempt probe;
};

struct workloads {
    struct reactor *reactor;
    struct object_cache *cache;
    struct workloads_config config;
    struct list pods;
    struct random_state random;
    bool is_stopping;
    void (*on_stopped)(void *context);
};

static const struct deployment_spec *spec_of(const struct pod *pod)
{
    return pod->deployment->spec;
}

static const struct container_spec *container_of_pod(const struct pod *pod)
{
    return &spec_of(pod)->pod.containers[0];
}

static uint64_t scaled_ms(const struct pod *pod, uint64_t ms)
{
    double scaled = (double)ms / pod->workloads->config.speed;
    return scaled < 1 ? 1 : (uint64_t)scaled;
}

static uint64_t template_hash(const struct kube_object *deployment)
{
    const json_t *spec = json_object_get(deployment->tree, "spec");
    char *text = json_dumps(json_object_get(spec, "template"), JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
    uint64_t hash = text != NULL ? XXH3_64bits(text, strlen(text)) : 0;
    free(text);
    return hash;
}

/* The Pod as an object: what a kubelet would report. */
static json_t *pod_tree(const struct pod *pod)
{
    const json_t *template = json_object_get(json_object_get(pod->deployment->tree, "spec"), "template");
    json_t *metadata = json_deep_copy(json_object_get(template, "metadata"));
    if (metadata == NULL)
        metadata = json_object();
    json_object_set_new(metadata, "name", json_string(pod->name));
    json_object_set_new(metadata, "namespace", json_string(pod->deployment->namespace_));
    if (pod->state == POD_TERMINATING) {
        char now[21];
        clock_rfc3339(clock_wall_ms(), now);
        json_object_set_new(metadata, "deletionTimestamp", json_string(now));
    }
    json_t *status = json_object();
    json_object_set_new(status, "phase", json_string(pod->state == POD_PENDING ? "Pending" : "Running"));
    if (pod->state != POD_PENDING) {
        json_object_set_new(status, "podIP", json_string(pod->ip));
        json_object_set_new(status, "podIPs", json_pack("[{s:s}]", "ip", pod->ip));
    }
    json_object_set_new(status, "conditions",
                        json_pack("[{s:s,s:s}]", "type", "Ready", "status", pod->is_ready ? "True" : "False"));
    json_object_set_new(status, "containerStatuses",
                        json_pack("[{s:s,s:b,s:i}]", "name", container_of_pod(pod)->name, "ready", pod->is_ready,
                                  "restartCount", (int)pod->restarts));
    return json_pack("{s:s,s:s,s:o,s:O,s:o}", "apiVersion", "v1", "kind", "Pod", "metadata", metadata, "spec",
                     json_object_get(template, "spec"), "status", status);
}

static void publish(struct pod *pod)
{
    struct workloads *workloads = pod->workloads;
    struct arena *arena = arena_new(0);
    struct problems problems;
    problems_init(&problems, arena);
    json_t *tree = pod_tree(pod);
    struct kube_object *object = kube_object_decode(tree, &problems);
    json_decref(tree);
    if (object != NULL)
        object_cache_put(workloads->cache, object, clock_wall_ms());
    else
        log_error(pod->name, "the pod's own object is invalid: %s", problem_text(problems.first, arena));
    arena_free(arena);
    workloads->config.on_pods_changed(workloads->config.context);
}

static void pod_free(struct pod *pod)
{
    reactor_timer_cancel(pod->workloads->reactor, &pod->timer);
    probe_deinit(&pod->probe);
    list_remove(&pod->link);
    kube_object_give_back(pod->deployment);
    arena_free(pod->arena);
    free(pod);
}

static void forget(struct pod *pod)
{
    struct workloads *workloads = pod->workloads;
    object_cache_remove(workloads->cache, KUBE_POD, pod->deployment->namespace_, pod->name);
    pod_free(pod);
    workloads->config.on_pods_changed(workloads->config.context);
    if (workloads->is_stopping && list_is_empty(&workloads->pods) && workloads->on_stopped != NULL) {
        void (*on_stopped)(void *) = workloads->on_stopped;
        workloads->on_stopped = NULL;
        on_stopped(workloads->config.context);
    }
}

static void set_ready(struct pod *pod, bool is_ready)
{
    if (pod->is_ready == is_ready)
        return;
    pod->is_ready = is_ready;
    log_info(pod->name, is_ready ? "ready at %s:%u" : "not ready at %s:%u", pod->ip, (unsigned)pod->command.port);
    publish(pod);
}

static void send_sigterm(struct pod *pod, uint64_t grace_ms)
{
    if (!pod->is_signalled)
        kill(pod->pid, SIGTERM);
    pod->is_signalled = true;
    reactor_timer_set(pod->workloads->reactor, &pod->timer, grace_ms);
}

/* Publishing takes it out of its pools by the end of this turn, so the signal waits for the next one. */
static void terminate(struct pod *pod)
{
    if (pod->state == POD_TERMINATING)
        return;
    probe_cancel(&pod->probe);
    reactor_timer_cancel(pod->workloads->reactor, &pod->timer);
    pod->state = POD_TERMINATING;
    pod->is_ready = false;
    publish(pod);
    if (pod->pid > 0)
        reactor_timer_set(pod->workloads->reactor, &pod->timer, 1); /* not in this turn even when a timer runs now */
    else
        forget(pod);
}

static void schedule_probe(struct pod *pod, uint32_t delay_s)
{
    reactor_timer_set(pod->workloads->reactor, &pod->timer, scaled_ms(pod, delay_s * 1000ull));
}

static uint16_t probe_port(const struct pod *pod)
{
    const struct container_spec *container = container_of_pod(pod);
    if (container->readiness.port != 0)
        return container->readiness.port;
    for (unsigned i = 0; i < container->port_count; i++)
        if (strcmp(container->ports[i].name, container->readiness.port_name) == 0)
            return container->ports[i].port;
    return pod->command.port;
}

static void start_process(struct pod *pod)
{
    struct workloads *workloads = pod->workloads;
    struct arena *scratch = arena_new(0);
    const char *log_path =
        arena_printf(scratch, "%s/%s_%s.log", workloads->config.log_dir, pod->deployment->namespace_, pod->name);
    struct pod_process process = {
        .program = workloads->config.program,
        .pod_name = pod->name,
        .namespace_ = pod->deployment->namespace_,
        .ip = pod->ip,
        .command = &pod->command,
        .behaviour = kube_labels_get(&spec_of(pod)->pod.annotations, "serin.dev/sim"),
        .speed = workloads->config.speed,
        .log_path = log_path,
    };
    pid_t pid = pod_process_start(&process, scratch);
    arena_free(scratch);
    if (pid < 0) {
        log_error(pod->name, "cannot start its process: %s", strerror(-pid));
        pod->state = POD_BACK_OFF;
        reactor_timer_set(workloads->reactor, &pod->timer, scaled_ms(pod, pod->back_off_ms));
        return;
    }
    pod->pid = pid;
    pod->state = POD_RUNNING;
    pod->failures = pod->successes = 0;
    const struct probe_spec *readiness = &container_of_pod(pod)->readiness;
    if (readiness->kind == PROBE_EXEC)
        log_warn(pod->name, "readinessProbe.exec cannot be run for a simulated pod; it counts as ready");
    if (readiness->kind == PROBE_NONE || readiness->kind == PROBE_EXEC)
        set_ready(pod, true);
    else
        schedule_probe(pod, readiness->initial_delay_s);
}

static void run_probe(struct pod *pod)
{
    const struct probe_spec *readiness = &container_of_pod(pod)->readiness;
    struct address address;
    if (!address_make(&address, bytes_of(pod->ip), probe_port(pod)))
        return;
    probe_start(&pod->probe, &address, readiness->kind == PROBE_HTTP ? readiness->path : NULL,
                readiness->timeout_s * 1000);
}

static void on_probed(struct probe_attempt *attempt, bool ok)
{
    struct pod *pod = container_of(attempt, struct pod, probe);
    const struct probe_spec *readiness = &container_of_pod(pod)->readiness;
    if (pod->state != POD_RUNNING)
        return;
    pod->successes = ok ? pod->successes + 1 : 0;
    pod->failures = ok ? 0 : pod->failures + 1;
    if (ok && pod->successes >= readiness->success_threshold) {
        pod->back_off_ms = FIRST_BACK_OFF_MS;
        set_ready(pod, true);
    }
    if (!ok && pod->failures >= readiness->failure_threshold)
        set_ready(pod, false);
    schedule_probe(pod, readiness->period_s);
}

static void on_timer(struct wheel_timer *timer)
{
    struct pod *pod = container_of(timer, struct pod, timer);
    switch (pod->state) {
    case POD_RUNNING:
        run_probe(pod);
        break;
    case POD_BACK_OFF:
        start_process(pod);
        break;
    case POD_TERMINATING:
        if (pod->is_signalled)
            kill(pod->pid, SIGKILL);
        else
            send_sigterm(pod, spec_of(pod)->pod.termination_grace_s * 1000ull);
        break;
    case POD_PENDING:
        break;
    }
}

static void name_pod(struct pod *pod)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789"; /* what Kubernetes draws names from */
    char suffix[6] = "";
    for (unsigned i = 0; i < 5; i++)
        suffix[i] = letters[random_below(&pod->workloads->random, sizeof letters - 1)];
    /* Room for "-<revision>-<suffix>" in the 253 characters of a name. */
    snprintf(pod->name, sizeof pod->name, "%.230s-%08x-%s", pod->deployment->name, (unsigned)pod->revision, suffix);
}

static void create_pod(struct workloads *workloads, const struct kube_object *deployment, uint64_t revision)
{
    struct pod *pod = calloc(1, sizeof *pod);
    if (pod == NULL)
        abort();
    pod->workloads = workloads;
    pod->deployment = kube_object_take(deployment);
    pod->revision = revision;
    pod->back_off_ms = FIRST_BACK_OFF_MS;
    pod->arena = arena_new(0);
    wheel_timer_init(&pod->timer, on_timer);
    probe_init(&pod->probe, workloads->reactor, on_probed);
    list_push(&workloads->pods, &pod->link);
    name_pod(pod);
    if (!command_line_of(container_of_pod(pod), pod->arena, &pod->command, &pod->why)) {
        log_warn(pod->name, "Pending: %s", pod->why);
    } else if (!pod_address_find(&workloads->random, pod->command.port, pod->ip)) {
        pod->why = "no free loopback address";
        log_error(pod->name, "Pending: %s", pod->why);
    } else {
        start_process(pod);
    }
    publish(pod);
}

static bool belongs_to(const struct pod *pod, const struct kube_object *deployment)
{
    return strcmp(pod->deployment->name, deployment->name) == 0 &&
           strcmp(pod->deployment->namespace_, deployment->namespace_) == 0;
}

/* Pods of the present revision in use; the surplus ends, the ones not ready first. */
static void scale(struct workloads *workloads, const struct kube_object *deployment, uint64_t revision)
{
    const struct deployment_spec *spec = deployment->spec;
    unsigned replicas = spec->replicas < MAX_REPLICAS ? spec->replicas : MAX_REPLICAS, have = 0, ready = 0;
    LIST_FOR_EACH (node, &workloads->pods) {
        struct pod *pod = LIST_ENTRY(node, struct pod, link);
        if (belongs_to(pod, deployment) && pod->revision == revision && pod->state != POD_TERMINATING) {
            have++;
            ready += pod->is_ready;
        }
    }
    if (have < replicas && replicas < spec->replicas)
        log_warn(deployment->name, "spec.replicas is %u; at most %u are simulated", spec->replicas, replicas);
    for (; have < replicas; have++)
        create_pod(workloads, deployment, revision);
    for (unsigned pass = 0; pass < 2; pass++) {
        LIST_FOR_EACH_SAFE (node, &workloads->pods) {
            struct pod *pod = LIST_ENTRY(node, struct pod, link);
            bool is_candidate =
                belongs_to(pod, deployment) && pod->state != POD_TERMINATING && (pass == 1 || !pod->is_ready);
            if (is_candidate && pod->revision == revision && have > replicas) {
                have--;
                terminate(pod);
            } else if (is_candidate && pod->revision != revision && ready >= replicas) {
                terminate(pod);
            }
        }
    }
}

static void end_orphans(struct workloads *workloads)
{
    LIST_FOR_EACH_SAFE (node, &workloads->pods) {
        struct pod *pod = LIST_ENTRY(node, struct pod, link);
        if (object_cache_get(workloads->cache, KUBE_DEPLOYMENT, pod->deployment->namespace_, pod->deployment->name) ==
            NULL)
            terminate(pod);
    }
}

void workloads_sync(struct workloads *workloads)
{
    const struct kube_object *deployment;
    if (workloads->is_stopping)
        return;
    end_orphans(workloads);
    for (size_t cursor = 0; (deployment = object_cache_next(workloads->cache, KUBE_DEPLOYMENT, &cursor)) != NULL;)
        scale(workloads, deployment, template_hash(deployment));
}

static struct pod *find_by_pid(struct workloads *workloads, pid_t pid)
{
    LIST_FOR_EACH (node, &workloads->pods) {
        struct pod *pod = LIST_ENTRY(node, struct pod, link);
        if (pod->pid == pid)
            return pod;
    }
    return NULL;
}

static void count_restart(struct pod *pod)
{
    char deployment[320];
    snprintf(deployment, sizeof deployment, "%.60s/%.250s", pod->deployment->namespace_, pod->deployment->name);
    struct workloads_config *config = &pod->workloads->config;
    metric_add(metrics_series(config->metrics, config->shard, METRIC_WORKLOAD_RESTARTS, (const char *[]){deployment}),
               1);
}

static void on_exit_of(struct pod *pod, int status)
{
    pod->pid = 0;
    if (pod->state == POD_TERMINATING) {
        forget(pod);
        return;
    }
    if (WIFSIGNALED(status))
        log_warn(pod->name, "its process was killed by signal %d; restarting", WTERMSIG(status));
    else
        log_warn(pod->name, "its process ended with status %d; restarting", WEXITSTATUS(status));
    probe_cancel(&pod->probe);
    pod->state = POD_BACK_OFF;
    pod->restarts++;
    count_restart(pod);
    pod->is_ready = false;
    publish(pod);
    /* The first restart of a pod that was well is immediate, as a kubelet's is. */
    uint64_t delay_ms = pod->back_off_ms == FIRST_BACK_OFF_MS ? 0 : scaled_ms(pod, pod->back_off_ms);
    pod->back_off_ms = pod->back_off_ms * 2 > MAX_BACK_OFF_MS ? MAX_BACK_OFF_MS : pod->back_off_ms * 2;
    reactor_timer_set(pod->workloads->reactor, &pod->timer, delay_ms);
}

void workloads_reap(struct workloads *workloads)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct pod *pod = find_by_pid(workloads, pid);
        if (pod != NULL)
            on_exit_of(pod, status);
    }
}

bool workloads_are_ready(const struct workloads *workloads)
{
    LIST_FOR_EACH (node, &workloads->pods) {
        const struct pod *pod = LIST_ENTRY(node, const struct pod, link);
        if (pod->state != POD_PENDING && pod->state != POD_TERMINATING && !pod->is_ready)
            return false;
    }
    return true;
}

void workloads_stop(struct workloads *workloads, uint32_t grace_ms, void (*on_done)(void *context))
{
    workloads->is_stopping = true;
    workloads->on_stopped = on_done;
    LIST_FOR_EACH_SAFE (node, &workloads->pods)
        terminate(LIST_ENTRY(node, struct pod, link));
    LIST_FOR_EACH (node, &workloads->pods)
        send_sigterm(LIST_ENTRY(node, struct pod, link), grace_ms);
    if (list_is_empty(&workloads->pods) && workloads->on_stopped != NULL) {
        workloads->on_stopped = NULL;
        on_done(workloads->config.context);
    }
}

struct workloads *workloads_new(struct reactor *reactor, struct object_cache *cache,
                                const struct workloads_config *config)
{
    struct workloads *workloads = calloc(1, sizeof *workloads);
    if (workloads == NULL)
        abort();
    workloads->reactor = reactor;
    workloads->cache = cache;
    workloads->config = *config;
    list_init(&workloads->pods);
    random_seed_from_kernel(&workloads->random);
    return workloads;
}

void workloads_free(struct workloads *workloads)
{
    if (workloads == NULL)
        return;
    while (!list_is_empty(&workloads->pods)) {
        struct pod *pod = LIST_ENTRY(workloads->pods.next, struct pod, link);
        if (pod->pid > 0) {
            kill(pod->pid, SIGKILL);
            waitpid(pod->pid, NULL, 0);
        }
        pod_free(pod);
    }
    free(workloads);
}
