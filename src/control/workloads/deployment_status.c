/* SPDX-License-Identifier: Apache-2.0 */
/* deployment_status.c: the fields that `kubectl rollout status`, `wait` and `get` read.
 *
 * Progress is judged against the former status, which is in the object: a restart forgets nothing.  The deadline counts
 * from Progressing's lastUpdateTime; a finished rollout has no deadline. */
#include "control/workloads/deployment_status.h"

#include "control/workloads/conditions.h"
#include "control/workloads/metadata.h"

struct counts {
    unsigned replicas, updated, ready, available;
};

static struct counts count(const struct deployment_sets *sets)
{
    struct counts counts = {0};
    for (unsigned i = 0; i < sets->len; i++) {
        const struct deployment_set *set = &sets->items[i];
        counts.replicas += set->running;
        counts.ready += set->ready;
        counts.available += set->available;
        if ((int)i == sets->newest)
            counts.updated = set->running;
    }
    return counts;
}

bool deployment_is_complete(const struct deployment_sets *sets, const struct rollout_limits *limits)
{
    const struct deployment_spec *spec = sets->deployment->spec;
    struct counts counts = count(sets);
    return sets->newest >= 0 && limits->desired == spec->replicas && counts.updated == spec->replicas &&
           counts.replicas == spec->replicas && counts.available == spec->replicas;
}

static void set_available(json_t *conditions, const struct counts *counts, const struct rollout_limits *limits,
                          uint64_t now_wall_ms)
{
    bool is_available = counts->available + limits->unavailable >= limits->desired;
    condition_set_moving(conditions, "Available", is_available ? "True" : "False",
                         is_available ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                         is_available ? "Enough replicas are available." : "Too few replicas are available.", false,
                         now_wall_ms);
}

static unsigned missing(unsigned wanted, unsigned there)
{
    return wanted > there ? wanted - there : 0;
}

/* More pods are new, ready or available than before, or fewer are old. */
static bool has_moved(const struct counts *counts, const json_t *before)
{
    return counts->updated > json_count(before, "updatedReplicas") ||
           missing(counts->replicas, counts->updated) <
               missing(json_count(before, "replicas"), json_count(before, "updatedReplicas")) ||
           counts->ready > json_count(before, "readyReplicas") ||
           counts->available > json_count(before, "availableReplicas");
}

static void set_progressing(json_t *conditions, const struct deployment_sets *sets, const struct counts *counts,
                            struct pass *pass, const struct rollout_limits *limits)
{
    const struct deployment_spec *spec = sets->deployment->spec;
    const json_t *before = status_of(sets->deployment), *present = condition_find(conditions, "Progressing");
    const char *reason = json_text(present, "reason"), *name = sets->items[sets->newest].object->name;
    bool is_new = present == NULL || json_count(before, "observedGeneration") < sets->deployment->generation;
    uint64_t now = pass->now_wall_ms, deadline_ms = spec->progress_deadline_s * 1000ull;
    uint64_t due = is_new ? now + deadline_ms : json_time(present, "lastUpdateTime") + deadline_ms;
    if (deployment_is_complete(sets, limits)) {
        condition_set_moving(conditions, "Progressing", "True", "NewReplicaSetAvailable",
                             arena_printf(pass->arena, "ReplicaSet %s serves all replicas.", name), false, now);
        return;
    }
    if (strcmp(reason, "NewReplicaSetAvailable") == 0 && !is_new)
        return; /* a pod that is lost after its rollout is no rollout */
    if (is_new || has_moved(counts, before)) {
        condition_set_moving(conditions, "Progressing", "True",
                             counts->updated == 0 ? "NewReplicaSetCreated" : "ReplicaSetUpdated",
                             arena_printf(pass->arena, "ReplicaSet %s is progressing.", name), true, now);
        due = now + deadline_ms;
    } else if (now >= due && strcmp(reason, "ProgressDeadlineExceeded") != 0) {
        condition_set_moving(
            conditions, "Progressing", "False", "ProgressDeadlineExceeded",
            arena_printf(pass->arena, "ReplicaSet %s made no progress for %u s.", name, spec->progress_deadline_s),
            true, now);
    }
    if (due > now)
        pass_wake_at(pass, due);
}

/* A generation is observed once its template has a ReplicaSet: what follows is then judged as its rollout. */
static uint64_t observed_generation(const struct deployment_sets *sets, bool is_frozen)
{
    if (is_frozen || sets->newest >= 0)
        return sets->deployment->generation;
    return json_count(status_of(sets->deployment), "observedGeneration");
}

static json_t *status_tree(const struct deployment_sets *sets, const struct counts *counts, bool is_frozen,
                           json_t *conditions)
{
    unsigned wanted = 0;
    for (unsigned i = 0; i < sets->len; i++)
        wanted += sets->items[i].replicas;
    json_t *status = json_object();
    json_object_set_new(status, "observedGeneration", json_integer((json_int_t)observed_generation(sets, is_frozen)));
    json_set_count(status, "replicas", counts->replicas);
    json_set_count(status, "updatedReplicas", counts->updated);
    json_set_count(status, "readyReplicas", counts->ready);
    json_set_count(status, "availableReplicas", counts->available);
    json_set_count(status, "unavailableReplicas", missing(wanted, counts->available));
    json_object_set_new(status, "conditions", conditions);
    return status;
}

void deployment_status_write(const struct deployment_sets *sets, struct pass *pass, const struct rollout_limits *limits,
                             bool is_frozen)
{
    const struct deployment_spec *spec = sets->deployment->spec;
    struct counts counts = count(sets);
    json_t *conditions = conditions_edit(json_object_get(status_of(sets->deployment), "conditions"));
    set_available(conditions, &counts, limits, pass->now_wall_ms);
    if (!is_frozen && sets->newest >= 0)
        set_progressing(conditions, sets, &counts, pass, limits);
    else if (spec->is_paused)
        condition_set_moving(conditions, "Progressing", "Unknown", "DeploymentPaused", "The rollout is paused.", false,
                             pass->now_wall_ms);
    pass_set_status(pass, sets->deployment, status_tree(sets, &counts, is_frozen, conditions));
}
