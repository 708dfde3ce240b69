/* SPDX-License-Identifier: Apache-2.0 */
/* inference.c: decodes InferencePool (both versions into one shape), InferenceModel, InferenceModelRewrite and
 * InferenceObjective.  That a model's modelName never changes is checked by whoever stores objects: one object alone
 * cannot tell. */
#include "kube/api/inference.h"

#include "kube/api/kinds.h"

enum { POOL_LABELS_MAX = 64, POOL_PORTS_MAX = 8, MODEL_NAME_MAX = 256, TARGETS_MAX = 10, WEIGHT_MAX = 1000000 };
enum { REWRITE_RULES_MAX = 64, REWRITE_MATCHES_MAX = 64, REWRITE_TARGETS_MAX = 32 };

static const struct text_syntax model_name_syntax = {.max_len = MODEL_NAME_MAX};

static const char *const failure_modes[] = {"FailOpen", "FailClose", NULL};

static void decode_target_ports(struct field *spec, struct inference_pool_spec *pool)
{
    struct field list = decode_list(spec, "targetPorts", REQUIRED, 1, POOL_PORTS_MAX);
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        uint16_t port = decode_port(&item, "number", REQUIRED);
        for (unsigned j = 0; j < pool->port_count && port != 0; j++) {
            if (pool->ports[j] == port) {
                field_problem(&item, "number", "Invalid", "must be unique");
                break;
            }
        }
        pool->ports[pool->port_count++] = port;
        decode_end(&item);
    }
}

/* The part that both versions share. */
static void decode_picker(struct field *ref, struct inference_pool_spec *pool)
{
    pool->picker_group = decode_text(ref, "group", OPTIONAL, &syntax_group);
    pool->picker_kind = decode_text_or(ref, "kind", &syntax_kind, "Service");
    pool->picker_name = decode_text(ref, "name", REQUIRED, &syntax_reference_name);
    pool->fail_open = decode_enum(ref, "failureMode", OPTIONAL, failure_modes, 1) == 0;
}

const void *inference_pool_decode(struct field *root, const struct kube_object *object)
{
    static const char *const protocols[] = {"http", "kubernetes.io/h2c", NULL};
    struct inference_pool_spec *pool = ARENA_NEW(object->arena, struct inference_pool_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    struct field selector = decode_object(&spec, "selector", REQUIRED);
    pool->selector = decode_labels(&selector, "matchLabels", REQUIRED, 1, POOL_LABELS_MAX);
    decode_end(&selector);
    decode_target_ports(&spec, pool);
    pool->is_h2c = decode_enum(&spec, "appProtocol", OPTIONAL, protocols, 0) == 1;
    struct field ref = decode_object(&spec, "endpointPickerRef", OPTIONAL);
    decode_picker(&ref, pool);
    bool is_service = bytes_equal_str(bytes_of(pool->picker_kind), "Service");
    struct field port = decode_object(&ref, "port", is_service ? REQUIRED : OPTIONAL);
    pool->picker_port = decode_port(&port, "number", REQUIRED);
    decode_end(&port);
    decode_end(&ref);
    decode_end(&spec);
    return pool;
}

const void *inference_pool_x_decode(struct field *root, const struct kube_object *object)
{
    struct inference_pool_spec *pool = ARENA_NEW(object->arena, struct inference_pool_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    pool->selector = decode_labels(&spec, "selector", REQUIRED, 0, SIZE_MAX);
    pool->ports[0] = decode_port(&spec, "targetPortNumber", REQUIRED);
    pool->port_count = 1;
    struct field ref = decode_object(&spec, "extensionRef", REQUIRED);
    decode_picker(&ref, pool);
    pool->picker_port = decode_port(&ref, "portNumber", OPTIONAL);
    decode_end(&ref);
    decode_end(&spec);
    return pool;
}

static void decode_pool_ref(struct field *spec, const char *default_group, struct pool_ref *pool)
{
    struct field ref = decode_object(spec, "poolRef", REQUIRED);
    pool->group = decode_text_or(&ref, "group", &syntax_group, default_group);
    pool->kind = decode_text_or(&ref, "kind", &syntax_kind, "InferencePool");
    pool->name = decode_text(&ref, "name", REQUIRED, &syntax_reference_name);
    decode_end(&ref);
}

/* Both kinds of targets: a name and a weight, on all of them or on none (a target without one beside others with one
 * would get nothing, which nobody means). */
static void decode_target_items(struct field *list, const char *name, struct target_model *targets)
{
    unsigned weight_count = 0;
    for (size_t i = 0; i < list->len; i++) {
        struct field item = decode_item(list, i);
        targets[i].name = decode_text(&item, name, REQUIRED, &syntax_reference_name);
        weight_count += field_has(&item, "weight");
        targets[i].weight = (uint32_t)decode_int(&item, "weight", OPTIONAL, 1, WEIGHT_MAX, 1);
        decode_end(&item);
    }
    if (weight_count > 0 && weight_count < list->len)
        field_problem(list, NULL, "Invalid", "must have a weight on all items or on none");
}

static void decode_targets(struct field *spec, struct inference_model_spec *model)
{
    struct field list = decode_list(spec, "targetModels", OPTIONAL, 0, TARGETS_MAX);
    model->target_count = list.len > 0 ? (unsigned)list.len : 1;
    model->targets = ARENA_ARRAY(spec->decoder->arena, struct target_model, model->target_count);
    model->targets[0] = (struct target_model){.name = model->model_name, .weight = 1};
    decode_target_items(&list, "name", model->targets);
}

const void *inference_model_decode(struct field *root, const struct kube_object *object)
{
    static const char *const criticalities[] = {"Critical", "Standard", "Sheddable", NULL};
    struct inference_model_spec *model = ARENA_NEW(object->arena, struct inference_model_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    model->model_name = decode_text(&spec, "modelName", REQUIRED, &model_name_syntax);
    int criticality = decode_enum(&spec, "criticality", OPTIONAL, criticalities, -1);
    model->criticality = (enum criticality)(criticality + CRITICALITY_CRITICAL);
    decode_targets(&spec, model);
    decode_pool_ref(&spec, "inference.networking.x-k8s.io", &model->pool);
    decode_end(&spec);
    return model;
}

/* ---- InferenceModelRewrite ---- */

static const char *decode_model_match(struct field *match)
{
    static const char *const types[] = {"Exact", NULL};
    struct field model = decode_object(match, "model", REQUIRED);
    (void)decode_enum(&model, "type", OPTIONAL, types, 0);
    const char *name = decode_text(&model, "value", REQUIRED, &model_name_syntax);
    decode_end(&model);
    decode_end(match);
    return name;
}

static void decode_rewrite_rule(struct field *item, struct rewrite_rule *rule)
{
    struct arena *arena = item->decoder->arena;
    struct field matches = decode_list(item, "matches", OPTIONAL, 0, REWRITE_MATCHES_MAX);
    rule->models = ARENA_ARRAY(arena, const char *, matches.len);
    rule->model_count = (unsigned)matches.len;
    for (size_t i = 0; i < matches.len; i++) {
        struct field match = decode_item(&matches, i);
        rule->models[i] = decode_model_match(&match);
    }
    struct field targets = decode_list(item, "targets", REQUIRED, 1, REWRITE_TARGETS_MAX);
    rule->targets = ARENA_ARRAY(arena, struct target_model, targets.len);
    rule->target_count = (unsigned)targets.len;
    decode_target_items(&targets, "modelRewrite", rule->targets);
    decode_end(item);
}

const void *model_rewrite_decode(struct field *root, const struct kube_object *object)
{
    struct model_rewrite_spec *rewrite = ARENA_NEW(object->arena, struct model_rewrite_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    decode_pool_ref(&spec, "inference.networking.k8s.io", &rewrite->pool);
    struct field rules = decode_list(&spec, "rules", REQUIRED, 1, REWRITE_RULES_MAX);
    rewrite->rules = ARENA_ARRAY(object->arena, struct rewrite_rule, rules.len);
    rewrite->rule_count = (unsigned)rules.len;
    for (size_t i = 0; i < rules.len; i++) {
        struct field item = decode_item(&rules, i);
        decode_rewrite_rule(&item, &rewrite->rules[i]);
    }
    decode_end(&spec);
    return rewrite;
}

/* ---- InferenceObjective ---- */

const void *inference_objective_decode(struct field *root, const struct kube_object *object)
{
    struct inference_objective_spec *objective = ARENA_NEW(object->arena, struct inference_objective_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    objective->priority = (int32_t)decode_int(&spec, "priority", OPTIONAL, INT32_MIN, INT32_MAX, 0);
    decode_pool_ref(&spec, "inference.networking.k8s.io", &objective->pool);
    decode_end(&spec);
    return objective;
}
