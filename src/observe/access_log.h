/* SPDX-License-Identifier: Apache-2.0 */
/* access_log.h: a line of JSON for each exchange, written by a thread of its own.
 *
 * A worker copies a record into its ring and goes on: it waits for no lock, no disk and no reader.  What finds the ring
 * full, or the file unwilling, is lost and counted (serin_access_log_dropped_total). */
#ifndef OBSERVE_ACCESS_LOG_H
#define OBSERVE_ACCESS_LOG_H

#include "observe/access_record.h"
#include "observe/metrics.h"

struct access_log;

struct access_log_config {
    const char *path;  /* "-" is standard output; else appended to (0640) */
    unsigned workers;  /* shards 0..workers-1 of the metrics, and one ring each */
    size_t ring_bytes; /* of each worker: a power of two */
    struct metrics *metrics;
    unsigned shard; /* of the metrics, for the log's own thread */
};

/* Starts the thread.  0 or -errno. */
int access_log_start(const struct access_log_config *config, struct access_log **ret_log);
/* Writes what is left, for a second at most.  No worker may write any more.  Accepts NULL. */
void access_log_stop(struct access_log *log);
/* The worker's thread.  The record's strings are cut to their limits; they are not needed afterwards. */
void access_log_write(struct access_log *log, unsigned worker, struct access_record *record);
/* Whoever moved the file away wants a new one under its name: the next lines go there.  Any thread; nothing happens to
 * standard output. */
void access_log_reopen(struct access_log *log);

#endif
