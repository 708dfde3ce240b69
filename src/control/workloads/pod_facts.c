/* SPDX-License-Identifier: Apache-2.0 */
/* pod_facts.c: phases and reasons of Pods. */
#include "control/workloads/pod_facts.h"

#include "control/workloads/conditions.h"
#include "control/workloads/metadata.h"

bool pod_is_over(const struct kube_object *pod)
{
    const struct pod_spec *spec = pod->spec;
    return strcmp(spec->phase, "Succeeded") == 0 || strcmp(spec->phase, "Failed") == 0;
}

bool pod_is_active(const struct kube_object *pod)
{
    return !((const struct pod_spec *)pod->spec)->is_deleting && !pod_is_over(pod);
}

bool pod_is_stuck(const struct kube_object *pod)
{
    const json_t *status = status_of(pod);
    const json_t *container = json_array_get(json_object_get(status, "containerStatuses"), 0);
    const char *waiting = json_text(json_object_get(json_object_get(container, "state"), "waiting"), "reason");
    const json_t *scheduled = condition_find(json_object_get(status, "conditions"), "PodScheduled");
    return strcmp(waiting, REASON_NOT_SIMULATED) == 0 || strcmp(waiting, REASON_NO_CONFIG) == 0 ||
           strcmp(json_text(scheduled, "reason"), REASON_UNSCHEDULABLE) == 0;
}
