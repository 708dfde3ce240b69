/* SPDX-License-Identifier: Apache-2.0 */
/* trust.h: what an endpoint's answers say about it: one that fails is left alone for a while, then tried with one
 * request; one that says it is busy is left alone for as long as it says; one that does not have a model gets no more
 * requests for it for a while.
 *
 * All of it is advice for the pick, which takes such endpoints when there are no others.  Shared by all workers:
 * atomics in the endpoint, no lock; two answers at one moment may count as one. */
#ifndef INFERENCE_TRUST_H
#define INFERENCE_TRUST_H

#include "inference/endpoint.h"

enum { TRUST_FAILURES = 5, TRUST_EJECT_MS = 1000, TRUST_EJECT_MAX_MS = 30000, TRUST_PROBE_MS = 10000 };
enum { TRUST_BUSY_MS = 1000, TRUST_BUSY_MAX_MS = 30000, TRUST_MISSING_MS = 10000 };

enum trust_sign {
    TRUST_GOOD, /* also a 4xx: the client's fault */
    TRUST_BUSY, /* back-pressure, not a failure: 429, 529, or 503 with Retry-After */
    TRUST_BAD   /* 5xx, no connection, no or half an answer */
};

enum trust_sign trust_sign_of(unsigned status, bool has_retry_after);
/* retry_after_ms: of a busy one; 0: it did not say. */
void trust_note(struct endpoint *endpoint, enum trust_sign sign, uint64_t retry_after_ms, uint64_t now_ms);
/* A request goes there: the one that tries it, when it was left alone. */
void trust_begin(struct endpoint *endpoint, uint64_t now_ms);
/* Others first. */
bool trust_is_avoided(const struct endpoint *endpoint, uint64_t now_ms);

/* model: adapter_hash() of its name. */
void trust_miss_model(struct endpoint *endpoint, uint64_t model, uint64_t now_ms);
/* It lists the model now: it was loaded since. */
void trust_find_model(struct endpoint *endpoint, uint64_t model);
bool trust_lacks_model(const struct endpoint *endpoint, uint64_t model, uint64_t now_ms);

#endif
