/* SPDX-License-Identifier: Apache-2.0 */
/* guard.h: what a canary must not be worse at than its stable arm, or than an absolute limit; and how the counts of a
 * block become cells for the sequential test. */
#ifndef CANARY_GUARD_H
#define CANARY_GUARD_H

#include "canary/guard.def"
#include "canary/sequential.h"
#include "canary/strata.h"

enum guard_metric {
#define X(id, name, kind, unit, meaning) GUARD_##id,
    GUARD_METRICS(X)
#undef X
        GUARD_METRIC_COUNT
};

enum guard_kind { GUARD_KIND_RATE, GUARD_KIND_TALLY, GUARD_KIND_SHARE, GUARD_KIND_VALUE };

enum guard_direction { GUARD_AT_MOST, GUARD_AT_LEAST };

enum guard_severity { SEVERITY_ROLLBACK, SEVERITY_HOLD };

/* Limits: the canary may have at most `ratio` times stable's figure plus `increase`, and at most `absolute`; at least
 * for GUARD_AT_LEAST, where `increase` is taken off.  Figures are shares (0.01 is 1 %), microseconds, tokens, or
 * millionths of cost.  Has one of the two limits or both; each is tested by itself. */
struct guard {
    enum guard_metric metric;
    enum guard_direction direction;
    enum guard_severity severity;
    double quantile; /* of a VALUE: 0.5, 0.95; 0: the mean, of values capped at stable's 99th percentile, or at
                        twice the limit */
    bool has_relative;
    double ratio; /* > 0 */
    double increase;
    bool has_absolute;
    double absolute;
    bool
        is_optional; /* not applicable, instead of no data, where the service has no such figure (TPOT of embeddings) */
};

enum guard_limit { LIMIT_RELATIVE, LIMIT_ABSOLUTE, LIMIT_COUNT };

enum { GUARD_CELLS_MAX = STRATA_IDS + 1 };

/* "errorRate", "ttft"; guard_metric_of: false when there is no such name. */
const char *guard_metric_name(enum guard_metric metric);
bool guard_metric_of(const char *name, enum guard_metric *ret_metric);
enum guard_kind guard_metric_kind(enum guard_metric metric);
const char *guard_severity_name(enum guard_severity severity);
bool guard_has_limit(const struct guard *guard, enum guard_limit limit);
/* NULL, or what is wrong, as a sentence. */
const char *guard_check(const struct guard *guard);
/* "ttft p95", "errorRate"; text has room for 48 bytes. */
void guard_describe(const struct guard *guard, char text[48]);
/* A figure with its unit: "3.1 %", "412 ms"; text has room for 32 bytes. */
void guard_format(const struct guard *guard, double figure, char text[32]);

/* The guards of a Canary that names none.  *ret_guards stays owned by the module. */
unsigned guard_defaults(const struct guard **ret_guards);

/* The guard with its relative limit `slack` times (1 or more) as far from stable. */
struct guard guard_widen(const struct guard *guard, double slack);

/* How many canary (or stable) figures the strata hold for this guard. */
double guard_samples(const struct guard *guard, const struct strata *strata, enum arm_role arm);
/* One block as a guard's tests see it: the cells are the same but for the margin that the limit leaves. */
struct guard_cells {
    unsigned count;
    struct paired_cell worse[GUARD_CELLS_MAX];  /* by the limit as it is: is the canary beyond it? */
    struct paired_cell within[GUARD_CELLS_MAX]; /* by the limit widened by slack: is it within? */
};

/* Stable's quantile by stratum, and of how many values: found anew when these have grown by a thirtieth. */
struct guard_cuts {
    double cuts[STRATA_IDS + 1];
    uint64_t counts[STRATA_IDS + 1];
};

/* reference: stable alone, of the blocks before, whose quantiles cut the values.  cuts: the guard's, zeroed at first.
 */
void guard_cells(const struct guard *guard, enum guard_limit limit, double slack, const struct strata *block,
                 const struct strata *reference, struct guard_cuts *cuts, struct guard_cells *ret_cells);
/* An arm's figure over the strata, stable's weighted as if it had canary's mix of strata; NaN without data. */
double guard_figure(const struct guard *guard, const struct strata *strata, enum arm_role arm);
/* What the canary is allowed, stable having this figure. */
double guard_allowed(const struct guard *guard, enum guard_limit limit, double stable_figure);

#endif
