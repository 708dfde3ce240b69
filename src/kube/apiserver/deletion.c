/* SPDX-License-Identifier: Apache-2.0 */
/* deletion.c: how objects go: at once, or marked until what holds them has let go. */
#include <stdio.h>

#include "kube/apiserver/change_internal.h"
#include "kube/apiserver/object_rules.h"

enum { DEFAULT_POD_GRACE_S = 30 };

void change_remove(struct change *change, const struct stored *head)
{
    change->is_gone = true;
    if (change->is_dry_run) {
        change->dry = kube_object_take(head->object);
        return;
    }
    const struct kube_object *object = head->object;
    int error =
        store_delete(change->store, object->kind, object->namespace_, object->name, change->write, &change->stored);
    if (error < 0)
        change_store_failed(change, error);
}

static bool preconditions_hold(struct change *change, const struct stored *head, const struct deletion *deletion)
{
    const struct kube_object *object = head->object;
    char version[24];
    snprintf(version, sizeof version, "%llu", (unsigned long long)head->version);
    const char *what = NULL, *wanted = "", *present = "";
    if (deletion->uid != NULL && strcmp(deletion->uid, object->uid) != 0) {
        what = "UID";
        wanted = deletion->uid;
        present = object->uid;
    } else if (deletion->resource_version != NULL && strcmp(deletion->resource_version, version) != 0) {
        what = "ResourceVersion";
        wanted = deletion->resource_version;
        present = version;
    }
    if (what == NULL)
        return true;
    failure_about(&change->failure, FAILURE_CONFLICT, object->kind, object->name,
                  "Precondition failed: %s in precondition: %s, %s in object meta: %s", what, wanted, what, present);
    return false;
}

/* Objects live in these whatever users do. */
static bool is_protected(const struct kube_object *object)
{
    return object->kind == KUBE_NAMESPACE &&
           (strcmp(object->name, "default") == 0 || strcmp(object->name, "kube-system") == 0);
}

static const char *text_of(const json_t *value)
{
    return json_is_string(value) ? json_string_value(value) : "";
}

static void add_finalizer(json_t *metadata, const char *finalizer)
{
    json_t *list = json_copy(json_object_get(metadata, "finalizers"));
    if (!json_is_array(list)) {
        json_decref(list);
        list = json_array();
    }
    bool is_there = false;
    for (size_t i = 0; i < json_array_size(list) && !is_there; i++)
        is_there = strcmp(text_of(json_array_get(list, i)), finalizer) == 0;
    if (!is_there)
        json_array_append_new(list, json_string(finalizer));
    json_object_set_new(metadata, "finalizers", list);
}

/* Of a pod that a node runs; everything else has no grace. */
static int64_t grace_s(const json_t *tree, enum kube_kind kind, const struct deletion *deletion)
{
    const json_t *spec = json_object_get(tree, "spec");
    if (kind != KUBE_POD || rules_text(spec, "nodeName")[0] == '\0')
        return 0;
    const json_t *own = json_object_get(spec, "terminationGracePeriodSeconds");
    int64_t grace = json_is_integer(own) ? json_integer_value(own) : DEFAULT_POD_GRACE_S;
    return deletion->grace_s >= 0 ? deletion->grace_s : grace;
}

/* A second deletion may only shorten what the first one granted. */
static void mark(json_t *tree, const struct kube_kind_info *info, int64_t grace, uint64_t now_wall_ms)
{
    json_t *metadata = rules_metadata(tree);
    const json_t *granted = json_object_get(metadata, "deletionGracePeriodSeconds");
    if (rules_text(metadata, "deletionTimestamp")[0] != '\0' && json_integer_value(granted) <= grace)
        return;
    if (info->has_generation && rules_text(metadata, "deletionTimestamp")[0] == '\0') {
        json_int_t generation = json_integer_value(json_object_get(metadata, "generation"));
        json_object_set_new(metadata, "generation", json_integer(generation + 1));
    }
    rules_set_time(metadata, "deletionTimestamp", now_wall_ms + (uint64_t)grace * 1000);
    json_object_set_new(metadata, "deletionGracePeriodSeconds", json_integer(grace));
}

static json_t *marked_tree(struct change *change, const struct stored *head, const struct deletion *deletion)
{
    enum kube_kind kind = head->object->kind;
    const char *propagation = deletion->propagation != NULL ? deletion->propagation : "Background";
    json_t *tree = json_copy(head->object->tree);
    json_object_set_new(tree, "metadata", json_copy(json_object_get(head->object->tree, "metadata")));
    if (strcmp(propagation, "Foreground") == 0)
        add_finalizer(rules_metadata(tree), FINALIZER_FOREGROUND);
    if (strcmp(propagation, "Orphan") == 0)
        add_finalizer(rules_metadata(tree), FINALIZER_ORPHAN);
    mark(tree, kube_kind_info(kind), grace_s(tree, kind, deletion), change->now_wall_ms);
    if (kind == KUBE_NAMESPACE) {
        json_t *status = json_copy(json_object_get(tree, "status"));
        if (status == NULL)
            status = json_object();
        rules_set_text(status, "phase", "Terminating");
        json_object_set_new(tree, "status", status);
    }
    return tree;
}

static void write_mark(struct change *change, const struct stored *head, json_t *tree)
{
    if (rules_is_same(tree, head->object->tree)) {
        change->is_unchanged = true;
        change->stored = stored_take(head);
        return;
    }
    struct kube_object *object = change_decode(change, head->object->kind, tree);
    if (object != NULL)
        change_put(change, object);
}

bool change_delete(struct change *change, enum kube_kind kind, const char *namespace_, const char *name,
                   const struct deletion *deletion)
{
    const struct stored *head = store_head(change->store, kind, namespace_, name);
    if (head == NULL) {
        failure_about(&change->failure, FAILURE_NOT_FOUND, kind, name, NULL);
        return false;
    }
    if (!preconditions_hold(change, head, deletion))
        return false;
    if (is_protected(head->object)) {
        failure_about(&change->failure, FAILURE_FORBIDDEN, kind, name,
                      "namespaces \"%s\" is forbidden: this namespace may not be deleted", name);
        return false;
    }
    json_t *tree = marked_tree(change, head, deletion);
    if (rules_is_held(tree, kind))
        write_mark(change, head, tree);
    else
        change_remove(change, head);
    json_decref(tree);
    return !change->failure.is_set;
}
