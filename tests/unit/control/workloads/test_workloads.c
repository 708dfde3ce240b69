/* SPDX-License-Identifier: Apache-2.0 */
/* All controllers together over a reactor, with processes that are only numbers: what is started, what is signalled,
 * and in which order the store is told. */
#include "unit/control/workloads/world.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/workloads/workloads.h"

enum { FIRST_PID = 4000000, MAX_PROCESSES = 64 }; /* above pid_max */

/* The operations have no context of their own. */
static struct {
    struct {
        char pod[64], ip[16], log_path[200], model[64];
        int signals[4];
        unsigned signal_count;
        int status; /* of wait(2) */
        bool is_ended, is_reaped;
    } items[MAX_PROCESSES];
    unsigned count;
    int start_error;
} processes;

static pid_t fake_start(const struct pod_process *process, struct arena *arena)
{
    (void)arena;
    if (processes.start_error != 0)
        return processes.start_error;
    assert_true(processes.count < MAX_PROCESSES);
    unsigned i = processes.count++;
    memset(&processes.items[i], 0, sizeof processes.items[i]);
    snprintf(processes.items[i].pod, sizeof processes.items[i].pod, "%s", process->pod_name);
    snprintf(processes.items[i].ip, sizeof processes.items[i].ip, "%s", process->ip);
    snprintf(processes.items[i].log_path, sizeof processes.items[i].log_path, "%s", process->log_path);
    snprintf(processes.items[i].model, sizeof processes.items[i].model, "%s",
             process->command->len > 0 ? process->command->words[0] : "");
    return FIRST_PID + (pid_t)i;
}

static int fake_signal(pid_t pid, int signal)
{
    unsigned i = (unsigned)(pid - FIRST_PID);
    assert_true(i < processes.count && !processes.items[i].is_reaped);
    if (processes.items[i].signal_count < ARRAY_LEN(processes.items[i].signals))
        processes.items[i].signals[processes.items[i].signal_count++] = signal;
    return 0;
}

static pid_t fake_reap(pid_t pid, bool is_waiting, int *ret_status)
{
    for (unsigned i = 0; i < processes.count; i++) {
        bool is_wanted = pid < 0 ? processes.items[i].is_ended : (unsigned)(pid - FIRST_PID) == i;
        if (!is_wanted || processes.items[i].is_reaped)
            continue;
        (void)is_waiting;
        processes.items[i].is_reaped = true;
        *ret_status = processes.items[i].status;
        return FIRST_PID + (pid_t)i;
    }
    return -1;
}

static const struct process_ops fake_processes = {.start = fake_start, .signal = fake_signal, .reap = fake_reap};

struct machine {
    struct world world;
    struct workloads *workloads;
    struct metrics *metrics;
    struct workloads_config config;
    char log_dir[64];
    unsigned repairs, stops;
};

static void on_repaired(void *context)
{
    ((struct machine *)context)->repairs++;
}

static void on_stopped(void *context)
{
    ((struct machine *)context)->stops++;
}

static void machine_start(struct machine *machine)
{
    machine->workloads =
        workloads_new(machine->world.fixture.reactor, machine->world.store, machine->world.recorder, &machine->config);
    workloads_start(machine->workloads);
}

static void machine_open(struct machine *machine, bool runs_pods)
{
    *machine = (struct machine){0};
    memset(&processes, 0, sizeof processes);
    world_open(&machine->world);
    machine->metrics = metrics_new(1, 10);
    snprintf(machine->log_dir, sizeof machine->log_dir, "/tmp/serin-test-XXXXXX");
    assert_non_null(mkdtemp(machine->log_dir));
    machine->config = (struct workloads_config){.runs_pods = runs_pods,
                                                .program = "/nonexistent",
                                                .log_dir = machine->log_dir,
                                                .speed = 1000,
                                                .on_repaired = on_repaired,
                                                .context = machine,
                                                .metrics = machine->metrics,
                                                .processes = &fake_processes};
    machine_start(machine);
}

static void machine_close(struct machine *machine)
{
    workloads_free(machine->workloads);
    metrics_free(machine->metrics);
    world_close(&machine->world);
    assert_int_equal(rmdir(machine->log_dir), 0);
}

static void turn(struct machine *machine)
{
    reactor_turn(machine->world.fixture.reactor, 20);
}

/* Turns until the condition holds; bounded, so that a wrong program fails here. */
#define UNTIL(machine, condition)                                                                                      \
    do {                                                                                                               \
        for (unsigned turns_ = 0; !(condition); turns_++) {                                                            \
            if (turns_ == 500)                                                                                         \
                fail_msg("never: %s", #condition);                                                                     \
            turn(machine);                                                                                             \
        }                                                                                                              \
    } while (0)

/* Everything that is on its way has arrived. */
static void calm(struct machine *machine)
{
    struct store_figures figures;
    for (unsigned quiet = 0; quiet < 3;) {
        turn(machine);
        store_figures(machine->world.store, &figures);
        quiet = figures.pending == 0 ? quiet + 1 : 0;
    }
}

static void end_process(struct machine *machine, unsigned i, int status)
{
    processes.items[i].is_ended = true;
    processes.items[i].status = status;
    workloads_reap(machine->workloads);
}

static void deploy_as(struct machine *machine, unsigned replicas, const char *container)
{
    char text[1000];
    snprintf(text, sizeof text,
             "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
             "spec:\n  replicas: %u\n  selector: {matchLabels: {app: web}}\n"
             "  template:\n    metadata: {labels: {app: web}}\n"
             "    spec: {terminationGracePeriodSeconds: 1, containers: [{name: c, image: i, %s}]}\n",
             replicas, container);
    world_apply(&machine->world, text);
}

static void deploy(struct machine *machine, unsigned replicas)
{
    deploy_as(machine, replicas, "command: [vllm, serve, m]");
}

static const struct kube_object *pod_at(const struct machine *machine, unsigned position)
{
    return world_nth(&machine->world, KUBE_POD, position);
}

static bool pod_is_ready(const struct kube_object *pod)
{
    return pod != NULL && ((const struct pod_spec *)pod->spec)->is_ready;
}

static unsigned pod_count(const struct machine *machine)
{
    return world_count(&machine->world, KUBE_POD);
}

static unsigned ready_pods(const struct machine *machine)
{
    unsigned ready = 0;
    for (unsigned i = 0; pod_at(machine, i) != NULL; i++)
        ready += pod_is_ready(pod_at(machine, i));
    return ready;
}

static const json_t *state_of(const struct kube_object *pod, const char *name)
{
    const json_t *container = json_array_get(json_object_get(status_of(pod), "containerStatuses"), 0);
    return json_object_get(json_object_get(container, "state"), name);
}

static const char *waiting_reason(const struct kube_object *pod)
{
    return pod != NULL ? json_text(state_of(pod, "waiting"), "reason") : "";
}

/* Deletes a Pod so that the controllers see its head in a pass while the disk does not have it yet. */
static void delete_before_readers_know(struct machine *machine, const char *name)
{
    struct memory_disk *disk = &machine->world.fixture.disk;
    calm(machine);
    memory_disk_hold(disk);
    unsigned entered = disk->entered; /* nothing is being committed */
    world_apply(&machine->world, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: first}\n");
    memory_disk_await_commit(disk, entered + 1);
    world_delete(&machine->world, KUBE_POD, name, NULL);
    memory_disk_let_go(disk, 0);
    UNTIL(machine, store_get(machine->world.store, KUBE_CONFIG_MAP, "default", "first") != NULL);
    for (unsigned i = 0; i < 5; i++)
        turn(machine);
}

#define MACHINE_TEST(name)                                                                                             \
    static void name##_on(struct machine *machine);                                                                    \
    static void name(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        struct machine machine;                                                                                        \
        machine_open(&machine, true);                                                                                  \
        name##_on(&machine);                                                                                           \
        machine_close(&machine);                                                                                       \
    }                                                                                                                  \
    static void name##_on(struct machine *machine)

MACHINE_TEST(a_deployment_becomes_processes_and_ready_pods)
{
    assert_true(workloads_are_ready(machine->workloads));
    deploy(machine, 2);
    assert_false(workloads_are_ready(machine->workloads));
    UNTIL(machine, ready_pods(machine) == 2);
    UNTIL(machine, workloads_are_ready(machine->workloads));
    assert_int_equal(processes.count, 2);
    const struct kube_object *pod = pod_at(machine, 0);
    const struct pod_spec *spec = pod->spec;
    assert_string_equal(spec->node_name, "serin");
    assert_string_equal(spec->phase, "Running");
    assert_memory_equal(spec->pod_ip, "127.", 4);
    unsigned i = strcmp(processes.items[0].pod, pod->name) == 0 ? 0 : 1;
    assert_string_equal(processes.items[i].ip, spec->pod_ip);
    assert_string_equal(processes.items[i].model, "m");
    char log_path[POD_LOG_PATH_SIZE];
    assert_true(pod_log_path(machine->log_dir, "default", pod->name, "c", log_path));
    assert_string_equal(processes.items[i].log_path, log_path);
    assert_string_not_equal(processes.items[0].ip, processes.items[1].ip);
    UNTIL(machine, world_int(world_get(&machine->world, KUBE_DEPLOYMENT, "web"), "status.availableReplicas") == 2);
    calm(machine);
    assert_int_equal(world_events(&machine->world, "Scheduled"), 2);
    assert_int_equal(world_events(&machine->world, "Started"), 2);
}

MACHINE_TEST(a_calm_machine_writes_nothing)
{
    deploy(machine, 2);
    world_apply(&machine->world, "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
                                 "spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8000}]}\n");
    UNTIL(machine, world_int(world_get(&machine->world, KUBE_DEPLOYMENT, "web"), "status.availableReplicas") == 2);
    calm(machine);
    uint64_t version = store_version(machine->world.store);
    world_apply(&machine->world, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n");
    calm(machine);
    assert_int_equal(store_version(machine->world.store), version + 1);
    assert_int_equal(world_count(&machine->world, KUBE_ENDPOINT_SLICE), 1);
    assert_int_equal(
        ((const struct endpoint_slice_spec *)world_nth(&machine->world, KUBE_ENDPOINT_SLICE, 0)->spec)->endpoint_count,
        2);
}

MACHINE_TEST(a_process_that_dies_is_started_again_at_once_and_later_less_and_less_often)
{
    deploy(machine, 1);
    UNTIL(machine, ready_pods(machine) == 1);
    end_process(machine, 0, SIGKILL);
    assert_false(pod_is_ready(pod_at(machine, 0)));
    assert_int_equal(json_count(state_of(pod_at(machine, 0), "terminated"), "exitCode"), 137);
    UNTIL(machine, processes.count == 2 && ready_pods(machine) == 1);
    const json_t *container = json_array_get(world_at(pod_at(machine, 0), "status.containerStatuses"), 0);
    assert_int_equal(json_count(container, "restartCount"), 1);
    assert_int_equal(json_count(json_object_get(json_object_get(container, "lastState"), "terminated"), "signal"), 9);
    assert_string_equal(processes.items[0].ip, processes.items[1].ip);
    end_process(machine, 1, 3 << 8);
    assert_string_equal(waiting_reason(pod_at(machine, 0)), "CrashLoopBackOff");
    UNTIL(machine, processes.count == 3 && ready_pods(machine) == 1);
    calm(machine);
    assert_int_equal(world_events(&machine->world, "BackOff"), 1);
    assert_int_equal(pod_count(machine), 1);
    assert_int_equal(metrics_value(machine->metrics, METRIC_WORKLOAD_RESTARTS, (const char *[]){"default/web"}), 2);
}

MACHINE_TEST(a_pod_leaves_for_every_reader_before_its_process_hears_of_it)
{
    deploy(machine, 1);
    UNTIL(machine, ready_pods(machine) == 1);
    char *name = must(strdup(pod_at(machine, 0)->name));
    delete_before_readers_know(machine, name);
    assert_int_equal(processes.items[0].signal_count, 0);
    memory_disk_release(&machine->world.fixture.disk, 0);
    UNTIL(machine, metadata_is_deleting(store_get(machine->world.store, KUBE_POD, "default", name)->object));
    assert_int_equal(processes.items[0].signal_count, 0); /* not in the turn that tells them */
    UNTIL(machine, processes.items[0].signal_count == 1);
    assert_int_equal(processes.items[0].signals[0], SIGTERM);
    assert_non_null(world_get(&machine->world, KUBE_POD, name));
    end_process(machine, 0, 0);
    assert_null(world_get(&machine->world, KUBE_POD, name));
    UNTIL(machine, ready_pods(machine) == 1); /* its replacement */
    assert_int_equal(processes.count, 2);
    assert_int_equal(world_events(&machine->world, "Killing"), 1);
    free(name);
}

MACHINE_TEST(a_process_that_does_not_end_is_killed_when_its_grace_is_over)
{
    deploy(machine, 1);
    UNTIL(machine, ready_pods(machine) == 1);
    deploy(machine, 0);
    UNTIL(machine, processes.items[0].signal_count >= 2); /* a second of grace, not divided by the speed */
    assert_int_equal(processes.items[0].signals[0], SIGTERM);
    assert_int_equal(processes.items[0].signals[1], SIGKILL);
    end_process(machine, 0, SIGKILL);
    UNTIL(machine, pod_count(machine) == 0);
}

MACHINE_TEST(a_forced_deletion_kills)
{
    deploy(machine, 1);
    UNTIL(machine, ready_pods(machine) == 1);
    calm(machine);
    const char *name = pod_at(machine, 0)->name;
    assert_true(object_delete(machine->world.store, KUBE_POD, "default", name, NULL, 0, machine->world.now_ms));
    assert_int_equal(processes.items[0].signal_count, 0);
    UNTIL(machine, processes.items[0].signal_count == 1);
    assert_int_equal(processes.items[0].signals[0], SIGKILL);
    end_process(machine, 0, SIGKILL);
    UNTIL(machine, ready_pods(machine) == 1);
    assert_int_equal(processes.count, 2);
}

MACHINE_TEST(a_deletion_that_the_disk_refuses_harms_nobody)
{
    deploy_as(machine, 1,
              "command: [vllm, serve, m], readinessProbe: {tcpSocket: {port: 8000}, initialDelaySeconds: 1000}");
    UNTIL(machine, processes.count == 1);
    world_run_pod(&machine->world, pod_at(machine, 0), processes.items[0].ip, true);
    char *name = must(strdup(pod_at(machine, 0)->name));
    delete_before_readers_know(machine, name);
    memory_disk_release(&machine->world.fixture.disk, -ENOSPC);
    UNTIL(machine, !metadata_is_deleting(world_get(&machine->world, KUBE_POD, name)));
    memory_disk_release(&machine->world.fixture.disk, 0);
    world_apply(&machine->world, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"); /* any change: a pass */
    calm(machine);
    assert_int_equal(processes.items[0].signal_count, 0);
    assert_int_equal(pod_count(machine), 1); /* its replacement never was either */
    for (unsigned i = 1; i < processes.count; i++)
        assert_int_equal(processes.items[i].signals[0], SIGKILL);
    UNTIL(machine, world_events(&machine->world, "Unhealthy") > 0); /* it is looked after as before */
    free(name);
}

MACHINE_TEST(what_cannot_be_simulated_waits_and_holds_nothing_up)
{
    deploy_as(machine, 1, "command: [sleep, \"1\"]");
    UNTIL(machine, pod_at(machine, 0) != NULL && strcmp(waiting_reason(pod_at(machine, 0)), "NotSimulated") == 0);
    UNTIL(machine, workloads_are_ready(machine->workloads));
    const struct pod_spec *spec = pod_at(machine, 0)->spec;
    assert_string_equal(spec->phase, "Pending");
    assert_string_equal(spec->pod_ip, "");
    calm(machine);
    assert_int_equal(world_events(&machine->world, "NotSimulated"), 1);
    deploy_as(machine, 0, "command: [sleep, \"1\"]");
    UNTIL(machine, pod_count(machine) == 0);
    assert_int_equal(processes.count, 0);
}

MACHINE_TEST(a_missing_secret_is_waited_for)
{
    deploy_as(machine, 1,
              "command: [vllm, serve, $(MODEL)], env: [{name: MODEL, valueFrom: {secretKeyRef: {name: s, key: k}}}]");
    UNTIL(machine, strcmp(waiting_reason(pod_at(machine, 0)), "CreateContainerConfigError") == 0);
    assert_true(workloads_are_ready(machine->workloads));
    assert_int_equal(processes.count, 0);
    world_apply(&machine->world, "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: llama}\n");
    UNTIL(machine, ready_pods(machine) == 1);
    assert_string_equal(processes.items[0].model, "llama");
    calm(machine);
    assert_int_equal(world_events(&machine->world, "CreateContainerConfigError"), 1);
}

MACHINE_TEST(a_bare_pod_runs_and_its_restart_policy_is_kept)
{
    world_apply(&machine->world,
                "apiVersion: v1\nkind: Pod\nmetadata: {name: never}\nspec:\n  restartPolicy: Never\n"
                "  containers: [{name: c, image: i, command: [vllm, serve, m]}]\n---\n"
                "apiVersion: v1\nkind: Pod\nmetadata: {name: on-failure}\nspec:\n  restartPolicy: OnFailure\n"
                "  containers: [{name: c, image: i, command: [vllm, serve, m]}]\n---\n"
                "apiVersion: v1\nkind: Pod\nmetadata: {name: elsewhere}\nspec:\n  nodeName: other\n"
                "  containers: [{name: c, image: i, command: [vllm, serve, m]}]\n");
    UNTIL(machine, ready_pods(machine) == 2);
    assert_int_equal(processes.count, 2);
    assert_true(workloads_are_ready(machine->workloads));
    end_process(machine, 0, 1 << 8);
    end_process(machine, 1, 0);
    const struct pod_spec *never = world_get(&machine->world, KUBE_POD, "never")->spec;
    const struct pod_spec *on_failure = world_get(&machine->world, KUBE_POD, "on-failure")->spec;
    assert_string_equal(never->phase, "Failed");
    assert_string_equal(on_failure->phase, "Succeeded");
    calm(machine);
    assert_int_equal(processes.count, 2);
    static const char *const names[] = {"never", "on-failure", "elsewhere"};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        world_delete(&machine->world, KUBE_POD, names[i], NULL);
    UNTIL(machine, pod_count(machine) == 0);
}

MACHINE_TEST(a_status_that_the_disk_refused_is_written_again)
{
    world_apply(&machine->world, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  restartPolicy: Never\n"
                                 "  containers: [{name: c, image: i, command: [vllm, serve, m]}]\n");
    UNTIL(machine, ready_pods(machine) == 1);
    calm(machine);
    memory_disk_hold(&machine->world.fixture.disk);
    end_process(machine, 0, 1 << 8);
    memory_disk_release(&machine->world.fixture.disk, -ENOSPC);
    UNTIL(machine, ready_pods(machine) == 1); /* what nobody was told never was */
    memory_disk_release(&machine->world.fixture.disk, 0);
    world_apply(&machine->world, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
    UNTIL(machine, pod_is_over(pod_at(machine, 0)));
    assert_int_equal(processes.count, 1);
}

MACHINE_TEST(a_node_that_the_disk_refused_is_given_again)
{
    struct memory_disk *disk = &machine->world.fixture.disk;
    calm(machine);
    memory_disk_hold(disk);
    unsigned entered = disk->entered;
    world_apply(&machine->world, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
                                 "  containers: [{name: c, image: i, command: [vllm, serve, m]}]\n");
    memory_disk_await_commit(disk, entered + 1);
    memory_disk_let_go(disk, 0);
    UNTIL(machine, ready_pods(machine) == 1); /* started by the head */
    memory_disk_release(disk, -ENOSPC);
    UNTIL(machine, ready_pods(machine) == 0);
    memory_disk_release(disk, 0);
    world_apply(&machine->world, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
    UNTIL(machine, ready_pods(machine) == 1);
    assert_string_equal(((const struct pod_spec *)pod_at(machine, 0)->spec)->node_name, "serin");
    assert_int_equal(processes.count, 1);
}

MACHINE_TEST(readiness_is_what_the_probe_says)
{
    deploy_as(machine, 1,
              "command: [vllm, serve, m], readinessProbe: {tcpSocket: {port: 8000}, periodSeconds: 1, "
              "failureThreshold: 1}");
    UNTIL(machine, processes.count == 1);
    UNTIL(machine, world_events(&machine->world, "Unhealthy") == 1); /* nobody listens */
    assert_int_equal(ready_pods(machine), 0);
    assert_false(workloads_are_ready(machine->workloads));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8000)};
    inet_pton(AF_INET, processes.items[0].ip, &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 16), 0);
    UNTIL(machine, ready_pods(machine) == 1);
    close(fd);
    UNTIL(machine, ready_pods(machine) == 0);
    assert_int_equal(processes.count, 1);
}

MACHINE_TEST(an_exec_probe_counts_as_ready_and_is_told)
{
    deploy_as(machine, 1, "command: [vllm, serve, m], readinessProbe: {exec: {command: [\"true\"]}}");
    UNTIL(machine, ready_pods(machine) == 1);
    calm(machine);
    assert_int_equal(world_events(&machine->world, "ProbeNotSimulated"), 1);
}

MACHINE_TEST(a_process_that_cannot_be_started_is_tried_again)
{
    processes.start_error = -EAGAIN;
    deploy(machine, 1);
    UNTIL(machine, strcmp(waiting_reason(pod_at(machine, 0)), "RunContainerError") == 0);
    processes.start_error = 0;
    UNTIL(machine, ready_pods(machine) == 1);
}

/* kill -9 of this program: its processes died with it, the store kept what was durable. */
static void crash(struct machine *machine)
{
    settle(&machine->world.fixture);
    workloads_free(machine->workloads);
    memset(&processes, 0, sizeof processes);
    world_restart(&machine->world);
}

MACHINE_TEST(after_a_crash_pods_are_taken_back_first_and_then_run_again)
{
    deploy(machine, 2);
    UNTIL(machine, ready_pods(machine) == 2);
    calm(machine);
    char *name = must(strdup(pod_at(machine, 0)->name)), *ip = must(strdup(processes.items[0].ip));
    crash(machine);
    assert_int_equal(ready_pods(machine), 2); /* as the disk has it */
    machine->repairs = 0;
    memory_disk_hold(&machine->world.fixture.disk);
    machine_start(machine);
    assert_int_equal(ready_pods(machine), 0);
    assert_int_equal(machine->repairs, 0);
    turn(machine);
    assert_int_equal(machine->repairs, 0); /* readers are still shown the old state */
    memory_disk_release(&machine->world.fixture.disk, 0);
    UNTIL(machine, machine->repairs == 1);
    UNTIL(machine, ready_pods(machine) == 2);
    assert_int_equal(processes.count, 2);
    assert_int_equal(pod_count(machine), 2);
    assert_string_equal(pod_at(machine, 0)->name, name);
    assert_int_equal(
        json_count(json_array_get(world_at(pod_at(machine, 0), "status.containerStatuses"), 0), "restartCount"), 1);
    bool is_same_ip = strcmp(processes.items[0].ip, ip) == 0 || strcmp(processes.items[1].ip, ip) == 0;
    assert_true(is_same_ip);
    calm(machine);
    assert_int_equal(machine->repairs, 1);
    free(name);
    free(ip);
}

MACHINE_TEST(a_pod_that_was_being_deleted_at_the_crash_is_gone_after_it)
{
    deploy(machine, 1);
    UNTIL(machine, ready_pods(machine) == 1);
    deploy(machine, 0);
    UNTIL(machine, processes.items[0].signal_count > 0);
    crash(machine);
    machine_start(machine);
    UNTIL(machine, pod_count(machine) == 0);
    assert_int_equal(processes.count, 0);
}

MACHINE_TEST(at_the_end_processes_are_stopped_and_pods_are_kept)
{
    deploy(machine, 2);
    UNTIL(machine, ready_pods(machine) == 2);
    calm(machine);
    workloads_stop(machine->workloads, 5, on_stopped);
    assert_int_equal(machine->stops, 0);
    assert_int_equal(processes.items[0].signals[0], SIGTERM);
    end_process(machine, 0, 0);
    UNTIL(machine, processes.items[1].signal_count == 2); /* it takes too long */
    assert_int_equal(processes.items[1].signals[1], SIGKILL);
    assert_int_equal(machine->stops, 0);
    end_process(machine, 1, SIGKILL);
    assert_int_equal(machine->stops, 1);
    assert_int_equal(pod_count(machine), 2);
    calm(machine);
    assert_int_equal(processes.count, 2);
}

MACHINE_TEST(a_deployment_can_be_deleted_in_three_ways)
{
    static const char *const ways[] = {"Background", "Foreground", "Orphan"};
    for (unsigned i = 0; i < ARRAY_LEN(ways); i++) {
        unsigned process = processes.count;
        bool is_orphan = strcmp(ways[i], "Orphan") == 0;
        deploy(machine, 1);
        UNTIL(machine, ready_pods(machine) == 1);
        calm(machine);
        world_delete(&machine->world, KUBE_DEPLOYMENT, "web", ways[i]);
        if (!is_orphan) {
            UNTIL(machine, processes.items[process].signal_count == 1);
            bool is_there = world_get(&machine->world, KUBE_DEPLOYMENT, "web") != NULL;
            assert_int_equal(is_there, strcmp(ways[i], "Foreground") == 0);
            end_process(machine, process, 0);
            UNTIL(machine, pod_count(machine) == 0 && world_count(&machine->world, KUBE_REPLICA_SET) == 0);
        }
        UNTIL(machine, world_get(&machine->world, KUBE_DEPLOYMENT, "web") == NULL);
        calm(machine);
        assert_int_equal(world_count(&machine->world, KUBE_REPLICA_SET), is_orphan);
        assert_int_equal(pod_count(machine), is_orphan);
    }
}

MACHINE_TEST(a_namespace_goes_with_all_that_runs_in_it)
{
    world_apply(&machine->world,
                "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n---\n"
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: team}\n"
                "spec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
                "    spec: {containers: [{name: c, image: i, command: [vllm, serve, m]}]}\n");
    UNTIL(machine, ready_pods(machine) == 1);
    world_delete(&machine->world, KUBE_NAMESPACE, "team", NULL);
    UNTIL(machine, processes.items[0].signal_count == 1);
    end_process(machine, 0, 0);
    UNTIL(machine, world_get(&machine->world, KUBE_NAMESPACE, "team") == NULL);
    calm(machine);
    assert_int_equal(processes.count, 1);
    assert_null(store_head(machine->world.store, KUBE_DEPLOYMENT, "team", "web"));
}

static void without_workloads_pods_are_objects_that_nothing_holds(void **state)
{
    (void)state;
    struct machine machine;
    machine_open(&machine, true);
    deploy(&machine, 2);
    UNTIL(&machine, ready_pods(&machine) == 2);
    calm(&machine);
    crash(&machine);
    machine.config.runs_pods = false;
    machine.repairs = 0;
    machine_start(&machine);
    UNTIL(&machine, machine.repairs == 1);
    calm(&machine);
    assert_int_equal(pod_count(&machine), 0);
    const struct kube_object *deployment = world_get(&machine.world, KUBE_DEPLOYMENT, "web");
    assert_int_equal(world_int(deployment, "status.readyReplicas"), 2); /* untouched */
    assert_int_equal(world_events(&machine.world, "WorkloadsDisabled"), 1);
    assert_true(workloads_are_ready(machine.workloads));
    world_apply(&machine.world, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
                                "spec: {nodeName: serin, containers: [{name: c, image: i}]}\n");
    calm(&machine);
    world_delete(&machine.world, KUBE_POD, "p", NULL);
    UNTIL(&machine, pod_count(&machine) == 0);
    deploy(&machine, 3);
    calm(&machine);
    assert_int_equal(world_events(&machine.world, "WorkloadsDisabled"), 1);
    workloads_stop(machine.workloads, 5, on_stopped);
    assert_int_equal(machine.stops, 1);
    assert_int_equal(processes.count, 0);
    machine_close(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deployment_becomes_processes_and_ready_pods),
        cmocka_unit_test(a_calm_machine_writes_nothing),
        cmocka_unit_test(a_process_that_dies_is_started_again_at_once_and_later_less_and_less_often),
        cmocka_unit_test(a_pod_leaves_for_every_reader_before_its_process_hears_of_it),
        cmocka_unit_test(a_process_that_does_not_end_is_killed_when_its_grace_is_over),
        cmocka_unit_test(a_forced_deletion_kills),
        cmocka_unit_test(a_deletion_that_the_disk_refuses_harms_nobody),
        cmocka_unit_test(what_cannot_be_simulated_waits_and_holds_nothing_up),
        cmocka_unit_test(a_missing_secret_is_waited_for),
        cmocka_unit_test(a_bare_pod_runs_and_its_restart_policy_is_kept),
        cmocka_unit_test(a_status_that_the_disk_refused_is_written_again),
        cmocka_unit_test(a_node_that_the_disk_refused_is_given_again),
        cmocka_unit_test(readiness_is_what_the_probe_says),
        cmocka_unit_test(an_exec_probe_counts_as_ready_and_is_told),
        cmocka_unit_test(a_process_that_cannot_be_started_is_tried_again),
        cmocka_unit_test(after_a_crash_pods_are_taken_back_first_and_then_run_again),
        cmocka_unit_test(a_pod_that_was_being_deleted_at_the_crash_is_gone_after_it),
        cmocka_unit_test(at_the_end_processes_are_stopped_and_pods_are_kept),
        cmocka_unit_test(a_deployment_can_be_deleted_in_three_ways),
        cmocka_unit_test(a_namespace_goes_with_all_that_runs_in_it),
        cmocka_unit_test(without_workloads_pods_are_objects_that_nothing_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
