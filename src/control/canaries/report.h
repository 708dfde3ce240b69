/* SPDX-License-Identifier: Apache-2.0 */
/* report.h: the status of a Canary: what people are shown, and what the machine remembers.  Pure. */
#ifndef CONTROL_CANARIES_REPORT_H
#define CONTROL_CANARIES_REPORT_H

#include "control/canaries/figures.h"
#include "control/canaries/memory.h"
#include "control/canaries/target.h"
#include "kube/api/object.h"

struct report_input {
    const struct kube_object *canary; /* its generation, the status so far */
    const char *stable_name, *canary_name;
    const struct rollout_plan *plan;
    const struct canary_memory *memory;
    const struct rollout_decision *decision;
    const struct target_view *target;
    const struct analysis_report *analysis; /* NULL: unjudged */
    const struct figures *figures;
    unsigned in_flight[ARM_ROLES];
    const char *pin_problem; /* why pins do not count; "" they do; NULL: there are none */
    uint64_t overflowed;     /* exchanges that a saturated canary left to stable */
    uint64_t now_ms;         /* of the figures' clock */
    uint64_t now_wall_ms;
};

/* The whole next status; the caller's to give away. */
json_t *report_status(const struct report_input *input);
/* In one word: what it waits for, or the phase. */
const char *report_reason(const struct canary_memory *memory, const struct rollout_decision *decision);
/* Why the weight is not moving, in one sentence; "" when it is.  text has room for ROLLOUT_TEXT_MAX + 300. */
enum { REPORT_MESSAGE_MAX = ROLLOUT_TEXT_MAX + 300 };
void report_message(const struct report_input *input, char text[REPORT_MESSAGE_MAX]);

#endif
