/* SPDX-License-Identifier: Apache-2.0 */
/* lora_slots.c: slots with users and ready times; loading from disk passes through the host's memory, which forgets
 * what was loaded longest ago.  Pure: time is an argument. */
#include "sim/model/lora_slots.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

void lora_slots_init(struct lora_slots *slots, const struct lora_config *config)
{
    *slots = (struct lora_slots){.config = *config};
    if (slots->config.slots > LORA_SLOTS_MAX)
        slots->config.slots = LORA_SLOTS_MAX;
    if (slots->config.host > LORA_HOST_MAX)
        slots->config.host = LORA_HOST_MAX;
}

static struct lora_slot *find(struct lora_slots *slots, uint64_t adapter)
{
    for (uint32_t i = 0; i < slots->config.slots; i++)
        if (slots->slot[i].adapter == adapter)
            return &slots->slot[i];
    return NULL;
}

static struct lora_slot *find_idle(struct lora_slots *slots)
{
    struct lora_slot *idle = NULL;
    for (uint32_t i = 0; i < slots->config.slots; i++) {
        struct lora_slot *slot = &slots->slot[i];
        if (slot->users == 0 && (idle == NULL || slot->used_ns < idle->used_ns))
            idle = slot;
    }
    return idle;
}

/* True when it was there.  It is now, as the latest. */
static bool pass_through_host(struct lora_slots *slots, uint64_t adapter)
{
    uint32_t at = 0;
    while (at < slots->host_count && slots->host[at] != adapter)
        at++;
    bool was_there = at < slots->host_count;
    if (slots->config.host == 0)
        return false;
    if (!was_there && slots->host_count == slots->config.host)
        at = 0; /* the oldest goes */
    else if (!was_there)
        at = slots->host_count++;
    memmove(&slots->host[at], &slots->host[at + 1], (slots->host_count - at - 1) * sizeof slots->host[0]);
    slots->host[slots->host_count - 1] = adapter;
    return was_there;
}

struct lora_slot *lora_slots_take(struct lora_slots *slots, uint64_t adapter, uint64_t now_ns)
{
    assert(adapter != 0);
    struct lora_slot *slot = find(slots, adapter);
    if (slot == NULL) {
        slot = find_idle(slots);
        if (slot == NULL)
            return NULL;
        bool is_in_host = pass_through_host(slots, adapter);
        *slot = (struct lora_slot){.adapter = adapter};
        slot->ready_ns = now_ns + (is_in_host ? slots->config.host_ns : slots->config.disk_ns);
    }
    slot->users++;
    slot->used_ns = now_ns;
    return slot;
}

void lora_slots_give_back(struct lora_slot *slot, uint64_t now_ns)
{
    assert(slot->users > 0);
    slot->users--;
    slot->used_ns = now_ns;
}
