/* SPDX-License-Identifier: Apache-2.0 */
/* deployments.c: Deployment -> ReplicaSets, one step per pass.
 *
 * A step only changes spec.replicas of ReplicaSets; what becomes of it is read from their statuses in the next pass, so
 * a rollout goes on wherever it was left. */
#include <stdlib.h>

#include "control/workloads/controllers.h"
#include "control/workloads/deployment_status.h"
#include "control/workloads/metadata.h"

static struct rollout_set plan_of(const struct deployment_set *set)
{
    return (struct rollout_set){
        .replicas = set->replicas, .available = set->available, .most_before = deployment_set_most_before(set)};
}

static void apply(struct deployment_sets *sets, struct pass *pass, const struct rollout_limits *limits,
                  unsigned position, unsigned replicas)
{
    if (sets->items[position].replicas != replicas)
        deployment_set_scale(sets, position, pass, replicas, limits);
}

/* Pods of former sets, terminating ones too: Recreate starts nothing before they are gone. */
static bool has_old_pods(const struct deployment_sets *sets, const struct owned_index *pods)
{
    for (unsigned i = 0; i < sets->len; i++)
        if ((int)i != sets->newest && owned_by(pods, sets->items[i].object->uid).len > 0)
            return true;
    return false;
}

static void progress(struct deployment_sets *sets, struct pass *pass, const struct rollout_limits *limits,
                     const struct owned_index *pods)
{
    const struct deployment_spec *spec = sets->deployment->spec;
    struct rollout_set *olds = ARENA_ARRAY(pass->arena, struct rollout_set, sets->len);
    struct rollout_set newest = plan_of(&sets->items[sets->newest]);
    unsigned count = 0;
    for (unsigned i = 0; i < sets->len; i++)
        if ((int)i != sets->newest)
            olds[count++] = plan_of(&sets->items[i]);
    if (spec->is_recreate)
        rollout_recreate(limits, &newest, olds, count, has_old_pods(sets, pods));
    else
        rollout_step(limits, &newest, olds, count);
    count = 0;
    for (unsigned i = 0; i < sets->len; i++)
        apply(sets, pass, limits, i, (int)i == sets->newest ? newest.replicas : olds[count++].replicas);
}

/* Only the size; the annotations of every active set remember it. */
static void resize(struct deployment_sets *sets, struct pass *pass, const struct rollout_limits *limits,
                   bool is_resized)
{
    const struct deployment_spec *spec = sets->deployment->spec;
    struct rollout_set *plan = ARENA_ARRAY(pass->arena, struct rollout_set, sets->len + 1);
    for (unsigned i = 0; i < sets->len; i++)
        plan[i] = plan_of(&sets->items[i]);
    rollout_scale(limits, spec->is_recreate, is_resized, plan, sets->len, sets->newest);
    for (unsigned i = 0; i < sets->len; i++)
        if (plan[i].replicas != sets->items[i].replicas || (is_resized && plan[i].replicas > 0))
            deployment_set_scale(sets, i, pass, plan[i].replicas, limits);
}

static int by_revision(const void *a, const void *b)
{
    const struct deployment_set *left = a, *right = b;
    return left->revision < right->revision ? -1 : left->revision > right->revision;
}

/* Of the former sets only the newest ones are kept, for an undo. */
static void forget_history(const struct deployment_sets *sets, struct pass *pass)
{
    const struct deployment_spec *spec = sets->deployment->spec;
    struct deployment_set *olds = ARENA_ARRAY(pass->arena, struct deployment_set, sets->len);
    unsigned count = 0;
    for (unsigned i = 0; i < sets->len; i++)
        if ((int)i != sets->newest)
            olds[count++] = sets->items[i];
    if (count <= spec->revision_history_limit)
        return;
    qsort(olds, count, sizeof *olds, by_revision);
    for (unsigned i = 0; i < count - spec->revision_history_limit; i++)
        if (olds[i].replicas == 0 && olds[i].running == 0)
            pass_delete(pass, olds[i].object, "Background", -1);
}

static void sync_deployment(struct pass *pass, const struct kube_object *deployment, const struct owned_index *index,
                            const struct owned_index *pods)
{
    const struct deployment_spec *spec = deployment->spec;
    struct deployment_sets sets;
    struct rollout_limits limits;
    rollout_limits_of(spec, spec->replicas < MAX_REPLICAS ? spec->replicas : MAX_REPLICAS, &limits);
    deployment_sets_read(&sets, pass, deployment, owned_by(index, deployment->uid));
    if (metadata_is_deleting(deployment)) {
        deployment_status_write(&sets, pass, &limits, true);
        return;
    }
    bool is_resized = deployment_sets_are_resized(&sets, limits.desired);
    if (spec->is_paused || is_resized)
        resize(&sets, pass, &limits, is_resized);
    else if (deployment_sets_renew(&sets, pass, &limits))
        progress(&sets, pass, &limits, pods);
    if (!spec->is_paused && deployment_is_complete(&sets, &limits))
        forget_history(&sets, pass);
    deployment_status_write(&sets, pass, &limits, spec->is_paused);
}

void deployments_sync(struct pass *pass)
{
    const struct heads *deployments = pass_heads(pass, KUBE_DEPLOYMENT, "");
    struct owned_index sets, pods;
    if (deployments->len == 0)
        return;
    owned_index_init(&sets, pass, KUBE_REPLICA_SET);
    owned_index_init(&pods, pass, KUBE_POD);
    for (unsigned i = 0; i < deployments->len; i++)
        sync_deployment(pass, deployments->items[i]->object, &sets, &pods);
}
