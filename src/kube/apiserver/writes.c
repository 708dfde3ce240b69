/* SPDX-License-Identifier: Apache-2.0 */
/* writes.c: POST, PUT, PATCH and DELETE.  A request is answered when the disk has what it asked for. */
#include <errno.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "base/yaml.h"
#include "kube/apiserver/call.h"
#include "kube/apiserver/events_view.h"
#include "kube/apiserver/object_rules.h"
#include "kube/patch/apply_patch.h"
#include "kube/patch/json_patch.h"
#include "kube/patch/merge_patch.h"
#include "kube/patch/strategic_patch.h"
#include "kube/protobuf/protobuf.h"

/* --- bodies --- */

/* The media type without its parameters, in lower case as clients send it. */
static struct bytes media_type(const struct api_call *call)
{
    const struct http_field *field = http_fields_find(&call->exchange->request.fields, HTTP_FIELD_CONTENT_TYPE);
    struct bytes type = field != NULL ? field->value : BYTES("application/json");
    type.len = bytes_find(type, ';');
    return bytes_trim(type);
}

static bool is_type(struct bytes type, const char *wanted)
{
    return bytes_equal_nocase(type, bytes_of(wanted));
}

static bool keep_document(json_t *document, size_t line, void *context)
{
    (void)line;
    *(json_t **)context = json_incref(document);
    return false;
}

static json_t *parse_yaml(struct bytes text, char error[200])
{
    json_t *tree = NULL;
    if (yaml_parse(text, keep_document, &tree, error) < 0) {
        json_decref(tree);
        return NULL;
    }
    return tree != NULL ? tree : json_object();
}

enum body_format { BODY_JSON, BODY_YAML, BODY_PROTOBUF, BODY_UNKNOWN };

/* Without a type a body is JSON. */
static enum body_format format_of(struct bytes type)
{
    static const struct {
        const char *type;
        enum body_format format;
    } formats[] = {
        {"", BODY_JSON},
        {"application/json", BODY_JSON},
        {"application/merge-patch+json", BODY_JSON},
        {"application/json-patch+json", BODY_JSON},
        {"application/strategic-merge-patch+json", BODY_JSON},
        {"application/yaml", BODY_YAML},
        {"application/apply-patch+yaml", BODY_YAML},
        {"application/vnd.kubernetes.protobuf", BODY_PROTOBUF},
    };
    for (unsigned i = 0; i < ARRAY_LEN(formats); i++) {
        if (is_type(type, formats[i].type))
            return formats[i].format;
    }
    return BODY_UNKNOWN;
}

json_t *read_body(struct api_call *call)
{
    struct bytes text = buffer_bytes(&call->body);
    char error[200] = "";
    json_t *tree = NULL;
    switch (format_of(media_type(call))) {
    case BODY_JSON:
        tree = json_read(text, error);
        break;
    case BODY_YAML:
        tree = parse_yaml(text, error);
        break;
    case BODY_PROTOBUF:
        tree = protobuf_decode(text, error);
        break;
    case BODY_UNKNOWN:
        failure_set(&call->failure, FAILURE_UNSUPPORTED_MEDIA_TYPE,
                    "the body of the request was in an unknown format - accepted media types include: "
                    "application/json, application/yaml, application/vnd.kubernetes.protobuf");
        return NULL;
    }
    if (tree == NULL)
        failure_set(&call->failure, FAILURE_BAD_REQUEST, "the body of the request cannot be read: %s", error);
    return tree;
}

/* apiVersion and kind, where given, are the URL's; so is the namespace. */
static bool fits_target(struct api_call *call, json_t *tree)
{
    const struct target *target = &call->target;
    const struct api_resource *resource = target->resource;
    const char *api_version = rules_text(tree, "apiVersion"), *kind = rules_text(tree, "kind");
    if (!json_is_object(tree)) {
        failure_set(&call->failure, FAILURE_BAD_REQUEST, "the body of the request must be an object");
        return false;
    }
    if ((api_version[0] != '\0' && strcmp(api_version, resource->api_version) != 0) ||
        (kind[0] != '\0' && strcmp(kind, resource->kind_name) != 0)) {
        failure_set(&call->failure, FAILURE_BAD_REQUEST,
                    "the API version and kind in the data (%s, %s) do not match the expected ones (%s, %s)",
                    api_version, kind, resource->api_version, resource->kind_name);
        return false;
    }
    json_t *metadata = rules_metadata(tree);
    const char *namespace_ = rules_text(metadata, "namespace");
    if (!resource->is_namespaced)
        return true;
    if (namespace_[0] != '\0' && strcmp(namespace_, target->namespace_) != 0) {
        failure_set(&call->failure, FAILURE_BAD_REQUEST,
                    "the namespace of the provided object does not match the namespace sent on the request");
        return false;
    }
    rules_set_text(metadata, "namespace", target->namespace_);
    return true;
}

/* In the words that are stored. */
static json_t *in_stored_words(const struct api_resource *resource, json_t *tree)
{
    if (!resource->is_events_view)
        return tree;
    json_t *core = events_view_to_core(tree);
    json_decref(tree);
    return core;
}

static json_t *read_object(struct api_call *call)
{
    json_t *tree = read_body(call);
    if (tree == NULL)
        return NULL;
    if (!fits_target(call, tree)) {
        json_decref(tree);
        return NULL;
    }
    return in_stored_words(call->target.resource, tree);
}

/* --- the end of a write --- */

void answer_write(struct api_call *call)
{
    const struct change *change = &call->change;
    if (change->dry != NULL)
        answer_object(call, call->success_status, change->dry);
    else
        answer_stored(call, call->success_status, change->stored);
}

static void on_durable(struct store_write *write, int error)
{
    struct api_call *call = container_of(write, struct api_call, write);
    call->is_writing = false;
    if (error == 0) {
        call->answer_success(call);
        return;
    }
    failure_set(&call->failure, error == -ENOSPC ? FAILURE_INSUFFICIENT_STORAGE : FAILURE_INTERNAL_ERROR,
                error == -ENOSPC ? "the disk is full: nothing was written" : "the disk failed: nothing was written");
    answer_failure(call);
}

static const char *manager_of(struct api_call *call)
{
    const char *given = call->target.query.field_manager;
    if (given[0] != '\0')
        return given;
    /* As on a cluster: the first word of the client's name. */
    const struct http_field *agent = http_fields_find(&call->exchange->request.fields, HTTP_FIELD_USER_AGENT);
    if (agent == NULL || agent->value.len == 0)
        return "unknown";
    return arena_strndup(call->arena, bytes_make(agent->value.data, bytes_find(agent->value, '/')));
}

static enum field_validation validation_of(const struct api_call *call)
{
    const char *word = call->target.query.field_validation;
    if (strcmp(word, "Strict") == 0)
        return FIELDS_STRICT;
    return strcmp(word, "Ignore") == 0 ? FIELDS_IGNORE : FIELDS_WARN;
}

void begin_write(struct api_call *call)
{
    const struct target *target = &call->target;
    change_init(&call->change, call->server->config.store, call->arena, clock_wall_ms());
    call->change.part = strcmp(target->subresource, "status") == 0 ? CHANGE_STATUS : CHANGE_MAIN;
    call->change.validation = validation_of(call);
    call->change.is_dry_run = target->query.is_dry_run;
    call->change.manager = manager_of(call);
    call->change.api_version = target->resource->api_version;
    call->change.write = &call->write;
    call->write.on_done = on_durable;
    call->success_status = 200;
}

void finish_write(struct api_call *call, void (*answer_success)(struct api_call *call))
{
    struct change *change = &call->change;
    call->answer_success = answer_success;
    if (!call->failure.is_set && change->failure.is_set)
        call->failure = change->failure;
    if (call->failure.is_set)
        answer_failure(call);
    else if (change->is_dry_run)
        answer_success(call);
    else if (!change->is_unchanged || store_barrier(change->store, &call->write))
        call->is_writing = true;
    else
        answer_success(call);
}

/* --- POST and PUT --- */

void write_create(struct api_call *call)
{
    begin_write(call);
    call->success_status = 201;
    json_t *tree = read_object(call);
    if (tree != NULL)
        (void)change_create(&call->change, call->target.resource->kind, tree);
    finish_write(call, answer_write);
}

/* Of kinds that a cluster has from CRDs, an update names the version that it is of. */
static bool lacks_version(const struct api_call *call, const json_t *tree)
{
    const struct target *target = &call->target;
    return !target->resource->is_built_in &&
           rules_text(json_object_get(tree, "metadata"), "resourceVersion")[0] == '\0' &&
           store_head(call->server->config.store, target->resource->kind, target->namespace_, target->name) != NULL;
}

void write_replace(struct api_call *call)
{
    const struct target *target = &call->target;
    begin_write(call);
    json_t *tree = read_object(call);
    if (tree != NULL && lacks_version(call, tree)) {
        struct problems problems;
        problems_init(&problems, call->arena);
        problems_add(&problems, "metadata.resourceVersion", "Invalid",
                     "Invalid value: 0x0: must be specified for an update");
        failure_invalid(&call->failure, target->resource->kind, target->name, &problems);
        json_decref(tree);
    } else if (tree != NULL) {
        (void)change_update(&call->change, target->resource->kind, target->namespace_, target->name, tree);
    }
    finish_write(call, answer_write);
}

/* --- PATCH --- */

enum patch_type { PATCH_MERGE, PATCH_JSON, PATCH_STRATEGIC, PATCH_APPLY, PATCH_UNKNOWN };

static enum patch_type patch_type_of(const struct api_call *call)
{
    static const char *const names[] = {
        [PATCH_MERGE] = "application/merge-patch+json",
        [PATCH_JSON] = "application/json-patch+json",
        [PATCH_STRATEGIC] = "application/strategic-merge-patch+json",
        [PATCH_APPLY] = "application/apply-patch+yaml",
    };
    struct bytes type = media_type(call);
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (is_type(type, names[i]) && (i != PATCH_STRATEGIC || call->target.resource->is_built_in))
            return (enum patch_type)i;
    }
    return PATCH_UNKNOWN;
}

static void refuse_patch_type(struct api_call *call)
{
    failure_set(&call->failure, FAILURE_UNSUPPORTED_MEDIA_TYPE,
                "the body of the request was in an unknown format - accepted media types include: "
                "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml%s",
                call->target.resource->is_built_in ? ", application/strategic-merge-patch+json" : "");
}

static char *buffer_text(struct api_call *call, struct buffer *buffer)
{
    char *text = arena_strndup(call->arena, buffer_bytes(buffer));
    buffer_deinit(buffer);
    return text;
}

static void refuse_conflicts(struct api_call *call, const struct apply_conflict *conflicts)
{
    unsigned count = 0, used = 0;
    for (const struct apply_conflict *conflict = conflicts; conflict != NULL; conflict = conflict->next)
        count++;
    struct failure_cause *causes = ARENA_ARRAY(call->arena, struct failure_cause, count);
    for (const struct apply_conflict *conflict = conflicts; conflict != NULL; conflict = conflict->next) {
        struct buffer cause = {0};
        apply_conflict_cause(conflict, &cause);
        causes[used++] = (struct failure_cause){"FieldManagerConflict", buffer_text(call, &cause), conflict->path};
    }
    struct buffer message = {0};
    apply_conflicts_message(conflicts, &message);
    failure_set(&call->failure, FAILURE_CONFLICT, "%s", buffer_text(call, &message));
    call->failure.causes = causes;
    call->failure.cause_count = count;
}

static json_t *apply(struct api_call *call, json_t *target, json_t *patch, char error[300])
{
    char now[21];
    clock_rfc3339(call->change.now_wall_ms, now);
    const struct api_resource *resource = call->target.resource;
    struct apply_conflict *conflicts = NULL;
    struct apply_request request = {
        .manager = call->target.query.field_manager,
        .api_version = resource->api_version,
        .time = now,
        .force = call->target.query.is_forced,
        .subresource = call->target.subresource,
        .kind = resource->kind_name,
        .group = resource->group,
    };
    if (request.manager[0] == '\0') {
        failure_set(&call->failure, FAILURE_BAD_REQUEST, "fieldManager is required for apply patch");
        return NULL;
    }
    json_t *next = apply_patch(target, patch, &request, call->arena, &conflicts, error);
    if (next == NULL && conflicts != NULL)
        refuse_conflicts(call, conflicts);
    call->change.manager = NULL; /* the list is made already */
    return next;
}

static json_t *patched(struct api_call *call, enum patch_type type, json_t *target, json_t *patch)
{
    char error[300] = "";
    json_t *next = NULL;
    switch (type) {
    case PATCH_MERGE:
        next = merge_patch(target, patch);
        break;
    case PATCH_JSON:
        next = json_patch(target, patch, error);
        break;
    case PATCH_STRATEGIC:
        next = strategic_patch(target, patch, call->target.resource->kind_name, error);
        break;
    case PATCH_APPLY:
        next = apply(call, target, patch, error);
        break;
    case PATCH_UNKNOWN:
        break;
    }
    if (next == NULL && type == PATCH_JSON)
        failure_set(&call->failure, FAILURE_INVALID, "the server rejected our request: %s", error);
    else if (next == NULL)
        failure_set(&call->failure, FAILURE_BAD_REQUEST, "the patch cannot be applied: %s", error);
    else if (!json_is_object(next))
        failure_set(&call->failure, FAILURE_BAD_REQUEST, "the patched object must be an object");
    return next;
}

static bool patch_may_create(struct api_call *call, enum patch_type type, const struct stored *head)
{
    if (head != NULL || (type == PATCH_APPLY && call->target.subresource[0] == '\0'))
        return true;
    failure_about(&call->failure, FAILURE_NOT_FOUND, call->target.resource->kind, call->target.name, NULL);
    return false;
}

/* What a manager wants is a whole object: one that says nothing would take away all that the manager owns. */
static bool is_config(struct api_call *call, const json_t *patch)
{
    const char *name = rules_text(json_object_get(patch, "metadata"), "name");
    if (rules_text(patch, "apiVersion")[0] == '\0' || rules_text(patch, "kind")[0] == '\0')
        failure_set(&call->failure, FAILURE_BAD_REQUEST, "apiVersion and kind are required for apply patch");
    else if (name[0] != '\0' && strcmp(name, call->target.name) != 0)
        failure_set(&call->failure, FAILURE_BAD_REQUEST,
                    "the name of the object (%s) does not match the name on the URL (%s)", name, call->target.name);
    return !call->failure.is_set;
}

/* The target of an apply that makes the object: named by the URL. */
static void name_new(const struct target *target, json_t *tree)
{
    json_t *metadata = rules_metadata(tree);
    rules_set_text(metadata, "name", target->name);
    if (target->resource->is_namespaced)
        rules_set_text(metadata, "namespace", target->namespace_);
}

static void change_by_patch(struct api_call *call, enum patch_type type, json_t *patch)
{
    const struct target *target = &call->target;
    const struct api_resource *resource = target->resource;
    const struct stored *head =
        store_head(call->server->config.store, resource->kind, target->namespace_, target->name);
    if (!patch_may_create(call, type, head) || (type == PATCH_APPLY && !is_config(call, patch)))
        return;
    json_t *present = head != NULL ? object_tree(resource, head->object) : NULL;
    json_t *next = patched(call, type, present, patch);
    json_decref(present);
    if (call->failure.is_set || !fits_target(call, next)) {
        json_decref(next);
        return;
    }
    next = in_stored_words(resource, next);
    if (head != NULL) {
        (void)change_update(&call->change, resource->kind, target->namespace_, target->name, next);
        return;
    }
    name_new(target, next);
    call->success_status = 201;
    (void)change_create(&call->change, resource->kind, next);
}

void write_patch(struct api_call *call)
{
    enum patch_type type = patch_type_of(call);
    begin_write(call);
    if (type == PATCH_UNKNOWN)
        refuse_patch_type(call);
    json_t *patch = type != PATCH_UNKNOWN ? read_body(call) : NULL;
    if (patch != NULL)
        change_by_patch(call, type, patch);
    json_decref(patch);
    finish_write(call, answer_write);
}
