/* SPDX-License-Identifier: Apache-2.0 */
/* compile_policies.c: ClientTrafficPolicy (buffer limit of a Gateway) and BackendTrafficPolicy (timeouts).
 *
 * The most specific policy wins whole, nothing is merged: rule, then route, then listener, then Gateway.  Of two with
 * the same target the older one wins and the other is Conflicted. */
#include "route/compile_internal.h"

#include <stdio.h>

struct policy_targets {
    const struct policy_target *items;
    unsigned count;
};

static struct policy_targets targets_of(const struct kube_object *policy)
{
    if (policy->kind == KUBE_CLIENT_TRAFFIC_POLICY) {
        const struct client_traffic_policy_spec *spec = policy->spec;
        return (struct policy_targets){spec->targets, spec->target_count};
    }
    const struct backend_traffic_policy_spec *spec = policy->spec;
    return (struct policy_targets){spec->targets, spec->target_count};
}

static struct hashmap *index_of(const struct compile *compile, const struct kube_object *policy)
{
    return policy->kind == KUBE_CLIENT_TRAFFIC_POLICY ? compile->client_policies : compile->backend_policies;
}

#define KEY_SIZE 1024

static struct bytes make_key(char key[KEY_SIZE], const char *kind, const char *namespace_, const char *name,
                             const char *section)
{
    int len = snprintf(key, KEY_SIZE, "%s/%s/%s/%s", kind, namespace_, name, section);
    return bytes_make(key, len < KEY_SIZE ? (size_t)len : KEY_SIZE - 1);
}

static void index_kind(struct compile *compile, enum kube_kind kind)
{
    unsigned count = 0;
    const struct kube_object **policies = compile_by_age(compile, kind, &count);
    for (unsigned i = 0; i < count; i++) {
        struct policy_targets targets = targets_of(policies[i]);
        struct hashmap *index = index_of(compile, policies[i]);
        for (unsigned j = 0; j < targets.count; j++) {
            const struct policy_target *target = &targets.items[j];
            char key[KEY_SIZE];
            struct bytes made =
                make_key(key, target->kind, policies[i]->namespace_, target->name, target->section_name);
            /* Oldest first: who is there already wins. */
            if (hashmap_get(index, made) == NULL)
                hashmap_put(index, arena_copy(compile->scratch, made), (void *)(uintptr_t)policies[i]);
        }
    }
}

void compile_policies(struct compile *compile)
{
    index_kind(compile, KUBE_CLIENT_TRAFFIC_POLICY);
    index_kind(compile, KUBE_BACKEND_TRAFFIC_POLICY);
}

static const struct kube_object *find_policy(const struct hashmap *index, const char *kind,
                                             const struct kube_object *target, const char *section)
{
    char key[KEY_SIZE];
    const struct kube_object *found = NULL;
    if (section[0] != '\0')
        found = hashmap_get(index, make_key(key, kind, target->namespace_, target->name, section));
    return found != NULL ? found : hashmap_get(index, make_key(key, kind, target->namespace_, target->name, ""));
}

uint64_t compile_buffer_limit(const struct compile *compile, const struct kube_object *gateway, const char *listener)
{
    const struct kube_object *policy = find_policy(compile->client_policies, "Gateway", gateway, listener);
    const struct client_traffic_policy_spec *spec = policy != NULL ? policy->spec : NULL;
    return spec != NULL && spec->has_buffer_limit ? spec->buffer_limit_bytes
                                                  : compile->input->default_buffer_limit_bytes;
}

void compile_backend_policy(const struct compile *compile, const struct kube_object *route, const char *rule_name,
                            const struct kube_object *gateway, const char *listener, struct route_rule *ret_rule)
{
    const struct kube_object *policy = find_policy(compile->backend_policies, "HTTPRoute", route, rule_name);
    if (policy == NULL)
        policy = find_policy(compile->backend_policies, "Gateway", gateway, listener);
    const struct backend_traffic_policy_spec *spec = policy != NULL ? policy->spec : NULL;
    if (spec == NULL)
        return;
    ret_rule->request_timeout_ms = spec->request_timeout_ms;
    ret_rule->stream_idle_timeout_ms = spec->stream_idle_timeout_ms;
    ret_rule->first_token_timeout_ms = spec->first_token_timeout_ms;
    ret_rule->max_tries = spec->has_retries ? spec->retries + 1 : 0;
    uint16_t *statuses = ARENA_ARRAY(compile->arena, uint16_t, spec->retry_status_count);
    memcpy(statuses, spec->retry_statuses, spec->retry_status_count * sizeof *statuses);
    ret_rule->retry_statuses = statuses;
    ret_rule->retry_status_count = spec->retry_status_count;
}

static bool gateway_has_listener(const struct gateway_spec *spec, const char *name)
{
    for (unsigned i = 0; i < spec->listener_count; i++) {
        if (strcmp(spec->listeners[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool route_has_rule(const struct http_route_spec *spec, const char *name)
{
    for (unsigned i = 0; i < spec->rule_count; i++) {
        if (strcmp(spec->rules[i].name, name) == 0)
            return true;
    }
    return false;
}

static struct verdict check_target(struct compile *compile, const struct kube_object *policy,
                                   const struct policy_target *target, bool has_section)
{
    if (!has_section)
        return (struct verdict){"TargetNotFound", compile_text(compile, "%s %s has no section %s", target->kind,
                                                               target->name, target->section_name)};
    char key[KEY_SIZE];
    const struct kube_object *winner = hashmap_get(
        index_of(compile, policy), make_key(key, target->kind, policy->namespace_, target->name, target->section_name));
    if (winner != policy)
        return (struct verdict){"Conflicted", compile_text(compile, "the older policy %s has the same target %s %s",
                                                           winner->name, target->kind, target->name)};
    return (struct verdict){0};
}

static void add_ancestor(struct compile *compile, struct object_status *status, const char *kind, const char *name,
                         const char *namespace_, const char *section, struct verdict refused)
{
    struct arena *arena = compile->report->arena;
    struct status_parent *ancestor = status_add_parent(status);
    ancestor->ref_group = GATEWAY_GROUP;
    ancestor->ref_kind = arena_strdup(arena, kind);
    ancestor->ref_namespace = arena_strdup(arena, namespace_);
    ancestor->ref_name = arena_strdup(arena, name);
    ancestor->ref_section = arena_strdup(arena, section);
    ancestor->namespace_given = true;
    bool is_good = refused.reason == NULL;
    status_condition(compile->report, status, ancestor, "Accepted", is_good, is_good ? "Accepted" : refused.reason,
                     is_good ? "the policy is in force" : refused.message);
}

/* Stand-alone, nobody else could tell the user that the target is missing. */
static void report_missing(struct compile *compile, struct object_status *status, const struct policy_target *target)
{
    if (compile->input->controller_name != NULL)
        return;
    const char *message =
        compile_text(compile, "%s %s/%s does not exist", target->kind, status->object->namespace_, target->name);
    add_ancestor(compile, status, target->kind, target->name, status->object->namespace_, target->section_name,
                 (struct verdict){"TargetNotFound", message});
}

static void report_gateway_target(struct compile *compile, struct object_status *status,
                                  const struct policy_target *target)
{
    const struct kube_object *policy = status->object;
    const struct gateway_build *gateway = compile_find_gateway(compile, policy->namespace_, target->name);
    if (gateway == NULL) {
        report_missing(compile, status, target);
        return;
    }
    bool has_section = target->section_name[0] == '\0' || gateway_has_listener(gateway->spec, target->section_name);
    add_ancestor(compile, status, "Gateway", target->name, policy->namespace_, target->section_name,
                 check_target(compile, policy, target, has_section));
}

static void report_route_target(struct compile *compile, struct object_status *status,
                                const struct policy_target *target)
{
    const struct kube_object *policy = status->object;
    const struct kube_object *route =
        object_cache_get(compile->input->cache, KUBE_HTTP_ROUTE, policy->namespace_, target->name);
    if (route == NULL) {
        report_missing(compile, status, target);
        return;
    }
    const struct http_route_spec *spec = route->spec;
    bool has_section = target->section_name[0] == '\0' || route_has_rule(spec, target->section_name);
    struct verdict refused = check_target(compile, policy, target, has_section);
    const struct gateway_build **seen = ARENA_ARRAY(compile->scratch, const struct gateway_build *, spec->parent_count);
    for (unsigned i = 0; i < spec->parent_count; i++) {
        const struct parent_ref *ref = &spec->parents[i];
        seen[i] = strcmp(ref->kind, "Gateway") == 0 ? compile_find_gateway(compile, ref->namespace_, ref->name) : NULL;
        bool is_new = seen[i] != NULL;
        for (unsigned j = 0; j < i; j++)
            is_new = is_new && seen[j] != seen[i];
        if (is_new)
            add_ancestor(compile, status, "Gateway", ref->name, ref->namespace_, "", refused);
    }
}

static void report_policy(struct compile *compile, const struct kube_object *policy)
{
    struct policy_targets targets = targets_of(policy);
    unsigned most = 0;
    for (unsigned i = 0; i < targets.count; i++)
        most += compile->gateway_count + 1;
    struct object_status *status = status_add_object(compile->report, policy, most, 0);
    for (unsigned i = 0; i < targets.count; i++) {
        const struct policy_target *target = &targets.items[i];
        if (strcmp(target->kind, "Gateway") == 0)
            report_gateway_target(compile, status, target);
        else
            report_route_target(compile, status, target);
    }
}

void compile_policy_statuses(struct compile *compile)
{
    static const enum kube_kind kinds[] = {KUBE_CLIENT_TRAFFIC_POLICY, KUBE_BACKEND_TRAFFIC_POLICY};
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t cursor = 0;
        const struct kube_object *policy;
        while ((policy = object_cache_next(compile->input->cache, kinds[i], &cursor)) != NULL)
            report_policy(compile, policy);
    }
}
