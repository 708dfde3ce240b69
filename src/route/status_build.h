/* SPDX-License-Identifier: Apache-2.0 */
/* status_build.h: how a compile fills the status report.  Private to route/.
 *
 * Pointers into the report stay valid until the next status_add_object(). */
#ifndef ROUTE_STATUS_BUILD_H
#define ROUTE_STATUS_BUILD_H

#include "route/status_report.h"

struct status_report *status_report_new(struct arena *arena, const char *controller_name);
/* With room for so many parents and listeners. */
struct object_status *status_add_object(struct status_report *report, const struct kube_object *object,
                                        unsigned max_parents, unsigned max_listeners);
/* Zeroed: without a ref_kind its conditions are the object's own. */
struct status_parent *status_add_parent(struct object_status *status);
struct status_listener *status_add_listener(struct object_status *status, const char *name);
/* message is copied. */
void status_condition(struct status_report *report, struct object_status *status, struct status_parent *parent,
                      const char *type, bool is_true, const char *reason, const char *message);
void status_listener_condition(struct status_report *report, struct object_status *status,
                               struct status_listener *listener, const char *type, bool is_true, const char *reason,
                               const char *message);

#endif
