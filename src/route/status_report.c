/* SPDX-License-Identifier: Apache-2.0 */
/* status_report.c: collects the statuses of a compile, finds conditions in them, and writes them out as people
 * (problems) and Kubernetes (JSON) want them.  Control thread; the memory is the report's arena. */
#include "route/status_report.h"

#include <assert.h>

#include "route/status_build.h"

enum { MAX_CONDITIONS = 8 /* the CRDs' limit */ };

struct status_report *status_report_new(struct arena *arena, const char *controller_name)
{
    struct status_report *report = ARENA_NEW(arena, struct status_report);
    report->arena = arena;
    report->controller_name = arena_strdup(arena, controller_name);
    return report;
}

void status_report_deinit(struct status_report *report)
{
    for (unsigned i = 0; i < report->len; i++)
        kube_object_give_back((struct kube_object *)(uintptr_t)report->objects[i].object);
    report->objects = NULL;
    report->len = report->capacity = 0;
}

struct object_status *status_add_object(struct status_report *report, const struct kube_object *object,
                                        unsigned max_parents, unsigned max_listeners)
{
    if (report->len == report->capacity) {
        unsigned capacity = report->capacity > 0 ? report->capacity * 2 : 16;
        struct object_status *objects = ARENA_ARRAY(report->arena, struct object_status, capacity);
        for (unsigned i = 0; i < report->len; i++)
            objects[i] = report->objects[i];
        report->objects = objects;
        report->capacity = capacity;
    }
    struct object_status *status = &report->objects[report->len++];
    status->object = kube_object_take(object);
    status->parents = ARENA_ARRAY(report->arena, struct status_parent, max_parents);
    status->listeners = ARENA_ARRAY(report->arena, struct status_listener, max_listeners);
    for (unsigned i = 0; i < max_parents; i++)
        status->parents[i].conditions = ARENA_ARRAY(report->arena, struct condition, MAX_CONDITIONS);
    for (unsigned i = 0; i < max_listeners; i++)
        status->listeners[i].conditions = ARENA_ARRAY(report->arena, struct condition, MAX_CONDITIONS);
    return status;
}

struct status_parent *status_add_parent(struct object_status *status)
{
    return &status->parents[status->parent_count++];
}

struct status_listener *status_add_listener(struct object_status *status, const char *name)
{
    struct status_listener *listener = &status->listeners[status->listener_count++];
    listener->name = name;
    return listener;
}

static struct condition make_condition(struct status_report *report, const struct object_status *status,
                                       const char *type, bool is_true, const char *reason, const char *message)
{
    return (struct condition){.type = type,
                              .status = is_true ? CONDITION_TRUE : CONDITION_FALSE,
                              .reason = reason,
                              .message = arena_strdup(report->arena, message),
                              .observed_generation = status->object->generation};
}

void status_condition(struct status_report *report, struct object_status *status, struct status_parent *parent,
                      const char *type, bool is_true, const char *reason, const char *message)
{
    assert(parent->condition_count < MAX_CONDITIONS);
    parent->conditions[parent->condition_count++] = make_condition(report, status, type, is_true, reason, message);
}

void status_listener_condition(struct status_report *report, struct object_status *status,
                               struct status_listener *listener, const char *type, bool is_true, const char *reason,
                               const char *message)
{
    assert(listener->condition_count < MAX_CONDITIONS);
    listener->conditions[listener->condition_count++] = make_condition(report, status, type, is_true, reason, message);
}

const struct object_status *status_report_find(const struct status_report *report, enum kube_kind kind,
                                               const char *namespace_, const char *name)
{
    for (unsigned i = 0; i < report->len; i++) {
        const struct kube_object *object = report->objects[i].object;
        if (object->kind == kind && strcmp(object->namespace_, namespace_) == 0 && strcmp(object->name, name) == 0)
            return &report->objects[i];
    }
    return NULL;
}

static const struct condition *find_condition(const struct condition *conditions, unsigned count, const char *type)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(conditions[i].type, type) == 0)
            return &conditions[i];
    }
    return NULL;
}

const struct condition *object_status_condition(const struct object_status *status, const char *ref_name,
                                                const char *type)
{
    for (unsigned i = 0; i < status->parent_count; i++) {
        const struct status_parent *parent = &status->parents[i];
        bool is_wanted = ref_name == NULL ? parent->ref_kind == NULL
                                          : parent->ref_kind != NULL && strcmp(parent->ref_name, ref_name) == 0;
        const struct condition *found =
            is_wanted ? find_condition(parent->conditions, parent->condition_count, type) : NULL;
        if (found != NULL)
            return found;
    }
    return NULL;
}

bool status_report_is_programmed(const struct status_report *report)
{
    for (unsigned i = 0; i < report->len; i++) {
        if (report->objects[i].object->kind != KUBE_GATEWAY)
            continue;
        const struct condition *programmed = object_status_condition(&report->objects[i], NULL, "Programmed");
        if (programmed == NULL || programmed->status != CONDITION_TRUE)
            return false;
    }
    return true;
}

static bool says_no(const struct condition *condition)
{
    enum condition_status bad = strcmp(condition->type, "Conflicted") == 0 ? CONDITION_TRUE : CONDITION_FALSE;
    return condition->status == bad;
}

/* One fault often turns several conditions of an object with one and the same sentence: people read it once. */
static bool is_said(const struct problem *from, const char *message)
{
    for (; from != NULL; from = from->next) {
        if (strcmp(from->message, message) == 0)
            return true;
    }
    return false;
}

static void report_conditions(struct problems *problems, struct problem *const *first, const char *field,
                              const struct condition *conditions, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (says_no(&conditions[i]) && !is_said(*first, conditions[i].message))
            problems_add(problems, field, conditions[i].reason, "%s", conditions[i].message);
    }
}

void status_report_problems(const struct status_report *report, struct problems *problems)
{
    for (unsigned i = 0; i < report->len; i++) {
        const struct object_status *status = &report->objects[i];
        struct problem **first = problems->tail;
        problems->object = kube_object_text(status->object, problems->arena);
        /* The object's own words first: a fault of the whole Gateway also shows on each listener. */
        for (unsigned j = 0; j < status->parent_count; j++)
            report_conditions(problems, first, "", status->parents[j].conditions, status->parents[j].condition_count);
        for (unsigned j = 0; j < status->listener_count; j++) {
            const struct status_listener *listener = &status->listeners[j];
            char *field = arena_printf(problems->arena, "spec.listeners[%u]", j);
            report_conditions(problems, first, field, listener->conditions, listener->condition_count);
        }
    }
    problems->object = NULL;
}

static void write_conditions(struct json_writer *writer, const struct condition *conditions, unsigned count)
{
    jw_key(writer, "conditions");
    jw_begin_array(writer);
    for (unsigned i = 0; i < count; i++)
        condition_write(writer, &conditions[i]);
    jw_end_array(writer);
}

static void write_ref(struct json_writer *writer, const char *key, const struct status_parent *parent)
{
    jw_key(writer, key);
    jw_begin_object(writer);
    jw_member_str(writer, "group", parent->ref_group);
    jw_member_str(writer, "kind", parent->ref_kind);
    if (parent->namespace_given)
        jw_member_str(writer, "namespace", parent->ref_namespace);
    jw_member_str(writer, "name", parent->ref_name);
    if (parent->ref_section != NULL && parent->ref_section[0] != '\0')
        jw_member_str(writer, "sectionName", parent->ref_section);
    if (parent->ref_port != 0)
        jw_member_u64(writer, "port", parent->ref_port);
    jw_end_object(writer);
}

static void write_parents(struct json_writer *writer, const struct status_report *report,
                          const struct object_status *status)
{
    enum kube_kind kind = status->object->kind;
    bool is_policy = kind == KUBE_CLIENT_TRAFFIC_POLICY || kind == KUBE_BACKEND_TRAFFIC_POLICY;
    /* v1alpha2 InferencePool spells the list in the singular. */
    jw_key(writer, is_policy ? "ancestors" : kind == KUBE_INFERENCE_POOL_X ? "parent" : "parents");
    jw_begin_array(writer);
    for (unsigned i = 0; i < status->parent_count; i++) {
        const struct status_parent *parent = &status->parents[i];
        jw_begin_object(writer);
        write_ref(writer, is_policy ? "ancestorRef" : "parentRef", parent);
        if (kind != KUBE_INFERENCE_POOL_X)
            jw_member_str(writer, "controllerName", report->controller_name);
        write_conditions(writer, parent->conditions, parent->condition_count);
        jw_end_object(writer);
    }
    jw_end_array(writer);
}

static void write_listeners(struct json_writer *writer, const struct object_status *status)
{
    jw_key(writer, "listeners");
    jw_begin_array(writer);
    for (unsigned i = 0; i < status->listener_count; i++) {
        const struct status_listener *listener = &status->listeners[i];
        jw_begin_object(writer);
        jw_member_str(writer, "name", listener->name);
        jw_key(writer, "supportedKinds");
        jw_begin_array(writer);
        if (listener->supports_http_route) {
            jw_begin_object(writer);
            jw_member_str(writer, "group", kube_kind_info(KUBE_HTTP_ROUTE)->group);
            jw_member_str(writer, "kind", kube_kind_info(KUBE_HTTP_ROUTE)->kind);
            jw_end_object(writer);
        }
        jw_end_array(writer);
        jw_member_u64(writer, "attachedRoutes", listener->attached_routes);
        write_conditions(writer, listener->conditions, listener->condition_count);
        jw_end_object(writer);
    }
    jw_end_array(writer);
}

void object_status_write(const struct status_report *report, const struct object_status *status,
                         struct json_writer *writer)
{
    jw_begin_object(writer);
    if (status->address != NULL) {
        jw_key(writer, "addresses");
        jw_begin_array(writer);
        jw_begin_object(writer);
        jw_member_str(writer, "type", "IPAddress");
        jw_member_str(writer, "value", status->address);
        jw_end_object(writer);
        jw_end_array(writer);
    }
    if (status->parent_count > 0 && status->parents[0].ref_kind == NULL)
        write_conditions(writer, status->parents[0].conditions, status->parents[0].condition_count);
    else
        write_parents(writer, report, status);
    if (status->object->kind == KUBE_GATEWAY)
        write_listeners(writer, status);
    jw_end_object(writer);
}

void status_report_write(const struct status_report *report, struct json_writer *writer)
{
    jw_begin_array(writer);
    for (unsigned i = 0; i < report->len; i++) {
        const struct kube_object *object = report->objects[i].object;
        const struct kube_kind_info *info = kube_kind_info(object->kind);
        jw_begin_object(writer);
        jw_member_str(writer, "kind", info->kind);
        jw_member_str(writer, "namespace", object->namespace_);
        jw_member_str(writer, "name", object->name);
        jw_key(writer, "status");
        object_status_write(report, &report->objects[i], writer);
        jw_end_object(writer);
    }
    jw_end_array(writer);
}
