/* SPDX-License-Identifier: Apache-2.0 */
/* canaries.h: the controller of Canary objects: each has a run of its own (run.h).  Control thread. */
#ifndef CONTROL_CANARIES_CANARIES_H
#define CONTROL_CANARIES_CANARIES_H

#include "control/canaries/run.h"

struct canaries;

/* Borrows all that context names; context itself is copied. */
struct canaries *canaries_new(const struct run_context *context);
/* Before the registries of the context.  Accepts NULL. */
void canaries_free(struct canaries *canaries);
/* Nothing is done before this; afterwards by itself. */
void canaries_start(struct canaries *canaries);
/* The store's durable state has changed: looks at it at the end of the turn. */
void canaries_wake(struct canaries *canaries);
/* Before metrics_write(): what is gone has no series. */
void canaries_set_gauges(const struct canaries *canaries, struct metrics *metrics, unsigned shard);
/* An array, for /debug/canaries. */
void canaries_write(const struct canaries *canaries, struct json_writer *json);

#endif
