/* SPDX-License-Identifier: Apache-2.0 */
/* status_writer.c: merges a computed status into the stored one.
 *
 * A condition keeps the time of its last transition for as long as its status (True, False) stays, so that a status
 * that says the same as before is equal to the stored one, and is not written: writing would wake everybody who
 * watches, ourselves included.  The generation that conditions observe is the one that the compile saw, also when the
 * object has a newer one by now: its own compile is on its way. */
#include "control/status_writer.h"

#include "base/clock.h"
#include "base/json_read.h"
#include "base/json_tree.h"
#include "kube/api/inference.h"
#include "kube/apiserver/change.h"

#define COMPONENT "serin-gateway"

/* Lists of entries that several controllers share, by the field that holds them. */
static const struct shared_list {
    const char *field;
    const char *ref;
    bool has_owners; /* entries name their controller; else all are ours */
    size_t limit;    /* the CRDs' */
} shared_lists[] = {
    {"parents", "parentRef", true, 32},
    {"parent", "parentRef", false, 32}, /* InferencePool v1alpha2 */
    {"ancestors", "ancestorRef", true, 16},
};

/* Something to tell in an Event once the status is written. */
struct news {
    const char *reason;
    const char *message;
    bool is_warning;
    struct news *next;
};

/* The merge of one object's status. */
struct merge {
    struct store *store;
    struct kube_object *object; /* as it is in the store now */
    const char *controller_name;
    char now[21];
    struct arena *arena;
    struct news *first_news;
    struct news **news_tail;
};

static bool says_no(const json_t *condition)
{
    bool is_bad_when_true = strcmp(tree_member_text(condition, "type"), "Conflicted") == 0;
    return strcmp(tree_member_text(condition, "status"), is_bad_when_true ? "True" : "False") == 0;
}

/* Architecture: a pool whose picker is missing is served all the same, and whoever looks is told. */
static bool tells_of_missing_picker(const struct merge *merge, const json_t *condition)
{
    const struct kube_object *object = merge->object;
    if ((object->kind != KUBE_INFERENCE_POOL && object->kind != KUBE_INFERENCE_POOL_X) ||
        strcmp(tree_member_text(condition, "type"), "ResolvedRefs") != 0)
        return false;
    const struct inference_pool_spec *spec = object->spec;
    return spec->picker_name[0] != '\0' &&
           store_head(merge->store, KUBE_SERVICE, object->namespace_, spec->picker_name) == NULL;
}

static bool is_told(const struct merge *merge, const char *message)
{
    for (const struct news *news = merge->first_news; news != NULL; news = news->next) {
        if (strcmp(news->message, message) == 0)
            return true;
    }
    return false;
}

/* One fault often turns several conditions with one and the same sentence: it is told once. */
static void note_news(struct merge *merge, const json_t *condition, const json_t *former)
{
    bool is_refusal = says_no(condition);
    if (!is_refusal && !tells_of_missing_picker(merge, condition))
        return;
    bool is_old = strcmp(tree_member_text(condition, "status"), tree_member_text(former, "status")) == 0 &&
                  strcmp(tree_member_text(condition, "reason"), tree_member_text(former, "reason")) == 0 &&
                  strcmp(tree_member_text(condition, "message"), tree_member_text(former, "message")) == 0;
    if (is_old || is_told(merge, tree_member_text(condition, "message")))
        return;
    struct news *news = ARENA_NEW(merge->arena, struct news);
    news->reason = is_refusal ? arena_strdup(merge->arena, tree_member_text(condition, "reason")) : "BuiltInPicker";
    news->message = arena_strdup(merge->arena, tree_member_text(condition, "message"));
    news->is_warning = is_refusal;
    *merge->news_tail = news;
    merge->news_tail = &news->next;
}

/* The item of list whose member `key` is `value`; NULL when there is none. */
static json_t *find(const json_t *list, const char *key, const char *value)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        if (strcmp(tree_member_text(item, key), value) == 0)
            return item;
    }
    return NULL;
}

/* The conditions in `owner` get the times of their transitions, by what `former` (perhaps NULL) said. */
static void date_conditions(struct merge *merge, const json_t *owner, const json_t *former)
{
    const json_t *former_list = json_object_get(former, "conditions");
    const json_t *list = json_object_get(owner, "conditions");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *condition = json_array_get(list, i);
        json_t *before = find(former_list, "type", tree_member_text(condition, "type"));
        const char *since = tree_member_text(before, "lastTransitionTime");
        bool has_turned = strcmp(tree_member_text(before, "status"), tree_member_text(condition, "status")) != 0;
        json_object_set_new(condition, "lastTransitionTime",
                            json_string(has_turned || since[0] == '\0' ? merge->now : since));
        note_news(merge, condition, before);
    }
}

/* Conditions of types that the compile knows nothing about belong to somebody else. */
static void keep_foreign_conditions(json_t *status, const json_t *former)
{
    json_t *list = json_object_get(status, "conditions");
    const json_t *former_list = json_object_get(former, "conditions");
    for (size_t i = 0; i < json_array_size(former_list); i++) {
        json_t *condition = json_array_get(former_list, i);
        if (find(list, "type", tree_member_text(condition, "type")) == NULL)
            json_array_append(list, condition);
    }
}

static void date_listeners(struct merge *merge, const json_t *status, const json_t *former)
{
    const json_t *list = json_object_get(status, "listeners");
    const json_t *former_list = json_object_get(former, "listeners");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *listener = json_array_get(list, i);
        date_conditions(merge, listener, find(former_list, "name", tree_member_text(listener, "name")));
    }
}

static bool has_refusal(const json_t *entry)
{
    const json_t *list = json_object_get(entry, "conditions");
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (says_no(json_array_get(list, i)))
            return true;
    }
    return false;
}

/* The place of the entry with that reference, from `start` on; the list's size when there is none. */
static size_t find_ref(const json_t *list, size_t start, const struct shared_list *shape, const json_t *ref)
{
    while (start < json_array_size(list) && !json_equal(json_object_get(json_array_get(list, start), shape->ref), ref))
        start++;
    return start;
}

/* Several targets of a policy may have one ancestor: that has one entry, which says no when any of them does. */
static void merge_twins(json_t *list, const struct shared_list *shape)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        size_t twin;
        const json_t *ref = json_object_get(json_array_get(list, i), shape->ref);
        while ((twin = find_ref(list, i + 1, shape, ref)) < json_array_size(list)) {
            json_t *other = json_array_get(list, twin);
            if (!has_refusal(json_array_get(list, i)) && has_refusal(other)) {
                json_array_set(list, i, other);
                ref = json_object_get(json_array_get(list, i), shape->ref);
            }
            json_array_remove(list, twin);
        }
    }
}

/* The former list brought up to date in place: entries of others stay where they are, ours are replaced or go, new
 * ones of ours come last.  Uses up `computed`. */
static json_t *merge_entries(struct merge *merge, const struct shared_list *shape, json_t *computed,
                             const json_t *former)
{
    json_t *merged = json_array();
    merge_twins(computed, shape);
    for (size_t i = 0; i < json_array_size(former); i++) {
        json_t *entry = json_array_get(former, i);
        if (shape->has_owners && strcmp(tree_member_text(entry, "controllerName"), merge->controller_name) != 0) {
            json_array_append(merged, entry);
            continue;
        }
        size_t place = find_ref(computed, 0, shape, json_object_get(entry, shape->ref));
        if (place == json_array_size(computed))
            continue;
        date_conditions(merge, json_array_get(computed, place), entry);
        json_array_append(merged, json_array_get(computed, place));
        json_array_remove(computed, place);
    }
    for (size_t i = 0; i < json_array_size(computed) && json_array_size(merged) < shape->limit; i++) {
        date_conditions(merge, json_array_get(computed, i), NULL);
        json_array_append(merged, json_array_get(computed, i));
    }
    return merged;
}

static void merge_shared_lists(struct merge *merge, json_t *computed, const json_t *former)
{
    for (unsigned i = 0; i < ARRAY_LEN(shared_lists); i++) {
        const struct shared_list *shape = &shared_lists[i];
        json_t *list = json_object_get(computed, shape->field);
        const json_t *former_list = json_object_get(former, shape->field);
        if (list == NULL)
            continue;
        json_t *merged = merge_entries(merge, shape, list, former_list);
        json_object_set_new(computed, shape->field, merged);
        /* An object that never had an entry is not written to say so. */
        if (json_array_size(merged) == 0 && former_list == NULL)
            json_object_del(computed, shape->field);
    }
}

/* The whole next status.  Uses up `computed`; `former` may be NULL. */
static json_t *merge_status(struct merge *merge, json_t *computed, const json_t *former)
{
    json_t *next = json_is_object(former) ? json_copy((json_t *)(uintptr_t)former) : json_object();
    if (merge->object->kind == KUBE_GATEWAY)
        json_object_del(next, "addresses"); /* ours alone: the computed ones follow, if there are any */
    date_conditions(merge, computed, former);
    if (json_object_get(computed, "conditions") != NULL)
        keep_foreign_conditions(computed, former);
    date_listeners(merge, computed, former);
    merge_shared_lists(merge, computed, former);
    json_object_update(next, computed);
    json_decref(computed);
    return next;
}

static json_t *computed_status(const struct status_report *report, const struct object_status *status)
{
    struct buffer out = {0};
    struct json_writer writer;
    char error[200];
    jw_init(&writer, &out);
    object_status_write(report, status, &writer);
    json_t *tree = must(json_read(buffer_bytes(&out), error));
    buffer_deinit(&out);
    return tree;
}

static void tell_news(const struct merge *merge, struct event_recorder *recorder)
{
    for (const struct news *news = merge->first_news; news != NULL && recorder != NULL; news = news->next)
        event_record(recorder, merge->object, news->is_warning, COMPONENT, news->reason, "%s", news->message);
}

static bool write_object(struct merge *merge, struct event_recorder *recorder, const struct status_report *report,
                         const struct object_status *status, uint64_t now_wall_ms)
{
    const struct kube_object *object = merge->object;
    const json_t *former = json_object_get(object->tree, "status");
    json_t *next = merge_status(merge, computed_status(report, status), former);
    bool is_same = former != NULL ? json_equal(next, former) : json_object_size(next) == 0;
    if (is_same) {
        json_decref(next);
        return false;
    }
    if (!object_set_status(merge->store, object->kind, object->namespace_, object->name, next, now_wall_ms))
        return false;
    tell_news(merge, recorder);
    return true;
}

unsigned status_writer_write(struct store *store, struct event_recorder *recorder, const struct status_report *report,
                             uint64_t now_wall_ms)
{
    struct arena *arena = arena_new(0);
    unsigned written = 0;
    for (unsigned i = 0; i < report->len; i++) {
        const struct kube_object *seen = report->objects[i].object;
        const struct stored *head = store_head(store, seen->kind, seen->namespace_, seen->name);
        if (head == NULL || strcmp(head->object->uid, seen->uid) != 0)
            continue;
        struct merge merge = {.store = store,
                              .object = kube_object_take(head->object), /* the write lets go of the head */
                              .controller_name = report->controller_name,
                              .arena = arena};
        merge.news_tail = &merge.first_news;
        clock_rfc3339(now_wall_ms, merge.now);
        written += write_object(&merge, recorder, report, &report->objects[i], now_wall_ms);
        kube_object_give_back(merge.object);
        arena_reset(arena);
    }
    arena_free(arena);
    return written;
}
