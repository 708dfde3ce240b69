/* SPDX-License-Identifier: Apache-2.0 */
/* strata.h: finished exchanges, sorted so that like is compared with like.
 *
 * A stratum is prompt length x streaming x cached share; each holds counts and histograms for both arms.  Memory is
 * made when a stratum is first seen and bounded: beyond max_strata all further ones share "rest".  One struct belongs
 * to one thread at a time: each worker fills its own shard, and who reads merges them (strata_merge, strata_reset).
 *
 * What is not judged is excluded and counted:
 * - cancelled by the client: no rate, no latency, but the TTFT when a first token was seen;
 * - client errors and missing adapters: nothing but their counts;
 * - warm-up (the first exchanges or the first seconds of an endpoint): no latency.  Failures count from the first
 *   exchange on, or an endpoint that crashes early for ever would never be judged;
 * - retried on another endpoint: no latency, because it holds two attempts.  A failure that even a retry did not cure
 *   is a failure. */
#ifndef CANARY_STRATA_H
#define CANARY_STRATA_H

#include "canary/histogram.h"
#include "canary/observation.h"

enum {
    STRATA_LENGTH_EDGES = 5,
    STRATA_CACHED_EDGES = 2,
    STRATA_IDS = (STRATA_LENGTH_EDGES + 1) * 2 * (STRATA_CACHED_EDGES + 1),
    STRATA_UNCACHED_IDS = (STRATA_LENGTH_EDGES + 1) * 2 + 1, /* "rest" included */
};

struct strata_options {
    uint32_t length_edges[STRATA_LENGTH_EDGES]; /* prompt tokens, rising; a bucket ends at its edge, edge included */
    uint32_t cached_edges[STRATA_CACHED_EDGES]; /* permille of the prompt, rising, the edge excluded */
    unsigned max_strata;                        /* 1..STRATA_IDS + 1, "rest" included */
    uint32_t warmup_requests;                   /* per endpoint */
    uint64_t warmup_ms;                         /* per endpoint */
};

/* One arm in one stratum. */
struct arm_sums {
    uint64_t judged; /* OUTCOME_* with is_judged */
    uint64_t failures;
    uint64_t throttled;
    uint64_t answered; /* OUTCOME_OK */
    uint64_t empty;
    uint64_t finishes[FINISH_COUNT]; /* of the answered */
    double cached_share;             /* sum over `cacheable` of cached / prompt tokens */
    uint64_t cacheable;              /* answered, with a prompt, past warm-up */
    struct histogram values[VALUE_COUNT];
};

struct stratum {
    struct arm_sums arms[ARM_ROLES];
};

/* One arm over all strata: what was seen and what was excluded. */
struct arm_tally {
    uint64_t seen;
    uint64_t outcomes[OUTCOME_COUNT];
    uint64_t judged;
    uint64_t warmup;  /* answered, kept out of the latencies */
    uint64_t retried; /* judged, needed more than one endpoint */
    uint64_t prompt_tokens, cached_tokens, output_tokens;
};

struct strata {
    struct strata_options options;
    struct stratum *slots[STRATA_IDS + 1]; /* the id's, "rest" last; NULL: not seen yet */
    unsigned used;
    struct arm_tally tallies[ARM_ROLES];
};

/* Edges at 128, 512, 2048, 8192, 32768 tokens and 10 %, 60 % cached; 24 strata; 10 requests or 30 s of warm-up. */
void strata_default_options(struct strata_options *ret_options);
/* Aborts when memory is out; max_strata is clamped. */
void strata_init(struct strata *strata, const struct strata_options *options);
void strata_deinit(struct strata *strata);
void strata_add(struct strata *strata, const struct observation *observation);
/* Both must have the same options.  Strata for which `into` has no room go to its "rest". */
void strata_merge(struct strata *into, const struct strata *from);
/* Only the stable arm of `from`. */
void strata_merge_stable(struct strata *into, const struct strata *from);
/* Forgets the counts, keeps the memory. */
void strata_reset(struct strata *strata);

/* The stratum that an exchange belongs to when there is room: 0..STRATA_IDS-1. */
unsigned strata_id(const struct strata_options *options, const struct observation *observation);
/* The same without the cached share, prompt length x streaming: below STRATA_UNCACHED_IDS, the last for "rest". */
unsigned strata_id_uncached(unsigned id);
/* "513-2048 tokens, stream, cached 10-60 %"; text has room for 80 bytes. */
void strata_describe(const struct strata_options *options, unsigned id, char text[80]);

#endif
