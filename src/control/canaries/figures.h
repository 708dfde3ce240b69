/* SPDX-License-Identifier: Apache-2.0 */
/* figures.h: what people are shown of each arm: the last minutes of its traffic.
 *
 * Two generations of half a window: what is shown covers between half of one and all of it.  Fixed memory.  Pure.  What
 * decides about the rollout is canary/analysis, which compares like with like; these are plain sums. */
#ifndef CONTROL_CANARIES_FIGURES_H
#define CONTROL_CANARIES_FIGURES_H

#include "canary/strata.h"

struct arm_figures {
    uint64_t seen, judged, failures;
    uint64_t prompt_tokens, cached_tokens, output_tokens;
    struct histogram ttft_us, tpot_us;
    uint64_t priced; /* answers whose cost is known */
    double cost_micros;
};

struct figures {
    struct figures_generation {
        uint64_t began_ms;
        struct arm_figures arms[ARM_ROLES];
    } now, before;
};

/* An interval's counts.  Times are of one clock, any. */
void figures_add(struct figures *figures, const struct strata *interval, uint64_t now_ms, uint64_t window_ms);
/* Over both generations; ret_span_ms: the time that they cover, at least 1. */
void figures_sum(const struct figures *figures, enum arm_role arm, uint64_t now_ms, struct arm_figures *ret_sum,
                 uint64_t *ret_span_ms);
/* The canary's share in per cent of requests, of tokens (prompt and output); NaN when there were none. */
double figures_request_share(const struct figures *figures);
double figures_token_share(const struct figures *figures);

#endif
