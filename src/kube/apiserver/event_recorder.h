/* SPDX-License-Identifier: Apache-2.0 */
/* event_recorder.h: Events about objects, aggregated and bounded.
 *
 * The same reason and message about the same object raise the count of one Event instead of making another; at most
 * `max_events` are kept in all (the oldest go) and none for longer than an hour; an object that floods is held back
 * (a burst of 25, then one in 10 s, as on clusters).  Control thread. */
#ifndef KUBE_APISERVER_EVENT_RECORDER_H
#define KUBE_APISERVER_EVENT_RECORDER_H

#include "kube/store/store.h"

struct event_recorder;

struct event_recorder *event_recorder_new(struct reactor *reactor, struct store *store, unsigned max_events);
void event_recorder_free(struct event_recorder *recorder);
/* component: who says it ("serin-gateway", "deployment-controller", "kubelet"). */
void event_record(struct event_recorder *recorder, const struct kube_object *about, bool is_warning,
                  const char *component, const char *reason, const char *format, ...) PRINTF_LIKE(6, 7);

#endif
