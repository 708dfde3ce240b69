/* SPDX-License-Identifier: Apache-2.0 */
/* request_logs.c: see request_logs.h. */
#include "gateway/request_logs.h"

#include <string.h>

#define ACCESS_RING_BYTES (512u << 10) /* of each worker: some 1,500 requests */
#define DECISION_BYTES    (1u << 20)   /* of all workers: some 100 picks among 100 endpoints */

static bool is_file(const char *log)
{
    return log != NULL && strcmp(log, "-") != 0;
}

bool request_logs_have_file(const struct gateway_config *config)
{
    return is_file(config->access_log) || is_file(config->decision_log);
}

static int start_access(struct request_logs *logs, const struct gateway_config *config, struct metrics *metrics)
{
    struct access_log_config log = {
        .path = config->access_log,
        .workers = config->workers,
        .ring_bytes = ACCESS_RING_BYTES,
        .metrics = metrics,
        .shard = config->workers,
    };
    return config->access_log != NULL ? access_log_start(&log, &logs->access) : 0;
}

static int start_decisions(struct request_logs *logs, const struct gateway_config *config, struct metrics *metrics)
{
    struct decision_log_config log = {
        .path = config->decision_log,
        .every = config->decision_every,
        .pending_bytes = DECISION_BYTES,
        .metrics = metrics,
        .shard = config->workers,
    };
    return config->decision_log != NULL ? decision_log_start(&log, &logs->decisions) : 0;
}

int request_logs_start(struct request_logs *logs, const struct gateway_config *config, struct metrics *metrics,
                       const char **ret_path)
{
    *ret_path = config->access_log;
    int error = start_access(logs, config, metrics);
    if (error < 0)
        return error;
    *ret_path = config->decision_log;
    return start_decisions(logs, config, metrics);
}

void request_logs_reopen(const struct request_logs *logs)
{
    if (logs->access != NULL)
        access_log_reopen(logs->access);
    if (logs->decisions != NULL)
        decision_log_reopen(logs->decisions);
}

void request_logs_stop(struct request_logs *logs)
{
    access_log_stop(logs->access);
    decision_log_stop(logs->decisions);
}
