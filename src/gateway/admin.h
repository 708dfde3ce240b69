/* SPDX-License-Identifier: Apache-2.0 */
/* admin.h: the read-only admin listener: health, metrics and debug JSON.  Control thread. */
#ifndef GATEWAY_ADMIN_H
#define GATEWAY_ADMIN_H

#include "control/control.h"
#include "http/server.h"
#include "net/listener.h"
#include "route/arm_memory.h"

struct admin;

/* metrics, control, store, memories, budget: borrowed.  0 or -errno (the address is taken, ...). */
int admin_start(struct reactor *reactor, const struct address *at, struct metrics *metrics, unsigned shard,
                struct control *control, const struct store *store, const struct arm_memories *memories,
                const struct memory_budget *budget, struct admin **ret_admin);
/* Accepts NULL. */
void admin_stop(struct admin *admin);
/* With the port that the kernel gave. */
const struct address *admin_address(const struct admin *admin);

#endif
