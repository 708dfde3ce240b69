/* SPDX-License-Identifier: Apache-2.0 */
/* tap.h: where the finished exchanges of one Canary's arms go: workers pour in, the control thread drains.
 *
 * Shared by all threads.  Protocol: the name and options never change; counts are atomics; each worker has a shard with
 * a spin lock of its own, which only the drain ever contends, for as long as a swap takes.  Counted: each snapshot that
 * names a Canary holds its tap, and an exchange lives no longer than its lease on that snapshot.  Taps are found by
 * name in a registry that the control thread alone uses; one that nobody holds stays there until the next sweep. */
#ifndef CANARY_TAP_H
#define CANARY_TAP_H

#include "canary/price.h"
#include "canary/strata.h"

struct canary_tap;
struct canary_taps; /* all of them, by name */

/* shards: threads that add (workers). */
struct canary_taps *canary_taps_new(unsigned shards, const struct strata_options *options);
/* Nobody may hold a tap any more. */
void canary_taps_free(struct canary_taps *taps);
/* name: "<namespace>/<name>" of the Canary.  Finds or makes; the caller gets one count.  Control thread. */
struct canary_tap *canary_taps_take(struct canary_taps *taps, const char *name);
/* Drops what nobody holds.  Control thread. */
void canary_taps_sweep(struct canary_taps *taps);

void canary_tap_take(struct canary_tap *tap);      /* any thread */
void canary_tap_give_back(struct canary_tap *tap); /* any thread */
const char *canary_tap_name(const struct canary_tap *tap);

/* An exchange of this arm starts: counted in flight until the end.  Returns the arm's cut number of now. */
unsigned canary_tap_begin(struct canary_tap *tap, enum arm_role role);
void canary_tap_end(struct canary_tap *tap, enum arm_role role);
unsigned canary_tap_in_flight(const struct canary_tap *tap, enum arm_role role);

/* Ends the arm's streams: exchanges whose begin gave another number than canary_tap_cuts() end at their next event. */
void canary_tap_cut(struct canary_tap *tap, enum arm_role role);
unsigned canary_tap_cuts(const struct canary_tap *tap, enum arm_role role);

/* Whether the canary has no room for more (the control thread says so): requests without a key go to stable then. */
void canary_tap_set_full(struct canary_tap *tap, bool is_full);
bool canary_tap_is_full(const struct canary_tap *tap);
/* A request that the full canary left to stable. */
void canary_tap_count_overflow(struct canary_tap *tap);
uint64_t canary_tap_overflowed(const struct canary_tap *tap);

/* What the arm's tokens cost from now on; NULL: nobody knows.  An exchange that ends while this changes may be counted
 * by a mix.  Control thread. */
void canary_tap_set_price(struct canary_tap *tap, enum arm_role role, const struct token_price *price);
/* Fills cost_micros by the price of its arm.  Any thread. */
void canary_tap_price(const struct canary_tap *tap, struct observation *observation);

/* Fills the warm-up fields: how many exchanges of this arm this endpoint had finished before, and the time since its
 * first one began (start_ms, when this is the first).  endpoint_id: endpoint->identity.  Any thread, no lock. */
void canary_tap_warm_up(struct canary_tap *tap, uint64_t endpoint_id, uint64_t start_ms, uint64_t now_ms,
                        struct observation *observation);

/* Adds to the worker's shard. */
void canary_tap_add(struct canary_tap *tap, unsigned shard, const struct observation *observation);
/* Merges all shards into `into` (same options) and empties them.  Control thread. */
void canary_tap_drain(struct canary_tap *tap, struct strata *into);

#endif
