/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.h: the whole program behind `serin up`: store, API server, controllers, data plane, admin listener and
 * simulated workloads. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/limits.h"
#include "net/address.h"

struct gateway_config {
    const char *const *files; /* -f; none: what the store in the data folder holds is served */
    unsigned file_count;
    const char *data; /* --data */
    struct address admin;
    bool has_api; /* --api is not none */
    struct address api;
    const char *const *addresses; /* of Gateways */
    unsigned address_count;
    bool has_workloads; /* --workloads sim */
    double sim_speed;
    uint32_t drain_ms;
    unsigned workers;
    unsigned event_window_us;     /* 0: each event of a stream goes on at once */
    uint64_t memory_budget_bytes; /* process-wide: see http/memory_budget.h */
    struct limits limits;         /* of each worker */
    bool hide_arm;                /* no x-serin-arm, no x-serin-revision */
    const char *log_file;         /* NULL: standard error; SIGHUP opens it anew */
    const char *access_log;       /* NULL: none; "-": standard output; else a file that SIGHUP opens anew */
    const char *decision_log;     /* likewise */
    unsigned decision_every;      /* of so many picks one is told there */
};

/* Serves until a signal ends it.  The exit code: 0, or 1 after one line on standard error. */
int gateway_run(const struct gateway_config *config);

#endif
