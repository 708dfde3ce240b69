/* SPDX-License-Identifier: Apache-2.0 */
/* response_owner.c: a memory of endpoints' identities beside the one of arms.  An id is the same in every rule. */
#include "proxy/response_owner.h"

#include "proxy/measure_internal.h"

enum { EVERY_RULE = 0, OWNERS = 2 };

static struct arm_memory *owners_of(const struct proxied *proxied)
{
    const struct arm_memories *memories = proxied->proxy->config.memories;
    return memories != NULL ? memories->owners : NULL;
}

bool response_owner_is_wanted(const struct proxied *proxied)
{
    return proxied->has_body && owners_of(proxied) != NULL && session_makes_response(proxied->exchange->request.path);
}

void response_owner_remember(struct proxied *proxied, struct bytes response_id, uint64_t now_ms)
{
    struct arm_memory *owners = owners_of(proxied);
    const struct endpoint *endpoint = measure_endpoint(proxied);
    if (owners == NULL || endpoint == NULL || response_id.len == 0)
        return;
    enum arm_memory_put result =
        arm_memory_put(owners, arm_memory_id_key(EVERY_RULE, response_id), endpoint->identity, now_ms);
    metric_add(proxied->proxy->remembered[OWNERS], result == ARM_MEMORY_ADDED);
    metric_add(proxied->proxy->forgotten[OWNERS], result == ARM_MEMORY_REPLACED);
}

/* Its address, in the arena; NULL when it is not there, or not usable. */
static const struct address *address_of(struct pool *pool, uint64_t identity, struct arena *arena)
{
    const struct endpoint *owner = NULL;
    struct address *address = NULL;
    pthread_mutex_lock(&pool->lock);
    for (unsigned i = 0; i < pool->member_count && owner == NULL; i++)
        if (pool->members[i]->identity == identity && endpoint_is_usable(pool->members[i]))
            owner = pool->members[i];
    if (owner != NULL) {
        address = ARENA_NEW(arena, struct address);
        *address = owner->address;
    }
    pthread_mutex_unlock(&pool->lock);
    return address;
}

void response_owner_narrow(struct proxied *proxied)
{
    struct pick_request *pick = &proxied->held->pick;
    struct session_facts facts = {.path = proxied->exchange->request.path, .scan = &proxied->held->scan};
    struct bytes id = session_response_id(&facts);
    struct arm_memory *owners = owners_of(proxied);
    pick->subset_count = 0;
    if (id.len == 0 || owners == NULL)
        return;
    uint64_t now_ms = reactor_now_ms(proxied->proxy->reactor);
    uint64_t identity = arm_memory_find(owners, arm_memory_id_key(EVERY_RULE, id), now_ms);
    if (identity == 0)
        return;
    pick->subset = address_of(proxied->choice.arm->pool, identity, proxied->exchange->arena);
    pick->subset_count = pick->subset != NULL;
}
