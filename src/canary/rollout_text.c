/* SPDX-License-Identifier: Apache-2.0 */
/* rollout_text.c: names, and the sentence that answers "why is it not moving?". */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "canary/rollout_internal.h"

static const struct {
    const char *name;
    bool is_active;
} phases[PHASE_COUNT] = {
#define X(id, name, is_active, meaning) [PHASE_##id] = {name, is_active},
    ROLLOUT_PHASES(X)
#undef X
};

static const struct {
    const char *reason, *meaning;
} waits[WAIT_COUNT] = {
#define X(id, reason, meaning) [WAIT_##id] = {reason, meaning},
    ROLLOUT_WAITS(X)
#undef X
};

static const struct {
    const char *reason;
    bool is_warning;
} events[EVENT_COUNT] = {
#define X(id, reason, is_warning) [EVENT_##id] = {reason, is_warning},
    ROLLOUT_EVENTS(X)
#undef X
};

static const char *const verbs[COMMAND_COUNT] = {
#define X(id, verb) [COMMAND_##id] = verb,
    ROLLOUT_COMMANDS(X)
#undef X
};

const char *rollout_phase_name(enum rollout_phase phase)
{
    return phases[phase].name;
}

bool rollout_phase_of(const char *name, enum rollout_phase *ret_phase)
{
    for (unsigned i = 0; i < PHASE_COUNT; i++) {
        if (strcmp(name, phases[i].name) == 0) {
            *ret_phase = (enum rollout_phase)i;
            return true;
        }
    }
    return false;
}

bool rollout_phase_is_active(enum rollout_phase phase)
{
    return phases[phase].is_active;
}

const char *rollout_wait_reason(enum rollout_wait wait)
{
    return waits[wait].reason;
}

bool rollout_wait_of(const char *reason, enum rollout_wait *ret_wait)
{
    for (unsigned i = 0; i < WAIT_COUNT; i++) {
        if (strcmp(reason, waits[i].reason) == 0) {
            *ret_wait = (enum rollout_wait)i;
            return true;
        }
    }
    return false;
}

const char *rollout_event_reason(enum rollout_event event)
{
    return events[event].reason;
}

bool rollout_event_is_warning(enum rollout_event event)
{
    return events[event].is_warning;
}

const char *rollout_command_verb(enum rollout_command command)
{
    return verbs[command];
}

/* The two largest units: "1h20m", "4m10s", "300ms". */
static void put_time(struct buffer *out, uint64_t ms)
{
    unsigned long long s = ms / 1000;
    if (ms < 1000)
        buffer_printf(out, "%llums", (unsigned long long)ms);
    else if (s < 60)
        buffer_printf(out, "%llus", s);
    else if (s < 3600)
        buffer_printf(out, "%llum%llus", s / 60, s % 60);
    else
        buffer_printf(out, "%lluh%llum", s / 3600, s / 60 % 60);
}

static void put_place(struct buffer *out, const struct rollout_turn *turn)
{
    const struct rollout_state *state = turn->state;
    if (state->phase == PHASE_PROGRESSING || state->phase == PHASE_HOLDING)
        buffer_printf(out, "step %u of %u, ", state->step + 1, turn->plan->step_count);
    buffer_printf(out, "%g %%: ", state->confirmed_bp / 100.0);
}

static void put_hold(struct buffer *out, const struct rollout_turn *turn)
{
    const struct rollout_step *step = &turn->plan->steps[turn->state->step];
    if (turn->decision->wait == WAIT_REQUESTS) {
        buffer_printf(out, "%llu of %llu canary requests judged", (unsigned long long)turn->state->step_requests,
                      (unsigned long long)step->hold_requests);
        return;
    }
    put_time(out, turn->now_ms - turn->state->step_began_ms);
    buffer_append_str(out, " of ");
    put_time(out, step->hold_ms);
}

static const char *detail(const struct rollout_turn *turn)
{
    switch (turn->decision->wait) {
    case WAIT_WARMUP:
        return turn->facts->warm_text;
    case WAIT_NO_DATA:
    case WAIT_INCONCLUSIVE:
        return turn->facts->verdict_text;
    case WAIT_FAIL:
    case WAIT_GUARD:
    case WAIT_PAUSED:
    case WAIT_HUMAN_WEIGHT:
    case WAIT_DONE:
        return turn->state->why[0] != '\0' ? turn->state->why : NULL;
    default:
        return NULL;
    }
}

void turn_explain(struct rollout_turn *turn)
{
    enum rollout_wait wait = turn->decision->wait;
    if (wait == WAIT_NONE)
        return;
    struct buffer text = {0};
    put_place(&text, turn);
    if (wait == WAIT_MOVE)
        buffer_printf(&text, "on its way to %g %%", turn->state->intended_bp / 100.0);
    else if (wait == WAIT_SLOW_START)
        buffer_printf(&text, "%s: %g %%", waits[wait].meaning, turn->state->grows_to_bp / 100.0);
    else if (wait == WAIT_TIME || wait == WAIT_REQUESTS)
        put_hold(&text, turn);
    else
        buffer_append_str(&text, waits[wait].meaning);
    const char *more = detail(turn);
    if (more != NULL)
        buffer_printf(&text, ": %s", more);
    snprintf(turn->decision->why, sizeof turn->decision->why, "%.*s", BYTES_ARG(buffer_bytes(&text)));
    buffer_deinit(&text);
}
