/* SPDX-License-Identifier: Apache-2.0 */
/* http_route.c: decodes HTTPRoute: parents, hostnames and rules with the limits and cross-field rules of its CRD.
 * Matches and filters are in http_route_match.c.
 *
 * Filters are checked as far as their types; that this gateway cannot run them is a condition of the route. */
#include "kube/api/http_route.h"

#include <string.h>

#include "kube/api/http_route_internal.h"
#include "kube/api/kinds.h"

#define GATEWAY_GROUP "gateway.networking.k8s.io"

enum { PARENTS_MAX = 32, HOSTNAMES_MAX = 16, RULES_MAX = 16, ALL_MATCHES_MAX = 128, BACKENDS_MAX = 16 };
enum { WEIGHT_MAX = 1000000 };

static bool is_same_parent(const struct parent_ref *a, const struct parent_ref *b)
{
    return strcmp(a->group, b->group) == 0 && strcmp(a->kind, b->kind) == 0 && strcmp(a->name, b->name) == 0 &&
           strcmp(a->namespace_, b->namespace_) == 0;
}

/* References to one parent must all name a section (or port), and different ones. */
static void check_distinct_parents(const struct field *list, const struct parent_ref *parents, size_t last)
{
    const struct parent_ref *added = &parents[last];
    struct field item = {.decoder = list->decoder, .parent = list, .index = last};
    for (size_t i = 0; i < last && added->name[0] != '\0'; i++) {
        if (!is_same_parent(&parents[i], added))
            continue;
        bool same_presence = (parents[i].section_name[0] == '\0') == (added->section_name[0] == '\0') &&
                             (parents[i].port == 0) == (added->port == 0);
        bool same_place = strcmp(parents[i].section_name, added->section_name) == 0 && parents[i].port == added->port;
        if (same_presence && !same_place)
            continue;
        field_problem(&item, "sectionName", same_presence ? "Invalid" : "Required",
                      "must differ from parentRefs[%zu], which refers to the same parent", i);
        return;
    }
}

static void decode_parents(struct field *spec, struct http_route_spec *route, const char *namespace_)
{
    struct field list = decode_list(spec, "parentRefs", OPTIONAL, 0, PARENTS_MAX);
    route->parents = ARENA_ARRAY(spec->decoder->arena, struct parent_ref, list.len);
    route->parent_count = (unsigned)list.len;
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        struct parent_ref *parent = &route->parents[i];
        parent->group = decode_text_or(&item, "group", &syntax_group, GATEWAY_GROUP);
        parent->kind = decode_text_or(&item, "kind", &syntax_kind, "Gateway");
        parent->namespace_given = field_has(&item, "namespace");
        parent->namespace_ = decode_text_or(&item, "namespace", &syntax_dns_label, namespace_);
        parent->name = decode_text(&item, "name", REQUIRED, &syntax_reference_name);
        parent->section_name = decode_text(&item, "sectionName", OPTIONAL, &syntax_dns_subdomain);
        parent->port = decode_port(&item, "port", OPTIONAL);
        decode_end(&item);
        check_distinct_parents(&list, route->parents, i);
    }
}

static void decode_backend(struct field *item, struct backend_ref *backend, const char *namespace_)
{
    backend->group = decode_text_or(item, "group", &syntax_group, "");
    backend->kind = decode_text_or(item, "kind", &syntax_kind, "Service");
    backend->namespace_ = decode_text_or(item, "namespace", &syntax_dns_label, namespace_);
    backend->name = decode_text(item, "name", REQUIRED, &syntax_reference_name);
    bool is_service = backend->group[0] == '\0' && strcmp(backend->kind, "Service") == 0;
    backend->port = decode_port(item, "port", is_service ? REQUIRED : OPTIONAL);
    backend->weight = (uint32_t)decode_int(item, "weight", OPTIONAL, 0, WEIGHT_MAX, 1);
    (void)http_route_decode_filters(item, &backend->filter_count);
    decode_end(item);
}

static void decode_backends(struct field *parent, struct http_route_rule *rule, const char *namespace_)
{
    struct field list = decode_list(parent, "backendRefs", OPTIONAL, 0, BACKENDS_MAX);
    rule->backends = ARENA_ARRAY(parent->decoder->arena, struct backend_ref, list.len);
    rule->backend_count = (unsigned)list.len;
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        decode_backend(&item, &rule->backends[i], namespace_);
    }
}

static void decode_timeouts(struct field *parent, struct http_route_rule *rule)
{
    struct field timeouts = decode_object(parent, "timeouts", OPTIONAL);
    rule->has_request_timeout = decode_duration(&timeouts, "request", &rule->request_timeout_ms);
    (void)decode_duration(&timeouts, "backendRequest", &rule->backend_timeout_ms);
    if (rule->request_timeout_ms > 0 && rule->backend_timeout_ms > rule->request_timeout_ms)
        field_problem(&timeouts, "backendRequest", "Invalid", "must not be longer than request");
    decode_end(&timeouts);
}

static void decode_rule(struct field *item, struct http_route_rule *rule, const char *namespace_)
{
    static const char *const unsupported[] = {"retry", "sessionPersistence", NULL};
    rule->name = decode_text(item, "name", OPTIONAL, &syntax_dns_subdomain);
    http_route_decode_matches(item, rule);
    rule->filter_types = http_route_decode_filters(item, &rule->filter_count);
    decode_backends(item, rule, namespace_);
    decode_timeouts(item, rule);
    decode_unsupported(item, unsupported);
    decode_end(item);
}

static void check_distinct_rule_names(const struct field *list, const struct http_route_rule *rules, size_t last)
{
    for (size_t i = 0; i < last && rules[last].name[0] != '\0'; i++) {
        if (strcmp(rules[i].name, rules[last].name) == 0) {
            struct field item = {.decoder = list->decoder, .parent = list, .index = last};
            field_problem(&item, "name", "Invalid", "must be unique; rules[%zu] has the same name", i);
            return;
        }
    }
}

static void decode_rules(struct field *spec, struct http_route_spec *route, const char *namespace_)
{
    struct arena *arena = spec->decoder->arena;
    struct field list = decode_list(spec, "rules", OPTIONAL, 1, RULES_MAX);
    size_t match_count = 0;
    route->rule_count = list.len > 0 ? (unsigned)list.len : 1;
    route->rules = ARENA_ARRAY(arena, struct http_route_rule, route->rule_count);
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        decode_rule(&item, &route->rules[i], namespace_);
        check_distinct_rule_names(&list, route->rules, i);
        match_count += route->rules[i].match_count;
    }
    if (list.len == 0)
        http_route_default_rule(arena, &route->rules[0]);
    if (match_count > ALL_MATCHES_MAX)
        field_problem(&list, NULL, "Invalid", "must have at most %d matches in total", ALL_MATCHES_MAX);
}

const void *http_route_decode(struct field *root, const struct kube_object *object)
{
    static const char *const unsupported[] = {"useDefaultGateways", NULL};
    struct http_route_spec *route = ARENA_NEW(object->arena, struct http_route_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    decode_parents(&spec, route, object->namespace_);
    route->hostnames = decode_texts(&spec, "hostnames", HOSTNAMES_MAX, &syntax_hostname, &route->hostname_count);
    decode_rules(&spec, route, object->namespace_);
    decode_unsupported(&spec, unsupported);
    decode_end(&spec);
    return route;
}
