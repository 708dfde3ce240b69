/* SPDX-License-Identifier: Apache-2.0 */
/* openapi_paths.c: writes the paths of a resource and the operations on them.  Pure.
 *
 * kubectl looks here for two things: which kind a path is about, and whether its PATCH takes fieldValidation, which
 * means that the server validates.  Strategic merge patch is not listed even where it is taken: listing it makes
 * kubectl compute patches from the schemas, which are not complete enough for that. */
#include <stdio.h>

#include "kube/apiserver/openapi_internal.h"

/* What one path is: of the collection, of an object, or of a part of it. */
struct place {
    const struct api_resource *resource;
    const struct api_subresource *subresource; /* NULL: the object itself */
    bool is_namespaced;                        /* {namespace} is in the path */
    bool is_named;                             /* {name} is in the path */
};

struct parameter {
    const char *name, *type, *description;
};

static const struct parameter write_parameters[] = {
    {"dryRun", "string", "All: nothing is stored."},
    {"fieldManager", "string", "Who writes."},
    {"fieldValidation", "string",
     "What unknown and duplicate fields do: Strict refuses, Warn warns, Ignore drops them."},
    {"force", "boolean", "Takes over fields of other managers; for apply patches only."},
};
enum { COUNT_FOR_PATCH = ARRAY_LEN(write_parameters), COUNT_FOR_OTHERS = COUNT_FOR_PATCH - 1 };

static const struct parameter delete_parameters[] = {
    {"dryRun", "string", "All: nothing is removed."},
    {"gracePeriodSeconds", "integer", "Time to end in good order."},
    {"propagationPolicy", "string", "What becomes of dependents: Background, Foreground or Orphan."},
};

static const struct parameter list_parameters[] = {
    {"labelSelector", "string", "Only objects with these labels."},
    {"fieldSelector", "string", "Only objects with these fields."},
    {"limit", "integer", "At most so many objects; the rest with continue."},
    {"continue", "string", "Goes on with an earlier list."},
    {"resourceVersion", "string", "From where a watch starts."},
    {"resourceVersionMatch", "string", "How resourceVersion is meant."},
    {"watch", "boolean", "Sends changes as they happen instead of a list."},
    {"allowWatchBookmarks", "boolean", "Takes BOOKMARK events."},
    {"timeoutSeconds", "integer", "When a watch ends."},
};

static const char *const plain_types[] = {"application/json", NULL};
static const char *const patch_types[] = {"application/merge-patch+json", "application/json-patch+json",
                                          "application/apply-patch+yaml", NULL};

void openapi_append_component(struct buffer *out, const struct api_resource *resource, const char *suffix)
{
    struct bytes group = bytes_of(resource->group);
    if (bytes_find(group, '.') == group.len) /* core, apps */
        buffer_append_str(out, group.len == 0 ? "io.k8s.api.core." : "io.k8s.api.");
    for (size_t end = group.len; end > 0;) {
        size_t start = end;
        while (start > 0 && group.data[start - 1] != '.')
            start--;
        buffer_append(out, bytes_make(group.data + start, end - start));
        buffer_append_char(out, '.');
        end = start > 0 ? start - 1 : 0;
    }
    buffer_printf(out, "%s.%s%s", resource->version, resource->kind_name, suffix);
}

void openapi_write_kind(struct json_writer *writer, const char *group, const char *version, const char *kind)
{
    jw_key(writer, "x-kubernetes-group-version-kind");
    jw_begin_object(writer);
    jw_member_str(writer, "group", group);
    jw_member_str(writer, "kind", kind);
    jw_member_str(writer, "version", version);
    jw_end_object(writer);
}

void openapi_write_reference(struct json_writer *writer, struct bytes component)
{
    struct buffer text = {0};
    buffer_append_str(&text, "#/components/schemas/");
    buffer_append(&text, component);
    jw_member_string(writer, "$ref", buffer_bytes(&text));
    buffer_deinit(&text);
}

static void write_parameter(struct json_writer *writer, const struct parameter *parameter, const char *in)
{
    jw_begin_object(writer);
    jw_member_str(writer, "name", parameter->name);
    jw_member_str(writer, "in", in);
    jw_member_str(writer, "description", parameter->description);
    if (strcmp(in, "path") == 0)
        jw_member_bool(writer, "required", true);
    jw_key(writer, "schema");
    jw_begin_object(writer);
    jw_member_str(writer, "type", parameter->type);
    jw_end_object(writer);
    jw_end_object(writer);
}

static void write_query(struct json_writer *writer, const struct parameter *parameters, size_t count)
{
    if (count == 0)
        return;
    jw_key(writer, "parameters");
    jw_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        write_parameter(writer, &parameters[i], "query");
    jw_end_array(writer);
}

/* "content": for each media type the schema with this name; NULL: any object. */
static void write_content(struct json_writer *writer, const char *const *types, const struct buffer *component)
{
    jw_key(writer, "content");
    jw_begin_object(writer);
    for (; *types != NULL; types++) {
        jw_key(writer, *types);
        jw_begin_object(writer);
        jw_key(writer, "schema");
        jw_begin_object(writer);
        if (component != NULL) {
            openapi_write_reference(writer, buffer_bytes(component));
        } else if (strcmp(*types, "application/json-patch+json") != 0) {
            jw_member_str(writer, "type", "object");
        }
        jw_end_object(writer);
        jw_end_object(writer);
    }
    jw_end_object(writer);
}

static void write_body(struct json_writer *writer, const char *const *types, const struct buffer *component)
{
    jw_key(writer, "requestBody");
    jw_begin_object(writer);
    write_content(writer, types, component);
    jw_end_object(writer);
}

static void write_response(struct json_writer *writer, const char *status, const char *const *types,
                           const struct buffer *component)
{
    jw_key(writer, "responses");
    jw_begin_object(writer);
    jw_key(writer, status);
    jw_begin_object(writer);
    jw_member_str(writer, "description", "OK");
    write_content(writer, types, component);
    jw_end_object(writer);
    jw_end_object(writer);
}

static void begin_operation(struct json_writer *writer, const struct place *place, const char *method,
                            const char *action)
{
    const struct api_resource *resource = place->resource;
    const struct api_subresource *subresource = place->subresource;
    jw_key(writer, method);
    jw_begin_object(writer);
    jw_member_str(writer, "x-kubernetes-action", action);
    if (subresource != NULL && subresource->kind_name != NULL)
        openapi_write_kind(writer, subresource->group, subresource->version, subresource->kind_name);
    else
        openapi_write_kind(writer, resource->group, resource->version, resource->kind_name);
}

/* POST, PUT and PATCH. */
static void write_write(struct json_writer *writer, const struct place *place, const char *method,
                        const struct buffer *component)
{
    bool is_patch = strcmp(method, "patch") == 0, is_post = strcmp(method, "post") == 0;
    begin_operation(writer, place, method, method);
    write_query(writer, write_parameters, is_patch ? COUNT_FOR_PATCH : COUNT_FOR_OTHERS);
    write_body(writer, is_patch ? patch_types : plain_types, is_patch ? NULL : component);
    write_response(writer, is_post ? "201" : "200", plain_types, component);
    jw_end_object(writer);
}

static void write_list(struct json_writer *writer, const struct place *place)
{
    struct buffer component = {0};
    openapi_append_component(&component, place->resource, "List");
    begin_operation(writer, place, "get", "list");
    write_query(writer, list_parameters, ARRAY_LEN(list_parameters));
    write_response(writer, "200", plain_types, &component);
    jw_end_object(writer);
    buffer_deinit(&component);
}

static void write_get(struct json_writer *writer, const struct place *place, const struct buffer *component)
{
    static const char *const text_types[] = {"text/plain", NULL};
    bool is_log = place->subresource == resource_subresource(API_LOG);
    begin_operation(writer, place, "get", "get");
    write_response(writer, "200", is_log ? text_types : plain_types, is_log ? NULL : component);
    jw_end_object(writer);
}

static void write_delete(struct json_writer *writer, const struct place *place)
{
    begin_operation(writer, place, "delete", "delete");
    write_query(writer, delete_parameters, ARRAY_LEN(delete_parameters));
    write_response(writer, "200", plain_types, NULL);
    jw_end_object(writer);
}

static void write_object_operations(struct json_writer *writer, const struct place *place,
                                    const struct buffer *component)
{
    unsigned verbs = place->subresource != NULL ? place->subresource->verbs : place->resource->verbs;
    if (verbs & API_BIT(API_GET))
        write_get(writer, place, component);
    if (verbs & API_BIT(API_UPDATE))
        write_write(writer, place, "put", component);
    if (verbs & API_BIT(API_PATCH))
        write_write(writer, place, "patch", component);
    if (verbs & API_BIT(API_DELETE))
        write_delete(writer, place);
}

/* A list over all namespaces is no place to create in. */
static void write_collection_operations(struct json_writer *writer, const struct place *place,
                                        const struct buffer *component)
{
    if (resource_can(place->resource, API_LIST))
        write_list(writer, place);
    if (resource_can(place->resource, API_CREATE) && place->is_namespaced == place->resource->is_namespaced)
        write_write(writer, place, "post", component);
}

static void write_path_parameters(struct json_writer *writer, const struct place *place)
{
    static const struct parameter namespace_ = {"namespace", "string", "The namespace."};
    static const struct parameter name = {"name", "string", "The name."};
    if (!place->is_namespaced && !place->is_named)
        return;
    jw_key(writer, "parameters");
    jw_begin_array(writer);
    if (place->is_namespaced)
        write_parameter(writer, &namespace_, "path");
    if (place->is_named)
        write_parameter(writer, &name, "path");
    jw_end_array(writer);
}

static void write_path(struct json_writer *writer, const struct place *place)
{
    const struct api_resource *resource = place->resource;
    bool is_scale = place->subresource == resource_subresource(API_SCALE);
    struct buffer component = {0};
    char path[256];
    snprintf(path, sizeof path, "/%s/%s%s/%s%s%s%s", resource->group[0] == '\0' ? "api" : "apis", resource->api_version,
             place->is_namespaced ? "/namespaces/{namespace}" : "", resource->plural, place->is_named ? "/{name}" : "",
             place->subresource != NULL ? "/" : "", place->subresource != NULL ? place->subresource->name : "");
    if (is_scale)
        buffer_append_str(&component, schema_scale.name);
    else
        openapi_append_component(&component, resource, "");
    jw_key(writer, path);
    jw_begin_object(writer);
    write_path_parameters(writer, place);
    if (place->is_named)
        write_object_operations(writer, place, &component);
    else
        write_collection_operations(writer, place, &component);
    jw_end_object(writer);
    buffer_deinit(&component);
}

void openapi_write_paths(struct json_writer *writer, const struct api_resource *resource)
{
    struct place place = {.resource = resource};
    write_path(writer, &place);
    if (resource->is_namespaced) {
        place.is_namespaced = true;
        write_path(writer, &place);
    }
    if (!resource_can(resource, API_GET))
        return;
    place.is_named = true;
    write_path(writer, &place);
    for (unsigned id = 0; id < API_SUBRESOURCE_COUNT; id++) {
        if (!resource_has(resource, (enum api_subresource_id)id))
            continue;
        place.subresource = resource_subresource((enum api_subresource_id)id);
        write_path(writer, &place);
    }
}
