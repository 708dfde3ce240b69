/* SPDX-License-Identifier: Apache-2.0 */
/* change.c: creating and updating objects.  Each step either goes on or sets change->failure; the store is touched
 * last.
 */
#include "kube/apiserver/change.h"

#include <errno.h>

#include "kube/apiserver/change_internal.h"
#include "kube/apiserver/object_rules.h"

void change_init(struct change *change, struct store *store, struct arena *arena, uint64_t now_wall_ms)
{
    *change = (struct change){.store = store, .arena = arena, .now_wall_ms = now_wall_ms};
    failure_init(&change->failure, arena);
}

void change_deinit(struct change *change)
{
    stored_give_back(change->stored);
    kube_object_give_back(change->dry);
    change->stored = NULL;
    change->dry = NULL;
}

/* 'HTTPRoute in version "v1" cannot be handled as a HTTPRoute: strict decoding error: unknown field "spec.x"'. */
static void refuse_unknown_fields(struct change *change, enum kube_kind kind, const struct problems *problems)
{
    const struct kube_kind_info *info = kube_kind_info(kind);
    const char *list = "";
    for (const struct problem *problem = problems->first; problem != NULL; problem = problem->next) {
        if (strcmp(problem->reason, "UnknownField") == 0)
            list = arena_printf(change->arena, "%s%sunknown field \"%s\"", list, list[0] == '\0' ? "" : ", ",
                                problem->field);
    }
    failure_set(&change->failure, FAILURE_BAD_REQUEST,
                "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s", info->kind, info->version,
                info->kind, list);
}

static void add_warning(struct change *change, const char *text)
{
    const char **warnings = ARENA_ARRAY(change->arena, const char *, change->warning_count + 1);
    for (unsigned i = 0; i < change->warning_count; i++)
        warnings[i] = change->warnings[i];
    warnings[change->warning_count++] = text;
    change->warnings = warnings;
}

static unsigned count_unknown_fields(const struct problems *problems)
{
    unsigned count = 0;
    for (const struct problem *problem = problems->first; problem != NULL; problem = problem->next)
        count += strcmp(problem->reason, "UnknownField") == 0;
    return count;
}

static void drop_unknown_fields(struct change *change, json_t *tree, const struct problems *problems)
{
    for (const struct problem *problem = problems->first; problem != NULL; problem = problem->next) {
        if (strcmp(problem->reason, "UnknownField") != 0)
            continue;
        rules_remove_field(tree, problem->field);
        if (change->validation == FIELDS_WARN)
            add_warning(change, arena_printf(change->arena, "unknown field \"%s\"", problem->field));
    }
}

struct kube_object *change_decode(struct change *change, enum kube_kind kind, json_t *tree)
{
    struct problems problems;
    problems_init(&problems, change->arena);
    struct kube_object *object = kube_object_decode(tree, &problems);
    if (object == NULL && count_unknown_fields(&problems) > 0) {
        if (change->validation == FIELDS_STRICT) {
            refuse_unknown_fields(change, kind, &problems);
            return NULL;
        }
        drop_unknown_fields(change, tree, &problems);
        problems_init(&problems, change->arena);
        object = kube_object_decode(tree, &problems);
    }
    if (object == NULL)
        failure_invalid(&change->failure, kind, rules_text(json_object_get(tree, "metadata"), "name"), &problems);
    return object;
}

void change_store_failed(struct change *change, int error)
{
    if (error == -EBUSY) {
        failure_set(&change->failure, FAILURE_TOO_MANY_REQUESTS, "too many writes wait for the disk");
        change->failure.retry_after_s = 1;
    } else {
        failure_set(&change->failure, FAILURE_INSUFFICIENT_STORAGE, "the store holds as many objects as it may");
    }
}

void change_put(struct change *change, struct kube_object *object)
{
    if (change->is_dry_run) {
        change->dry = object;
        return;
    }
    int error = store_put(change->store, object, change->write, &change->stored);
    if (error < 0)
        change_store_failed(change, error);
}

static bool namespace_takes_objects(struct change *change, enum kube_kind kind, const json_t *tree)
{
    if (!kube_kind_info(kind)->is_namespaced)
        return true;
    const json_t *metadata = json_object_get(tree, "metadata");
    const char *namespace_ = rules_text(metadata, "namespace");
    const struct stored *stored = store_head(change->store, KUBE_NAMESPACE, "", namespace_);
    if (stored == NULL) {
        failure_about(&change->failure, FAILURE_NOT_FOUND, KUBE_NAMESPACE, namespace_, NULL);
        return false;
    }
    /* A cluster lets nothing new into a namespace that is going, but Events, which tell how it goes. */
    const json_t *namespace_metadata = json_object_get(stored->object->tree, "metadata");
    if (kind != KUBE_EVENT && rules_text(namespace_metadata, "deletionTimestamp")[0] != '\0') {
        failure_about(&change->failure, FAILURE_FORBIDDEN, kind, rules_text(metadata, "name"),
                      "%s \"%s\" is forbidden: unable to create new content in namespace %s because it is being "
                      "terminated",
                      kube_kind_info(kind)->plural, rules_text(metadata, "name"), namespace_);
        return false;
    }
    return true;
}

/* apiVersion and kind of the stored form, whatever version the writer spoke. */
static void set_type(json_t *tree, const struct kube_kind_info *info, struct arena *arena)
{
    const char *slash = info->group[0] == '\0' ? "" : "/";
    rules_set_text(tree, "apiVersion", arena_printf(arena, "%s%s%s", info->group, slash, info->version));
    rules_set_text(tree, "kind", info->kind);
}

static json_t *new_tree(struct change *change, enum kube_kind kind, json_t *tree)
{
    const struct kube_kind_info *info = kube_kind_info(kind);
    rules_drop_empty(tree);
    set_type(tree, info, change->arena);
    rules_begin_life(tree, info, change->now_wall_ms);
    if (info->is_namespaced && rules_text(json_object_get(tree, "metadata"), "namespace")[0] == '\0')
        rules_set_text(rules_metadata(tree), "namespace", "default");
    rules_set_defaults(tree, kind);
    return change_note_manager(change, kind, NULL, tree);
}

/* The namespace is there, the name is free. */
static bool has_place(struct change *change, const struct kube_object *object)
{
    if (!namespace_takes_objects(change, object->kind, object->tree))
        return false;
    if (store_head(change->store, object->kind, object->namespace_, object->name) != NULL)
        failure_about(&change->failure, FAILURE_ALREADY_EXISTS, object->kind, object->name, NULL);
    return !change->failure.is_set;
}

bool change_create(struct change *change, enum kube_kind kind, json_t *tree)
{
    if (rules_text(json_object_get(tree, "metadata"), "resourceVersion")[0] != '\0') {
        failure_set(&change->failure, FAILURE_BAD_REQUEST,
                    "resourceVersion should not be set on objects to be created");
        json_decref(tree);
        return false;
    }
    tree = new_tree(change, kind, tree);
    struct kube_object *object = change_decode(change, kind, tree);
    json_decref(tree);
    if (object == NULL || !has_place(change, object)) {
        kube_object_give_back(object);
        return false;
    }
    change_put(change, object);
    return !change->failure.is_set;
}

/* resourceVersion and uid of tree, where given, are those of the present state. */
static bool is_up_to_date(struct change *change, const struct stored *head, const json_t *tree)
{
    const json_t *metadata = json_object_get(tree, "metadata");
    const json_t *present = json_object_get(head->object->tree, "metadata");
    static const char *const keys[] = {"resourceVersion", "uid"};
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        const char *given = rules_text(metadata, keys[i]);
        if (given[0] != '\0' && strcmp(given, rules_text(present, keys[i])) != 0) {
            failure_about(&change->failure, FAILURE_CONFLICT, head->object->kind, head->object->name, NULL);
            return false;
        }
    }
    return true;
}

static bool names_the_same(struct change *change, const struct stored *head, const json_t *tree)
{
    const json_t *metadata = json_object_get(tree, "metadata");
    const char *name = rules_text(metadata, "name"), *namespace_ = rules_text(metadata, "namespace");
    if (name[0] != '\0' && strcmp(name, head->object->name) != 0)
        failure_set(&change->failure, FAILURE_BAD_REQUEST,
                    "the name of the object (%s) does not match the name on the URL (%s)", name, head->object->name);
    if (namespace_[0] != '\0' && head->object->namespace_[0] != '\0' &&
        strcmp(namespace_, head->object->namespace_) != 0)
        failure_set(&change->failure, FAILURE_BAD_REQUEST,
                    "the namespace of the object (%s) does not match the namespace on the URL (%s)", namespace_,
                    head->object->namespace_);
    return !change->failure.is_set;
}

static bool has_item(const json_t *array, const json_t *wanted)
{
    size_t index;
    json_t *item;
    json_array_foreach((json_t *)(uintptr_t)array, index, item)
    {
        if (json_equal(item, wanted))
            return true;
    }
    return false;
}

/* Nobody holds on to an object that is on its way out but those who already did. */
static bool adds_no_holder(struct change *change, const struct stored *head, const json_t *tree)
{
    const json_t *present = json_object_get(head->object->tree, "metadata");
    if (change->part == CHANGE_STATUS || rules_text(present, "deletionTimestamp")[0] == '\0')
        return true;
    struct problems problems;
    problems_init(&problems, change->arena);
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(json_object_get(tree, "metadata"), "finalizers"), index, item)
    {
        if (!has_item(json_object_get(present, "finalizers"), item))
            problems_add(&problems, "metadata.finalizers", "Forbidden",
                         "Forbidden: no new finalizers can be added if the object is being deleted");
    }
    if (problems.first == NULL)
        return true;
    failure_invalid(&change->failure, head->object->kind, head->object->name, &problems);
    return false;
}

/* The present state with another status. */
static json_t *with_status(const json_t *present, json_t *tree)
{
    json_t *next = json_copy((json_t *)(uintptr_t)present);
    json_object_set_new(next, "metadata", json_copy(json_object_get(present, "metadata")));
    json_t *status = json_object_get(tree, "status");
    if (status != NULL)
        json_object_set(next, "status", status);
    else
        json_object_del(next, "status");
    json_decref(tree);
    return next;
}

/* tree with the present status: what the main resource's writers may not touch. */
static json_t *without_status(const struct kube_kind_info *info, const json_t *present, json_t *tree)
{
    if (!info->has_status)
        return tree;
    json_t *status = json_object_get(present, "status");
    if (status != NULL)
        json_object_set(tree, "status", status);
    else
        json_object_del(tree, "status");
    return tree;
}

static json_t *next_tree(struct change *change, const struct stored *head, json_t *tree)
{
    enum kube_kind kind = head->object->kind;
    const struct kube_kind_info *info = kube_kind_info(kind);
    const json_t *present = head->object->tree;
    /* What a patch made shares subtrees with the present state, which must stay as it is. */
    json_t *own = json_deep_copy(tree);
    json_decref(tree);
    tree = own;
    rules_drop_empty(tree);
    tree = change->part == CHANGE_STATUS ? with_status(present, tree) : without_status(info, present, tree);
    set_type(tree, info, change->arena);
    rules_inherit(tree, present);
    rules_set_defaults(tree, kind);
    if (info->has_generation && rules_spec_differs(tree, present)) {
        json_int_t generation = json_integer_value(json_object_get(json_object_get(present, "metadata"), "generation"));
        json_object_set_new(rules_metadata(tree), "generation", json_integer(generation + 1));
    }
    return tree;
}

/* The last thing that held a dying object is gone: so is the object. */
static bool is_last_breath(const struct stored *head, const json_t *tree)
{
    return rules_text(json_object_get(tree, "metadata"), "deletionTimestamp")[0] != '\0' &&
           !rules_is_held(tree, head->object->kind);
}

static void write_update(struct change *change, const struct stored *head, struct kube_object *object)
{
    if (!is_last_breath(head, object->tree) || change->is_dry_run) {
        change_put(change, object);
        return;
    }
    change_remove(change, head);
    kube_object_give_back(object);
}

/* After the change nothing differs from before but perhaps who may claim it. */
static bool is_no_op(const struct stored *head, const json_t *tree)
{
    const json_t *fields = json_object_get(json_object_get(tree, "metadata"), "managedFields");
    const json_t *before = json_object_get(json_object_get(head->object->tree, "metadata"), "managedFields");
    /* json_equal() calls nothing equal to NULL, not even NULL. */
    return rules_is_same(tree, head->object->tree) && (fields == before || json_equal(fields, before));
}

bool change_update(struct change *change, enum kube_kind kind, const char *namespace_, const char *name, json_t *tree)
{
    const struct stored *head = store_head(change->store, kind, namespace_, name);
    if (head == NULL)
        failure_about(&change->failure, FAILURE_NOT_FOUND, kind, name, NULL);
    if (head == NULL || !is_up_to_date(change, head, tree) || !names_the_same(change, head, tree) ||
        !adds_no_holder(change, head, tree)) {
        json_decref(tree);
        return false;
    }
    tree = next_tree(change, head, tree);
    tree = change_note_manager(change, kind, head->object->tree, tree);
    if (is_no_op(head, tree)) {
        json_decref(tree);
        change->is_unchanged = true;
        change->stored = stored_take(head);
        return true;
    }
    struct kube_object *object = change_decode(change, kind, tree);
    json_decref(tree);
    if (object == NULL)
        return false;
    write_update(change, head, object);
    return !change->failure.is_set;
}
