/* SPDX-License-Identifier: Apache-2.0 */
/* split_counters.h: the shared state of keyless draws, and the draw itself.
 *
 * A round has the smallest multiple of (sum of weights / gcd) slots that is at least 10; its slots are shuffled by a
 * permutation keyed with a random key of the process and the round's number.  So any round holds every arm exactly in
 * proportion, in an order that nobody can predict.  Above 10,000 slots the draw is plainly random.
 *
 * Shared by all workers: one atomic add per draw.  Counters survive snapshots: the registry (control thread) hands out
 * the same one while arms and weights stay the same, and a fresh one, starting a new round, when they change. */
#ifndef ROUTE_SPLIT_COUNTERS_H
#define ROUTE_SPLIT_COUNTERS_H

#include <stdint.h>

#include "base/bytes.h"

struct split_counters; /* the counters of one rule or model: one round sequence per eligible set */
struct split_registry; /* all of them, by identity */

struct split_registry *split_registry_new(void);
void split_registry_free(struct split_registry *registry);

/* identity: "route/default/inference-route/rules[0]"; arm_ids and weights of all arms.  Counted: give back with the
 * snapshot.  Control thread. */
struct split_counters *split_registry_take(struct split_registry *registry, const char *identity,
                                           const struct bytes *arm_ids, const uint32_t *weights, unsigned count);
void split_counters_give_back(struct split_counters *counters); /* any thread */
/* Drops what no snapshot uses any more.  Control thread. */
void split_registry_sweep(struct split_registry *registry);

/* Draws an arm's index from those whose bit is set in eligible (weight > 0 each, at least one). Any thread. */
unsigned split_draw(struct split_counters *counters, uint32_t eligible);
/* A fixed list: all arms with weight > 0 are eligible. */
#define SPLIT_ALL UINT32_MAX

/* Weighted rendezvous hashing: the index with the greatest -weight / ln(u), u from a 64-bit hash of salt, key and arm
 * id: of salt and id the seed of each arm, made beforehand, of the key XXH3-64, the two mixed.  Weights of 0 never win;
 * -1 when all are 0.  Pure. */
int split_keyed(struct bytes key, const uint64_t *seeds, const uint32_t *weights, uint32_t eligible, unsigned count);
uint64_t split_seed(struct bytes salt, struct bytes arm_id);

#endif
