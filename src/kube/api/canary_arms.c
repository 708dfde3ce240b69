/* SPDX-License-Identifier: Apache-2.0 */
/* canary_arms.c: a row per kind of target. */
#include "kube/api/canary_arms.h"

#include <string.h>

#include "base/json_tree.h"

enum { WEIGHT_MAX = 1000000 };

const enum kube_kind *canary_target_kinds(enum canary_target_kind kind)
{
    static const enum kube_kind kinds[][3] = {
        [CANARY_HTTP_ROUTE] = {KUBE_HTTP_ROUTE, KUBE_KIND_COUNT},
        [CANARY_INFERENCE_MODEL] = {KUBE_INFERENCE_MODEL, KUBE_KIND_COUNT},
        [CANARY_MODEL_REWRITE] = {KUBE_MODEL_REWRITE_X, KUBE_MODEL_REWRITE, KUBE_KIND_COUNT},
    };
    return kinds[kind];
}

const struct arm_shape *arm_shape_of(enum kube_kind kind)
{
    static const struct arm_shape route = {"rules", "backendRefs", "name", true};
    static const struct arm_shape model = {NULL, "targetModels", "name", false};
    static const struct arm_shape rewrite = {"rules", "targets", "modelRewrite", false};
    switch (kind) {
    case KUBE_HTTP_ROUTE:
        return &route;
    case KUBE_INFERENCE_MODEL:
        return &model;
    case KUBE_MODEL_REWRITE:
    case KUBE_MODEL_REWRITE_X:
        return &rewrite;
    default:
        return NULL;
    }
}

static const json_t *rules_of(const struct arm_shape *shape, const json_t *tree)
{
    return shape->rules != NULL ? json_object_get(json_object_get(tree, "spec"), shape->rules) : NULL;
}

size_t arm_rule_count(const struct arm_shape *shape, const json_t *tree)
{
    return shape->rules != NULL ? json_array_size(rules_of(shape, tree)) : 1;
}

json_t *arm_owner(const struct arm_shape *shape, const json_t *tree, size_t rule)
{
    return shape->rules != NULL ? json_array_get(rules_of(shape, tree), rule) : json_object_get(tree, "spec");
}

json_t *arm_list(const struct arm_shape *shape, const json_t *tree, size_t rule)
{
    return json_object_get(arm_owner(shape, tree, rule), shape->arms);
}

enum arm_rule arm_rule_find(const struct arm_shape *shape, const json_t *tree, const char *wanted, size_t *ret_rule)
{
    const json_t *rules = rules_of(shape, tree);
    size_t count = arm_rule_count(shape, tree);
    unsigned long long index;
    *ret_rule = 0;
    if (wanted[0] == '\0' || shape->rules == NULL)
        return count == 1 ? ARM_RULE_FOUND : ARM_RULE_UNCLEAR;
    for (size_t i = 0; i < count; i++) {
        *ret_rule = i;
        if (strcmp(tree_member_text(json_array_get(rules, i), "name"), wanted) == 0)
            return ARM_RULE_FOUND;
    }
    if (!bytes_to_u64(bytes_of(wanted), UINT32_MAX, &index) || index >= count)
        return ARM_RULE_UNKNOWN;
    *ret_rule = (size_t)index;
    return ARM_RULE_FOUND;
}

const char *arm_name(const struct arm_shape *shape, const json_t *arm)
{
    return tree_member_text(arm, shape->name);
}

json_t *arm_find(const struct arm_shape *shape, const json_t *arms, const char *name)
{
    for (size_t i = 0; i < json_array_size(arms); i++) {
        json_t *arm = json_array_get(arms, i);
        if (strcmp(arm_name(shape, arm), name) == 0)
            return arm;
    }
    return NULL;
}

uint32_t arm_weight(const json_t *arm)
{
    const json_t *given = json_object_get(arm, "weight");
    json_int_t weight = json_is_integer(given) ? json_integer_value(given) : 1;
    return weight < 0 ? 0 : weight > WEIGHT_MAX ? WEIGHT_MAX : (uint32_t)weight;
}
