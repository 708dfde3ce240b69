/* SPDX-License-Identifier: Apache-2.0 */
/* report.c: a member of the status per function.  Figures are rounded to what can be read: a status that says the same
 * is equal to the one before. */
#include "control/canaries/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "kube/api/canary.h"

static const char *const role_names[ARM_ROLES] = {[ARM_STABLE] = "stable", [ARM_CANARY] = "canary"};

static void set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, json_string(text));
}

static void set_count(json_t *object, const char *key, uint64_t count)
{
    json_object_set_new(object, key, json_integer((json_int_t)count));
}

/* Unknown figures are absent.  Whole numbers are written as such. */
static void set_figure(json_t *object, const char *key, double figure, double unit)
{
    double rounded = round(figure / unit) * unit;
    if (!isfinite(rounded))
        return;
    /* 0.1 has no exact double: the nearest one that prints short. */
    double scale = round(1 / unit);
    rounded = unit < 1 ? round(rounded * scale) / scale : rounded;
    json_object_set_new(object, key,
                        rounded == floor(rounded) ? json_integer((json_int_t)rounded) : json_real(rounded));
}

/* New requests go to stable: what is left of the canary's. */
static bool is_draining(const struct report_input *input)
{
    enum rollout_phase phase = input->memory->rollout.phase;
    bool is_back = phase == PHASE_ROLLING_BACK || phase == PHASE_ROLLED_BACK || phase == PHASE_ABORTED;
    return is_back && input->in_flight[ARM_CANARY] > 0;
}

void report_message(const struct report_input *input, char text[REPORT_MESSAGE_MAX])
{
    const struct rollout_state *state = &input->memory->rollout;
    /* Right after an event it does not wait for anything yet: what happened is what there is to say. */
    const char *why = input->decision->why[0] != '\0' ? input->decision->why : input->decision->event_text;
    if (!input->target->is_usable)
        snprintf(text, REPORT_MESSAGE_MAX, "%s: the target cannot be used: %s", why, input->target->problem);
    else if (state->phase == PHASE_PAUSED && state->cause == WAIT_HUMAN_WEIGHT && input->target->weights_by[0] != '\0')
        snprintf(text, REPORT_MESSAGE_MAX, "%s (last written by %s)", why, input->target->weights_by);
    else if (is_draining(input))
        snprintf(text, REPORT_MESSAGE_MAX, "%s; %u of its exchanges still run", why, input->in_flight[ARM_CANARY]);
    else
        snprintf(text, REPORT_MESSAGE_MAX, "%s", why);
}

static json_t *step(const struct report_input *input)
{
    const struct rollout_state *state = &input->memory->rollout;
    json_t *step = json_object();
    bool is_over = state->phase == PHASE_COMPLETED;
    bool has_begun = state->step_began_ms > 0 || state->is_moving;
    set_count(step, "index", is_over ? input->plan->step_count : has_begun ? state->step + 1 : 0);
    set_count(step, "count", input->plan->step_count);
    if (has_begun && !is_over)
        set_figure(step, "weightPercent", input->plan->steps[state->step].weight_bp / 100.0, 0.01);
    return step;
}

static json_t *share(const struct report_input *input)
{
    json_t *share = json_object();
    unsigned bp = input->target->is_usable ? input->target->weight_bp : input->memory->rollout.confirmed_bp;
    set_figure(share, "targetPercent", bp / 100.0, 0.01);
    set_figure(share, "requestsPercent", figures_request_share(input->figures), 0.1);
    set_figure(share, "tokensPercent", figures_token_share(input->figures), 0.1);
    return share;
}

static json_t *arm(const struct report_input *input, enum arm_role role)
{
    struct arm_figures sum;
    uint64_t span_ms;
    unsigned bp = input->target->is_usable ? input->target->weight_bp : input->memory->rollout.confirmed_bp;
    json_t *arm = json_object();
    figures_sum(input->figures, role, input->now_ms, &sum, &span_ms);
    set_text(arm, "role", role_names[role]);
    set_text(arm, "name", role == ARM_CANARY ? input->canary_name : input->stable_name);
    set_figure(arm, "weightPercent", (role == ARM_CANARY ? bp : ROLLOUT_ALL_BP - bp) / 100.0, 0.01);
    set_count(arm, "inFlight", input->in_flight[role]);
    set_count(arm, "requests", sum.seen);
    set_figure(arm, "requestsPerSecond", (double)sum.seen * 1000.0 / (double)span_ms, 0.1);
    set_figure(arm, "errorPercent", sum.judged > 0 ? 100.0 * (double)sum.failures / (double)sum.judged : NAN, 0.01);
    set_figure(arm, "ttftP50Ms", sum.ttft_us.count > 0 ? histogram_quantile(&sum.ttft_us, 0.5) / 1000 : NAN, 0.1);
    set_figure(arm, "ttftP95Ms", sum.ttft_us.count > 0 ? histogram_quantile(&sum.ttft_us, 0.95) / 1000 : NAN, 0.1);
    set_figure(arm, "tpotMs", sum.tpot_us.count > 0 ? histogram_mean(&sum.tpot_us) / 1000 : NAN, 0.1);
    set_count(arm, "promptTokens", sum.prompt_tokens);
    set_count(arm, "cachedTokens", sum.cached_tokens);
    set_count(arm, "outputTokens", sum.output_tokens);
    set_figure(arm, "costPerAnswer", sum.priced > 0 ? sum.cost_micros / 1e6 / (double)sum.priced : NAN, 1e-8);
    if (role == ARM_CANARY && input->overflowed > 0)
        set_count(arm, "overflowed", input->overflowed);
    return arm;
}

static json_t *arms(const struct report_input *input)
{
    json_t *list = json_array();
    json_array_append_new(list, arm(input, ARM_STABLE));
    json_array_append_new(list, arm(input, ARM_CANARY));
    return list;
}

static json_t *verdict(const struct analysis_report *report)
{
    json_t *verdict = json_object();
    char name[48] = "";
    if (report->decisive >= 0)
        guard_describe(report->guards[report->decisive].guard, name);
    set_text(verdict, "result", verdict_name(report->verdict));
    set_text(verdict, "guard", name);
    set_text(verdict, "reason", report->reason);
    return verdict;
}

static json_t *guard(const struct guard_report *report)
{
    json_t *guard = json_object();
    char name[48], figure[32];
    guard_describe(report->guard, name);
    set_text(guard, "name", name);
    set_text(guard, "severity", guard_severity_name(report->guard->severity));
    guard_format(report->guard, report->stable, figure);
    set_text(guard, "stable", figure);
    guard_format(report->guard, report->canary, figure);
    set_text(guard, "canary", figure);
    guard_format(report->guard, report->allowed, figure);
    set_text(guard, "limit", figure);
    set_text(guard, "verdict", verdict_name(report->verdict));
    return guard;
}

static json_t *guards(const struct analysis_report *report)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < report->guard_count; i++)
        json_array_append_new(list, guard(&report->guards[i]));
    return list;
}

/* Of the canary, since the step began. */
static json_t *excluded(const struct analysis_report *report)
{
    const struct arm_tally *tally = &report->tallies[ARM_CANARY];
    json_t *excluded = json_object();
    set_count(excluded, "cancelled", tally->outcomes[OUTCOME_CANCELLED]);
    set_count(excluded, "clientErrors", tally->outcomes[OUTCOME_CLIENT_ERROR]);
    set_count(excluded, "modelMissing", tally->outcomes[OUTCOME_MODEL_MISSING]);
    set_count(excluded, "warmup", tally->warmup);
    set_count(excluded, "retried", tally->retried);
    return excluded;
}

const char *report_reason(const struct canary_memory *memory, const struct rollout_decision *decision)
{
    const char *wait = rollout_wait_reason(decision->wait);
    return wait[0] != '\0' ? wait : rollout_phase_name(memory->rollout.phase);
}

static const char *reason_of(const struct report_input *input)
{
    return report_reason(input->memory, input->decision);
}

static const char *is_true(bool value)
{
    return value ? "True" : "False";
}

static const char *healthy(const struct report_input *input)
{
    enum rollout_phase phase = input->memory->rollout.phase;
    if (phase == PHASE_ROLLING_BACK || phase == PHASE_ROLLED_BACK || phase == PHASE_ABORTED || phase == PHASE_FAILED)
        return "False";
    if (input->analysis == NULL)
        return "Unknown";
    return input->analysis->verdict == VERDICT_FAIL   ? "False"
           : input->analysis->verdict == VERDICT_PASS ? "True"
                                                      : "Unknown";
}

static const json_t *former_condition(const json_t *former, const char *type)
{
    const json_t *list = json_object_get(former, "conditions");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(one, "type"));
        if (name != NULL && strcmp(name, type) == 0)
            return one;
    }
    return NULL;
}

static json_t *condition(const struct report_input *input, const char *type, const char *status, const char *reason,
                         const char *message)
{
    const json_t *former = former_condition(json_object_get(input->canary->tree, "status"), type);
    const char *was = json_string_value(json_object_get(former, "status"));
    const char *since = json_string_value(json_object_get(former, "lastTransitionTime"));
    char now[21];
    clock_rfc3339(input->now_wall_ms, now);
    json_t *condition = json_object();
    set_text(condition, "type", type);
    set_text(condition, "status", status);
    set_text(condition, "reason", reason);
    set_text(condition, "message", message);
    set_count(condition, "observedGeneration", input->canary->generation);
    set_text(condition, "lastTransitionTime", was != NULL && since != NULL && strcmp(was, status) == 0 ? since : now);
    return condition;
}

/* Only where somebody asked for pins. */
static json_t *pins_condition(const struct report_input *input)
{
    const struct rollout_state *state = &input->memory->rollout;
    const struct canary_pin *pin = &((const struct canary_spec *)input->canary->spec)->pin;
    char message[REPORT_MESSAGE_MAX];
    bool is_aborted = state->is_aborting || state->phase == PHASE_ABORTED;
    bool is_broken = input->pin_problem[0] != '\0';
    if (is_aborted)
        snprintf(message, sizeof message, "no pin counts: the release was aborted");
    else if (is_broken)
        snprintf(message, sizeof message, "no pin counts: %s", input->pin_problem);
    else
        snprintf(message, sizeof message, "the header %s chooses the arm of who knows the token of Secret %s/%s",
                 pin->header, input->canary->namespace_, pin->secret_name);
    return condition(input, "PinsReady", is_true(!is_aborted && !is_broken),
                     is_aborted  ? "Aborted"
                     : is_broken ? "TokenMissing"
                                 : "TokenFound",
                     message);
}

static json_t *conditions(const struct report_input *input, const char *message)
{
    enum rollout_phase phase = input->memory->rollout.phase;
    bool is_moving_on = rollout_phase_is_active(phase) && phase != PHASE_PAUSED && phase != PHASE_FAILED &&
                        phase != PHASE_HOLDING && !input->decision->is_stalled;
    json_t *list = json_array();
    const char *reason = reason_of(input);
    json_array_append_new(list, condition(input, "Progressing", is_true(is_moving_on), reason, message));
    json_array_append_new(list, condition(input, "Healthy", healthy(input), reason,
                                          input->analysis != NULL ? input->analysis->reason : "not judged"));
    json_array_append_new(list, condition(input, "Completed", is_true(phase == PHASE_COMPLETED), reason, message));
    if (input->pin_problem != NULL)
        json_array_append_new(list, pins_condition(input));
    return list;
}

static json_t *history(const struct report_input *input)
{
    const json_t *former = json_object_get(json_object_get(input->canary->tree, "status"), "history");
    const struct rollout_decision *decision = input->decision;
    if (decision->event == EVENT_NONE)
        return json_is_array(former) ? json_copy((json_t *)(uintptr_t)former) : json_array();
    return history_add(former, input->now_wall_ms, rollout_event_reason(decision->event), decision->event_text,
                       input->memory->rollout.confirmed_bp);
}

json_t *report_status(const struct report_input *input)
{
    char message[REPORT_MESSAGE_MAX];
    json_t *status = json_object();
    report_message(input, message);
    set_count(status, "observedGeneration", input->canary->generation);
    set_text(status, "phase", rollout_phase_name(input->memory->rollout.phase));
    set_text(status, "reason", reason_of(input));
    set_text(status, "message", message);
    json_object_set_new(status, "step", step(input));
    json_object_set_new(status, "share", share(input));
    json_object_set_new(status, "arms", arms(input));
    if (input->analysis != NULL) {
        json_object_set_new(status, "verdict", verdict(input->analysis));
        json_object_set_new(status, "guards", guards(input->analysis));
        json_object_set_new(status, "excluded", excluded(input->analysis));
    }
    json_object_set_new(status, "history", history(input));
    json_object_set_new(status, "state", memory_write(input->memory));
    json_object_set_new(status, "conditions", conditions(input, message));
    return status;
}
