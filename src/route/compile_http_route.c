/* SPDX-License-Identifier: Apache-2.0 */
/* compile_http_route.c: HTTPRoutes: which listeners take them, what their rules become, and their statuses.
 *
 * A rule is compiled once for its arms and split counters; every listener gets its own copy because timeouts may come
 * from the policies of its Gateway. */
#include "route/compile_internal.h"

struct rule_build {
    const struct http_route_rule *spec;
    struct route_rule rule; /* arms and counters, once the route is attached somewhere */
    struct backend *backends;
    struct route_candidate *matches; /* paths, conditions and regular expressions, without a rule */
};

struct route_build {
    const struct kube_object *object;
    const struct http_route_spec *spec;
    struct rule_build *rules;
    struct verdict unsupported;         /* Accepted=False whatever the parent */
    struct verdict unresolved;          /* ResolvedRefs=False */
    const struct stickiness *annotated; /* NULL: no annotation */
    const char *ignored;                /* what is wrong with it; NULL: nothing */
    bool has_arms;
};

static void reject(struct route_build *route, const char *message)
{
    if (route->unsupported.reason == NULL)
        route->unsupported = (struct verdict){"UnsupportedValue", message};
}

static const struct regex *compile_regex(struct compile *compile, struct route_build *route, const char *pattern,
                                         const char *field)
{
    char error[160];
    struct regex *regex = regex_new(pattern, error);
    if (regex == NULL)
        reject(route, compile_text(compile, "%s: %s", field, error));
    else
        route_snapshot_own(compile->snapshot, regex_free, regex);
    return regex;
}

/* Of conditions on one header name, which has no case, only the first counts. */
static bool is_repeated(const struct value_condition *conditions, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++) {
        if (bytes_equal_nocase(conditions[i].name, bytes_of(name)))
            return true;
    }
    return false;
}

static unsigned make_conditions(struct compile *compile, struct route_build *route, const struct value_match *specs,
                                unsigned spec_count, const char *field, bool is_header,
                                struct value_condition **ret_conditions)
{
    struct value_condition *conditions = ARENA_ARRAY(compile->arena, struct value_condition, spec_count);
    unsigned count = 0;
    for (unsigned i = 0; i < spec_count; i++) {
        if (is_header && is_repeated(conditions, count, specs[i].name))
            continue;
        struct value_condition *condition = &conditions[count++];
        condition->name = bytes_of(arena_strdup(compile->arena, specs[i].name));
        condition->value = bytes_of(arena_strdup(compile->arena, specs[i].value));
        if (specs[i].type == VALUE_REGEX)
            condition->regex =
                compile_regex(compile, route, specs[i].value, compile_text(compile, "%s[%u].value", field, i));
    }
    *ret_conditions = conditions;
    return count;
}

static void make_match(struct compile *compile, struct route_build *route, unsigned rule_index, unsigned match_index)
{
    struct rule_build *build = &route->rules[rule_index];
    const struct http_route_match *spec = &build->spec->matches[match_index];
    struct route_candidate *match = &build->matches[match_index];
    const char *field = compile_text(compile, "spec.rules[%u].matches[%u]", rule_index, match_index);
    *match = (struct route_candidate){.path_type = spec->path_type,
                                      .path = bytes_of(arena_strdup(compile->arena, spec->path)),
                                      .method = bytes_of(arena_strdup(compile->arena, spec->method)),
                                      .created_ms = route->object->created_ms,
                                      .rule_index = rule_index,
                                      .match_index = match_index};
    if (spec->path_type == PATH_PREFIX && bytes_ends_with(match->path, BYTES("/")))
        match->path.len--;
    if (spec->path_type == PATH_REGEX)
        match->path_regex = compile_regex(compile, route, spec->path, compile_text(compile, "%s.path.value", field));
    match->header_count = make_conditions(compile, route, spec->headers, spec->header_count,
                                          compile_text(compile, "%s.headers", field), true, &match->headers);
    match->query_count = make_conditions(compile, route, spec->query, spec->query_count,
                                         compile_text(compile, "%s.queryParams", field), false, &match->query);
}

static void check_filters(struct compile *compile, struct route_build *route, unsigned index)
{
    const struct http_route_rule *spec = route->rules[index].spec;
    if (spec->filter_count > 0)
        reject(route, compile_text(compile, "spec.rules[%u].filters[0]: %s is not supported yet", index,
                                   spec->filter_types[0]));
    for (unsigned i = 0; i < spec->backend_count; i++) {
        if (spec->backends[i].filter_count > 0)
            reject(route,
                   compile_text(compile, "spec.rules[%u].backendRefs[%u].filters[0]: filters are not supported yet",
                                index, i));
    }
}

static void resolve_backends(struct compile *compile, struct route_build *route, unsigned index)
{
    struct rule_build *build = &route->rules[index];
    build->backends = ARENA_ARRAY(compile->scratch, struct backend, build->spec->backend_count);
    for (unsigned i = 0; i < build->spec->backend_count; i++) {
        const char *field = compile_text(compile, "spec.rules[%u].backendRefs[%u]", index, i);
        build->backends[i] = compile_backend(compile, route->object, &build->spec->backends[i], field);
        if (route->unresolved.reason == NULL)
            route->unresolved = build->backends[i].unresolved;
    }
}

static struct route_build make_route(struct compile *compile, const struct kube_object *object)
{
    struct route_build route = {.object = object, .spec = object->spec};
    route.annotated = compile_annotated(compile, object, &route.ignored);
    route.rules = ARENA_ARRAY(compile->scratch, struct rule_build, route.spec->rule_count);
    for (unsigned i = 0; i < route.spec->rule_count; i++) {
        struct rule_build *build = &route.rules[i];
        build->spec = &route.spec->rules[i];
        build->matches = ARENA_ARRAY(compile->scratch, struct route_candidate, build->spec->match_count);
        check_filters(compile, &route, i);
        for (unsigned j = 0; j < build->spec->match_count; j++)
            make_match(compile, &route, i, j);
        resolve_backends(compile, &route, i);
    }
    return route;
}

static void make_arms(struct compile *compile, struct route_build *route)
{
    if (route->has_arms)
        return;
    route->has_arms = true;
    const struct kube_object *object = route->object;
    const char *name = arena_printf(compile->arena, "%s/%s", object->namespace_, object->name);
    for (unsigned i = 0; i < route->spec->rule_count; i++) {
        struct rule_build *build = &route->rules[i];
        build->rule.route = name;
        build->rule.rule_name = build->spec->name[0] != '\0' ? arena_strdup(compile->arena, build->spec->name)
                                                             : arena_printf(compile->arena, "rules[%u]", i);
        build->rule.backend_timeout_ms = build->spec->backend_timeout_ms;
        struct rule_place place = {object, build->spec->name, i, route->spec->rule_count, route->annotated};
        compile_arms(compile, &build->rule, &place, build->spec->backends, build->backends, build->spec->backend_count);
    }
}

static void add_entries(struct compile *compile, struct listener_build *listener, const struct route_build *route,
                        struct route_candidate *candidate)
{
    static const char *const any[] = {""};
    const char *const *hostnames = route->spec->hostname_count > 0 ? route->spec->hostnames : any;
    unsigned count = route->spec->hostname_count > 0 ? route->spec->hostname_count : 1;
    for (unsigned i = 0; i < count; i++) {
        const char *common = hostname_intersect(listener->spec->hostname, hostnames[i]);
        if (common == NULL)
            continue;
        struct candidate_entry *entry = ARENA_NEW(compile->scratch, struct candidate_entry);
        *entry = (struct candidate_entry){
            .candidate = candidate, .hostname = common, .route_hostname = hostnames[i], .next = listener->entries};
        listener->entries = entry;
        listener->entry_count++;
    }
}

/* Gives a served listener its own rules and candidates of the route. */
static void attach(struct compile *compile, struct listener_build *listener, struct route_build *route)
{
    if (listener->last_route == route->object)
        return;
    listener->last_route = route->object;
    listener->attached_routes++;
    if (listener->table == NULL)
        return;
    make_arms(compile, route);
    for (unsigned i = 0; i < route->spec->rule_count; i++) {
        const struct rule_build *build = &route->rules[i];
        struct route_rule *rule = ARENA_NEW(compile->arena, struct route_rule);
        *rule = build->rule;
        compile_backend_policy(compile, route->object, build->spec->name, listener->gateway->object,
                               listener->spec->name, rule);
        if (build->spec->has_request_timeout)
            rule->request_timeout_ms = build->spec->request_timeout_ms;
        for (unsigned j = 0; j < build->spec->match_count; j++) {
            struct route_candidate *candidate = ARENA_NEW(compile->arena, struct route_candidate);
            *candidate = build->matches[j];
            candidate->rule = rule;
            add_entries(compile, listener, route, candidate);
        }
    }
}

/* Every namespace carries its name as a label, whether or not there is an object for it. */
static bool namespace_is_selected(struct compile *compile, const struct label_selector *selector, const char *name)
{
    const char *const name_label = "kubernetes.io/metadata.name";
    const struct kube_object *object = object_cache_get(compile->input->cache, KUBE_NAMESPACE, "", name);
    unsigned count = object != NULL ? object->labels.len : 0;
    struct kube_labels labels = {.items = ARENA_ARRAY(compile->scratch, struct kube_label, count + 1)};
    bool is_added = false;
    for (unsigned i = 0; i < count; i++) {
        const struct kube_label *label = &object->labels.items[i];
        if (strcmp(label->key, name_label) == 0)
            continue;
        if (!is_added && strcmp(label->key, name_label) > 0) {
            labels.items[labels.len++] = (struct kube_label){name_label, name};
            is_added = true;
        }
        labels.items[labels.len++] = *label;
    }
    if (!is_added)
        labels.items[labels.len++] = (struct kube_label){name_label, name};
    return label_selector_match(selector, &labels);
}

static bool allows_namespace(struct compile *compile, const struct listener_build *listener,
                             const struct kube_object *route)
{
    const struct gateway_listener *spec = listener->spec;
    switch (spec->from) {
    case NAMESPACES_ALL:
        return true;
    case NAMESPACES_SAME:
        return strcmp(route->namespace_, listener->gateway->object->namespace_) == 0;
    case NAMESPACES_SELECTOR:
        return namespace_is_selected(compile, &spec->namespace_selector, route->namespace_);
    case NAMESPACES_NONE:
        break;
    }
    return false;
}

static bool has_common_hostname(const struct listener_build *listener, const struct http_route_spec *route)
{
    bool found = route->hostname_count == 0;
    for (unsigned i = 0; i < route->hostname_count && !found; i++)
        found = hostname_intersect(listener->spec->hostname, route->hostnames[i]) != NULL;
    return found;
}

/* How far the route came with the listeners that one parentRef selects; the furthest one speaks. */
enum attachment { NO_LISTENER, NOT_ALLOWED, NO_HOSTNAME, ATTACHED };

static enum attachment check_listener(struct compile *compile, const struct route_build *route,
                                      const struct listener_build *listener, const struct parent_ref *ref)
{
    if ((ref->section_name[0] != '\0' && strcmp(ref->section_name, listener->spec->name) != 0) ||
        (ref->port != 0 && ref->port != listener->spec->port))
        return NO_LISTENER;
    if (!listener->takes_http_routes || !allows_namespace(compile, listener, route->object))
        return NOT_ALLOWED;
    return has_common_hostname(listener, route->spec) ? ATTACHED : NO_HOSTNAME;
}

static struct verdict attach_to_gateway(struct compile *compile, struct route_build *route,
                                        const struct gateway_build *gateway, const struct parent_ref *ref)
{
    enum attachment furthest = NO_LISTENER;
    for (unsigned i = 0; i < gateway->spec->listener_count; i++) {
        enum attachment result = check_listener(compile, route, &gateway->listeners[i], ref);
        if (result == ATTACHED && route->unsupported.reason == NULL)
            attach(compile, &gateway->listeners[i], route);
        furthest = result > furthest ? result : furthest;
    }
    switch (furthest) {
    case NO_LISTENER:
        return (struct verdict){"NoMatchingParent", compile_text(compile, "Gateway %s/%s has no such listener",
                                                                 ref->namespace_, ref->name)};
    case NOT_ALLOWED:
        return (struct verdict){"NotAllowedByListeners",
                                compile_text(compile, "the listeners of Gateway %s/%s do not allow this route",
                                             ref->namespace_, ref->name)};
    case NO_HOSTNAME:
        return (struct verdict){"NoMatchingListenerHostname", "no hostname is common to the route and a listener"};
    case ATTACHED:
        break;
    }
    return route->unsupported;
}

static void note_pool_parents(const struct route_build *route, const struct gateway_build *gateway)
{
    for (unsigned i = 0; i < route->spec->rule_count; i++) {
        for (unsigned j = 0; j < route->rules[i].spec->backend_count; j++)
            compile_add_pool_parent(&route->rules[i].backends[j], gateway);
    }
}

static const char *attached_message(struct compile *compile, const struct route_build *route)
{
    return route->ignored == NULL ? "the route is attached"
                                  : compile_text(compile, "the route is attached; %s", route->ignored);
}

static void add_parent_status(struct compile *compile, struct object_status *status, const struct route_build *route,
                              const struct parent_ref *ref, struct verdict refused)
{
    struct arena *arena = compile->report->arena;
    struct status_parent *parent = status_add_parent(status);
    *parent = (struct status_parent){.ref_group = arena_strdup(arena, ref->group),
                                     .ref_kind = arena_strdup(arena, ref->kind),
                                     .ref_namespace = arena_strdup(arena, ref->namespace_),
                                     .ref_name = arena_strdup(arena, ref->name),
                                     .ref_section = arena_strdup(arena, ref->section_name),
                                     .ref_port = ref->port,
                                     .namespace_given = ref->namespace_given,
                                     .conditions = parent->conditions};
    bool is_good = refused.reason == NULL;
    status_condition(compile->report, status, parent, "Accepted", is_good, is_good ? "Accepted" : refused.reason,
                     is_good ? attached_message(compile, route) : refused.message);
    is_good = route->unresolved.reason == NULL;
    status_condition(compile->report, status, parent, "ResolvedRefs", is_good,
                     is_good ? "ResolvedRefs" : route->unresolved.reason,
                     is_good ? "all references are resolved" : route->unresolved.message);
}

static void compile_parent(struct compile *compile, struct object_status *status, struct route_build *route,
                           const struct parent_ref *ref)
{
    if (strcmp(ref->group, GATEWAY_GROUP) != 0 || strcmp(ref->kind, "Gateway") != 0)
        return;
    const struct gateway_build *gateway = compile_find_gateway(compile, ref->namespace_, ref->name);
    if (gateway != NULL) {
        struct verdict refused = attach_to_gateway(compile, route, gateway, ref);
        if (refused.reason == NULL)
            note_pool_parents(route, gateway);
        add_parent_status(compile, status, route, ref, refused);
    } else if (compile->input->controller_name == NULL) {
        /* Stand-alone there is no other controller that could own the Gateway: say that it is missing. */
        const char *message = compile_text(compile, "Gateway %s/%s does not exist", ref->namespace_, ref->name);
        add_parent_status(compile, status, route, ref, (struct verdict){"NoMatchingParent", message});
    }
}

void compile_routes(struct compile *compile)
{
    size_t cursor = 0;
    const struct kube_object *object;
    while ((object = object_cache_next(compile->input->cache, KUBE_HTTP_ROUTE, &cursor)) != NULL) {
        struct route_build route = make_route(compile, object);
        struct object_status *status = status_add_object(compile->report, object, route.spec->parent_count, 0);
        for (unsigned i = 0; i < route.spec->parent_count; i++)
            compile_parent(compile, status, &route, &route.spec->parents[i]);
    }
}
