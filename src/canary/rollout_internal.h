/* SPDX-License-Identifier: Apache-2.0 */
/* rollout_internal.h: one decision in the making, shared by the files of the state machine. */
#ifndef CANARY_ROLLOUT_INTERNAL_H
#define CANARY_ROLLOUT_INTERNAL_H

#include "base/compiler.h"
#include "canary/rollout.h"

struct rollout_turn {
    const struct rollout_plan *plan;
    struct rollout_state *state;
    const struct rollout_facts *facts;
    uint64_t now_ms;
    struct rollout_decision *decision;
};

/* What a step of the turn says to the ones after it. */
enum turn { TURN_GOES_ON, TURN_IS_OVER };

/* Changes the phase; asserts that the table allows it. */
void turn_set_phase(struct rollout_turn *turn, enum rollout_phase next);
void turn_tell(struct rollout_turn *turn, enum rollout_event event, const char *format, ...) PRINTF_LIKE(3, 4);
/* Writes down that the weight is to become weight_bp. */
void turn_begin_move(struct rollout_turn *turn, unsigned weight_bp);
/* The same in small parts over the slow start: the one that is due, if any.  ret_wait_ms: until the next one. */
void turn_grow(struct rollout_turn *turn, unsigned goal_bp, uint64_t *ret_wait_ms);
void turn_pause(struct rollout_turn *turn, enum rollout_wait cause, const char *why);
/* Enters a step, or goes to 100 % behind the last one. */
void turn_enter_step(struct rollout_turn *turn, unsigned step);
void turn_roll_back(struct rollout_turn *turn, const char *why);
/* The first step with a weight above weight_bp; step_count when there is none. */
unsigned turn_step_above(const struct rollout_plan *plan, unsigned weight_bp);
/* Goes on from a weight that somebody else has set. */
void turn_adopt_weight(struct rollout_turn *turn);
/* Back to where the pause came from, or on from the weight that others made of it. */
void turn_leave_pause(struct rollout_turn *turn);
/* What a weight that has arrived means. */
void turn_finish(struct rollout_turn *turn);
/* Starts the evidence of the step in force anew. */
void turn_begin_analysis(struct rollout_turn *turn);

/* rollout_command.c */
enum turn turn_take_command(struct rollout_turn *turn);
/* rollout_phase.c: what the phase does by itself; sets decision->wait when nothing. */
void turn_run_phase(struct rollout_turn *turn);
/* rollout_text.c */
void turn_explain(struct rollout_turn *turn);

#endif
