/* SPDX-License-Identifier: Apache-2.0 */
/* decision_log.h: lines about sampled picks, written by a thread of its own.
 *
 * A worker leaves a whole line in a bounded buffer (a short lock for the copy: samples are rare) and goes on.  What
 * finds no room, or the file unwilling, is lost and counted (serin_decision_log_dropped_total). */
#ifndef OBSERVE_DECISION_LOG_H
#define OBSERVE_DECISION_LOG_H

#include "observe/metrics.h"

struct decision_log;

struct decision_log_config {
    const char *path;     /* "-" is standard output; else appended to (0640) */
    unsigned every;       /* of so many picks of a worker one is told; at least 1 */
    size_t pending_bytes; /* that wait to be written, at most */
    struct metrics *metrics;
    unsigned shard; /* of the metrics, for the log's own thread */
};

/* Starts the thread.  0 or -errno. */
int decision_log_start(const struct decision_log_config *config, struct decision_log **ret_log);
/* Writes what is left, for a second at most.  Nobody may write any more.  Accepts NULL. */
void decision_log_stop(struct decision_log *log);
unsigned decision_log_every(const struct decision_log *log);
/* Any thread.  line: with its newline; it is copied. */
void decision_log_write(struct decision_log *log, struct bytes line);
/* As access_log_reopen(). */
void decision_log_reopen(struct decision_log *log);

#endif
