/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h: what a Canary object asks for, in the words of the rollout and the analysis.  Pure. */
#ifndef CONTROL_CANARIES_PLAN_H
#define CONTROL_CANARIES_PLAN_H

#include "canary/rollout.h"
#include "kube/api/canary.h"

/* Another value begins the same rollout anew: for arms whose names stay while what is behind them changes. */
#define CANARY_REVISION_ANNOTATION "serin.dev/revision"
/* "<verb>@<id>", ids rising: what somebody tells the rollout. */
#define CANARY_COMMAND_ANNOTATION "serin.dev/command"
/* The id of an abort that also ends running streams. */
#define CANARY_CUT_ANNOTATION "serin.dev/cut"

void plan_rollout(const struct kube_object *canary, struct rollout_plan *ret_plan);
/* The guards to judge by; at most ANALYSIS_GUARDS_MAX. */
unsigned plan_guards(const struct canary_spec *spec, struct guard ret_guards[ANALYSIS_GUARDS_MAX]);
void plan_analysis(const struct canary_spec *spec, struct analysis_options *ret_options);

struct plan_command {
    enum rollout_command command;
    uint64_t id;
    bool cuts; /* an abort: running streams of the canary end, too */
};
/* COMMAND_NONE when there is none, or nothing that makes sense. */
struct plan_command plan_command(const struct kube_object *canary);

#endif
