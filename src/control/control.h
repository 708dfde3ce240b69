/* SPDX-License-Identifier: Apache-2.0 */
/* control.h: the controller: durable objects of the store in, snapshots, endpoint sets and statuses out.  Runs on the
 * control thread's reactor.
 *
 * A change of configuration compiles a new snapshot; a change of Pods or EndpointSlices only changes the members of
 * pools in place. */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "base/json_write.h"
#include "control/file_source.h"
#include "control/workloads/workloads.h"
#include "route/compile.h"

struct control;

/* The rest of the program, as the controller needs it. */
struct control_hooks {
    /* Gives a hold on the snapshot away, to be adopted by every worker; then control_adopted().  Sockets that it does
     * not name may close. */
    void (*publish)(void *context, struct route_snapshot *snapshot);
    /* As compile_input.bind. */
    int (*bind)(void *context, const char *ip, uint16_t port);
    /* An endpoint of an InferencePool appeared: its metrics are to be read. */
    void (*scrape)(void *context, struct endpoint *endpoint);
    /* Once: every Gateway is Programmed, every simulated pod is Ready, and whoever asks the store is told so. */
    void (*ready)(void *context);
    /* The last workload has ended, after control_stop(). */
    void (*stopped)(void *context);
    void *context;
};

struct control_config {
    const char *const *addresses;
    unsigned address_count;
    struct workloads_config workloads; /* callbacks and metrics are filled in by control_new() */
    uint64_t default_buffer_limit_bytes;
    uint32_t status_retry_ms; /* how soon statuses are written again that the disk did not take */
    struct metrics *metrics;
    unsigned shard; /* of the control thread: the workers have those before it */
};

/* Borrows store and recorder. */
struct control *control_new(struct reactor *reactor, struct store *store, struct event_recorder *recorder,
                            const struct control_config *config, const struct control_hooks *hooks);
/* After the workers have ended, before the store closes. */
void control_free(struct control *control);
/* Starts the workloads, applies the files (source NULL: there are none) and follows later edits; compiles and publishes
 * once what the files say is in the store.  -1 when the manifests have problems, which were logged: nothing of them is
 * applied. */
int control_start(struct control *control, struct file_source *source);
/* Every worker works by the snapshot of this generation now. */
void control_adopted(struct control *control, uint64_t generation);
/* Children have ended (SIGCHLD). */
void control_reap(struct control *control);
/* Ends the workloads; hooks.stopped may come from inside. */
void control_stop(struct control *control, uint32_t grace_ms);
bool control_is_ready(const struct control *control);

/* For the admin pages: what every worker has adopted; NULL at first. */
const struct route_snapshot *control_snapshot(const struct control *control);
const struct status_report *control_report(const struct control *control);
struct pool_registry *control_pools(struct control *control);
/* Before metrics_write(). */
void control_set_canary_gauges(const struct control *control, struct metrics *metrics, unsigned shard);
void control_write_canaries(const struct control *control, struct json_writer *json);

#endif
