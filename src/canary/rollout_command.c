/* SPDX-License-Identifier: Apache-2.0 */
/* rollout_command.c: the verbs of people, each by the phases that it means something in.  A command is taken once: its
 * id is persisted with what it did. */
#include "canary/rollout_internal.h"

#define IN(phase) (1u << PHASE_##phase)

static const unsigned ACTIVE = IN(PENDING) | IN(WARMING_UP) | IN(PROGRESSING) | IN(HOLDING) | IN(PAUSED) |
                               IN(PROMOTING) | IN(ROLLING_BACK) | IN(FAILED);

static void do_nothing(struct rollout_turn *turn)
{
    (void)turn;
}

static void do_pause(struct rollout_turn *turn)
{
    if (turn->state->phase == PHASE_PAUSED)
        return;
    turn_pause(turn, WAIT_PAUSED, "paused by command; guards may still roll back");
    turn_tell(turn, EVENT_PAUSED, "%s", turn->state->why);
}

/* Evidence that held the rollout is not heard again; new evidence is. */
static void release_hold(struct rollout_turn *turn)
{
    turn_set_phase(turn, PHASE_PROGRESSING);
    turn->state->cause = WAIT_NONE;
    turn_begin_analysis(turn);
}

static void start_over(struct rollout_turn *turn)
{
    turn_set_phase(turn, PHASE_PENDING);
    turn->state->is_aborting = false;
    turn->state->epoch = 0;
}

static void do_resume(struct rollout_turn *turn)
{
    enum rollout_phase phase = turn->state->phase;
    if (phase == PHASE_HOLDING)
        release_hold(turn);
    else if (phase == PHASE_PAUSED)
        turn_leave_pause(turn);
    else if (phase == PHASE_ROLLED_BACK || phase == PHASE_ABORTED)
        start_over(turn);
    else
        return;
    turn_tell(turn, EVENT_RESUMED, "resumed by command");
}

/* Ends the step in force, whatever its hold and its verdict; the next one is judged again. */
static void do_promote(struct rollout_turn *turn)
{
    if (turn->state->phase == PHASE_HOLDING)
        release_hold(turn);
    else if (turn->state->phase == PHASE_PAUSED)
        turn_leave_pause(turn);
    turn->state->is_approved = turn->state->phase == PHASE_PROGRESSING;
    turn_tell(turn, EVENT_RESUMED, "%s",
              turn->state->is_approved ? "the step in force was approved by command" : "resumed by command");
}

static void do_promote_full(struct rollout_turn *turn)
{
    turn_set_phase(turn, PHASE_PROMOTING);
    turn_begin_move(turn, ROLLOUT_ALL_BP);
    turn_tell(turn, EVENT_PROMOTING, "promoted in full by command");
}

static void do_rollback(struct rollout_turn *turn)
{
    if (turn->state->phase != PHASE_ROLLING_BACK)
        turn_roll_back(turn, "rolled back by command");
}

static void do_abort(struct rollout_turn *turn)
{
    turn->state->is_aborting = true;
    turn->decision->drop_pins = true;
    if (turn->state->phase != PHASE_ROLLING_BACK)
        turn_roll_back(turn, "aborted by command");
}

static const struct {
    void (*run)(struct rollout_turn *turn);
    unsigned phases;       /* where it means something */
    unsigned accomplished; /* where there is nothing left to do */
    bool needs_hands;      /* not while the object says suspend */
} commands[COMMAND_COUNT] = {
    [COMMAND_NONE] = {do_nothing, 0, ~0u, false},
    [COMMAND_PAUSE] = {do_pause, IN(PENDING) | IN(WARMING_UP) | IN(PROGRESSING) | IN(HOLDING) | IN(PROMOTING),
                       IN(PAUSED), false},
    [COMMAND_RESUME] = {do_resume, IN(HOLDING) | IN(PAUSED) | IN(ROLLED_BACK) | IN(ABORTED),
                        IN(PENDING) | IN(WARMING_UP) | IN(PROGRESSING) | IN(PROMOTING), true},
    [COMMAND_PROMOTE] = {do_promote, IN(PROGRESSING) | IN(HOLDING) | IN(PAUSED), IN(PROMOTING) | IN(COMPLETED), true},
    [COMMAND_PROMOTE_FULL] = {do_promote_full, IN(PROGRESSING) | IN(HOLDING) | IN(PAUSED),
                              IN(PROMOTING) | IN(COMPLETED), true},
    [COMMAND_ROLLBACK] = {do_rollback, (ACTIVE & ~IN(FAILED)) | IN(COMPLETED), IN(ROLLED_BACK) | IN(ABORTED), false},
    [COMMAND_ABORT] = {do_abort, (ACTIVE & ~IN(FAILED)) | IN(COMPLETED) | IN(ROLLED_BACK), IN(ABORTED), false},
};

#undef IN

enum turn turn_take_command(struct rollout_turn *turn)
{
    struct rollout_state *state = turn->state;
    const struct rollout_facts *facts = turn->facts;
    if (facts->command == COMMAND_NONE || facts->command_id <= state->last_command)
        return TURN_GOES_ON;
    state->last_command = facts->command_id;
    turn->decision->must_persist = true;
    turn->decision->is_settled = false;
    const char *verb = rollout_command_verb(facts->command), *phase = rollout_phase_name(state->phase);
    if ((commands[facts->command].accomplished >> state->phase & 1) != 0)
        return TURN_IS_OVER;
    if ((commands[facts->command].phases >> state->phase & 1) == 0)
        turn_tell(turn, EVENT_REFUSED, "%s means nothing while the rollout is %s", verb, phase);
    else if (turn->plan->is_suspended && commands[facts->command].needs_hands)
        turn_tell(turn, EVENT_REFUSED, "%s must wait: the Canary says suspend: true", verb);
    else
        commands[facts->command].run(turn);
    return TURN_IS_OVER;
}
