/* SPDX-License-Identifier: Apache-2.0 */
/* status_writer.h: what a compile found out about each object, brought into the stored object's status.
 *
 * Keeps nothing between calls: what was said before stands in the store.  Control thread. */
#ifndef CONTROL_STATUS_WRITER_H
#define CONTROL_STATUS_WRITER_H

#include "kube/apiserver/event_recorder.h"
#include "route/status_report.h"

/* One write for each object whose status differs in more than times, none for the others; conditions, parents and
 * ancestors of other writers stay as they are.  Conditions that newly say no, or say it in other words, become Events
 * (recorder NULL: none).  Objects that are gone, or were made anew since the compile, are left alone.  The number of
 * writes. */
unsigned status_writer_write(struct store *store, struct event_recorder *recorder, const struct status_report *report,
                             uint64_t now_wall_ms);

#endif
