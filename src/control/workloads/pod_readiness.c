/* SPDX-License-Identifier: Apache-2.0 */
/* pod_readiness.c: the readiness probe of a running Pod: first after its initial delay, then period by period. */
#include "base/log.h"
#include "control/workloads/pod_run_internal.h"

static void set_ready(struct pod_run *run, bool is_ready)
{
    if (run->is_ready == is_ready)
        return;
    run->is_ready = is_ready;
    run->ready_at_ms = reactor_now_ms(run->context->reactor);
    log_info(pod_run_object(run)->name, is_ready ? "ready at %s:%u" : "not ready at %s:%u", run->ip,
             (unsigned)run->command.port);
    pod_run_publish(run);
}

static void schedule_probe(struct pod_run *run, uint32_t delay_s)
{
    pod_run_set_timer(run, pod_run_scaled_ms(run, delay_s * 1000ull));
}

void pod_run_begin_probing(struct pod_run *run)
{
    const struct probe_spec *readiness = &pod_run_container(run)->readiness;
    if (readiness->kind == PROBE_EXEC)
        event_record(run->context->recorder, pod_run_object(run), true, KUBELET, "ProbeNotSimulated",
                     "readinessProbe.exec cannot be run for a simulated pod; it counts as ready");
    run->failures = run->successes = 0;
    if (readiness->kind == PROBE_NONE || readiness->kind == PROBE_EXEC)
        set_ready(run, true);
    else
        schedule_probe(run, readiness->initial_delay_s);
}

static uint16_t probe_port(const struct pod_run *run)
{
    const struct container_spec *container = pod_run_container(run);
    if (container->readiness.port != 0)
        return container->readiness.port;
    for (unsigned i = 0; i < container->port_count; i++)
        if (strcmp(container->ports[i].name, container->readiness.port_name) == 0)
            return container->ports[i].port;
    return run->command.port;
}

void pod_run_probe(struct pod_run *run)
{
    const struct probe_spec *readiness = &pod_run_container(run)->readiness;
    struct address address;
    if (!address_make(&address, bytes_of(run->ip), probe_port(run)))
        return;
    probe_start(&run->probe, &address, readiness->kind == PROBE_HTTP ? readiness->path : NULL,
                readiness->timeout_s * 1000);
}

void pod_run_on_probed(struct probe_attempt *attempt, bool ok)
{
    struct pod_run *run = container_of(attempt, struct pod_run, probe);
    const struct probe_spec *readiness = &pod_run_container(run)->readiness;
    if (run->state != RUN_RUNNING)
        return;
    run->successes = ok ? run->successes + 1 : 0;
    run->failures = ok ? 0 : run->failures + 1;
    if (!ok)
        event_record(run->context->recorder, pod_run_object(run), true, KUBELET, "Unhealthy",
                     "The readiness probe of %s:%u failed", run->ip, (unsigned)probe_port(run));
    if (ok && run->successes >= readiness->success_threshold)
        set_ready(run, true);
    if (!ok && run->failures >= readiness->failure_threshold)
        set_ready(run, false);
    schedule_probe(run, readiness->period_s);
}
