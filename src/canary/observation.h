/* SPDX-License-Identifier: Apache-2.0 */
/* observation.h: what a finished exchange tells the analysis; filled by the data path, flat, nothing owned. */
#ifndef CANARY_OBSERVATION_H
#define CANARY_OBSERVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "canary/observation.def"

enum arm_role { ARM_STABLE, ARM_CANARY, ARM_ROLES };

enum outcome {
#define X(id, name, is_judged, is_failure, meaning) OUTCOME_##id,
    CANARY_OUTCOMES(X)
#undef X
        OUTCOME_COUNT
};

enum finish {
#define X(id, name) FINISH_##id,
    CANARY_FINISHES(X)
#undef X
        FINISH_COUNT
};

enum value {
#define X(id, field, name, unit) VALUE_##id,
    CANARY_VALUES(X)
#undef X
        VALUE_COUNT
};

/* For any of the 64-bit fields: not measured, or without meaning (TPOT of one token). */
#define OBSERVATION_UNKNOWN UINT64_MAX

struct observation {
    enum arm_role arm;
    enum outcome outcome;
    enum finish finish;
    bool is_streaming;      /* as the request asked: what is compared must not depend on how the exchange ended */
    bool is_empty;          /* answered, and neither text nor a tool call in it */
    bool was_retried;       /* more than one endpoint was tried */
    uint32_t length_tokens; /* by the size of the request, also of one without an answer: chooses the stratum; 0:
                               prompt_tokens */
    uint32_t prompt_tokens; /* as the model server counts, where it says so */
    uint32_t cached_tokens;
    uint64_t ttft_us;
    uint64_t tpot_us; /* (total - TTFT) / (output tokens - 1) */
    uint64_t total_us;
    uint64_t queue_us; /* held by the gateway before an endpoint was picked */
    uint64_t output_tokens;
    uint64_t cost_micros;     /* millionths of the operator's price unit */
    uint32_t endpoint_served; /* exchanges that this endpoint had finished for this arm before */
    uint64_t endpoint_age_ms; /* since the endpoint became ready for this arm */
};

const char *outcome_name(enum outcome outcome);
bool outcome_is_judged(enum outcome outcome);
bool outcome_is_failure(enum outcome outcome);
const char *finish_name(enum finish finish);
/* By the word of the API ("stop", "end_turn", "max_tokens", ...); FINISH_OTHER when unknown, FINISH_NONE for NULL. */
enum finish finish_of(const char *word);
const char *value_name(enum value value);
/* The outcome of an answer that arrived in full.  is_own_limit: the 429 is a quota of the caller, not a lack of room.
 */
enum outcome outcome_of_status(unsigned status, bool is_own_limit);

#endif
