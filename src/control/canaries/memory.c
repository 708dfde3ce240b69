/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c: a row per field of the state, for both directions. */
#include "control/canaries/memory.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/json_tree.h"

enum form { FORM_UNSIGNED, FORM_U64, FORM_BOOL };

static const struct field {
    const char *name;
    size_t offset;
    enum form form;
} fields[] = {
#define ROW(name, member, form)                                                                                        \
    {                                                                                                                  \
        name, offsetof(struct rollout_state, member), FORM_##form                                                      \
    }
    ROW("phaseSinceMs", phase_since_ms, U64),
    ROW("aborting", is_aborting, BOOL),
    ROW("approved", is_approved, BOOL),
    ROW("moving", is_moving, BOOL),
    ROW("step", step, UNSIGNED),
    ROW("confirmedBp", confirmed_bp, UNSIGNED),
    ROW("intendedBp", intended_bp, UNSIGNED),
    ROW("growsToBp", grows_to_bp, UNSIGNED),
    ROW("move", move, U64),
    ROW("stepBeganMs", step_began_ms, U64),
    ROW("stepRequests", step_requests, U64),
    ROW("baseRequests", base_requests, U64),
    ROW("epoch", epoch, UNSIGNED),
    ROW("lastCommand", last_command, U64),
    ROW("revision", revision, U64),
#undef ROW
};

static void *place_of(struct rollout_state *state, const struct field *field)
{
    return (char *)state + field->offset;
}

static bool read_field(const json_t *from, const struct field *field, struct rollout_state *state)
{
    const json_t *value = json_object_get(from, field->name);
    if (field->form == FORM_BOOL) {
        *(bool *)place_of(state, field) = json_is_true(value);
        return json_is_boolean(value);
    }
    uint64_t number = (uint64_t)json_integer_value(value);
    if (field->form == FORM_U64)
        *(uint64_t *)place_of(state, field) = number;
    else
        *(unsigned *)place_of(state, field) = (unsigned)number;
    return json_is_integer(value) && (field->form == FORM_U64 || number <= UINT32_MAX);
}

bool memory_read(const json_t *status, struct canary_memory *ret_memory)
{
    const json_t *from = json_object_get(status, "state");
    struct canary_memory memory = {0};
    bool is_whole = json_is_object(from);
    is_whole = is_whole && rollout_phase_of(tree_member_text(from, "phase"), &memory.rollout.phase);
    is_whole = is_whole && rollout_phase_of(tree_member_text(from, "resumesTo"), &memory.rollout.resumes_to);
    is_whole = is_whole && rollout_wait_of(tree_member_text(from, "cause"), &memory.rollout.cause);
    for (unsigned i = 0; i < ARRAY_LEN(fields) && is_whole; i++)
        is_whole = read_field(from, &fields[i], &memory.rollout);
    is_whole = is_whole && memory.rollout.step < ROLLOUT_STEPS_MAX;
    snprintf(memory.rollout.why, sizeof memory.rollout.why, "%s", tree_member_text(from, "why"));
    snprintf(memory.stable, sizeof memory.stable, "%s", tree_member_text(from, "stable"));
    *ret_memory = is_whole ? memory : (struct canary_memory){0};
    return is_whole;
}

json_t *memory_write(const struct canary_memory *memory)
{
    struct rollout_state state = memory->rollout;
    json_t *to = json_object();
    json_object_set_new(to, "phase", json_string(rollout_phase_name(state.phase)));
    json_object_set_new(to, "resumesTo", json_string(rollout_phase_name(state.resumes_to)));
    json_object_set_new(to, "cause", json_string(rollout_wait_reason(state.cause)));
    for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
        const struct field *field = &fields[i];
        const void *place = place_of(&state, field);
        json_object_set_new(to, field->name,
                            field->form == FORM_BOOL  ? json_boolean(*(const bool *)place)
                            : field->form == FORM_U64 ? json_integer((json_int_t) * (const uint64_t *)place)
                                                      : json_integer(*(const unsigned *)place));
    }
    json_object_set_new(to, "why", json_string(state.why));
    json_object_set_new(to, "stable", json_string(memory->stable));
    return to;
}

json_t *history_add(const json_t *history, uint64_t now_wall_ms, const char *event, const char *message,
                    unsigned weight_bp)
{
    json_t *next = json_is_array(history) ? json_copy((json_t *)(uintptr_t)history) : json_array();
    json_t *entry = json_object();
    char time[21];
    clock_rfc3339(now_wall_ms, time);
    json_object_set_new(entry, "time", json_string(time));
    json_object_set_new(entry, "event", json_string(event));
    json_object_set_new(entry, "message", json_string(message));
    json_object_set_new(entry, "weightPercent", json_real(weight_bp / 100.0));
    json_array_append_new(next, entry);
    while (json_array_size(next) > HISTORY_MAX)
        json_array_remove(next, 0);
    return next;
}
