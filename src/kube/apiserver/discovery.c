/* SPDX-License-Identifier: Apache-2.0 */
/* discovery.c: the table of resources as discovery documents.  Pure; any thread.  The documents are constant for a
 * build, so their entity tags are as well. */
#include "kube/apiserver/discovery.h"

#include <stdio.h>

#include "base/json_write.h"
#include "kube/apiserver/resources.h"

/* Some distributions start the kubectl whose minor is the server's, so this is also which kubectl users get. */
#define SERVED_MAJOR   "1"
#define SERVED_MINOR   "33"
#define SERVED_VERSION "v1.33.1"

static void write_strings(struct json_writer *writer, const char *key, const char *const *values)
{
    jw_key(writer, key);
    jw_begin_array(writer);
    for (; *values != NULL; values++)
        jw_str(writer, *values);
    jw_end_array(writer);
}

static void write_verbs(struct json_writer *writer, unsigned verbs)
{
    jw_key(writer, "verbs");
    jw_begin_array(writer);
    for (unsigned verb = 0; verb < API_VERB_COUNT; verb++) {
        if (verbs & API_BIT(verb))
            jw_str(writer, resource_verb_name((enum api_verb)verb));
    }
    jw_end_array(writer);
}

/* Both dialects have these two, and leave them out when empty. */
static void write_names(struct json_writer *writer, const struct api_resource *resource)
{
    if (resource->short_names[0] != NULL)
        write_strings(writer, "shortNames", resource->short_names);
    if (resource->category != NULL)
        write_strings(writer, "categories", (const char *const[]){resource->category, NULL});
}

/* The aggregated dialect. */

static void write_response_kind(struct json_writer *writer, const char *group, const char *version, const char *kind)
{
    jw_key(writer, "responseKind");
    jw_begin_object(writer);
    jw_member_str(writer, "group", group);
    jw_member_str(writer, "version", version);
    jw_member_str(writer, "kind", kind);
    jw_end_object(writer);
}

static void write_subresource(struct json_writer *writer, const struct api_resource *resource,
                              const struct api_subresource *subresource)
{
    bool is_own = subresource->kind_name == NULL;
    jw_begin_object(writer);
    jw_member_str(writer, "subresource", subresource->name);
    write_response_kind(writer, is_own ? resource->group : subresource->group,
                        is_own ? resource->version : subresource->version,
                        is_own ? resource->kind_name : subresource->kind_name);
    write_verbs(writer, subresource->verbs);
    jw_end_object(writer);
}

static void write_resource(struct json_writer *writer, const struct api_resource *resource)
{
    jw_begin_object(writer);
    jw_member_str(writer, "resource", resource->plural);
    write_response_kind(writer, resource->group, resource->version, resource->kind_name);
    jw_member_str(writer, "scope", resource->is_namespaced ? "Namespaced" : "Cluster");
    jw_member_str(writer, "singularResource", resource->singular);
    write_verbs(writer, resource->verbs);
    write_names(writer, resource);
    if (resource->subresources != 0) {
        jw_key(writer, "subresources");
        jw_begin_array(writer);
        for (unsigned id = 0; id < API_SUBRESOURCE_COUNT; id++) {
            if (resource_has(resource, (enum api_subresource_id)id))
                write_subresource(writer, resource, resource_subresource((enum api_subresource_id)id));
        }
        jw_end_array(writer);
    }
    jw_end_object(writer);
}

static void write_version(struct json_writer *writer, struct api_resources resources)
{
    jw_begin_object(writer);
    jw_member_str(writer, "version", resources.items->version);
    jw_member_str(writer, "freshness", "Current");
    jw_key(writer, "resources");
    jw_begin_array(writer);
    for (size_t i = 0; i < resources.len; i++)
        write_resource(writer, &resources.items[i]);
    jw_end_array(writer);
    jw_end_object(writer);
}

/* The version whose first resource is at the front of what is left of a group. */
static struct api_resources first_version(struct api_resources rest)
{
    return resource_group_version(bytes_of(rest.items->group), bytes_of(rest.items->version));
}

static void skip(struct api_resources *rest, size_t count)
{
    rest->items += count;
    rest->len -= count;
}

static void write_group(struct json_writer *writer, struct api_resources group)
{
    jw_begin_object(writer);
    jw_key(writer, "metadata");
    jw_begin_object(writer);
    if (group.items->group[0] != '\0')
        jw_member_str(writer, "name", group.items->group);
    jw_key(writer, "creationTimestamp");
    jw_null(writer);
    jw_end_object(writer);
    jw_key(writer, "versions");
    jw_begin_array(writer);
    for (struct api_resources rest = group; rest.len > 0;) {
        struct api_resources version = first_version(rest);
        write_version(writer, version);
        skip(&rest, version.len);
    }
    jw_end_array(writer);
    jw_end_object(writer);
}

static void begin_document(struct json_writer *writer, struct buffer *out, const char *kind, const char *api_version)
{
    jw_init(writer, out);
    jw_begin_object(writer);
    jw_member_str(writer, "kind", kind);
    jw_member_str(writer, "apiVersion", api_version);
}

static void begin_aggregated(struct json_writer *writer, struct buffer *out, enum answer_form form)
{
    bool is_beta = form == ANSWER_DISCOVERY_V2BETA1;
    begin_document(writer, out, "APIGroupDiscoveryList",
                   is_beta ? "apidiscovery.k8s.io/v2beta1" : "apidiscovery.k8s.io/v2");
    jw_key(writer, "metadata");
    jw_begin_object(writer);
    jw_end_object(writer);
    jw_key(writer, "items");
    jw_begin_array(writer);
}

static void end_aggregated(struct json_writer *writer)
{
    jw_end_array(writer);
    jw_end_object(writer);
}

/* The legacy dialect. */

static void write_group_version(struct json_writer *writer, const struct api_resource *resource)
{
    jw_begin_object(writer);
    jw_member_str(writer, "groupVersion", resource->api_version);
    jw_member_str(writer, "version", resource->version);
    jw_end_object(writer);
}

/* The members of an APIGroup after kind and apiVersion. */
static void write_group_members(struct json_writer *writer, struct api_resources group)
{
    jw_member_str(writer, "name", group.items->group);
    jw_key(writer, "versions");
    jw_begin_array(writer);
    for (struct api_resources rest = group; rest.len > 0; skip(&rest, first_version(rest).len))
        write_group_version(writer, rest.items);
    jw_end_array(writer);
    jw_key(writer, "preferredVersion");
    write_group_version(writer, group.items);
}

static void write_legacy_resource(struct json_writer *writer, const struct api_resource *resource)
{
    jw_begin_object(writer);
    jw_member_str(writer, "name", resource->plural);
    jw_member_str(writer, "singularName", resource->singular);
    jw_member_bool(writer, "namespaced", resource->is_namespaced);
    jw_member_str(writer, "kind", resource->kind_name);
    write_verbs(writer, resource->verbs);
    write_names(writer, resource);
    jw_end_object(writer);
}

static void write_legacy_subresource(struct json_writer *writer, const struct api_resource *resource,
                                     const struct api_subresource *subresource)
{
    char name[128];
    snprintf(name, sizeof name, "%s/%s", resource->plural, subresource->name);
    jw_begin_object(writer);
    jw_member_str(writer, "name", name);
    jw_member_str(writer, "singularName", "");
    jw_member_bool(writer, "namespaced", resource->is_namespaced);
    if (subresource->kind_name != NULL) {
        jw_member_str(writer, "group", subresource->group);
        jw_member_str(writer, "version", subresource->version);
    }
    jw_member_str(writer, "kind", subresource->kind_name != NULL ? subresource->kind_name : resource->kind_name);
    write_verbs(writer, subresource->verbs);
    jw_end_object(writer);
}

void discovery_write_api(enum answer_form form, struct buffer *out)
{
    struct json_writer writer;
    if (form != ANSWER_JSON) {
        begin_aggregated(&writer, out, form);
        write_group(&writer, resource_group(BYTES("")));
        end_aggregated(&writer);
        return;
    }
    jw_init(&writer, out);
    jw_begin_object(&writer);
    jw_member_str(&writer, "kind", "APIVersions");
    write_strings(&writer, "versions", (const char *const[]){"v1", NULL});
    /* Which address suits which client's network: we have no advice, and clients need none. */
    write_strings(&writer, "serverAddressByClientCIDRs", (const char *const[]){NULL});
    jw_end_object(&writer);
}

void discovery_write_apis(enum answer_form form, struct buffer *out)
{
    struct json_writer writer;
    if (form != ANSWER_JSON) {
        begin_aggregated(&writer, out, form);
    } else {
        begin_document(&writer, out, "APIGroupList", "v1");
        jw_key(&writer, "groups");
        jw_begin_array(&writer);
    }
    struct api_resources rest = resource_all();
    for (skip(&rest, resource_group(BYTES("")).len); rest.len > 0;) {
        struct api_resources group = resource_group(bytes_of(rest.items->group));
        if (form != ANSWER_JSON) {
            write_group(&writer, group);
        } else {
            jw_begin_object(&writer);
            write_group_members(&writer, group);
            jw_end_object(&writer);
        }
        skip(&rest, group.len);
    }
    end_aggregated(&writer);
}

bool discovery_write_group(struct bytes name, struct buffer *out)
{
    struct json_writer writer;
    struct api_resources group = resource_group(name);
    if (name.len == 0 || group.len == 0)
        return false;
    begin_document(&writer, out, "APIGroup", "v1");
    write_group_members(&writer, group);
    jw_end_object(&writer);
    return true;
}

bool discovery_write_resources(struct bytes group, struct bytes version, struct buffer *out)
{
    struct json_writer writer;
    struct api_resources resources = resource_group_version(group, version);
    if (resources.len == 0)
        return false;
    begin_document(&writer, out, "APIResourceList", "v1");
    jw_member_str(&writer, "groupVersion", resources.items->api_version);
    jw_key(&writer, "resources");
    jw_begin_array(&writer);
    for (size_t i = 0; i < resources.len; i++) {
        write_legacy_resource(&writer, &resources.items[i]);
        for (unsigned id = 0; id < API_SUBRESOURCE_COUNT; id++) {
            if (resource_has(&resources.items[i], (enum api_subresource_id)id))
                write_legacy_subresource(&writer, &resources.items[i],
                                         resource_subresource((enum api_subresource_id)id));
        }
    }
    jw_end_array(&writer);
    jw_end_object(&writer);
    return true;
}

void discovery_write_version(struct buffer *out)
{
    struct json_writer writer;
    jw_init(&writer, out);
    jw_begin_object(&writer);
    jw_member_str(&writer, "major", SERVED_MAJOR);
    jw_member_str(&writer, "minor", SERVED_MINOR);
    jw_member_str(&writer, "gitVersion", SERVED_VERSION);
    /* gitVersion must be plain, so this is where people see who answers. */
    jw_member_str(&writer, "gitCommit", "serin-" SERIN_VERSION);
    jw_member_str(&writer, "gitTreeState", "clean");
    jw_member_str(&writer, "buildDate", "1970-01-01T00:00:00Z");
    jw_member_str(&writer, "goVersion", "none");
    jw_member_str(&writer, "compiler", "gcc");
    jw_member_str(&writer, "platform", "linux/amd64");
    jw_end_object(&writer);
}
