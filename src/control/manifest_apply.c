/* SPDX-License-Identifier: Apache-2.0 */
/* manifest_apply.c: plans the whole edit, then writes it: namespaces first, the rest as given, what left the files
 * last.
 *
 * Each call is an edit with a count of its writes that are not durable yet; all are made in one turn, so that the store
 * commits them together. */
#include "control/manifest_apply.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hashmap.h"
#include "base/log.h"
#include "control/canaries/target.h"
#include "kube/apiserver/change.h"
#include "kube/patch/apply_patch.h"

#define MANAGER "serin-up"

/* Of one edit; the sum is logged at its end. */
enum { LOGGED_FAILURES = 10 };

/* An object that this process applied. */
struct owned {
    struct list link;
    char *key;
    enum kube_kind kind;
    char *namespace_;
    char *name;
    unsigned edit;            /* the last one that named it */
    uint64_t asked_arms;      /* target_arms_hash() of what that one asked for */
    struct pending *deletion; /* it left the files: forgotten when that is durable; NULL: it did not */
};

struct edit {
    struct list link;
    struct manifest_apply *apply;
    struct list pending;
    unsigned failures;
};

/* A write that is not durable yet. */
struct pending {
    struct store_write write;
    struct list link;
    struct edit *edit;
    struct owned *owned; /* whose deletion this is; NULL: none, or it was applied again since */
    char *text;          /* of the object, for the log */
};

struct manifest_apply {
    struct store *store;
    struct list edits; /* that have pending writes */
    unsigned edit_count;
    struct list owned;
    struct hashmap *owned_by_key;
    void (*on_settled)(void *context, bool is_complete);
    void *context;
};

/* What is to become of one object of the manifest. */
struct step {
    const struct kube_object *object;
    const char *text;
    json_t *tree; /* the next state, owned; NULL: it is so already, or was given away */
    bool is_new;
};

struct plan {
    struct manifest_apply *apply;
    struct arena *arena;
    struct step *steps;
    unsigned len;
    uint64_t now_wall_ms;
};

struct manifest_apply *manifest_apply_new(struct store *store, void (*on_settled)(void *context, bool is_complete),
                                          void *context)
{
    struct manifest_apply *apply = must(calloc(1, sizeof *apply));
    apply->store = store;
    apply->on_settled = on_settled;
    apply->context = context;
    apply->owned_by_key = hashmap_new();
    list_init(&apply->edits);
    list_init(&apply->owned);
    return apply;
}

static void part(struct owned *owned, struct pending *deletion)
{
    if (deletion != NULL && owned != NULL) {
        deletion->owned = NULL;
        owned->deletion = NULL;
    }
}

static void pending_free(struct pending *pending)
{
    part(pending->owned, pending);
    list_remove(&pending->link);
    free(pending->text);
    free(pending);
}

static void owned_free(struct manifest_apply *apply, struct owned *owned)
{
    part(owned, owned->deletion);
    hashmap_remove(apply->owned_by_key, bytes_of(owned->key));
    list_remove(&owned->link);
    free(owned->key);
    free(owned->namespace_);
    free(owned->name);
    free(owned);
}

static void forget_edit(struct edit *edit)
{
    while (!list_is_empty(&edit->pending)) {
        struct pending *pending = LIST_ENTRY(edit->pending.next, struct pending, link);
        store_write_forget(edit->apply->store, &pending->write);
        pending_free(pending);
    }
    list_remove(&edit->link);
    free(edit);
}

void manifest_apply_free(struct manifest_apply *apply)
{
    if (apply == NULL)
        return;
    while (!list_is_empty(&apply->edits))
        forget_edit(LIST_ENTRY(apply->edits.next, struct edit, link));
    while (!list_is_empty(&apply->owned))
        owned_free(apply, LIST_ENTRY(apply->owned.next, struct owned, link));
    hashmap_free(apply->owned_by_key);
    free(apply);
}

bool manifest_apply_is_settled(const struct manifest_apply *apply)
{
    return list_is_empty(&apply->edits);
}

/* Both spellings of a pool have one kind's name, hence the number. */
static char *key_of(const struct kube_object *object, struct arena *arena)
{
    return arena_printf(arena, "%d/%s/%s", (int)object->kind, object->namespace_, object->name);
}

/* Everybody's: they stay when the files no longer name them. */
static bool is_permanent(const struct kube_object *object)
{
    return object->kind == KUBE_NAMESPACE &&
           (strcmp(object->name, "default") == 0 || strcmp(object->name, "kube-system") == 0);
}

static void own(struct plan *plan, const struct kube_object *object)
{
    struct manifest_apply *apply = plan->apply;
    if (is_permanent(object))
        return;
    char *key = key_of(object, plan->arena);
    struct owned *owned = hashmap_get(apply->owned_by_key, bytes_of(key));
    if (owned == NULL) {
        owned = must(calloc(1, sizeof *owned));
        owned->key = must(strdup(key));
        owned->kind = object->kind;
        owned->namespace_ = must(strdup(object->namespace_));
        owned->name = must(strdup(object->name));
        list_push(&apply->owned, &owned->link);
        hashmap_put(apply->owned_by_key, bytes_of(owned->key), owned);
    }
    part(owned, owned->deletion);
    owned->edit = apply->edit_count;
    owned->asked_arms = target_arms_hash(object->kind, object->tree);
}

/* Settles the edit when its last write is. */
static void check_end(struct edit *edit)
{
    struct manifest_apply *apply = edit->apply;
    if (!list_is_empty(&edit->pending))
        return;
    bool is_complete = edit->failures == 0;
    if (!is_complete)
        log_error(NULL, "%u objects of the manifests could not be stored; the next edit tries again", edit->failures);
    list_remove(&edit->link);
    free(edit);
    apply->on_settled(apply->context, is_complete);
}

static void note_failure(struct edit *edit, const char *text, const char *message)
{
    if (++edit->failures <= LOGGED_FAILURES)
        log_error(text, "not stored: %s", message);
}

static void on_written(struct store_write *write, int error)
{
    struct pending *pending = container_of(write, struct pending, write);
    struct edit *edit = pending->edit;
    if (error != 0)
        note_failure(edit, pending->text, error == -ENOSPC ? "the disk is full" : strerror(-error));
    else if (pending->owned != NULL)
        owned_free(edit->apply, pending->owned);
    pending_free(pending);
    check_end(edit);
}

static struct pending *add_pending(struct edit *edit, const char *text)
{
    struct pending *pending = must(calloc(1, sizeof *pending));
    pending->write.on_done = on_written;
    pending->edit = edit;
    pending->text = must(strdup(text));
    list_push(&edit->pending, &pending->link);
    return pending;
}

static void init_change(struct change *change, const struct plan *plan)
{
    change_init(change, plan->apply->store, plan->arena, plan->now_wall_ms);
    change->validation = FIELDS_STRICT;
}

/* Takes over the tree. */
static bool run_change(struct change *change, const struct step *step, json_t *tree)
{
    const struct kube_object *object = step->object;
    if (step->is_new)
        return change_create(change, object->kind, tree);
    return change_update(change, object->kind, object->namespace_, object->name, tree);
}

static void report_failure(struct problems *problems, const struct failure *failure)
{
    for (unsigned i = 0; i < failure->cause_count; i++)
        problems_add(problems, failure->causes[i].field, "Invalid", "%s", failure->causes[i].message);
    if (failure->cause_count == 0)
        problems_add(problems, "", "Refused", "%s", failure->message);
}

/* The object as the files mean it: what only servers set is nothing that a file could ask for. */
static json_t *asked_tree(const struct kube_object *object)
{
    static const char *const server_set[] = {
        "uid",      "resourceVersion", "generation",        "creationTimestamp",
        "selfLink", "managedFields",   "deletionTimestamp", "deletionGracePeriodSeconds",
    };
    json_t *tree = must(json_deep_copy(object->tree));
    json_t *metadata = json_object_get(tree, "metadata");
    for (unsigned i = 0; i < ARRAY_LEN(server_set); i++)
        json_object_del(metadata, server_set[i]);
    json_object_del(tree, "status");
    if (kube_kind_info(object->kind)->is_namespaced)
        json_object_set_new(metadata, "namespace", json_string(object->namespace_));
    else
        json_object_del(metadata, "namespace");
    return tree;
}

/* Weights that a Canary has moved stay for as long as nobody edits them in the files: what the files say was where the
 * release began, also for a process that starts in the middle of it. */
static void keep_moved_weights(const struct plan *plan, const struct kube_object *object, json_t *asked,
                               const json_t *present)
{
    const struct owned *owned = hashmap_get(plan->apply->owned_by_key, bytes_of(key_of(object, plan->arena)));
    if (owned == NULL || owned->asked_arms == target_arms_hash(object->kind, object->tree))
        target_keep_arms(object->kind, asked, present);
}

/* The next state, as a tree of its own; NULL when nothing changes (or config cannot be applied: a problem). */
static json_t *next_tree(const struct plan *plan, const struct kube_object *object, json_t *present,
                         struct problems *problems)
{
    const struct kube_kind_info *info = kube_kind_info(object->kind);
    char now[21], error[300];
    struct apply_conflict *conflicts;
    json_t *config = asked_tree(object);
    if (present != NULL)
        keep_moved_weights(plan, object, config, present);
    struct apply_request request = {.manager = MANAGER,
                                    .api_version = json_string_value(json_object_get(object->tree, "apiVersion")),
                                    .time = now,
                                    .force = true,
                                    .kind = info->kind,
                                    .group = info->group};
    clock_rfc3339(plan->now_wall_ms, now);
    json_t *shared = apply_patch(present, config, &request, plan->arena, &conflicts, error);
    json_t *next = shared != NULL && shared != present ? must(json_deep_copy(shared)) : NULL;
    if (shared == NULL)
        problems_add(problems, "", "Invalid", "%s", error);
    json_decref(shared);
    json_decref(config);
    return next;
}

static bool is_in_plan(const struct plan *plan, const char *namespace_)
{
    for (unsigned i = 0; i < plan->len && plan->steps[i].object->kind == KUBE_NAMESPACE; i++) {
        if (strcmp(plan->steps[i].object->name, namespace_) == 0)
            return true;
    }
    return false;
}

/* It is one of ours and the files name it no longer. */
static bool is_leaving(const struct plan *plan, const char *namespace_)
{
    struct kube_object name = {.kind = KUBE_NAMESPACE, .namespace_ = "", .name = namespace_};
    return hashmap_get(plan->apply->owned_by_key, bytes_of(key_of(&name, plan->arena))) != NULL;
}

static bool check_namespace(const struct plan *plan, const struct kube_object *object, struct problems *problems)
{
    if (!kube_kind_info(object->kind)->is_namespaced || is_in_plan(plan, object->namespace_))
        return true;
    if (store_head(plan->apply->store, KUBE_NAMESPACE, "", object->namespace_) != NULL &&
        !is_leaving(plan, object->namespace_))
        return true;
    problems_add(problems, "metadata.namespace", "NotFound", "namespace \"%s\" does not exist", object->namespace_);
    return false;
}

/* What change would do, without doing it.  Of a new object in a namespace that the plan makes, only the decoder can
 * judge, and it did. */
static void rehearse(const struct plan *plan, const struct step *step, struct problems *problems)
{
    if (step->is_new && kube_kind_info(step->object->kind)->is_namespaced &&
        store_head(plan->apply->store, KUBE_NAMESPACE, "", step->object->namespace_) == NULL)
        return;
    struct change change;
    init_change(&change, plan);
    change.is_dry_run = true;
    if (!run_change(&change, step, must(json_deep_copy(step->tree))))
        report_failure(problems, &change.failure);
    change_deinit(&change);
}

static void plan_object(struct plan *plan, struct step *step, struct problems *problems)
{
    const struct kube_object *object = step->object;
    problems->object = step->text;
    if (!check_namespace(plan, object, problems))
        return;
    const struct stored *head = store_head(plan->apply->store, object->kind, object->namespace_, object->name);
    step->is_new = head == NULL;
    step->tree = next_tree(plan, object, head != NULL ? head->object->tree : NULL, problems);
    if (step->tree != NULL)
        rehearse(plan, step, problems);
}

static void make_plan(struct plan *plan, const struct manifest *manifest, struct problems *problems)
{
    plan->steps = ARENA_ARRAY(plan->arena, struct step, manifest->len);
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < manifest->len; i++) {
            const struct kube_object *object = manifest->objects[i];
            if ((object->kind == KUBE_NAMESPACE) == (pass == 0))
                plan->steps[plan->len++] =
                    (struct step){.object = object, .text = kube_object_text(object, problems->arena)};
        }
    }
    const char *object_before = problems->object;
    for (unsigned i = 0; i < plan->len; i++)
        plan_object(plan, &plan->steps[i], problems);
    problems->object = object_before;
}

/* A change that waits for the disk is the edit's; others are over. */
static void finish_change(struct change *change, struct edit *edit, struct pending *pending)
{
    if (change->failure.is_set)
        note_failure(edit, pending->text, change->failure.message);
    if (change->failure.is_set || change->is_unchanged)
        pending_free(pending);
    change_deinit(change);
}

static void take_step(struct plan *plan, struct edit *edit, struct step *step)
{
    if (step->tree == NULL) {
        own(plan, step->object);
        return;
    }
    struct change change;
    struct pending *pending = add_pending(edit, step->text);
    init_change(&change, plan);
    change.write = &pending->write;
    if (run_change(&change, step, step->tree))
        own(plan, step->object);
    step->tree = NULL;
    finish_change(&change, edit, pending);
}

static void delete_head(struct plan *plan, struct edit *edit, struct owned *owned, const struct stored *head)
{
    struct change change;
    struct deletion deletion = {.grace_s = -1};
    struct pending *pending = add_pending(edit, kube_object_text(head->object, plan->arena));
    init_change(&change, plan);
    change.write = &pending->write;
    pending->owned = owned;
    owned->deletion = pending;
    (void)change_delete(&change, owned->kind, owned->namespace_, owned->name, &deletion);
    finish_change(&change, edit, pending);
}

/* It stays ours until it is gone for good: what failed is tried again. */
static void delete_owned(struct plan *plan, struct edit *edit, struct owned *owned)
{
    const struct stored *head = store_head(plan->apply->store, owned->kind, owned->namespace_, owned->name);
    if (head != NULL)
        delete_head(plan, edit, owned, head);
    else
        owned_free(plan->apply, owned);
}

/* A namespace goes after what is in it. */
static void delete_leavers(struct plan *plan, struct edit *edit)
{
    for (unsigned pass = 0; pass < 2; pass++) {
        LIST_FOR_EACH_SAFE (node, &plan->apply->owned) {
            struct owned *owned = LIST_ENTRY(node, struct owned, link);
            if (owned->edit != plan->apply->edit_count && owned->deletion == NULL &&
                (owned->kind == KUBE_NAMESPACE) == (pass == 1))
                delete_owned(plan, edit, owned);
        }
    }
}

static void carry_out(struct plan *plan)
{
    struct manifest_apply *apply = plan->apply;
    struct edit *edit = must(calloc(1, sizeof *edit));
    edit->apply = apply;
    list_init(&edit->pending);
    list_push(&apply->edits, &edit->link);
    apply->edit_count++;
    for (unsigned i = 0; i < plan->len; i++)
        take_step(plan, edit, &plan->steps[i]);
    delete_leavers(plan, edit);
    check_end(edit);
}

bool manifest_apply_run(struct manifest_apply *apply, const struct manifest *manifest, struct problems *problems,
                        uint64_t now_wall_ms)
{
    struct plan plan = {.apply = apply, .arena = arena_new(0), .now_wall_ms = now_wall_ms};
    size_t problems_before = problems->count;
    make_plan(&plan, manifest, problems);
    bool is_good = problems->count == problems_before;
    if (is_good)
        carry_out(&plan);
    for (unsigned i = 0; i < plan.len; i++)
        json_decref(plan.steps[i].tree);
    arena_free(plan.arena);
    return is_good;
}
