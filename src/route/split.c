/* SPDX-License-Identifier: Apache-2.0 */
/* split.c: which arm takes a request: the pool arm of the rule, then the model arm of the pool.
 *
 * Reads the snapshot, the pools' model lists and what is remembered; the only state it moves are the split counters.
 * Names in arm texts are made safe for a response header, because a model name may come straight from a request body.
 */
#include "route/split.h"

#include "canary/tap.h"
#include "route/arm_text.h"

bool pool_arm_knows_model(const struct pool_arm *arm, struct bytes model)
{
    if (arm->kind != POOL_ARM_POOL)
        return false;
    return arm->any_model != NULL || hashmap_get(arm->models, model) != NULL ||
           hashmap_get(arm->targets, model) != NULL || pool_lists_model(arm->pool, model);
}

const struct model_rule *pool_arm_model(const struct pool_arm *arm, struct bytes model)
{
    if (arm->kind != POOL_ARM_POOL || model.len == 0)
        return NULL;
    const struct model_rule *rule = hashmap_get(arm->models, model);
    if (rule != NULL || arm->any_model == NULL)
        return rule;
    return hashmap_get(arm->targets, model) == NULL ? arm->any_model : NULL;
}

/* Of the candidates, those that fit the model. */
static uint32_t fitting_arms(const struct route_rule *rule, struct bytes model, uint32_t candidates)
{
    uint32_t pools = 0, knowing = 0;
    for (unsigned i = 0; i < rule->arm_count; i++)
        if ((candidates >> i & 1) != 0 && rule->arms[i].kind == POOL_ARM_POOL)
            pools |= UINT32_C(1) << i;
    /* With one pool there is nobody who could know better. */
    if (model.len == 0 || (pools & (pools - 1)) == 0)
        return candidates;
    for (unsigned i = 0; i < rule->arm_count; i++)
        if ((pools >> i & 1) != 0 && pool_arm_knows_model(&rule->arms[i], model))
            knowing |= UINT32_C(1) << i;
    return knowing != 0 ? (candidates & ~pools) | knowing : candidates;
}

uint32_t route_eligible_arms(const struct route_rule *rule, struct bytes model)
{
    return fitting_arms(rule, model, rule->split.weighted);
}

struct split_scope split_scope_of_rule(const struct route_rule *rule, struct bytes model)
{
    const struct split *split = &rule->split;
    struct split_scope scope = {.split = split, .eligible = route_eligible_arms(rule, model), .arm = rule->arms};
    /* Most often all arms work and have weight. */
    scope.usable = split->working == split->weighted ? scope.eligible : fitting_arms(rule, model, split->working);
    return scope;
}

struct split_scope split_scope_of_model(const struct pool_arm *arm, const struct model_rule *model)
{
    return (struct split_scope){
        .split = &model->split, .eligible = SPLIT_ALL, .usable = SPLIT_ALL, .arm = arm, .targets = model->targets};
}

/* Nothing holds on to an arm of weight 0 once its Canary was aborted. */
static int find_arm(const struct split_scope *scope, uint64_t hash)
{
    const struct split *split = scope->split;
    uint32_t usable = split->stickiness->is_aborted ? scope->usable & split->weighted : scope->usable;
    for (unsigned i = 0; i < split->count && hash != 0; i++)
        if (split->hashes[i] == hash && (usable >> i & 1) != 0)
            return (int)i;
    return -1;
}

static int find_pinned(const struct split_scope *scope, const struct split_request *request, struct split_draw *draw)
{
    const struct stickiness *stickiness = scope->split->stickiness;
    enum arm_role role = session_pin(stickiness, &request->facts, &draw->is_pin_refused);
    return role < ARM_ROLES ? find_arm(scope, stickiness->pin.arms[role]) : -1;
}

/* Memories. */

/* An arm that gets no new requests may be gone but for its name: who was there is drawn anew instead of failing. */
static int find_served(const struct split_scope *scope, uint64_t hash)
{
    int i = find_arm(scope, hash);
    if (i < 0 || (scope->split->weighted >> i & 1) != 0)
        return i;
    bool is_served = scope->targets != NULL ? pool_lists_model(scope->arm->pool, scope->targets[i].name)
                                            : pool_usable_count(scope->arm[i].pool) > 0;
    return is_served ? i : -1;
}

static int find_response(const struct split_scope *scope, const struct split_request *request, struct split_draw *draw)
{
    struct bytes id = session_response_id(&request->facts);
    if (id.len == 0)
        return -1;
    uint64_t key = arm_memory_id_key(scope->split->identity, id);
    uint64_t arm = arm_memory_find(request->memories->responses, key, request->now_ms);
    draw->is_lost = arm == 0;
    return find_served(scope, arm);
}

static int find_conversation(const struct split_scope *scope, const struct split_request *request,
                             struct split_draw *draw)
{
    const struct conversation_scan *said = request->facts.conversation;
    struct bytes id = openai_scan_session(request->facts.scan, SCAN_KEY_CONVERSATION);
    struct arm_memory *memory = request->memories->conversations;
    uint64_t owner = scope->split->identity, arm = 0;
    bool has_reply = said != NULL && said->has_reply;
    if (id.len > 0)
        arm = arm_memory_find(memory, arm_memory_id_key(owner, id), request->now_ms);
    if (arm == 0 && has_reply)
        arm = arm_memory_find(memory, arm_memory_key(owner, said->last_hash), request->now_ms);
    /* The latest answer was changed by the client, or came from another process. */
    if (arm == 0 && has_reply && said->first_hash != said->last_hash)
        arm = arm_memory_find(memory, arm_memory_key(owner, said->first_hash), request->now_ms);
    draw->is_lost = draw->is_lost || (has_reply && arm == 0);
    return find_served(scope, arm);
}

static int find_remembered(const struct split_scope *scope, const struct split_request *request,
                           struct split_draw *draw)
{
    const struct stickiness *stickiness = scope->split->stickiness;
    if (request->memories == NULL)
        return -1;
    int arm = stickiness->default_keys ? find_response(scope, request, draw) : -1;
    draw->reason = DRAW_RESPONSE;
    if (arm >= 0 || !stickiness->new_conversations_only)
        return arm;
    draw->reason = DRAW_CONVERSATION;
    return find_conversation(scope, request, draw);
}

/* Keys. */

/* Nothing is known of a running conversation: its first answer is the same in each of its turns and in each process. */
static struct session_key resumed_key(const struct split *split, const struct session_facts *facts)
{
    struct session_key key = {.reason = DRAW_KEYLESS};
    const struct conversation_scan *said = facts->conversation;
    if (!split->stickiness->new_conversations_only || said == NULL || !said->has_reply)
        return key;
    key.reason = DRAW_RESUMED;
    key.name = "messages";
    key.text = bytes_of(arena_printf(facts->arena, "%016llx", (unsigned long long)said->first_hash));
    return key;
}

static int find_keyed(const struct split_scope *scope, const struct split_request *request, struct split_draw *draw)
{
    const struct split *split = scope->split;
    struct session_key key = session_key_find(split->stickiness, &request->facts);
    if (key.reason == DRAW_KEYLESS)
        key = resumed_key(split, &request->facts);
    draw->reason = key.reason;
    draw->key_name = key.name;
    draw->key = key.text;
    if (key.reason == DRAW_KEYLESS)
        return -1;
    return split_keyed(key.text, split->seeds, split->weights, scope->eligible, split->count);
}

int split_foresee(const struct split_scope *scope, const struct split_request *request, struct split_draw *ret_draw)
{
    *ret_draw = (struct split_draw){.reason = DRAW_ONLY};
    if (scope->split->count == 1)
        return (scope->eligible & scope->split->weighted) != 0 ? 0 : -1;
    int arm = find_pinned(scope, request, ret_draw);
    ret_draw->reason = DRAW_PIN;
    if (arm < 0)
        arm = find_remembered(scope, request, ret_draw);
    return arm >= 0 ? arm : find_keyed(scope, request, ret_draw);
}

/* A canary that has no room for more leaves requests that nothing binds to it to stable. */
static int pass_by_full(const struct split *split, unsigned drawn, uint32_t eligible)
{
    if (split->tap == NULL || drawn != split->roles[ARM_CANARY] || !canary_tap_is_full(split->tap))
        return (int)drawn;
    unsigned stable = split->roles[ARM_STABLE];
    if (stable == split->count || (eligible & split->weighted & UINT32_C(1) << stable) == 0)
        return (int)drawn;
    canary_tap_count_overflow(split->tap);
    return (int)stable;
}

/* -1: no arm has weight. */
static int draw(const struct split_scope *scope, const struct split_request *request, struct split_draw *ret_draw)
{
    int arm = split_foresee(scope, request, ret_draw);
    if (arm < 0 && (scope->eligible & scope->split->weighted) != 0)
        arm = pass_by_full(scope->split, split_draw(scope->split->counters, scope->eligible), scope->eligible);
    return arm;
}

static void draw_target(const struct split_request *request, struct split_choice *choice)
{
    struct split_scope scope = split_scope_of_model(choice->arm, choice->model);
    int target = draw(&scope, request, &choice->target_draw);
    choice->target = &choice->model->targets[target];
    choice->arm_text = choice->target->arm_text;
}

void route_split(const struct route_rule *rule, const struct split_request *request, struct split_choice *ret_choice)
{
    *ret_choice = (struct split_choice){.outcome = SPLIT_NO_ARM};
    struct split_scope scope = split_scope_of_rule(rule, request->model);
    int index = draw(&scope, request, &ret_choice->arm_draw);
    if (index < 0)
        return;
    const struct pool_arm *arm = &rule->arms[index];
    ret_choice->arm = arm;
    ret_choice->arm_text = arm->text;
    ret_choice->outcome = arm->kind == POOL_ARM_INVALID ? SPLIT_INVALID : SPLIT_ARM;
    if (arm->kind != POOL_ARM_POOL || request->model.len == 0)
        return;
    ret_choice->model = pool_arm_model(arm, request->model);
    if (ret_choice->model != NULL)
        draw_target(request, ret_choice);
    else
        ret_choice->arm_text = arm_text_make(request->facts.arena, arm->text, request->model);
}

struct bytes split_endpoint_key(const struct route_rule *rule, const struct model_rule *model,
                                const struct session_facts *facts)
{
    struct session_key key = session_key_find(rule->split.stickiness, facts);
    if (key.text.len == 0 && model != NULL)
        key = session_key_find(model->split.stickiness, facts);
    return key.text;
}
