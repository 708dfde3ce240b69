/* SPDX-License-Identifier: Apache-2.0 */
/* deployment_sets.c: names, hashes, revisions.
 *
 * A set belongs to a template when its own is the same (template_form.h): the hash only gives it a name, so an undo
 * finds the set that it had before. */
#include "control/workloads/deployment_sets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/workloads/metadata.h"
#include "control/workloads/template_form.h"

#define DESIRED_ANNOTATION "deployment.kubernetes.io/desired-replicas"
#define MOST_ANNOTATION    "deployment.kubernetes.io/max-replicas"
#define COMPONENT          "deployment-controller"

enum { HASH_LEN = 10, MAX_COLLISIONS = 64 };

static uint64_t annotation_number(const struct kube_object *object, const char *name)
{
    const char *text = kube_labels_get(&object->annotations, name);
    unsigned long long value = 0;
    return text != NULL && bytes_to_u64(bytes_of(text), INT64_MAX, &value) ? value : 0;
}

static const json_t *template_of(const struct kube_object *object)
{
    return json_object_get(spec_of(object), "template");
}

static bool has_form(const struct kube_object *set, const json_t *wanted)
{
    json_t *form = template_form(template_of(set), HASH_LABEL);
    bool is_same = json_equal(form, wanted);
    json_decref(form);
    return is_same;
}

static void read_set(struct deployment_set *set, const struct kube_object *object)
{
    const struct deployment_spec *spec = object->spec;
    const json_t *status = status_of(object);
    *set = (struct deployment_set){
        .object = object,
        .replicas = spec->replicas,
        .running = json_count(status, "replicas"),
        .ready = json_count(status, "readyReplicas"),
        .available = json_count(status, "availableReplicas"),
        .revision = annotation_number(object, REVISION_ANNOTATION),
    };
}

static int by_age(const void *a, const void *b)
{
    const struct deployment_set *left = a, *right = b;
    if (left->object->created_ms != right->object->created_ms)
        return left->object->created_ms < right->object->created_ms ? -1 : 1;
    if (left->revision != right->revision)
        return left->revision < right->revision ? -1 : 1;
    return strcmp(left->object->name, right->object->name);
}

void deployment_sets_read(struct deployment_sets *sets, struct pass *pass, const struct kube_object *deployment,
                          struct owned_list owned)
{
    *sets = (struct deployment_sets){.deployment = deployment, .newest = -1};
    sets->items = ARENA_ARRAY(pass->arena, struct deployment_set, owned.len + 1);
    for (unsigned i = 0; i < owned.len; i++) {
        const struct kube_object *object = owned.items[i].stored->object;
        if (!metadata_is_deleting(object) && strcmp(object->namespace_, deployment->namespace_) == 0)
            read_set(&sets->items[sets->len++], object);
    }
    if (sets->len > 1)
        qsort(sets->items, sets->len, sizeof *sets->items, by_age);
    json_t *wanted = template_form(template_of(deployment), HASH_LABEL);
    for (unsigned i = 0; i < sets->len && sets->newest < 0; i++)
        if (has_form(sets->items[i].object, wanted))
            sets->newest = (int)i;
    json_decref(wanted);
}

/* Ten letters of which no word is made; collisions: how often a name was taken already. */
static void hash_text(const struct kube_object *deployment, unsigned collisions, char text[HASH_LEN + 1])
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789"; /* what Kubernetes makes names of */
    json_t *form = template_form(template_of(deployment), HASH_LABEL);
    uint64_t hash = template_form_hash(form, collisions);
    json_decref(form);
    for (unsigned i = 0; i < HASH_LEN; i++, hash /= sizeof letters - 1)
        text[i] = letters[hash % (sizeof letters - 1)];
    text[HASH_LEN] = '\0';
}

/* Annotations that belong to the Deployment alone. */
static bool is_own_annotation(const char *name)
{
    static const char *const own[] = {"kubectl.kubernetes.io/last-applied-configuration", REVISION_ANNOTATION,
                                      DESIRED_ANNOTATION, MOST_ANNOTATION, "deployment.kubernetes.io/revision-history"};
    for (unsigned i = 0; i < ARRAY_LEN(own); i++)
        if (strcmp(name, own[i]) == 0)
            return true;
    return false;
}

static void set_number(json_t *annotations, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    json_set_text(annotations, name, text);
}

/* The Deployment's (the change cause among them), and the revision. */
static void annotate(json_t *annotations, const struct kube_object *deployment, uint64_t revision)
{
    for (unsigned i = 0; i < deployment->annotations.len; i++) {
        const struct kube_label *annotation = &deployment->annotations.items[i];
        if (!is_own_annotation(annotation->key))
            json_set_text(annotations, annotation->key, annotation->value);
    }
    set_number(annotations, REVISION_ANNOTATION, revision);
}

static void annotate_scale(json_t *annotations, const struct rollout_limits *limits)
{
    set_number(annotations, DESIRED_ANNOTATION, limits->desired);
    set_number(annotations, MOST_ANNOTATION, (uint64_t)limits->desired + limits->surge);
}

static json_t *new_metadata(const struct kube_object *deployment, const char *name, const char *hash,
                            const struct rollout_limits *limits, uint64_t revision)
{
    const struct deployment_spec *spec = deployment->spec;
    json_t *labels = json_object(), *annotations = json_object();
    for (unsigned i = 0; i < spec->pod.labels.len; i++)
        json_set_text(labels, spec->pod.labels.items[i].key, spec->pod.labels.items[i].value);
    json_set_text(labels, HASH_LABEL, hash);
    annotate(annotations, deployment, revision);
    annotate_scale(annotations, limits);
    return json_pack("{s:s, s:s, s:o, s:o, s:[o]}", "name", name, "namespace", deployment->namespace_, "labels", labels,
                     "annotations", annotations, "ownerReferences", metadata_owner_reference(deployment));
}

static json_t *new_spec(const struct kube_object *deployment, const char *hash)
{
    const json_t *spec = spec_of(deployment);
    json_t *template = json_copy((json_t *)(uintptr_t)template_of(deployment));
    json_set_text(tree_edit_member(tree_edit_member(template, "metadata"), "labels"), HASH_LABEL, hash);
    json_t *selector = json_copy(json_object_get(spec, "selector"));
    json_set_text(tree_edit_member(selector, "matchLabels"), HASH_LABEL, hash);
    json_t *result = json_pack("{s:i, s:o, s:o}", "replicas", 0, "selector", selector, "template", template);
    json_set_count(result, "minReadySeconds", ((const struct deployment_spec *)deployment->spec)->min_ready_s);
    return result;
}

static uint64_t next_revision(const struct deployment_sets *sets)
{
    uint64_t highest = 0;
    for (unsigned i = 0; i < sets->len; i++)
        if ((int)i != sets->newest && sets->items[i].revision > highest)
            highest = sets->items[i].revision;
    return highest + 1;
}

/* A name that nobody has; false when that is not to be found. */
static bool find_name(const struct deployment_sets *sets, struct pass *pass, char hash[HASH_LEN + 1],
                      const char **ret_name)
{
    const struct kube_object *deployment = sets->deployment;
    for (unsigned collisions = 0; collisions < MAX_COLLISIONS; collisions++) {
        hash_text(deployment, collisions, hash);
        /* Room for "-<hash>" in the 253 characters of a name. */
        *ret_name = arena_printf(pass->arena, "%.240s-%s", deployment->name, hash);
        if (store_head(pass->store, KUBE_REPLICA_SET, deployment->namespace_, *ret_name) == NULL)
            return true;
    }
    pass_wake_at(pass, pass->now_wall_ms + PASS_RETRY_MS);
    return false;
}

static bool create_set(struct deployment_sets *sets, struct pass *pass, const struct rollout_limits *limits)
{
    char hash[HASH_LEN + 1];
    const char *name;
    if (!find_name(sets, pass, hash, &name))
        return false;
    json_t *tree =
        json_pack("{s:o, s:o}", "metadata", new_metadata(sets->deployment, name, hash, limits, next_revision(sets)),
                  "spec", new_spec(sets->deployment, hash));
    const struct stored *stored = pass_create(pass, KUBE_REPLICA_SET, tree);
    if (stored == NULL)
        return false;
    read_set(&sets->items[sets->len], stored->object);
    sets->newest = (int)sets->len++;
    return true;
}

/* Of a set that is there: revision, annotations and minReadySeconds as the Deployment has them now. */
static bool refresh_set(struct deployment_sets *sets, struct pass *pass)
{
    struct deployment_set *set = &sets->items[sets->newest];
    const struct deployment_spec *wanted = sets->deployment->spec;
    uint64_t next = next_revision(sets);
    json_t *tree = tree_edit(set->object);
    json_t *annotations = tree_edit_member(json_object_get(tree, "metadata"), "annotations");
    annotate(annotations, sets->deployment, set->revision > next ? set->revision : next);
    json_t *spec = tree_edit_member(tree, "spec");
    json_object_del(spec, "minReadySeconds");
    json_set_count(spec, "minReadySeconds", wanted->min_ready_s);
    if (json_equal(tree, set->object->tree)) {
        json_decref(tree);
        return true;
    }
    const struct stored *stored = pass_update(pass, set->object, tree);
    if (stored == NULL)
        return false;
    read_set(set, stored->object);
    return true;
}

bool deployment_sets_renew(struct deployment_sets *sets, struct pass *pass, const struct rollout_limits *limits)
{
    if (!(sets->newest < 0 ? create_set(sets, pass, limits) : refresh_set(sets, pass)))
        return false;
    uint64_t revision = sets->items[sets->newest].revision;
    if (annotation_number(sets->deployment, REVISION_ANNOTATION) == revision)
        return true;
    json_t *tree = tree_edit(sets->deployment);
    set_number(tree_edit_member(json_object_get(tree, "metadata"), "annotations"), REVISION_ANNOTATION, revision);
    const struct stored *stored = pass_update(pass, sets->deployment, tree);
    if (stored != NULL)
        sets->deployment = stored->object;
    return stored != NULL;
}

static void tell_scaled(const struct deployment_sets *sets, struct pass *pass, const struct deployment_set *set,
                        unsigned before, const struct rollout_limits *limits)
{
    const struct deployment_spec *spec = sets->deployment->spec;
    event_record(pass->recorder, sets->deployment, false, COMPONENT, "ScalingReplicaSet", "Scaled %s %s from %u to %u",
                 set->replicas > before ? "up" : "down", set->object->name, before, set->replicas);
    if (set->replicas > before && limits->desired < spec->replicas)
        event_record(pass->recorder, sets->deployment, true, COMPONENT, "TooManyReplicas",
                     "spec.replicas is %u; at most %u are simulated", spec->replicas, limits->desired);
}

void deployment_set_scale(struct deployment_sets *sets, unsigned position, struct pass *pass, unsigned replicas,
                          const struct rollout_limits *limits)
{
    struct deployment_set *set = &sets->items[position];
    unsigned before = set->replicas;
    json_t *tree = tree_edit(set->object);
    annotate_scale(tree_edit_member(json_object_get(tree, "metadata"), "annotations"), limits);
    json_object_set_new(tree_edit_member(tree, "spec"), "replicas", json_integer(replicas));
    if (json_equal(tree, set->object->tree)) {
        json_decref(tree);
        return;
    }
    const struct stored *stored = pass_update(pass, set->object, tree);
    if (stored == NULL)
        return;
    read_set(set, stored->object);
    if (replicas != before)
        tell_scaled(sets, pass, set, before, limits);
}

bool deployment_sets_are_resized(const struct deployment_sets *sets, unsigned desired)
{
    for (unsigned i = 0; i < sets->len; i++) {
        const struct deployment_set *set = &sets->items[i];
        if (set->replicas > 0 && kube_labels_get(&set->object->annotations, DESIRED_ANNOTATION) != NULL &&
            annotation_number(set->object, DESIRED_ANNOTATION) != desired)
            return true;
    }
    return false;
}

unsigned deployment_set_most_before(const struct deployment_set *set)
{
    uint64_t most = annotation_number(set->object, MOST_ANNOTATION);
    return most <= 2 * 1024 ? (unsigned)most : 0;
}
