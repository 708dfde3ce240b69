/* SPDX-License-Identifier: Apache-2.0 */
/* rollout.h: what a canary's weight does next: plan + state + facts + time in, decision + new state out.
 *
 * Pure: reads no clock, keeps nothing.  The controller owns the state and persists it; it runs this loop:
 *
 *   1. read the state (status of the Canary) and the facts (the weight in the route, verdict, commands);
 *   2. rollout_decide();
 *   3. if must_persist: write the state down, and go no further until that is durable;
 *   4. if has_weight (never together with 3): write the weight, and in the same object the number of the move;
 *   5. if drop_pins / begin_analysis: do so; if !is_settled: again from 1 at once, else at the next event or after
 *      recheck_ms.
 *
 * A move of the weight is written down before it is made (is_moving, intended_bp), and confirmed when it is seen.  A
 * crash between any two lines above is harmless: the same move is made again, by the same number, and no other.
 * A weight that neither this state nor its move explains was set by a human, who owns it from then on.
 *
 * Weights are the canary's share in basis points: 100 is 1 %, 10000 all. */
#ifndef CANARY_ROLLOUT_H
#define CANARY_ROLLOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "canary/analysis.h"
#include "canary/rollout.def"

enum { ROLLOUT_STEPS_MAX = 32, ROLLOUT_ALL_BP = 10000, ROLLOUT_TEXT_MAX = 512, SLOW_START_MOVES = 4 };

enum rollout_phase {
#define X(id, name, is_active, meaning) PHASE_##id,
    ROLLOUT_PHASES(X)
#undef X
        PHASE_COUNT
};

enum rollout_wait {
#define X(id, reason, meaning) WAIT_##id,
    ROLLOUT_WAITS(X)
#undef X
        WAIT_COUNT
};

enum rollout_event {
#define X(id, reason, is_warning) EVENT_##id,
    ROLLOUT_EVENTS(X)
#undef X
        EVENT_COUNT
};

enum rollout_command {
#define X(id, verb) COMMAND_##id,
    ROLLOUT_COMMANDS(X)
#undef X
        COMMAND_COUNT
};

enum hold_kind { HOLD_TIME, HOLD_REQUESTS, HOLD_APPROVAL };

struct rollout_step {
    unsigned weight_bp;
    enum hold_kind hold;
    uint64_t hold_ms;       /* HOLD_TIME */
    uint64_t hold_requests; /* HOLD_REQUESTS: canary exchanges judged */
};

struct rollout_plan {
    struct rollout_step steps[ROLLOUT_STEPS_MAX]; /* weights rise; after the last one comes 100 % */
    unsigned step_count;
    uint64_t revision;      /* of what is released (arms, not steps): another one is another rollout; not 0 */
    bool holds_on_fail;     /* onFailure: hold, whatever the guard's severity */
    bool is_unjudged;       /* only holds decide; one that counts requests needs an analysis all the same */
    bool is_suspended;      /* hands off */
    double max_slack;       /* 1: every step is judged by the guards as they are; see rollout_pass_slack() */
    uint64_t slow_start_ms; /* out of the warm-up the weight grows over so long, in SLOW_START_MOVES; 0: at once */
    uint64_t stall_ms;      /* is_stalled when the warm-up takes, or a step outlasts its hold by, so long; 0: never */
};

struct rollout_state { /* persisted whole; all zero: nothing has begun */
    enum rollout_phase phase;
    enum rollout_phase resumes_to; /* from PAUSED and FAILED */
    enum rollout_wait cause;       /* of PAUSED and HOLDING; HOLDING by WAIT_FAIL is released by people only */
    uint64_t phase_since_ms;
    bool is_aborting;
    bool is_approved; /* a promote in this step */
    bool is_moving;
    unsigned step; /* entered or being entered; meaningful from PROGRESSING on */
    unsigned confirmed_bp;
    unsigned intended_bp;
    unsigned grows_to_bp; /* slow start: where the weight is going in small moves since phase_since_ms; 0: nowhere */
    uint64_t move;        /* number of the latest move */
    uint64_t step_began_ms;
    uint64_t step_requests; /* judged in this step, by former processes too; grows without must_persist: what a crash
                               loses since the last status was written is waited for again */
    uint64_t base_requests; /* those of former processes */
    unsigned epoch;         /* latest epoch of the analysis */
    uint64_t last_command;
    uint64_t revision;
    char why[ROLLOUT_TEXT_MAX]; /* of a hold, a pause, a rollback */
};

struct rollout_facts {
    bool has_target;       /* the object whose weights are moved exists and has both arms (share 0: absent is there) */
    unsigned weight_bp;    /* as the object says */
    uint64_t applied_move; /* the number beside it; 0 when there is none */
    unsigned applied_bp;   /* the weight beside that number: what the move made of it */
    bool is_warm;          /* adapters resident, connections open, enough ready endpoints */
    const char *warm_text; /* what is missing otherwise; may be NULL */
    bool is_saturated;
    enum verdict verdict;
    enum guard_severity severity; /* of a fail */
    const char *verdict_text;
    uint64_t step_requests; /* analysis_step_requests() */
    unsigned epoch;         /* analysis_epoch(); 0 when no analysis runs */
    enum rollout_command command;
    uint64_t command_id; /* rising; a command with an id up to the last one handled is ignored */
};

struct rollout_decision {
    bool must_persist;
    bool has_weight;
    unsigned weight_bp;
    bool drop_pins;
    bool begin_analysis; /* analysis_begin_step(analysis, slack, state.epoch) */
    double slack;
    bool is_settled;
    bool is_stalled;
    uint64_t recheck_ms; /* 0: only when a fact changes */
    enum rollout_wait wait;
    enum rollout_event event;
    char event_text[ROLLOUT_TEXT_MAX];
    char why[ROLLOUT_TEXT_MAX]; /* why the weight is not moving, for people */
};

/* NULL, or what is wrong, as a sentence. */
const char *rollout_check(const struct rollout_plan *plan);
/* plan passes rollout_check(). */
void rollout_decide(const struct rollout_plan *plan, struct rollout_state *state, const struct rollout_facts *facts,
                    uint64_t now_ms, struct rollout_decision *ret_decision);
/* How much wider the guards' margins are for a pass in this step.  What a wrong pass costs is the excess times the
 * next weight: half the traffic is judged by the guards as they are, less of it by margins that are wider in
 * proportion, up to max_slack. */
double rollout_pass_slack(const struct rollout_plan *plan, unsigned step);
/* Whether the machine may go from one phase to another. */
bool rollout_may_follow(enum rollout_phase from, enum rollout_phase to);

const char *rollout_phase_name(enum rollout_phase phase);
bool rollout_phase_of(const char *name, enum rollout_phase *ret_phase);
bool rollout_phase_is_active(enum rollout_phase phase);
const char *rollout_wait_reason(enum rollout_wait wait);
bool rollout_wait_of(const char *reason, enum rollout_wait *ret_wait);
const char *rollout_event_reason(enum rollout_event event);
bool rollout_event_is_warning(enum rollout_event event);
const char *rollout_command_verb(enum rollout_command command);

#endif
