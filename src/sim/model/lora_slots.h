/* SPDX-License-Identifier: Apache-2.0 */
/* lora_slots.h: which LoRA adapters a simulated engine has on its GPU and in its host's memory, and how long they take
 * to load.  One owner, one thread; reads no clock.  An adapter is a number that is not 0. */
#ifndef SIM_MODEL_LORA_SLOTS_H
#define SIM_MODEL_LORA_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

enum { LORA_SLOTS_MAX = 64, LORA_HOST_MAX = 256 };

struct lora_config {
    uint32_t slots;   /* on the GPU; 0: the engine serves no adapters */
    uint32_t host;    /* in the host's memory, those on the GPU included */
    uint64_t host_ns; /* to load from the host's memory */
    uint64_t disk_ns; /* to load from disk */
};

struct lora_slot {
    uint64_t adapter; /* 0: empty */
    uint32_t users;   /* sequences that run with it or wait for it to be loaded */
    uint32_t running; /* of them */
    uint64_t ready_ns;
    uint64_t used_ns;
};

struct lora_slots {
    struct lora_config config;
    struct lora_slot slot[LORA_SLOTS_MAX];
    uint64_t host[LORA_HOST_MAX]; /* the latest loaded last */
    uint32_t host_count;
};

/* Limits above the maxima are cut. */
void lora_slots_init(struct lora_slots *slots, const struct lora_config *config);
/* A sequence asks for its adapter and counts as a user of the slot until lora_slots_give_back(); what is not there is
 * loaded into the slot that was idle longest.  NULL: every slot is used by another adapter. */
struct lora_slot *lora_slots_take(struct lora_slots *slots, uint64_t adapter, uint64_t now_ns);
void lora_slots_give_back(struct lora_slot *slot, uint64_t now_ns);

#endif
