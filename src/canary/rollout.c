/* SPDX-License-Identifier: Apache-2.0 */
/* rollout.c: the state machine's frame: legal moves, the two phases of a weight's move, and the order in which a turn
 * looks at things: another rollout, the target, the weight, commands, suspend, then what the phase does by itself. */
#include "canary/rollout_internal.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TO(phase) (1u << PHASE_##phase)

/* Which phases may follow each.  A new revision starts any of them anew (PENDING). */
static const unsigned may_follow[PHASE_COUNT] = {
    [PHASE_PENDING] = TO(WARMING_UP) | TO(PROGRESSING) | TO(COMPLETED) | TO(PAUSED) | TO(ROLLING_BACK),
    [PHASE_WARMING_UP] =
        TO(PROGRESSING) | TO(PROMOTING) | TO(PAUSED) | TO(ROLLING_BACK) | TO(FAILED) | TO(COMPLETED) | TO(PENDING),
    [PHASE_PROGRESSING] = TO(HOLDING) | TO(PAUSED) | TO(PROMOTING) | TO(ROLLING_BACK) | TO(FAILED) | TO(PENDING),
    [PHASE_HOLDING] = TO(PROGRESSING) | TO(PAUSED) | TO(PROMOTING) | TO(ROLLING_BACK) | TO(FAILED) | TO(PENDING),
    [PHASE_PAUSED] =
        TO(PENDING) | TO(WARMING_UP) | TO(PROGRESSING) | TO(HOLDING) | TO(PROMOTING) | TO(COMPLETED) | TO(ROLLING_BACK),
    [PHASE_PROMOTING] = TO(COMPLETED) | TO(PAUSED) | TO(ROLLING_BACK) | TO(FAILED) | TO(PENDING),
    [PHASE_COMPLETED] = TO(ROLLING_BACK) | TO(PENDING),
    [PHASE_ROLLING_BACK] = TO(ROLLED_BACK) | TO(ABORTED) | TO(PAUSED) | TO(FAILED) | TO(PENDING),
    [PHASE_ROLLED_BACK] = TO(PENDING) | TO(ROLLING_BACK),
    [PHASE_ABORTED] = TO(PENDING),
    [PHASE_FAILED] =
        TO(WARMING_UP) | TO(PROGRESSING) | TO(HOLDING) | TO(PROMOTING) | TO(ROLLING_BACK) | TO(PENDING) | TO(PAUSED),
};

#undef TO

bool rollout_may_follow(enum rollout_phase from, enum rollout_phase to)
{
    return (may_follow[from] >> to & 1) != 0;
}

static const char *check_step(const struct rollout_step *step, unsigned former_bp)
{
    if (step->weight_bp <= former_bp)
        return "weights of steps must rise";
    if (step->weight_bp > ROLLOUT_ALL_BP)
        return "a step's weight is at most 100 %";
    if (step->hold > HOLD_APPROVAL)
        return "a step holds for a time, for requests or until approved";
    return NULL;
}

const char *rollout_check(const struct rollout_plan *plan)
{
    if (plan->step_count == 0 || plan->step_count > ROLLOUT_STEPS_MAX)
        return "a rollout has 1 to 32 steps";
    if (plan->revision == 0)
        return "a rollout needs a revision";
    if (!(plan->max_slack >= 1) || plan->max_slack > 100)
        return "the slack of early steps lies between 1 and 100";
    unsigned former_bp = 0;
    for (unsigned i = 0; i < plan->step_count; i++) {
        const char *wrong = check_step(&plan->steps[i], former_bp);
        if (wrong != NULL)
            return wrong;
        former_bp = plan->steps[i].weight_bp;
    }
    return NULL;
}

double rollout_pass_slack(const struct rollout_plan *plan, unsigned step)
{
    unsigned next_bp = step + 1 < plan->step_count ? plan->steps[step + 1].weight_bp : ROLLOUT_ALL_BP;
    return fmin(plan->max_slack, fmax(1, 0.5 * ROLLOUT_ALL_BP / next_bp));
}

void turn_set_phase(struct rollout_turn *turn, enum rollout_phase next)
{
    assert(rollout_may_follow(turn->state->phase, next));
    turn->state->phase = next;
    turn->state->phase_since_ms = turn->now_ms;
    turn->decision->must_persist = true;
    turn->decision->is_settled = false;
}

void turn_tell(struct rollout_turn *turn, enum rollout_event event, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    turn->decision->event = event;
    vsnprintf(turn->decision->event_text, sizeof turn->decision->event_text, format, args);
    va_end(args);
}

static void set_why(struct rollout_turn *turn, const char *why)
{
    snprintf(turn->state->why, sizeof turn->state->why, "%s", why != NULL ? why : "");
}

void turn_begin_move(struct rollout_turn *turn, unsigned weight_bp)
{
    turn->state->is_moving = true;
    turn->state->intended_bp = weight_bp;
    turn->state->grows_to_bp = 0;
    turn->state->move++;
    turn->decision->must_persist = true;
    turn->decision->is_settled = false;
}

/* Equal parts at equal times: the first one at once, the last one when the slow start is over. */
static unsigned grown_weight(const struct rollout_turn *turn, unsigned goal_bp, uint64_t *ret_wait_ms)
{
    uint64_t over_ms = turn->plan->slow_start_ms, elapsed_ms = turn->now_ms - turn->state->phase_since_ms;
    *ret_wait_ms = 0;
    if (elapsed_ms >= over_ms)
        return goal_bp;
    uint64_t interval_ms = over_ms / (SLOW_START_MOVES - 1) + 1, parts = 1 + elapsed_ms / interval_ms;
    uint64_t next_ms = parts * interval_ms;
    *ret_wait_ms = (next_ms < over_ms ? next_ms : over_ms) - elapsed_ms;
    unsigned weight_bp = (unsigned)(goal_bp * parts / SLOW_START_MOVES);
    return weight_bp > 0 ? weight_bp : 1;
}

void turn_grow(struct rollout_turn *turn, unsigned goal_bp, uint64_t *ret_wait_ms)
{
    struct rollout_state *state = turn->state;
    unsigned weight_bp = grown_weight(turn, goal_bp, ret_wait_ms);
    if (weight_bp < state->confirmed_bp) /* somebody gave it more before it began */
        weight_bp = state->confirmed_bp;
    if (state->grows_to_bp == goal_bp && weight_bp == state->confirmed_bp && weight_bp < goal_bp)
        return;
    turn_begin_move(turn, weight_bp);
    state->grows_to_bp = weight_bp < goal_bp ? goal_bp : 0;
}

unsigned turn_step_above(const struct rollout_plan *plan, unsigned weight_bp)
{
    unsigned step = 0;
    while (step < plan->step_count && plan->steps[step].weight_bp <= weight_bp)
        step++;
    return step;
}

void turn_begin_analysis(struct rollout_turn *turn)
{
    turn->state->epoch++;
    turn->decision->begin_analysis = true;
    turn->decision->must_persist = true;
    turn->decision->is_settled = false;
}

/* A weight of the step is in force: its evidence begins with the first one, its time with the whole one. */
static void begin_step(struct rollout_turn *turn)
{
    struct rollout_state *state = turn->state;
    bool is_new = state->step_began_ms == 0, is_whole = state->grows_to_bp == 0;
    if (is_new || is_whole)
        state->step_began_ms = turn->now_ms;
    if (is_new) {
        state->step_requests = state->base_requests = 0;
        turn_begin_analysis(turn);
    }
    if (is_whole)
        turn_tell(turn, EVENT_STEP_BEGUN, "step %u of %u: %g %% of the traffic goes to the canary", state->step + 1,
                  turn->plan->step_count, state->confirmed_bp / 100.0);
    else if (is_new)
        turn_tell(turn, EVENT_SLOW_START, "the share begins at %g %% and grows to %g %%", state->confirmed_bp / 100.0,
                  state->grows_to_bp / 100.0);
}

/* What has just become warm has served nobody yet: no cliff behind share 0. */
static void begin_share(struct rollout_turn *turn, bool is_out_of_warmup, unsigned weight_bp)
{
    uint64_t wait_ms;
    if (is_out_of_warmup)
        turn_grow(turn, weight_bp, &wait_ms);
    else
        turn_begin_move(turn, weight_bp);
}

void turn_enter_step(struct rollout_turn *turn, unsigned step)
{
    const struct rollout_plan *plan = turn->plan;
    bool is_last = step >= plan->step_count || plan->steps[step].weight_bp == ROLLOUT_ALL_BP;
    bool is_out_of_warmup = turn->state->phase == PHASE_WARMING_UP;
    turn->state->is_approved = false;
    if (is_last) {
        turn_set_phase(turn, PHASE_PROMOTING);
        begin_share(turn, is_out_of_warmup, ROLLOUT_ALL_BP);
        turn_tell(turn, EVENT_PROMOTING, "every step is passed: all traffic goes to the canary");
        return;
    }
    if (turn->state->phase != PHASE_PROGRESSING)
        turn_set_phase(turn, PHASE_PROGRESSING);
    turn->state->step_began_ms = 0;
    turn->state->step = step;
    begin_share(turn, is_out_of_warmup, plan->steps[step].weight_bp);
}

void turn_pause(struct rollout_turn *turn, enum rollout_wait cause, const char *why)
{
    struct rollout_state *state = turn->state;
    if (state->phase != PHASE_PAUSED) {
        state->resumes_to = state->phase;
        turn_set_phase(turn, PHASE_PAUSED);
    }
    state->cause = cause;
    set_why(turn, why);
    turn->decision->must_persist = true;
    turn->decision->is_settled = false;
}

void turn_roll_back(struct rollout_turn *turn, const char *why)
{
    set_why(turn, why);
    if (turn->state->phase != PHASE_ROLLING_BACK)
        turn_set_phase(turn, PHASE_ROLLING_BACK);
    turn_begin_move(turn, 0);
    turn_tell(turn, EVENT_ROLLING_BACK, "%s", turn->state->why);
}

void turn_adopt_weight(struct rollout_turn *turn)
{
    struct rollout_state *state = turn->state;
    unsigned above = turn_step_above(turn->plan, state->confirmed_bp);
    state->is_moving = state->is_aborting = false;
    state->grows_to_bp = 0;
    state->step_began_ms = 0;
    if (state->confirmed_bp == ROLLOUT_ALL_BP) {
        turn_set_phase(turn, PHASE_COMPLETED);
        turn_tell(turn, EVENT_COMPLETED, "all traffic goes to the canary already");
    } else if (above == 0) {
        turn_set_phase(turn, PHASE_WARMING_UP);
        turn_tell(turn, EVENT_STARTED, "begins below the first step");
    } else {
        state->step = above - 1;
        state->is_approved = false;
        turn_set_phase(turn, PHASE_PROGRESSING);
        begin_step(turn);
    }
}

/* A hold is not gone back to: if its guard still fails, the step holds again and says why. */
void turn_leave_pause(struct rollout_turn *turn)
{
    struct rollout_state *state = turn->state;
    bool is_in_step = state->resumes_to == PHASE_PROGRESSING || state->resumes_to == PHASE_HOLDING;
    bool is_as_left = is_in_step && state->step < turn->plan->step_count && state->step_began_ms > 0 &&
                      turn->plan->steps[state->step].weight_bp == state->confirmed_bp;
    bool is_ours = state->cause == WAIT_PAUSED || (state->cause == WAIT_SUSPENDED && is_as_left);
    state->cause = WAIT_NONE;
    if (is_ours)
        turn_set_phase(turn, state->resumes_to == PHASE_HOLDING ? PHASE_PROGRESSING : state->resumes_to);
    else
        turn_adopt_weight(turn);
    if (turn->decision->event == EVENT_NONE)
        turn_tell(turn, EVENT_RESUMED, "goes on at %g %%", state->confirmed_bp / 100.0);
}

/* A new revision while the former is being released must not inherit its share; after its end the weight is whatever
 * people made of it. */
static enum turn look_at_revision(struct rollout_turn *turn)
{
    struct rollout_state *state = turn->state;
    if (state->revision == turn->plan->revision)
        return TURN_GOES_ON;
    bool is_first = state->revision == 0;
    bool has_share = state->phase != PHASE_PENDING || state->is_moving;
    bool takes_back = !is_first && has_share && rollout_phase_is_active(state->phase);
    *state = (struct rollout_state){
        .revision = turn->plan->revision,
        .move = state->move,
        .confirmed_bp = turn->facts->has_target ? turn->facts->weight_bp : state->confirmed_bp,
        .phase_since_ms = turn->now_ms,
        .last_command = state->last_command,
    };
    turn->decision->must_persist = true;
    turn->decision->is_settled = false;
    if (takes_back && state->confirmed_bp > 0)
        turn_begin_move(turn, 0);
    if (!is_first)
        turn_tell(turn, EVENT_RESTARTED, "another revision is to be released: begins anew");
    return TURN_IS_OVER;
}

static enum turn look_for_target(struct rollout_turn *turn)
{
    struct rollout_state *state = turn->state;
    if (turn->facts->has_target) {
        if (state->phase != PHASE_FAILED)
            return TURN_GOES_ON;
        turn_set_phase(turn, state->resumes_to);
        turn_tell(turn, EVENT_TARGET_FOUND, "the target is there again");
        return TURN_IS_OVER;
    }
    if (!rollout_phase_is_active(state->phase))
        return TURN_GOES_ON;
    turn->decision->wait = state->phase == PHASE_PAUSED ? state->cause : WAIT_TARGET;
    bool is_new = state->phase != PHASE_PENDING && state->phase != PHASE_PAUSED && state->phase != PHASE_FAILED;
    if (is_new) {
        state->resumes_to = state->phase;
        turn_set_phase(turn, PHASE_FAILED);
        turn_tell(turn, EVENT_TARGET_LOST, "the object whose weights are moved is gone");
    }
    return TURN_IS_OVER;
}

/* What the machine was doing when the move began, through a pause. */
static enum rollout_phase purpose(const struct rollout_state *state)
{
    return state->phase == PHASE_PAUSED ? state->resumes_to : state->phase;
}

static void finish_rollback(struct rollout_turn *turn)
{
    struct rollout_state *state = turn->state;
    bool is_aborting = state->is_aborting;
    turn_set_phase(turn, is_aborting ? PHASE_ABORTED : PHASE_ROLLED_BACK);
    turn->decision->drop_pins = is_aborting;
    turn_tell(turn, is_aborting ? EVENT_ABORTED : EVENT_ROLLED_BACK, "no new traffic goes to the canary: %s",
              state->why);
}

void turn_finish(struct rollout_turn *turn)
{
    if (turn->state->phase == PHASE_ROLLING_BACK) {
        finish_rollback(turn);
    } else if (turn->state->phase == PHASE_PROMOTING && turn->state->grows_to_bp == 0) {
        turn_set_phase(turn, PHASE_COMPLETED);
        turn_tell(turn, EVENT_COMPLETED, "all traffic goes to the canary");
    } else if (purpose(turn->state) == PHASE_PROGRESSING) {
        begin_step(turn);
    }
}

static void confirm_move(struct rollout_turn *turn)
{
    turn->state->is_moving = false;
    turn->state->confirmed_bp = turn->state->intended_bp;
    turn->decision->must_persist = true;
    turn->decision->is_settled = false;
    turn_finish(turn);
}

/* Before the beginning, after the end, and while somebody else owns it, the weight is simply noted. */
static bool just_notes_weight(const struct rollout_state *state)
{
    if (state->is_moving)
        return false;
    bool is_taken =
        state->phase == PHASE_PAUSED && (state->cause == WAIT_HUMAN_WEIGHT || state->cause == WAIT_SUSPENDED);
    return is_taken || state->phase == PHASE_PENDING || !rollout_phase_is_active(state->phase);
}

static enum turn lose_weight_to_human(struct rollout_turn *turn)
{
    struct rollout_state *state = turn->state;
    char why[ROLLOUT_TEXT_MAX];
    snprintf(why, sizeof why,
             "somebody set the weight to %g %% (it was %g %%) and owns it now; resume goes on from there",
             turn->facts->weight_bp / 100.0, state->confirmed_bp / 100.0);
    state->is_moving = false;
    state->confirmed_bp = turn->facts->weight_bp;
    turn_pause(turn, WAIT_HUMAN_WEIGHT, why);
    turn_tell(turn, EVENT_WEIGHT_TAKEN, "%s", why);
    return TURN_IS_OVER;
}

/* A move that another one overtook (a rollback, say) before it was seen.  A human who edits the weight leaves the
 * number and the weight beside it as they are, so that the two differ. */
static bool is_overtaken_move(const struct rollout_state *state, const struct rollout_facts *facts)
{
    return state->is_moving && facts->applied_move > 0 && facts->applied_move + 1 == state->move &&
           facts->applied_bp == facts->weight_bp;
}

/* Confirms a move, makes it (again), or finds that the weight is not ours. */
static enum turn look_at_weight(struct rollout_turn *turn)
{
    struct rollout_state *state = turn->state;
    const struct rollout_facts *facts = turn->facts;
    if (just_notes_weight(state)) {
        turn->decision->must_persist |= state->confirmed_bp != facts->weight_bp;
        state->confirmed_bp = facts->weight_bp;
        return TURN_GOES_ON;
    }
    if (state->is_moving && facts->weight_bp == state->intended_bp) {
        confirm_move(turn);
        return TURN_IS_OVER;
    }
    if (facts->weight_bp != state->confirmed_bp && is_overtaken_move(state, facts)) {
        state->confirmed_bp = facts->weight_bp;
        turn->decision->must_persist = true;
    }
    if (facts->weight_bp != state->confirmed_bp || (state->is_moving && facts->applied_move == state->move))
        return lose_weight_to_human(turn);
    if (state->is_moving) {
        turn->decision->has_weight = true;
        turn->decision->weight_bp = state->intended_bp;
        turn->decision->wait = WAIT_MOVE;
    }
    return TURN_GOES_ON;
}

static enum turn look_at_suspend(struct rollout_turn *turn)
{
    struct rollout_state *state = turn->state;
    bool is_suspended = state->phase == PHASE_PAUSED && state->cause == WAIT_SUSPENDED;
    bool is_else_paused = state->phase == PHASE_PAUSED && !is_suspended;
    if (turn->plan->is_suspended == is_suspended || is_else_paused || !rollout_phase_is_active(state->phase) ||
        state->phase == PHASE_ROLLING_BACK || state->phase == PHASE_FAILED)
        return TURN_GOES_ON;
    if (turn->plan->is_suspended) {
        state->is_moving = false;
        turn_pause(turn, WAIT_SUSPENDED, "the Canary says suspend: true");
        turn_tell(turn, EVENT_PAUSED, "%s", state->why);
        return TURN_IS_OVER;
    }
    turn_leave_pause(turn);
    return TURN_IS_OVER;
}

/* Steps may have been edited: the one in force is the last that does not exceed the weight. */
static void follow_plan(struct rollout_turn *turn)
{
    struct rollout_state *state = turn->state;
    bool is_in_step = state->phase == PHASE_PROGRESSING || state->phase == PHASE_HOLDING;
    if (!is_in_step || state->is_moving)
        return;
    unsigned above = turn_step_above(turn->plan, state->confirmed_bp);
    unsigned step = above > 0 ? above - 1 : 0;
    turn->decision->must_persist |= step != state->step;
    state->step = step;
}

static bool counts_requests(const struct rollout_turn *turn)
{
    return turn->plan->steps[turn->state->step].hold == HOLD_REQUESTS;
}

/* Evidence of a process that died is lost: its epoch is spent, its requests still count for the hold. */
static enum turn follow_analysis(struct rollout_turn *turn)
{
    struct rollout_state *state = turn->state;
    const struct rollout_facts *facts = turn->facts;
    bool is_in_step = purpose(state) == PHASE_PROGRESSING || purpose(state) == PHASE_HOLDING;
    if (!is_in_step || state->is_moving || state->step_began_ms == 0)
        return TURN_GOES_ON;
    turn->decision->slack = rollout_pass_slack(turn->plan, state->step);
    if (facts->epoch == 0 && turn->plan->is_unjudged && !counts_requests(turn))
        return TURN_GOES_ON;
    if (facts->epoch == 0) {
        state->base_requests = state->step_requests;
        turn_begin_analysis(turn);
        return TURN_IS_OVER;
    }
    if (facts->epoch < state->epoch) {
        turn->decision->begin_analysis = true;
        turn->decision->is_settled = false;
        return TURN_IS_OVER;
    }
    turn->decision->must_persist |= facts->epoch > state->epoch;
    state->epoch = facts->epoch;
    state->step_requests = state->base_requests + facts->step_requests;
    return TURN_GOES_ON;
}

static void run_turn(struct rollout_turn *turn)
{
    if (look_at_revision(turn) == TURN_IS_OVER || look_for_target(turn) == TURN_IS_OVER)
        return;
    if (look_at_weight(turn) == TURN_IS_OVER || turn_take_command(turn) == TURN_IS_OVER)
        return;
    if (look_at_suspend(turn) == TURN_IS_OVER)
        return;
    follow_plan(turn);
    if (follow_analysis(turn) == TURN_GOES_ON)
        turn_run_phase(turn);
}

void rollout_decide(const struct rollout_plan *plan, struct rollout_state *state, const struct rollout_facts *facts,
                    uint64_t now_ms, struct rollout_decision *ret_decision)
{
    assert(rollout_check(plan) == NULL);
    *ret_decision = (struct rollout_decision){.is_settled = true, .slack = 1};
    struct rollout_turn turn = {plan, state, facts, now_ms, ret_decision};
    if (state->step_began_ms > now_ms) /* the wall clock was set back */
        state->step_began_ms = now_ms;
    if (state->phase_since_ms > now_ms)
        state->phase_since_ms = now_ms;
    run_turn(&turn);
    if (ret_decision->begin_analysis)
        ret_decision->slack = rollout_pass_slack(plan, state->step);
    if (ret_decision->must_persist && ret_decision->has_weight) {
        ret_decision->has_weight = false; /* only what is durable is done */
        ret_decision->is_settled = false;
    }
    turn_explain(&turn);
}
