/* SPDX-License-Identifier: Apache-2.0 */
/* adapters.h: what is known of LoRA adapters at endpoints: the scraped lists, and what this process has sent there.
 *
 * Calls of one pool are serialised by its lock, but the counts of adapter_use are lowered without it. */
#ifndef INFERENCE_SCHEDULE_ADAPTERS_H
#define INFERENCE_SCHEDULE_ADAPTERS_H

#include "inference/pool.h"
#include "inference/schedule/facts.h"

enum { KNOWN_ADAPTERS_MAX = 1024, OTHER_MODELS_MAX = 16, OTHER_MODEL_MS = 100 };

/* Names that some endpoint of the pool has shown as an adapter.  Once known, known for good; when full the oldest goes.
 * Of other models it is remembered for a moment that no endpoint shows them. */
struct known_adapters {
    unsigned next;
    uint64_t *hashes; /* [KNOWN_ADAPTERS_MAX], 0 = free; NULL: none yet */
    struct {
        uint64_t hash;
        uint64_t until_ms;
    } others[OTHER_MODELS_MAX];
};

void known_adapters_deinit(struct known_adapters *known);
/* The adapter's hash, 0 when the model is none as far as is known. */
uint64_t adapters_recognise(struct known_adapters *known, const struct pool *pool, struct bytes model, uint64_t now_ms);
/* Fills in the candidate's adapter fields. */
void adapters_gather(const struct endpoint *endpoint, uint64_t adapter, struct candidate *candidate);
/* A request for the adapter goes there; NULL: too many adapters are in use there to keep track. */
struct adapter_use *adapters_use(struct endpoint *endpoint, uint64_t adapter, enum adapter_state state, uint64_t pick);

#endif
