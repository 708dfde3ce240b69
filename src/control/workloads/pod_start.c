/* SPDX-License-Identifier: Apache-2.0 */
/* pod_start.c: from a Pod's spec to a process: environment, command, address, fork. */
#include <errno.h>

#include "base/clock.h"
#include "control/workloads/pod_facts.h"
#include "control/workloads/pod_run_internal.h"

static pid_t fork_process(struct pod_run *run, const struct pod_env *env)
{
    const struct run_context *context = run->context;
    char log_path[POD_LOG_PATH_SIZE];
    if (!pod_run_log_path(run, log_path))
        return -ENAMETOOLONG;
    struct pod_process process = {
        .program = context->program,
        .pod_name = pod_run_object(run)->name,
        .namespace_ = pod_run_object(run)->namespace_,
        .ip = run->ip,
        .command = &run->command,
        .behaviour = kube_labels_get(&pod_run_template(run)->annotations, "serin.dev/sim"),
        .speed = context->speed,
        .log_path = log_path,
        .extra = env->items,
    };
    return context->processes->start(&process, run->arena);
}

/* What to run, in the environment with the address it has.  False: the run waits, and its status tells for what. */
static bool prepare(struct pod_run *run, struct pod_env *env)
{
    const char *why = "";
    arena_reset(run->arena);
    if (!pod_env_resolve(env, run->context->store, pod_run_object(run), run->ip, run->arena, &why)) {
        pod_run_wait(run, RUN_NO_CONFIG, REASON_NO_CONFIG, why);
        return false;
    }
    struct container_spec *container = pod_env_expand_command(env, pod_run_container(run), run->arena);
    if (container == NULL)
        why = "the command is too large";
    else if (command_line_of(container, run->arena, &run->command, &why))
        return true;
    pod_run_wait(run, RUN_UNABLE, REASON_NOT_SIMULATED, why);
    return false;
}

static void launch(struct pod_run *run, const struct pod_env *env)
{
    pid_t pid = fork_process(run, env);
    if (pid < 0) {
        const char *why = arena_printf(run->arena, "its process cannot be started: %s", strerror(-pid));
        pod_run_back_off(run, "RunContainerError", why);
        return;
    }
    run->pid = pid;
    run->state = RUN_RUNNING;
    run->started_wall_ms = clock_wall_ms();
    pod_run_publish(run);
    event_record(run->context->recorder, pod_run_object(run), false, KUBELET, "Started", "Started container %s",
                 pod_run_container(run)->name);
    pod_run_begin_probing(run);
}

static void start_with(struct pod_run *run, struct pod_env *env)
{
    if (!prepare(run, env))
        return;
    if (run->ip[0] != '\0' && pod_address_is_free(run->ip, run->command.port)) {
        launch(run, env);
        return;
    }
    if (!pod_address_find(&run->context->random, run->command.port, run->ip)) {
        run->ip[0] = '\0';
        pod_run_back_off(run, "FailedCreatePodSandBox", "there is no free loopback address");
        return;
    }
    pod_env_deinit(env);
    if (prepare(run, env)) /* again: the address may stand in its environment */
        launch(run, env);
}

void pod_run_start(struct pod_run *run)
{
    struct pod_env env = {0};
    const struct stored *head = pod_run_head(run);
    if (head == NULL)
        return;
    pod_run_hold(run, head);
    start_with(run, &env);
    pod_env_deinit(&env);
}
