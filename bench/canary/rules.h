/* SPDX-License-Identifier: Apache-2.0 */
/* rules.h: who decides about a canary: Serin's analysis and state machine, or fixed thresholds. */
#ifndef BENCH_CANARY_RULES_H
#define BENCH_CANARY_RULES_H

#include "bench/canary/trace.h"
#include "canary/rollout.h"

enum fate { FATE_OPEN, FATE_ROLLED_BACK, FATE_COMPLETED };

struct rule {
    const char *name;
    void *(*start)(const struct rollout_plan *plan, const struct strata_options *strata);
    void (*stop)(void *rule);
    /* Traffic before the rollout, all of it stable's. */
    void (*learn)(void *rule, const struct observation *observation);
    void (*observe)(void *rule, const struct observation *observation);
    /* The end of an interval; *ret_weight_bp: what the next one splits by. */
    enum fate (*end_interval)(void *rule, uint64_t now_ms, unsigned *ret_weight_bp);
    /* Why it was rolled back, as a short word. */
    const char *(*why)(void *rule);
};

extern const struct rule rule_serin, rule_fixed;

#endif
