/* SPDX-License-Identifier: Apache-2.0 */
/* request_logs.h: the logs that requests leave besides the program's own: who asked for what, and how endpoints were
 * picked.  Private to src/gateway. */
#ifndef GATEWAY_REQUEST_LOGS_H
#define GATEWAY_REQUEST_LOGS_H

#include "gateway/gateway.h"
#include "observe/access_log.h"
#include "observe/decision_log.h"

/* Either may be NULL: it was not asked for. */
struct request_logs {
    struct access_log *access;
    struct decision_log *decisions;
};

/* One of them is a file, which may be moved away. */
bool request_logs_have_file(const struct gateway_config *config);
/* 0, or -errno and the path that cannot be opened; what was started stays. */
int request_logs_start(struct request_logs *logs, const struct gateway_config *config, struct metrics *metrics,
                       const char **ret_path);
/* New files under the same names. */
void request_logs_reopen(const struct request_logs *logs);
/* After the workers: their last lines are in them. */
void request_logs_stop(struct request_logs *logs);

#endif
