/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_write.c: the compiled routes as JSON, for people who ask what is really in force.  Reads only. */
#include <stdlib.h>

#include "base/json_write.h"
#include "route/compile.h"
#include "route/port_tables.h"

static const char *path_type_text(enum path_match_type type)
{
    switch (type) {
    case PATH_EXACT:
        return "Exact";
    case PATH_REGEX:
        return "RegularExpression";
    case PATH_PREFIX:
        break;
    }
    return "PathPrefix";
}

static void write_conditions(struct json_writer *writer, const char *key, const struct value_condition *conditions,
                             unsigned count)
{
    if (count == 0)
        return;
    jw_key(writer, key);
    jw_begin_array(writer);
    for (unsigned i = 0; i < count; i++) {
        jw_begin_object(writer);
        jw_member_str(writer, "type", conditions[i].regex != NULL ? "RegularExpression" : "Exact");
        jw_member_string(writer, "name", conditions[i].name);
        jw_member_string(writer, "value", conditions[i].value);
        jw_end_object(writer);
    }
    jw_end_array(writer);
}

static void write_model(struct json_writer *writer, const struct model_rule *model)
{
    jw_begin_object(writer);
    jw_member_string(writer, "model", model->model.len > 0 ? model->model : BYTES("*"));
    jw_member_str(writer, "object", model->object);
    jw_key(writer, "targets");
    jw_begin_array(writer);
    for (unsigned i = 0; i < model->target_count; i++) {
        jw_begin_object(writer);
        jw_member_string(writer, "name", model->targets[i].name);
        jw_member_u64(writer, "weight", model->targets[i].weight);
        jw_end_object(writer);
    }
    jw_end_array(writer);
    jw_end_object(writer);
}

static int by_model_name(const void *left, const void *right)
{
    const struct model_rule *a = *(const struct model_rule *const *)left;
    const struct model_rule *b = *(const struct model_rule *const *)right;
    return bytes_compare(a->model, b->model);
}

static void write_models(struct json_writer *writer, const struct hashmap *models, const struct model_rule *any)
{
    size_t count = hashmap_len(models), cursor = 0, len = 0;
    struct arena *scratch = arena_new(0);
    const struct model_rule **sorted = ARENA_ARRAY(scratch, const struct model_rule *, count);
    struct bytes key;
    void *value;
    while (hashmap_next(models, &cursor, &key, &value))
        sorted[len++] = value;
    qsort(sorted, len, sizeof(const struct model_rule *), by_model_name);
    jw_key(writer, "models");
    jw_begin_array(writer);
    for (size_t i = 0; i < len; i++)
        write_model(writer, sorted[i]);
    if (any != NULL)
        write_model(writer, any);
    jw_end_array(writer);
    arena_free(scratch);
}

static void write_arm(struct json_writer *writer, const struct pool_arm *arm)
{
    static const char *const kinds[] = {
        [POOL_ARM_POOL] = "InferencePool", [POOL_ARM_SERVICE] = "Service", [POOL_ARM_INVALID] = "invalid"};
    jw_begin_object(writer);
    jw_member_str(writer, "kind", kinds[arm->kind]);
    jw_member_string(writer, "id", arm->id);
    jw_member_u64(writer, "weight", arm->weight);
    if (arm->kind == POOL_ARM_INVALID)
        jw_member_str(writer, "reason", arm->invalid_reason);
    if (arm->models != NULL)
        write_models(writer, arm->models, arm->any_model);
    jw_end_object(writer);
}

static void write_rule(struct json_writer *writer, const struct route_rule *rule)
{
    jw_member_str(writer, "route", rule->route);
    jw_member_str(writer, "rule", rule->rule_name);
    jw_member_u64(writer, "requestTimeoutMs", rule->request_timeout_ms);
    jw_member_u64(writer, "backendTimeoutMs", rule->backend_timeout_ms);
    jw_member_str(writer, "stickiness", rule->split.stickiness->origin);
    jw_key(writer, "arms");
    jw_begin_array(writer);
    for (unsigned i = 0; i < rule->arm_count; i++)
        write_arm(writer, &rule->arms[i]);
    jw_end_array(writer);
}

static void write_candidate(struct json_writer *writer, const struct route_group *group,
                            const struct route_candidate *candidate)
{
    struct bytes path = candidate->path;
    jw_begin_object(writer);
    jw_member_str(writer, "hostname", group->hostname);
    jw_member_str(writer, "pathType", path_type_text(candidate->path_type));
    jw_member_string(writer, "path", path.len == 0 && candidate->path_type == PATH_PREFIX ? BYTES("/") : path);
    if (candidate->method.len > 0)
        jw_member_string(writer, "method", candidate->method);
    write_conditions(writer, "headers", candidate->headers, candidate->header_count);
    write_conditions(writer, "queryParams", candidate->query, candidate->query_count);
    write_rule(writer, candidate->rule);
    jw_end_object(writer);
}

static void write_listener(struct json_writer *writer, const struct port_listener *listener)
{
    jw_begin_object(writer);
    jw_member_str(writer, "gateway", listener->gateway);
    jw_member_str(writer, "name", listener->name);
    jw_member_str(writer, "hostname", listener->hostname);
    jw_member_u64(writer, "bufferLimitBytes", listener->buffer_limit_bytes);
    jw_key(writer, "matches");
    jw_begin_array(writer);
    for (unsigned i = 0; i < listener->group_count; i++) {
        for (unsigned j = 0; j < listener->groups[i]->candidate_count; j++)
            write_candidate(writer, listener->groups[i], listener->groups[i]->candidates[j]);
    }
    jw_end_array(writer);
    jw_end_object(writer);
}

void route_snapshot_write(const struct route_snapshot *snapshot, struct json_writer *writer)
{
    jw_begin_object(writer);
    jw_member_u64(writer, "generation", snapshot->generation);
    jw_key(writer, "sockets");
    jw_begin_array(writer);
    for (unsigned i = 0; i < snapshot->port_count; i++) {
        const struct route_port *port = snapshot->ports[i];
        if (port == NULL)
            continue;
        jw_begin_object(writer);
        jw_member_u64(writer, "id", port->id);
        jw_member_str(writer, "address", port->ip);
        jw_member_u64(writer, "port", port->port);
        jw_key(writer, "listeners");
        jw_begin_array(writer);
        for (unsigned j = 0; j < port->listener_count; j++)
            write_listener(writer, port->listeners[j]);
        jw_end_array(writer);
        jw_end_object(writer);
    }
    jw_end_array(writer);
    jw_end_object(writer);
}
