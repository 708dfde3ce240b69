/* SPDX-License-Identifier: Apache-2.0 */
/* split.c: which arm takes a request: the pool arm of the rule, then the model arm of the pool.
 *
 * Reads the snapshot and the pools' model lists; the only state it moves are the split counters.  Names in arm texts
 * are made safe for a response header, because a model name may come straight from a request body. */
#include "route/split.h"

#include "route/arm_text.h"

bool pool_arm_knows_model(const struct pool_arm *arm, struct bytes model)
{
    if (arm->kind != POOL_ARM_POOL)
        return false;
    return hashmap_get(arm->models, model) != NULL || hashmap_get(arm->targets, model) != NULL ||
           pool_lists_model(arm->pool, model);
}

uint32_t route_eligible_arms(const struct route_rule *rule, struct bytes model)
{
    uint32_t weighted = 0, pools = 0;
    for (unsigned i = 0; i < rule->arm_count; i++) {
        if (rule->arms[i].weight == 0)
            continue;
        weighted |= UINT32_C(1) << i;
        if (rule->arms[i].kind == POOL_ARM_POOL)
            pools |= UINT32_C(1) << i;
    }
    /* With one pool there is nobody who could know better. */
    if (model.len == 0 || (pools & (pools - 1)) == 0)
        return weighted;
    uint32_t knowing = 0;
    for (unsigned i = 0; i < rule->arm_count; i++) {
        if ((pools >> i & 1) != 0 && pool_arm_knows_model(&rule->arms[i], model))
            knowing |= UINT32_C(1) << i;
    }
    return knowing != 0 ? (weighted & ~pools) | knowing : weighted;
}

static unsigned draw_arm(const struct route_rule *rule, struct bytes key, uint32_t eligible)
{
    if (key.len == 0)
        return split_draw(rule->counters, eligible);
    struct bytes ids[ROUTE_MAX_ARMS];
    uint32_t weights[ROUTE_MAX_ARMS];
    for (unsigned i = 0; i < rule->arm_count; i++) {
        ids[i] = rule->arms[i].id;
        weights[i] = rule->arms[i].weight;
    }
    return (unsigned)split_keyed(rule->salt, key, ids, weights, eligible, rule->arm_count);
}

static const struct model_target *draw_target(const struct model_rule *model, struct bytes key)
{
    if (key.len == 0)
        return &model->targets[split_draw(model->counters, SPLIT_ALL)];
    struct bytes ids[ROUTE_MAX_ARMS];
    uint32_t weights[ROUTE_MAX_ARMS];
    for (unsigned i = 0; i < model->target_count; i++) {
        ids[i] = model->targets[i].arm_id;
        weights[i] = model->targets[i].weight;
    }
    return &model->targets[split_keyed(model->salt, key, ids, weights, SPLIT_ALL, model->target_count)];
}

void route_split(const struct route_rule *rule, struct bytes model, struct bytes key, struct arena *arena,
                 struct split_choice *ret_choice)
{
    *ret_choice = (struct split_choice){.outcome = SPLIT_NO_ARM};
    uint32_t eligible = route_eligible_arms(rule, model);
    if (eligible == 0)
        return;
    const struct pool_arm *arm = &rule->arms[draw_arm(rule, key, eligible)];
    ret_choice->arm = arm;
    ret_choice->arm_text = arm->text;
    ret_choice->outcome = arm->kind == POOL_ARM_INVALID ? SPLIT_INVALID : SPLIT_ARM;
    if (arm->kind != POOL_ARM_POOL || model.len == 0)
        return;
    ret_choice->model = hashmap_get(arm->models, model);
    if (ret_choice->model == NULL) {
        ret_choice->arm_text = arm_text_make(arena, arm->text, model);
        return;
    }
    ret_choice->target = draw_target(ret_choice->model, key);
    ret_choice->arm_text = ret_choice->target->arm_text;
}
