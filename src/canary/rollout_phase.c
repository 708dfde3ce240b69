/* SPDX-License-Identifier: Apache-2.0 */
/* rollout_phase.c: what each phase does by itself when nobody says anything.  Only a pass advances, only a fail rolls
 * back; everything else waits and says for what. */
#include "canary/rollout_internal.h"

#include <stdio.h>

static void wait_for(struct rollout_turn *turn, enum rollout_wait wait)
{
    turn->decision->wait = wait;
}

static void run_pending(struct rollout_turn *turn)
{
    if (!turn->state->is_moving)
        turn_adopt_weight(turn);
}

static void run_warming_up(struct rollout_turn *turn)
{
    if (!turn->facts->is_warm) {
        uint64_t waited_ms = turn->now_ms - turn->state->phase_since_ms;
        wait_for(turn, WAIT_WARMUP);
        turn->decision->is_stalled = turn->plan->stall_ms > 0 && waited_ms > turn->plan->stall_ms;
        return;
    }
    turn_enter_step(turn, turn_step_above(turn->plan, turn->state->confirmed_bp));
    if (turn->decision->event == EVENT_NONE)
        turn_tell(turn, EVENT_WARMED_UP, "the canary is warm: the first step begins");
}

static const char *verdict_text(const struct rollout_turn *turn)
{
    return turn->facts->verdict_text != NULL ? turn->facts->verdict_text : verdict_name(turn->facts->verdict);
}

static bool fails(const struct rollout_turn *turn, enum guard_severity severity)
{
    return !turn->plan->is_unjudged && turn->facts->verdict == VERDICT_FAIL && turn->facts->severity == severity;
}

static void hold(struct rollout_turn *turn, enum rollout_wait cause)
{
    turn_set_phase(turn, PHASE_HOLDING);
    turn->state->cause = cause;
    snprintf(turn->state->why, sizeof turn->state->why, "%s", verdict_text(turn));
    turn_tell(turn, EVENT_HELD, "%s", turn->state->why);
}

/* Whether a failed verdict has ended the turn. */
static bool react_to_fail(struct rollout_turn *turn)
{
    bool is_grave = fails(turn, SEVERITY_ROLLBACK);
    if (is_grave && !turn->plan->holds_on_fail) {
        turn_roll_back(turn, verdict_text(turn));
        return true;
    }
    if (turn->state->phase != PHASE_PROGRESSING || (!is_grave && !fails(turn, SEVERITY_HOLD)))
        return false;
    hold(turn, is_grave ? WAIT_FAIL : WAIT_GUARD);
    return true;
}

static enum rollout_wait unmet_hold(const struct rollout_turn *turn)
{
    const struct rollout_step *step = &turn->plan->steps[turn->state->step];
    switch (step->hold) {
    case HOLD_TIME:
        return turn->now_ms - turn->state->step_began_ms < step->hold_ms ? WAIT_TIME : WAIT_NONE;
    case HOLD_REQUESTS:
        return turn->state->step_requests < step->hold_requests ? WAIT_REQUESTS : WAIT_NONE;
    case HOLD_APPROVAL:
        return WAIT_APPROVAL;
    }
    return WAIT_NONE;
}

static enum rollout_wait unmet_verdict(const struct rollout_turn *turn)
{
    if (turn->plan->is_unjudged || turn->facts->verdict == VERDICT_PASS)
        return WAIT_NONE;
    return turn->facts->verdict == VERDICT_NO_DATA ? WAIT_NO_DATA : WAIT_INCONCLUSIVE;
}

/* A human's approval stands for hold and verdict, not for room and warmth. */
static enum rollout_wait what_is_missing(const struct rollout_turn *turn)
{
    enum rollout_wait wait = WAIT_NONE;
    if (!turn->state->is_approved)
        wait = unmet_hold(turn);
    if (wait == WAIT_NONE && !turn->state->is_approved)
        wait = unmet_verdict(turn);
    if (wait == WAIT_NONE && !turn->facts->is_warm)
        wait = WAIT_WARMUP;
    if (wait == WAIT_NONE && turn->facts->is_saturated)
        wait = WAIT_CAPACITY;
    return wait;
}

static void watch_the_clock(struct rollout_turn *turn)
{
    const struct rollout_step *step = &turn->plan->steps[turn->state->step];
    uint64_t in_step_ms = turn->now_ms - turn->state->step_began_ms;
    uint64_t hold_ms = step->hold == HOLD_TIME ? step->hold_ms : 0;
    if (turn->decision->wait == WAIT_TIME)
        turn->decision->recheck_ms = hold_ms - in_step_ms;
    turn->decision->is_stalled =
        turn->plan->stall_ms > 0 && in_step_ms > hold_ms && in_step_ms - hold_ms > turn->plan->stall_ms;
}

/* Whether the share is still on its way through the slow start: not while the canary lacks what it needs. */
static bool keeps_growing(struct rollout_turn *turn)
{
    if (turn->state->grows_to_bp == 0)
        return false;
    wait_for(turn, WAIT_SLOW_START);
    if (!turn->facts->is_warm)
        wait_for(turn, WAIT_WARMUP);
    else if (turn->facts->is_saturated)
        wait_for(turn, WAIT_CAPACITY);
    else
        turn_grow(turn, turn->state->grows_to_bp, &turn->decision->recheck_ms);
    return true;
}

static void run_progressing(struct rollout_turn *turn)
{
    if (turn->state->is_moving)
        return;
    if (!turn->state->is_approved && react_to_fail(turn))
        return;
    if (keeps_growing(turn))
        return;
    enum rollout_wait wait = what_is_missing(turn);
    if (wait != WAIT_NONE) {
        wait_for(turn, wait);
        watch_the_clock(turn);
        return;
    }
    unsigned left = turn->state->step;
    turn_enter_step(turn, turn_step_above(turn->plan, turn->state->confirmed_bp));
    if (turn->decision->event == EVENT_NONE)
        turn_tell(turn, EVENT_STEP_PASSED, "step %u is passed: %s", left + 1, verdict_text(turn));
}

/* A guard of severity rollback has joined one that only holds, and onFailure says hold. */
static void hold_for_good(struct rollout_turn *turn)
{
    turn->state->cause = WAIT_FAIL;
    snprintf(turn->state->why, sizeof turn->state->why, "%s", verdict_text(turn));
    turn->decision->must_persist = true;
    turn->decision->is_settled = false;
    turn_tell(turn, EVENT_HELD, "%s", turn->state->why);
}

static void run_holding(struct rollout_turn *turn)
{
    if (react_to_fail(turn))
        return;
    if (turn->state->cause == WAIT_GUARD && fails(turn, SEVERITY_ROLLBACK)) {
        hold_for_good(turn);
        return;
    }
    if (turn->state->cause == WAIT_GUARD && turn->facts->verdict != VERDICT_FAIL) {
        turn_set_phase(turn, PHASE_PROGRESSING);
        turn->state->cause = WAIT_NONE;
        turn_tell(turn, EVENT_RELEASED, "no guard fails any more");
        return;
    }
    wait_for(turn, turn->state->cause);
}

/* The pause verb stops the ramp, not the guards; a human's weight and suspend stop both. */
static void run_paused(struct rollout_turn *turn)
{
    bool is_in_step = turn->state->resumes_to == PHASE_PROGRESSING || turn->state->resumes_to == PHASE_HOLDING;
    bool is_guarded = turn->state->cause == WAIT_PAUSED && !turn->plan->is_suspended && is_in_step;
    if (is_guarded && !turn->state->is_moving && react_to_fail(turn))
        return;
    wait_for(turn, turn->state->cause);
}

/* A pause may have come between the move and its confirmation. */
static void run_towards(struct rollout_turn *turn, unsigned weight_bp)
{
    if (turn->state->is_moving)
        wait_for(turn, WAIT_MOVE);
    else if (turn->state->confirmed_bp == weight_bp)
        turn_finish(turn);
    else
        turn_begin_move(turn, weight_bp);
}

static void run_promoting(struct rollout_turn *turn)
{
    if (!turn->state->is_moving && keeps_growing(turn))
        return;
    run_towards(turn, ROLLOUT_ALL_BP);
}

static void run_rolling_back(struct rollout_turn *turn)
{
    run_towards(turn, 0);
}

static void run_over(struct rollout_turn *turn)
{
    wait_for(turn, WAIT_DONE);
}

static void (*const phases[PHASE_COUNT])(struct rollout_turn *turn) = {
    [PHASE_PENDING] = run_pending,
    [PHASE_WARMING_UP] = run_warming_up,
    [PHASE_PROGRESSING] = run_progressing,
    [PHASE_HOLDING] = run_holding,
    [PHASE_PAUSED] = run_paused,
    [PHASE_PROMOTING] = run_promoting,
    [PHASE_COMPLETED] = run_over,
    [PHASE_ROLLING_BACK] = run_rolling_back,
    [PHASE_ROLLED_BACK] = run_over,
    [PHASE_ABORTED] = run_over,
    [PHASE_FAILED] = run_over, /* look_for_target() has ended the turn */
};

void turn_run_phase(struct rollout_turn *turn)
{
    phases[turn->state->phase](turn);
}
