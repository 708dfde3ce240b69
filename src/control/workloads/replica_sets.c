/* SPDX-License-Identifier: Apache-2.0 */
/* replica_sets.c: ReplicaSet -> Pods.  Only Pods that name the set as their controller are its own: a Pod that somebody
 * made and that merely has the labels is left alone. */
#include <stdlib.h>

#include "control/workloads/controllers.h"
#include "control/workloads/metadata.h"
#include "control/workloads/pod_facts.h"

#define COMPONENT "replicaset-controller"

struct pod_list {
    const struct kube_object **items;
    unsigned len;
};

static unsigned restarts_of(const struct kube_object *pod)
{
    return json_count(json_array_get(json_object_get(status_of(pod), "containerStatuses"), 0), "restartCount");
}

/* < 0: a is the better one to lose.  Not yet given to a node, Pending, not ready; then ready for the shortest time,
 * most restarts, newest. */
static int by_loss(const void *a, const void *b)
{
    const struct kube_object *left = *(const struct kube_object *const *)a;
    const struct kube_object *right = *(const struct kube_object *const *)b;
    const struct pod_spec *x = left->spec, *y = right->spec;
    bool placed[] = {x->node_name[0] != '\0', y->node_name[0] != '\0'};
    bool running[] = {strcmp(x->phase, "Running") == 0, strcmp(y->phase, "Running") == 0};
    if (placed[0] != placed[1])
        return placed[0] ? 1 : -1;
    if (running[0] != running[1])
        return running[0] ? 1 : -1;
    if (x->is_ready != y->is_ready)
        return x->is_ready ? 1 : -1;
    if (x->ready_since_ms != y->ready_since_ms)
        return x->ready_since_ms > y->ready_since_ms ? -1 : 1;
    if (restarts_of(left) != restarts_of(right))
        return restarts_of(left) > restarts_of(right) ? -1 : 1;
    if (left->created_ms != right->created_ms)
        return left->created_ms > right->created_ms ? -1 : 1;
    return strcmp(left->name, right->name);
}

static json_t *pod_tree(const struct kube_object *set)
{
    const json_t *template = json_object_get(spec_of(set), "template");
    const json_t *from = json_object_get(template, "metadata");
    json_t *metadata = json_pack("{s:s+, s:s, s:[o]}", "generateName", set->name, "-", "namespace", set->namespace_,
                                 "ownerReferences", metadata_owner_reference(set));
    static const char *const copied[] = {"labels", "annotations"};
    for (unsigned i = 0; i < ARRAY_LEN(copied); i++) {
        json_t *value = json_object_get(from, copied[i]);
        if (value != NULL)
            json_object_set_new(metadata, copied[i], json_deep_copy(value));
    }
    return json_pack("{s:o, s:o}", "metadata", metadata, "spec", json_deep_copy(json_object_get(template, "spec")));
}

/* Nothing is made in a Namespace that is going. */
static bool namespace_is_alive(const struct pass *pass, const char *name)
{
    const struct stored *stored = store_head(pass->store, KUBE_NAMESPACE, "", name);
    return stored != NULL && !metadata_is_deleting(stored->object);
}

static void create_pods(struct pass *pass, const struct kube_object *set, struct pod_list *pods, unsigned wanted)
{
    const struct deployment_spec *spec = set->spec;
    if (!namespace_is_alive(pass, set->namespace_))
        return;
    if (wanted < spec->replicas)
        event_record(pass->recorder, set, true, COMPONENT, "TooManyReplicas",
                     "spec.replicas is %u; at most %u are simulated", spec->replicas, wanted);
    while (pods->len < wanted) {
        const struct stored *pod = pass_create(pass, KUBE_POD, pod_tree(set));
        if (pod == NULL) {
            event_record(pass->recorder, set, true, COMPONENT, "FailedCreate", "a pod could not be created");
            return;
        }
        event_record(pass->recorder, set, false, COMPONENT, "SuccessfulCreate", "Created pod %s", pod->object->name);
        pods->items[pods->len++] = pod->object;
    }
}

static void delete_pods(struct pass *pass, const struct kube_object *set, struct pod_list *pods, unsigned wanted)
{
    qsort(pods->items, pods->len, sizeof(struct kube_object *), by_loss);
    unsigned surplus = pods->len - wanted, kept = 0;
    for (unsigned i = 0; i < pods->len; i++) {
        const struct kube_object *pod = pods->items[i];
        if (i < surplus && pass_delete(pass, pod, "Background", -1))
            event_record(pass->recorder, set, false, COMPONENT, "SuccessfulDelete", "Deleted pod %s", pod->name);
        else
            pods->items[kept++] = pod;
    }
    pods->len = kept;
}

static bool has_all_labels(const struct kube_object *pod, const struct kube_object *set)
{
    return kube_labels_match(&((const struct deployment_spec *)set->spec)->pod.labels, &pod->labels);
}

/* Ready for minReadySeconds; else the moment when it will have been is noted. */
static bool is_available(const struct kube_object *pod, const struct kube_object *set, struct pass *pass)
{
    const struct pod_spec *spec = pod->spec;
    uint64_t due = spec->ready_since_ms + ((const struct deployment_spec *)set->spec)->min_ready_s * 1000ull;
    if (spec->is_ready && due > pass->now_wall_ms)
        pass_wake_at(pass, due);
    return spec->is_ready && due <= pass->now_wall_ms;
}

static void write_status(struct pass *pass, const struct kube_object *set, const struct pod_list *pods)
{
    unsigned labeled = 0, ready = 0, available = 0;
    for (unsigned i = 0; i < pods->len; i++) {
        labeled += has_all_labels(pods->items[i], set);
        ready += ((const struct pod_spec *)pods->items[i]->spec)->is_ready;
        available += is_available(pods->items[i], set, pass);
    }
    json_t *status = json_object();
    json_object_set_new(status, "replicas", json_integer(pods->len));
    json_set_count(status, "fullyLabeledReplicas", labeled);
    json_set_count(status, "readyReplicas", ready);
    json_set_count(status, "availableReplicas", available);
    json_object_set_new(status, "observedGeneration", json_integer((json_int_t)set->generation));
    pass_set_status(pass, set, status);
}

static void sync_set(struct pass *pass, const struct kube_object *set, struct owned_list owned)
{
    const struct deployment_spec *spec = set->spec;
    unsigned wanted = spec->replicas < MAX_REPLICAS ? spec->replicas : MAX_REPLICAS;
    struct pod_list pods = {.items = ARENA_ARRAY(pass->arena, const struct kube_object *, owned.len + wanted)};
    for (unsigned i = 0; i < owned.len; i++) {
        const struct kube_object *pod = owned.items[i].stored->object;
        if (strcmp(pod->namespace_, set->namespace_) == 0 && pod_is_active(pod))
            pods.items[pods.len++] = pod;
    }
    if (!metadata_is_deleting(set)) {
        if (pods.len < wanted)
            create_pods(pass, set, &pods, wanted);
        else if (pods.len > wanted)
            delete_pods(pass, set, &pods, wanted);
    }
    write_status(pass, set, &pods);
}

void replica_sets_sync(struct pass *pass)
{
    const struct heads *sets = pass_heads(pass, KUBE_REPLICA_SET, "");
    struct owned_index pods;
    if (sets->len == 0)
        return;
    owned_index_init(&pods, pass, KUBE_POD);
    for (unsigned i = 0; i < sets->len; i++)
        sync_set(pass, sets->items[i]->object, owned_by(&pods, sets->items[i]->object->uid));
}
