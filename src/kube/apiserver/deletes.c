/* SPDX-License-Identifier: Apache-2.0 */
/* deletes.c: DELETE of one object and of collections, with DeleteOptions in the body or the query. */
#include "base/clock.h"
#include "kube/apiserver/call.h"
#include "kube/apiserver/object_rules.h"

static const char *option_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool is_propagation(const char *word)
{
    return word == NULL || strcmp(word, "Background") == 0 || strcmp(word, "Foreground") == 0 ||
           strcmp(word, "Orphan") == 0;
}

/* What the body says goes before what the query says. */
static void take_options(struct api_call *call, const json_t *body, struct deletion *ret_deletion)
{
    const struct target_query *query = &call->target.query;
    const json_t *preconditions = json_object_get(body, "preconditions");
    const json_t *grace = json_object_get(body, "gracePeriodSeconds");
    const char *propagation = option_text(body, "propagationPolicy");
    if (propagation == NULL && query->propagation_policy[0] != '\0')
        propagation = query->propagation_policy;
    if (propagation == NULL && json_is_true(json_object_get(body, "orphanDependents")))
        propagation = "Orphan";
    if (json_array_size(json_object_get(body, "dryRun")) > 0)
        call->target.query.is_dry_run = true;
    *ret_deletion = (struct deletion){
        .uid = option_text(preconditions, "uid"),
        .resource_version = option_text(preconditions, "resourceVersion"),
        .propagation = propagation,
        .grace_s =
            json_is_integer(grace) && json_integer_value(grace) >= 0 ? json_integer_value(grace) : query->grace_s,
    };
    if (!is_propagation(propagation))
        failure_set(&call->failure, FAILURE_INVALID,
                    "propagationPolicy: \"%s\" must be Background, Foreground or Orphan", propagation);
}

/* Texts of the deletion point into the body, which lives as long as this returns it; NULL: no body or a failure. */
static json_t *read_options(struct api_call *call, struct deletion *ret_deletion)
{
    json_t *body = buffer_is_empty(&call->body) ? NULL : read_body(call);
    if (body != NULL && !json_is_object(body))
        failure_set(&call->failure, FAILURE_BAD_REQUEST, "DeleteOptions must be an object");
    take_options(call, body, ret_deletion);
    return body;
}

static void answer_gone(struct api_call *call, const struct kube_object *object)
{
    const struct api_resource *resource = call->target.resource;
    struct buffer body = {0};
    struct json_writer writer;
    jw_init(&writer, &body);
    jw_begin_object(&writer);
    jw_member_str(&writer, "kind", "Status");
    jw_member_str(&writer, "apiVersion", "v1");
    jw_key(&writer, "metadata");
    jw_begin_object(&writer);
    jw_end_object(&writer);
    jw_member_str(&writer, "status", "Success");
    jw_key(&writer, "details");
    jw_begin_object(&writer);
    jw_member_str(&writer, "name", object->name);
    if (resource->group[0] != '\0')
        jw_member_str(&writer, "group", resource->group);
    jw_member_str(&writer, "kind", resource->plural);
    jw_member_str(&writer, "uid", object->uid);
    jw_end_object(&writer);
    jw_end_object(&writer);
    answer_json(call, 200, &body);
}

/* An object that only begins to go is shown as it is now. */
static void answer_deletion(struct api_call *call)
{
    const struct change *change = &call->change;
    if (change->is_gone)
        answer_gone(call, change->dry != NULL ? change->dry : change->stored->object);
    else
        answer_write(call);
}

void delete_one(struct api_call *call)
{
    const struct target *target = &call->target;
    struct deletion deletion;
    json_t *options = read_options(call, &deletion);
    begin_write(call);
    if (!call->failure.is_set)
        (void)change_delete(&call->change, target->resource->kind, target->namespace_, target->name, &deletion);
    json_decref(options);
    finish_write(call, answer_deletion);
}

/* --- collections --- */

static void answer_collection(struct api_call *call)
{
    answer_json(call, 200, &call->list);
}

static void delete_member(struct api_call *call, const struct stored *stored, const struct deletion *deletion)
{
    struct change change;
    change_init(&change, call->server->config.store, call->arena, clock_wall_ms());
    change.is_dry_run = call->target.query.is_dry_run;
    const struct kube_object *object = stored->object;
    if (change_delete(&change, object->kind, object->namespace_, object->name, deletion)) {
        if (buffer_bytes(&call->list).data[buffer_len(&call->list) - 1] == '}')
            buffer_append_char(&call->list, ',');
        write_object(call->target.resource, change.dry != NULL ? change.dry : change.stored->object, &call->list);
    } else if (change.failure.reason != FAILURE_NOT_FOUND) {
        call->failure = change.failure;
    }
    change_deinit(&change);
}

/* Every version that is listed is held: deleting moves what a cursor walks over. */
static void delete_members(struct api_call *call, const struct deletion *deletion)
{
    struct store *store = call->server->config.store;
    enum kube_kind kind = call->target.resource->kind;
    size_t count = store_count(store, kind), used = 0;
    const struct stored **items = ARENA_ARRAY(call->arena, const struct stored *, count + 1), *stored;
    struct store_cursor cursor = store_cursor_at(store, kind, call->target.namespace_, "", "");
    while (used < count && (stored = store_next(store, kind, &cursor)) != NULL) {
        if (selection_matches(&call->selection, stored->object))
            items[used++] = stored_take(stored);
    }
    for (size_t i = 0; i < used; i++) {
        if (!call->failure.is_set)
            delete_member(call, items[i], deletion);
        stored_give_back((struct stored *)(uintptr_t)items[i]);
    }
}

void delete_collection(struct api_call *call)
{
    const struct api_resource *resource = call->target.resource;
    struct deletion deletion;
    json_t *options = read_options(call, &deletion);
    begin_write(call);
    if (!call->failure.is_set && read_selection(call)) {
        buffer_printf(&call->list,
                      "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"%llu\"},"
                      "\"items\":[",
                      resource->list_kind, resource->api_version,
                      (unsigned long long)store_version(call->server->config.store));
        delete_members(call, &deletion);
        buffer_append_str(&call->list, "]}");
    }
    json_decref(options);
    call->change.is_unchanged = true; /* each member was a change of its own: what is left is to wait for the disk */
    finish_write(call, answer_collection);
}
