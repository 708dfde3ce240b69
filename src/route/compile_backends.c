/* SPDX-License-Identifier: Apache-2.0 */
/* compile_backends.c: InferencePools and the arms that backendRefs become.
 *
 * Both group spellings of a pool share one key (namespace/name); where both exist the v1 object speaks for it.  A
 * broken reference becomes an arm that answers 500 for its share; it never widens the share of the others. */
#include "route/compile_internal.h"

#include <assert.h>
#include <stdio.h>

#include "route/arm_text.h"

static const enum kube_kind spelling_kinds[POOL_SPELLINGS] = {KUBE_INFERENCE_POOL, KUBE_INFERENCE_POOL_X};

struct pool_build *compile_find_pool(const struct compile *compile, const char *namespace_, const char *name)
{
    char key[600];
    int len = snprintf(key, sizeof key, "%s/%s", namespace_, name);
    return len < (int)sizeof key ? hashmap_get(compile->pools, bytes_make(key, (size_t)len)) : NULL;
}

static void add_pool(struct compile *compile, const struct kube_object *object, enum pool_spelling spelling)
{
    struct pool_build *pool = compile_find_pool(compile, object->namespace_, object->name);
    if (pool == NULL) {
        pool = ARENA_NEW(compile->scratch, struct pool_build);
        pool->namespace_ = object->namespace_;
        pool->name = object->name;
        pool->models = compile_snapshot_map(compile);
        pool->targets = compile_snapshot_map(compile);
        const char *key = compile_text(compile, "%s/%s", object->namespace_, object->name);
        hashmap_put(compile->pools, bytes_of(key), pool);
    }
    if (pool->stickiness == NULL)
        pool->stickiness = compile_annotated(compile, object, &pool->ignored);
    pool->spellings[spelling].object = object;
    pool->spellings[spelling].gateways =
        ARENA_ARRAY(compile->scratch, const struct gateway_build *, compile->gateway_count);
}

void compile_pools(struct compile *compile)
{
    for (unsigned spelling = 0; spelling < POOL_SPELLINGS; spelling++) {
        size_t cursor = 0;
        const struct kube_object *object;
        while ((object = object_cache_next(compile->input->cache, spelling_kinds[spelling], &cursor)) != NULL)
            add_pool(compile, object, (enum pool_spelling)spelling);
    }
}

/* The pool names a picker that nobody could call. */
static bool is_picker_missing(const struct compile *compile, const struct kube_object *pool)
{
    const struct inference_pool_spec *spec = pool->spec;
    if (spec->picker_name[0] == '\0')
        return false;
    return strcmp(spec->picker_kind, "Service") != 0 || spec->picker_group[0] != '\0' ||
           object_cache_get(compile->input->cache, KUBE_SERVICE, pool->namespace_, spec->picker_name) == NULL;
}

/* On Kubernetes a v1 pool needs its picker Service.  Stand-alone, and for v1alpha2, the built-in picker takes over. */
static bool lacks_picker(const struct compile *compile, const struct kube_object *pool)
{
    return compile->input->controller_name != NULL && pool->kind == KUBE_INFERENCE_POOL &&
           is_picker_missing(compile, pool);
}

static void add_pool_conditions(struct compile *compile, struct object_status *status, struct status_parent *parent)
{
    const struct kube_object *object = status->object;
    const struct inference_pool_spec *spec = object->spec;
    bool is_good = !lacks_picker(compile, object);
    const char *message = "the built-in picker chooses endpoints";
    if (is_picker_missing(compile, object))
        message = compile_text(compile, "spec.%s: %s %s/%s does not exist%s",
                               object->kind == KUBE_INFERENCE_POOL ? "endpointPickerRef" : "extensionRef",
                               spec->picker_kind, object->namespace_, spec->picker_name,
                               is_good ? "; the built-in picker chooses endpoints" : "");
    const struct pool_build *pool = compile_find_pool(compile, object->namespace_, object->name);
    status_condition(compile->report, status, parent, "Accepted", true, "Accepted",
                     pool->ignored != NULL ? compile_text(compile, "the pool is served; %s", pool->ignored)
                                           : "the pool is served");
    status_condition(compile->report, status, parent, "ResolvedRefs", is_good,
                     is_good ? "ResolvedRefs" : "InvalidExtensionRef", message);
}

static void add_pool_status(struct compile *compile, const struct pool_parents *parents)
{
    struct object_status *status = status_add_object(compile->report, parents->object, parents->count, 0);
    for (unsigned i = 0; i < parents->count; i++) {
        const struct kube_object *gateway = parents->gateways[i]->object;
        struct status_parent *parent = status_add_parent(status);
        parent->ref_group = GATEWAY_GROUP;
        parent->ref_kind = "Gateway";
        parent->ref_namespace = arena_strdup(compile->report->arena, gateway->namespace_);
        parent->ref_name = arena_strdup(compile->report->arena, gateway->name);
        parent->namespace_given = true;
        add_pool_conditions(compile, status, parent);
    }
}

void compile_pool_statuses(struct compile *compile)
{
    for (unsigned spelling = 0; spelling < POOL_SPELLINGS; spelling++) {
        size_t cursor = 0;
        const struct kube_object *object;
        while ((object = object_cache_next(compile->input->cache, spelling_kinds[spelling], &cursor)) != NULL) {
            const struct pool_build *pool = compile_find_pool(compile, object->namespace_, object->name);
            if (pool != NULL)
                add_pool_status(compile, &pool->spellings[spelling]);
        }
    }
}

void compile_add_pool_parent(const struct backend *backend, const struct gateway_build *gateway)
{
    if (backend->pool == NULL)
        return;
    struct pool_parents *parents = &backend->pool->spellings[backend->spelling];
    for (unsigned i = 0; i < parents->count; i++) {
        if (parents->gateways[i] == gateway)
            return;
    }
    parents->gateways[parents->count++] = gateway;
}

static bool grant_allows(const struct reference_grant_spec *grant, const struct kube_object *route,
                         const struct backend_ref *ref)
{
    bool is_from = false, is_to = false;
    for (unsigned i = 0; i < grant->from_count; i++)
        is_from = is_from ||
                  (strcmp(grant->from[i].group, GATEWAY_GROUP) == 0 && strcmp(grant->from[i].kind, "HTTPRoute") == 0 &&
                   strcmp(grant->from[i].namespace_, route->namespace_) == 0);
    for (unsigned i = 0; i < grant->to_count; i++)
        is_to = is_to || (strcmp(grant->to[i].group, ref->group) == 0 && strcmp(grant->to[i].kind, ref->kind) == 0 &&
                          (grant->to[i].name[0] == '\0' || strcmp(grant->to[i].name, ref->name) == 0));
    return is_from && is_to;
}

/* A reference into another namespace needs a ReferenceGrant there. */
static bool is_permitted(const struct compile *compile, const struct kube_object *route, const struct backend_ref *ref)
{
    if (strcmp(ref->namespace_, route->namespace_) == 0)
        return true;
    size_t cursor = 0;
    const struct kube_object *object;
    while ((object = object_cache_next(compile->input->cache, KUBE_REFERENCE_GRANT, &cursor)) != NULL) {
        if (strcmp(object->namespace_, ref->namespace_) == 0 && grant_allows(object->spec, route, ref))
            return true;
    }
    return false;
}

static struct backend invalid(const char *reason, const char *message)
{
    return (struct backend){.kind = POOL_ARM_INVALID, .unresolved = {reason, message}, .invalid_reason = reason};
}

static struct backend find_service(struct compile *compile, const struct backend_ref *ref, const char *field)
{
    const struct kube_object *object =
        object_cache_get(compile->input->cache, KUBE_SERVICE, ref->namespace_, ref->name);
    if (object == NULL)
        return invalid("BackendNotFound",
                       compile_text(compile, "%s: Service %s/%s does not exist", field, ref->namespace_, ref->name));
    const struct service_spec *spec = object->spec;
    /* An ExternalName could point the gateway at anything that it can reach. */
    if (strcmp(spec->type, "ExternalName") == 0)
        return invalid("BackendNotFound", compile_text(compile, "%s: Service %s/%s is of type ExternalName", field,
                                                       ref->namespace_, ref->name));
    for (unsigned i = 0; i < spec->port_count; i++) {
        if (spec->ports[i].port == ref->port && ref->port != 0)
            return (struct backend){.kind = POOL_ARM_SERVICE};
    }
    const char *message = ref->port == 0 ? compile_text(compile, "%s: a Service needs a port", field)
                                         : compile_text(compile, "%s: Service %s/%s has no port %u", field,
                                                        ref->namespace_, ref->name, ref->port);
    return invalid("BackendNotFound", message);
}

static struct backend find_pool_backend(struct compile *compile, const struct backend_ref *ref, const char *field)
{
    enum pool_spelling spelling = strcmp(ref->group, POOL_V1_GROUP) == 0 ? POOL_V1 : POOL_X;
    struct pool_build *pool = compile_find_pool(compile, ref->namespace_, ref->name);
    if (pool == NULL || pool->spellings[spelling].object == NULL) {
        const char *hint = pool != NULL ? "; the other API group has a pool of this name" : "";
        return invalid("BackendNotFound", compile_text(compile, "%s: InferencePool %s/%s of %s does not exist%s", field,
                                                       ref->namespace_, ref->name, ref->group, hint));
    }
    struct backend backend = {.kind = POOL_ARM_POOL, .pool = pool, .spelling = spelling};
    if (lacks_picker(compile, pool->spellings[spelling].object)) {
        /* The reference is fine, the pool is not: its own status says why. */
        backend.kind = POOL_ARM_INVALID;
        backend.invalid_reason = "InvalidExtensionRef";
    }
    return backend;
}

struct backend compile_backend(struct compile *compile, const struct kube_object *route, const struct backend_ref *ref,
                               const char *field)
{
    bool is_service = ref->group[0] == '\0' && strcmp(ref->kind, "Service") == 0;
    bool is_pool = strcmp(ref->kind, "InferencePool") == 0 &&
                   (strcmp(ref->group, POOL_V1_GROUP) == 0 || strcmp(ref->group, POOL_X_GROUP) == 0);
    if (!is_service && !is_pool)
        return invalid("InvalidKind", compile_text(compile, "%s: kind %s of group \"%s\" is not supported", field,
                                                   ref->kind, ref->group));
    if (!is_permitted(compile, route, ref))
        return invalid("RefNotPermitted", compile_text(compile, "%s: no ReferenceGrant in namespace %s permits %s %s",
                                                       field, ref->namespace_, ref->kind, ref->name));
    return is_service ? find_service(compile, ref, field) : find_pool_backend(compile, ref, field);
}

static void release_pool(void *pool)
{
    pool_give_back(pool);
}

static struct pool_arm make_arm(struct compile *compile, const struct backend_ref *ref, const struct backend *backend)
{
    bool is_service = strcmp(ref->kind, "Service") == 0;
    struct pool_arm arm = {.kind = backend->kind, .weight = ref->weight, .invalid_reason = backend->invalid_reason};
    arm.text = bytes_of(arena_strdup(compile->arena, ref->name));
    arm.id =
        bytes_of(is_service ? arena_printf(compile->arena, "service/%s/%s:%u", ref->namespace_, ref->name, ref->port)
                            : arena_printf(compile->arena, "pool/%s/%s", ref->namespace_, ref->name));
    if (arm.kind == POOL_ARM_INVALID)
        return arm;
    arm.pool =
        pool_registry_take(compile->input->pools, is_service, ref->namespace_, ref->name, is_service ? ref->port : 0);
    route_snapshot_own(compile->snapshot, release_pool, arm.pool);
    if (backend->pool != NULL) {
        arm.models = backend->pool->models;
        arm.targets = backend->pool->targets;
        arm.any_model = backend->pool->any_model;
        arm.objectives = backend->pool->objectives;
    }
    return arm;
}

/* References to one and the same backend are one arm: the keyed draw tells arms apart by id. */
static bool merge_arm(struct route_rule *rule, const struct pool_arm *arm)
{
    for (unsigned i = 0; i < rule->arm_count; i++) {
        if (bytes_equal(rule->arms[i].id, arm->id) && rule->arms[i].kind == arm->kind) {
            rule->arms[i].weight += arm->weight;
            return true;
        }
    }
    return false;
}

static void judge_arms(struct compile *compile, const struct kube_object *canary, struct route_rule *rule)
{
    struct bytes names[ROUTE_MAX_ARMS] = {{0}};
    uint64_t hashes[ARM_ROLES] = {0};
    for (unsigned i = 0; i < rule->arm_count; i++)
        names[i] = rule->arms[i].text;
    struct canary_arms arms = compile_canary_arms(compile, canary, names, rule->arm_count);
    struct canary_tap *tap = compile_tap(compile, canary, &rule->split);
    for (unsigned i = 0; i < rule->arm_count; i++) {
        for (unsigned role = 0; role < ARM_ROLES; role++) {
            if (!bytes_equal_str(names[i], arms.names[role]) || hashes[role] != 0)
                continue;
            hashes[role] = rule->split.hashes[i];
            rule->split.roles[role] = i;
            rule->arms[i].tap = tap;
            rule->arms[i].role = (enum arm_role)role;
        }
    }
    compile_split_stick(compile, &rule->split, compile_canary_stickiness(compile, canary, hashes));
}

static void make_rule_sticky(struct compile *compile, struct route_rule *rule, const struct rule_place *place)
{
    const struct kube_object *canary =
        compile_find_canary(compile, CANARY_HTTP_ROUTE, place->route, place->name, place->index, place->rule_count);
    struct bytes salt = bytes_of(rule->route);
    if (canary != NULL)
        judge_arms(compile, canary, rule);
    else if (place->annotated != NULL)
        compile_split_stick(compile, &rule->split, compile_salted(compile, place->annotated, salt));
    else
        compile_split_stick(compile, &rule->split, compile_default_stickiness(compile, salt));
}

void compile_arms(struct compile *compile, struct route_rule *rule, const struct rule_place *place,
                  const struct backend_ref *refs, const struct backend *backends, unsigned count)
{
    assert(count <= ROUTE_MAX_ARMS); /* decoding refuses more */
    rule->arms = ARENA_ARRAY(compile->arena, struct pool_arm, count);
    for (unsigned i = 0; i < count; i++) {
        struct pool_arm arm = make_arm(compile, &refs[i], &backends[i]);
        if (!merge_arm(rule, &arm))
            rule->arms[rule->arm_count++] = arm;
    }
    struct bytes *ids = ARENA_ARRAY(compile->arena, struct bytes, count);
    uint32_t *weights = ARENA_ARRAY(compile->arena, uint32_t, count);
    for (unsigned i = 0; i < rule->arm_count; i++) {
        ids[i] = rule->arms[i].id;
        weights[i] = rule->arms[i].weight;
    }
    compile_split(compile, &rule->split, compile_text(compile, "route/%s/%s", rule->route, rule->rule_name), ids,
                  weights, rule->arm_count);
    for (unsigned i = 0; i < rule->arm_count; i++)
        if (rule->arms[i].kind == POOL_ARM_INVALID)
            rule->split.working &= ~(UINT32_C(1) << i);
    make_rule_sticky(compile, rule, place);
    compile_rule_wants(compile, rule);
}
