/* SPDX-License-Identifier: Apache-2.0 */
/* memory_trim.h: memory goes back to the system once a crowd has left.  Control thread. */
#ifndef GATEWAY_MEMORY_TRIM_H
#define GATEWAY_MEMORY_TRIM_H

#include "http/memory_budget.h"
#include "net/reactor.h"

struct memory_trim {
    struct reactor *reactor;
    const struct memory_budget *budget;
    struct wheel_timer timer;
    bool was_crowded;
};

/* Large bodies get memory of their own, which goes when they go; before the first of them is allocated. */
void memory_trim_prepare(void);
/* Looks at the budget from time to time. */
void memory_trim_start(struct memory_trim *trim, struct reactor *reactor, const struct memory_budget *budget);
/* Accepts one that was not started. */
void memory_trim_stop(struct memory_trim *trim);

#endif
