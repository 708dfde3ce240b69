/* SPDX-License-Identifier: Apache-2.0 */
/* status_report.h: the statuses that a compile computed, as values in Kubernetes' shape.
 *
 * `check` and /debug/snapshot show them, control/status_writer stores them.  All conditions of an object together. */
#ifndef ROUTE_STATUS_REPORT_H
#define ROUTE_STATUS_REPORT_H

#include "kube/api/condition.h"
#include "kube/api/object.h"

/* One entry of status.parents[] / status.ancestors[], or the object's own conditions (ref_kind NULL). */
struct status_parent {
    const char *ref_group;
    const char *ref_kind; /* NULL: the conditions stand directly in status */
    const char *ref_namespace;
    const char *ref_name;
    const char *ref_section; /* "" */
    uint16_t ref_port;       /* 0 */
    bool namespace_given;    /* write ref_namespace */
    struct condition *conditions;
    unsigned condition_count;
};

struct status_listener { /* Gateway status.listeners[] */
    const char *name;
    bool supports_http_route;
    unsigned attached_routes;
    struct condition *conditions;
    unsigned condition_count;
};

struct object_status {
    const struct kube_object *object; /* counted by the report until status_report_deinit() */
    struct status_parent *parents;
    unsigned parent_count;
    const char *address; /* Gateway: status.addresses[0].value, type IPAddress; NULL = none */
    struct status_listener *listeners;
    unsigned listener_count;
};

struct status_report {
    struct object_status *objects;
    unsigned len;
    unsigned capacity;
    struct arena *arena;
    const char *controller_name; /* written into parents[] and ancestors[] */
};

void status_report_deinit(struct status_report *report); /* gives the objects back; memory is the arena's */
const struct object_status *status_report_find(const struct status_report *report, enum kube_kind kind,
                                               const char *namespace_, const char *name);
/* The condition of the object itself (ref_name NULL) or under that parent; NULL when absent. */
const struct condition *object_status_condition(const struct object_status *status, const char *ref_name,
                                                const char *type);
/* Every Gateway has Programmed=True. */
bool status_report_is_programmed(const struct status_report *report);
/* One problem per condition that says no (Accepted, ResolvedRefs or Programmed False; Conflicted True). */
void status_report_problems(const struct status_report *report, struct problems *problems);
/* What stands under an object's "status", in Kubernetes' spelling, without the times of transitions. */
void object_status_write(const struct status_report *report, const struct object_status *status,
                         struct json_writer *writer);
/* An array of {kind, namespace, name, status{...}}. */
void status_report_write(const struct status_report *report, struct json_writer *writer);

#endif
