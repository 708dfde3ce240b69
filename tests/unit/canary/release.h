/* SPDX-License-Identifier: Apache-2.0 */
/* release.h: a controller in little for the tests of the state machine: the state that is durable, the object with the
 * weight, the process that may die between any two of its acts, and a record of what was done. */
#ifndef TESTS_CANARY_RELEASE_H
#define TESTS_CANARY_RELEASE_H

#include <stdio.h>
#include <string.h>

#include "canary/rollout.h"

enum { RECORD_MAX = 128, TURNS_MAX = 50, TICK_MS = 10000, REQUESTS_PER_TICK = 1000 };

struct write {
    uint64_t move, at_ms;
    unsigned weight_bp;
};

struct release {
    struct rollout_plan plan;
    struct rollout_facts facts; /* what is not set by the acts below is set by the test */
    uint64_t now_ms;
    struct rollout_state durable;
    struct rollout_decision decision; /* the latest */
    /* The process's memory. */
    unsigned epoch;
    uint64_t step_requests;
    /* Its acts: the one with this number is its last (0: none). */
    unsigned acts, dies_at[2], deaths;
    /* What somebody does to the object right before the act with this number. */
    unsigned edited_at, edited_to_bp, edits;
    struct write writes[RECORD_MAX];
    unsigned write_count;
    enum rollout_event events[RECORD_MAX];
    unsigned event_count;
    unsigned pins_dropped;
};

static inline void release_init(struct release *release)
{
    *release = (struct release){
        .plan = {.steps = {{.weight_bp = 100, .hold_ms = 30000},
                           {.weight_bp = 500, .hold = HOLD_REQUESTS, .hold_requests = 100},
                           {.weight_bp = 2500, .hold_ms = 30000}},
                 .step_count = 3,
                 .revision = 7,
                 .max_slack = 4},
        .facts = {.has_target = true, .is_warm = true, .verdict = VERDICT_PASS, .verdict_text = "all guards pass"},
        .now_ms = 1000000,
    };
}

static inline void release_edit_weight(struct release *release, unsigned weight_bp)
{
    release->facts.weight_bp = weight_bp;
    release->edits++;
}

/* Whether the process is dead before its next act. */
static inline bool release_dies(struct release *release)
{
    release->acts++;
    if (release->acts == release->edited_at)
        release_edit_weight(release, release->edited_to_bp);
    if (release->acts != release->dies_at[0] && release->acts != release->dies_at[1])
        return false;
    release->deaths++;
    release->epoch = 0;
    release->step_requests = 0;
    return true;
}

/* As an update with a resource version: it fails when the object has changed since it was read. */
static inline void release_write_weight(struct release *release, const struct rollout_state *state, unsigned edits)
{
    if (edits != release->edits)
        return;
    release->facts.weight_bp = release->facts.applied_bp = release->decision.weight_bp;
    release->facts.applied_move = state->move;
    if (release->write_count < RECORD_MAX)
        release->writes[release->write_count++] =
            (struct write){state->move, release->now_ms, release->decision.weight_bp};
}

static inline void release_begin_analysis(struct release *release, const struct rollout_state *state)
{
    release->epoch = state->epoch;
    release->step_requests = 0;
}

/* One turn of the loop in rollout.h; true when the next one is due at once. */
static inline bool release_turn(struct release *release)
{
    struct rollout_state state = release->durable;
    struct rollout_decision *decision = &release->decision;
    unsigned edits = release->edits;
    release->facts.epoch = release->epoch;
    release->facts.step_requests = release->step_requests;
    rollout_decide(&release->plan, &state, &release->facts, release->now_ms, decision);
    if (release_dies(release))
        return true;
    if (decision->must_persist) {
        release->durable = state;
        if (release_dies(release))
            return true;
    }
    if (decision->has_weight) {
        release_write_weight(release, &state, edits);
        if (release_dies(release))
            return true;
    }
    if (decision->begin_analysis)
        release_begin_analysis(release, &state);
    release->pins_dropped += decision->drop_pins;
    if (decision->event != EVENT_NONE && release->event_count < RECORD_MAX)
        release->events[release->event_count++] = decision->event;
    return !decision->is_settled || decision->has_weight;
}

/* Turns until nothing is left to do now; false when that never comes. */
static inline bool release_settle(struct release *release)
{
    for (unsigned turn = 0; turn < TURNS_MAX; turn++)
        if (!release_turn(release))
            return true;
    return false;
}

/* So many intervals of traffic, split by the weight. */
static inline bool release_run(struct release *release, unsigned ticks)
{
    bool settles = release_settle(release);
    for (unsigned tick = 0; settles && tick < ticks; tick++) {
        release->now_ms += TICK_MS;
        release->step_requests += (uint64_t)REQUESTS_PER_TICK * release->facts.weight_bp / ROLLOUT_ALL_BP;
        settles = release_settle(release);
    }
    return settles;
}

static inline bool release_run_until(struct release *release, enum rollout_phase phase)
{
    for (unsigned tick = 0; tick < 200; tick++) {
        if (!release_run(release, tick > 0))
            return false;
        if (release->durable.phase == phase)
            return true;
    }
    return false;
}

static inline bool release_command(struct release *release, enum rollout_command command)
{
    release->facts.command = command;
    release->facts.command_id++;
    return release_settle(release);
}

/* In step `step` (from 0), its weight in force. */
static inline bool release_run_until_step(struct release *release, unsigned step)
{
    for (unsigned tick = 0; tick < 200; tick++) {
        if (!release_run(release, tick > 0))
            return false;
        if (release->durable.phase == PHASE_PROGRESSING && release->durable.step == step)
            return !release->durable.is_moving;
    }
    return false;
}

static inline unsigned release_count_events(const struct release *release, enum rollout_event event)
{
    unsigned count = 0;
    for (unsigned i = 0; i < release->event_count; i++)
        count += release->events[i] == event;
    return count;
}

#endif
