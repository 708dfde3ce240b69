/* SPDX-License-Identifier: Apache-2.0 */
/* watch_log.h: the newest durable changes in order of their versions, for watches that resume.
 *
 * Bounded by count, by bytes of text and by age, but only when it is trimmed: what was found in a turn stays until its
 * end.  Without an age, a quiet system would grow for days until it reaches the other two. */
#ifndef KUBE_STORE_WATCH_LOG_H
#define KUBE_STORE_WATCH_LOG_H

#include "kube/store/store.h"

struct watch_log {
    struct store_event **events; /* a ring; capacity is a power of two */
    size_t first;
    size_t len;
    size_t capacity;
    size_t bytes;   /* of text in the events */
    uint64_t floor; /* every change after this version is here */
};

void watch_log_init(struct watch_log *log, uint64_t floor);
void watch_log_deinit(struct watch_log *log);
/* now and before (NULL for an addition): the caller's counts, taken over.  Versions and times only rise. */
void watch_log_add(struct watch_log *log, enum store_event_type type, struct stored *now, struct stored *before,
                   uint64_t now_ms);
/* Drops the oldest beyond the log's limits; the newest event always stays. */
void watch_log_trim(struct watch_log *log, const struct store_limits *limits, uint64_t now_ms);
/* The first event after version; NULL: there is none.  Lives until it is trimmed. */
const struct store_event *watch_log_after(const struct watch_log *log, uint64_t version);

#endif
