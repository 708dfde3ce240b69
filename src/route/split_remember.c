/* SPDX-License-Identifier: Apache-2.0 */
/* split_remember.c: after an answer: its arms are kept under its id and under the conversation that it belongs to now,
 * for each draw that had a choice. */
#include "route/split.h"

enum { RESPONSES, CONVERSATIONS };

static bool has_choice(const struct split *split)
{
    return split->count > 1;
}

static bool wants_reply(const struct split *split, struct bytes path)
{
    const struct stickiness *stickiness = split->stickiness;
    return has_choice(split) &&
           (stickiness->new_conversations_only || (stickiness->default_keys && session_makes_response(path)));
}

bool split_wants_reply(const struct route_rule *rule, const struct split_choice *choice, struct bytes path)
{
    return wants_reply(&rule->split, path) || (choice->model != NULL && wants_reply(&choice->model->split, path));
}

static void put(struct arm_memory *memory, uint64_t key, uint64_t arm, uint64_t now_ms, unsigned which,
                struct split_remembered *ret)
{
    enum arm_memory_put result = arm_memory_put(memory, key, arm, now_ms);
    ret->added[which] += result == ARM_MEMORY_ADDED;
    ret->replaced[which] += result == ARM_MEMORY_REPLACED;
}

static void remember(const struct split *split, unsigned index, const struct split_request *request,
                     const struct split_reply *reply, struct split_remembered *ret)
{
    const struct stickiness *stickiness = split->stickiness;
    const struct arm_memories *memories = request->memories;
    const struct conversation_scan *said = request->facts.conversation;
    struct bytes conversation = openai_scan_session(request->facts.scan, SCAN_KEY_CONVERSATION);
    uint64_t arm = split->hashes[index], now_ms = request->now_ms;
    if (!has_choice(split))
        return;
    if (stickiness->default_keys && reply->response_id.len > 0)
        put(memories->responses, arm_memory_id_key(split->identity, reply->response_id), arm, now_ms, RESPONSES, ret);
    if (!stickiness->new_conversations_only)
        return;
    if (said != NULL && said->hash != 0 && reply->has_hash) {
        uint64_t next = conversation_next_hash(said, reply->hash);
        put(memories->conversations, arm_memory_key(split->identity, next), arm, now_ms, CONVERSATIONS, ret);
    }
    if (conversation.len > 0)
        put(memories->conversations, arm_memory_id_key(split->identity, conversation), arm, now_ms, CONVERSATIONS, ret);
}

void split_remember(const struct route_rule *rule, const struct split_choice *choice,
                    const struct split_request *request, const struct split_reply *reply,
                    struct split_remembered *ret_remembered)
{
    *ret_remembered = (struct split_remembered){.added = {0}};
    if (request->memories == NULL || choice->arm == NULL)
        return;
    remember(&rule->split, (unsigned)(choice->arm - rule->arms), request, reply, ret_remembered);
    if (choice->target != NULL)
        remember(&choice->model->split, (unsigned)(choice->target - choice->model->targets), request, reply,
                 ret_remembered);
}
