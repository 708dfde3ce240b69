/* SPDX-License-Identifier: Apache-2.0 */
/* compile_models.c: what a pool does with the models that clients ask for: InferenceModels, then the rules of
 * InferenceModelRewrites for the models that no InferenceModel has.
 *
 * Of several objects with one model the oldest counts, of an object's rules the first. */
#include "route/compile_internal.h"

#include "route/arm_text.h"

/* Targets of one name are one arm: the keyed draw tells arms apart by name. */
static void add_target(struct compile *compile, const struct pool_build *pool, struct model_rule *rule,
                       const char *target, uint32_t weight)
{
    for (unsigned i = 0; i < rule->target_count; i++) {
        if (bytes_equal_str(rule->targets[i].name, target)) {
            rule->targets[i].weight += weight;
            return;
        }
    }
    char *name = arena_strdup(compile->arena, target);
    char *id = arena_printf(compile->arena, "model/%s/%s/%s", pool->namespace_, pool->name, name);
    rule->targets[rule->target_count++] =
        (struct model_target){.name = bytes_of(name),
                              .weight = weight,
                              .arm_text = arm_text_make(compile->arena, bytes_of(pool->name), bytes_of(name)),
                              .arm_id = bytes_of(id)};
    hashmap_put(pool->targets, bytes_of(name), name);
}

static void make_model_split(struct compile *compile, struct model_rule *rule, const char *identity)
{
    struct bytes *ids = ARENA_ARRAY(compile->arena, struct bytes, rule->target_count);
    uint32_t *weights = ARENA_ARRAY(compile->arena, uint32_t, rule->target_count);
    for (unsigned i = 0; i < rule->target_count; i++) {
        ids[i] = rule->targets[i].arm_id;
        weights[i] = rule->targets[i].weight;
    }
    compile_split(compile, &rule->split, identity, ids, weights, rule->target_count);
}

/* Share 0 of a model arm is its absence from the targets; it stays an arm for those who are held there. */
static struct canary_arms add_canary_targets(struct compile *compile, const struct kube_object *canary,
                                             const struct pool_build *pool, struct model_rule *rule)
{
    struct bytes names[ROUTE_MAX_TARGETS];
    for (unsigned i = 0; i < rule->target_count; i++)
        names[i] = rule->targets[i].name;
    struct canary_arms arms = compile_canary_arms(compile, canary, names, rule->target_count);
    for (unsigned role = 0; role < ARM_ROLES; role++)
        if (arms.names[role][0] != '\0' && rule->target_count < ROUTE_MAX_TARGETS)
            add_target(compile, pool, rule, arms.names[role], 0);
    return arms;
}

static void judge_targets(struct compile *compile, const struct kube_object *canary, const struct canary_arms *arms,
                          struct model_rule *rule)
{
    uint64_t hashes[ARM_ROLES] = {0};
    struct canary_tap *tap = compile_tap(compile, canary, &rule->split);
    for (unsigned i = 0; i < rule->target_count; i++) {
        for (unsigned role = 0; role < ARM_ROLES; role++) {
            if (!bytes_equal_str(rule->targets[i].name, arms->names[role]))
                continue;
            hashes[role] = rule->split.hashes[i];
            rule->split.roles[role] = i;
            rule->targets[i].tap = tap;
            rule->targets[i].role = (enum arm_role)role;
        }
    }
    compile_split_stick(compile, &rule->split, compile_canary_stickiness(compile, canary, hashes));
}

/* targets: those of the object, room for all of them and two more. */
static void finish_model(struct compile *compile, const struct kube_object *object, const struct kube_object *canary,
                         const struct pool_build *pool, struct model_rule *rule, const char *identity)
{
    struct canary_arms arms = {.names = {"", ""}};
    if (canary != NULL)
        arms = add_canary_targets(compile, canary, pool, rule);
    make_model_split(compile, rule, identity);
    struct bytes salt = bytes_of(arena_printf(compile->arena, "%s/%s", object->namespace_, object->name));
    if (canary != NULL)
        judge_targets(compile, canary, &arms, rule);
    else if (pool->stickiness != NULL)
        compile_split_stick(compile, &rule->split, compile_salted(compile, pool->stickiness, salt));
    else
        compile_split_stick(compile, &rule->split, compile_default_stickiness(compile, salt));
}

static struct model_rule *make_rule(struct compile *compile, const struct kube_object *object,
                                    const struct target_model *targets, unsigned count, const struct pool_build *pool)
{
    struct model_rule *rule = ARENA_NEW(compile->arena, struct model_rule);
    rule->object = kube_object_text(object, compile->arena);
    rule->targets = ARENA_ARRAY(compile->arena, struct model_target, count + ARM_ROLES);
    for (unsigned i = 0; i < count && i < ROUTE_MAX_TARGETS; i++)
        add_target(compile, pool, rule, targets[i].name, targets[i].weight);
    return rule;
}

static int32_t priority_of(enum criticality criticality)
{
    return criticality == CRITICALITY_CRITICAL ? 1 : criticality == CRITICALITY_SHEDDABLE ? -1 : 0;
}

static void add_model(struct compile *compile, const struct kube_object *object, const struct pool_build *pool)
{
    const struct inference_model_spec *spec = object->spec;
    struct model_rule *rule = make_rule(compile, object, spec->targets, spec->target_count, pool);
    rule->model = bytes_of(arena_strdup(compile->arena, spec->model_name));
    rule->priority = priority_of(spec->criticality);
    rule->has_criticality = spec->criticality != CRITICALITY_UNSET;
    finish_model(compile, object, compile_find_canary(compile, CANARY_INFERENCE_MODEL, object, "", 0, 1), pool, rule,
                 compile_text(compile, "model/%s/%s", object->namespace_, object->name));
    hashmap_put(pool->models, rule->model, rule);
}

struct pool_build *compile_pool_of(struct compile *compile, const struct kube_object *object,
                                   const struct pool_ref *ref, struct verdict *ret_refused)
{
    bool is_pool_ref = strcmp(ref->kind, "InferencePool") == 0 &&
                       (strcmp(ref->group, POOL_V1_GROUP) == 0 || strcmp(ref->group, POOL_X_GROUP) == 0);
    struct pool_build *pool = is_pool_ref ? compile_find_pool(compile, object->namespace_, ref->name) : NULL;
    if (!is_pool_ref)
        *ret_refused = (struct verdict){
            "Pending", compile_text(compile, "spec.poolRef: %s of %s is no InferencePool", ref->kind, ref->group)};
    else if (pool == NULL)
        *ret_refused =
            (struct verdict){"Pending", compile_text(compile, "spec.poolRef: InferencePool %s/%s does not exist",
                                                     object->namespace_, ref->name)};
    return pool;
}

static struct verdict try_model(struct compile *compile, const struct kube_object *object)
{
    const struct inference_model_spec *spec = object->spec;
    struct verdict refused = {0};
    const struct pool_build *pool = compile_pool_of(compile, object, &spec->pool, &refused);
    const struct model_rule *winner = pool != NULL ? hashmap_get(pool->models, bytes_of(spec->model_name)) : NULL;
    if (winner != NULL)
        return (struct verdict){"ModelNameInUse", compile_text(compile, "the older %s has the model %s in pool %s",
                                                               winner->object, spec->model_name, spec->pool.name)};
    if (pool != NULL)
        add_model(compile, object, pool);
    return refused;
}

/* What a rule of a Rewrite could not get. */
static struct verdict taken(struct compile *compile, const struct model_rule *winner, const char *what,
                            const struct pool_ref *pool)
{
    return (struct verdict){"ModelNameInUse", compile_text(compile, "%s has %s in pool %s, and goes first",
                                                           winner->object, what, pool->name)};
}

static struct verdict add_rewrite_rule(struct compile *compile, const struct kube_object *object,
                                       struct pool_build *pool, unsigned index)
{
    const struct model_rewrite_spec *spec = object->spec;
    const struct rewrite_rule *from = &spec->rules[index];
    struct verdict refused = {0};
    struct model_rule *rule = make_rule(compile, object, from->targets, from->target_count, pool);
    finish_model(compile, object,
                 compile_find_canary(compile, CANARY_MODEL_REWRITE, object, "", index, spec->rule_count), pool, rule,
                 compile_text(compile, "rewrite/%s/%s/%s/%u", kube_kind_info(object->kind)->group, object->namespace_,
                              object->name, index));
    if (from->model_count == 0 && pool->any_model != NULL)
        return taken(compile, pool->any_model, "what nobody else names", &spec->pool);
    if (from->model_count == 0) {
        rule->model = BYTES("");
        pool->any_model = rule;
    }
    for (unsigned i = 0; i < from->model_count; i++) {
        const struct model_rule *winner = hashmap_get(pool->models, bytes_of(from->models[i]));
        if (winner != NULL) {
            refused = taken(compile, winner, from->models[i], &spec->pool);
            continue;
        }
        /* One draw for all models of a rule. */
        struct model_rule *named = ARENA_NEW(compile->arena, struct model_rule);
        *named = *rule;
        named->model = bytes_of(arena_strdup(compile->arena, from->models[i]));
        hashmap_put(pool->models, named->model, named);
    }
    return refused;
}

static struct verdict try_rewrite(struct compile *compile, const struct kube_object *object)
{
    const struct model_rewrite_spec *spec = object->spec;
    struct verdict refused = {0};
    struct pool_build *pool = compile_pool_of(compile, object, &spec->pool, &refused);
    for (unsigned i = 0; i < spec->rule_count && pool != NULL; i++) {
        struct verdict of_rule = add_rewrite_rule(compile, object, pool, i);
        if (refused.reason == NULL)
            refused = of_rule;
    }
    return refused;
}

void compile_accept(struct compile *compile, const struct kube_object *object, struct verdict refused,
                    const char *message)
{
    bool is_good = refused.reason == NULL;
    struct object_status *status = status_add_object(compile->report, object, 1, 0);
    status_condition(compile->report, status, status_add_parent(status), "Accepted", is_good,
                     is_good ? "Accepted" : refused.reason, is_good ? message : refused.message);
}

static void compile_kind(struct compile *compile, enum kube_kind kind,
                         struct verdict (*try_object)(struct compile *compile, const struct kube_object *object))
{
    unsigned count = 0;
    const struct kube_object **objects = compile_by_age(compile, kind, &count);
    for (unsigned i = 0; i < count; i++)
        compile_accept(compile, objects[i], try_object(compile, objects[i]), "the pool serves the model");
}

void compile_models(struct compile *compile)
{
    compile_kind(compile, KUBE_INFERENCE_MODEL, try_model);
    compile_kind(compile, KUBE_MODEL_REWRITE, try_rewrite);
    compile_kind(compile, KUBE_MODEL_REWRITE_X, try_rewrite);
}
