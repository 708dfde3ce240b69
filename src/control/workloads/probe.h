/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h: one check of one address: a TCP connect, or a GET answered with 200..399.  One reactor. */
#ifndef CONTROL_WORKLOADS_PROBE_H
#define CONTROL_WORKLOADS_PROBE_H

#include "http/single_call.h"

struct probe_attempt {
    struct reactor *reactor;
    void (*on_result)(struct probe_attempt *attempt, bool ok);
    struct single_call get; /* HTTP */
    struct buffer head;
    struct transport *transport; /* TCP */
    struct wheel_timer timeout;
    bool is_connecting;
};

void probe_init(struct probe_attempt *attempt, struct reactor *reactor,
                void (*on_result)(struct probe_attempt *attempt, bool ok));
/* path NULL: only connect.  Nothing happens when one is running.  The result comes later, exactly once. */
void probe_start(struct probe_attempt *attempt, const struct address *address, const char *path, uint32_t timeout_ms);
/* No result comes any more. */
void probe_cancel(struct probe_attempt *attempt);
void probe_deinit(struct probe_attempt *attempt);

#endif
