/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c: a Canary's spec and annotations as plans of the rollout and the analysis.  Pure. */
#include "control/canaries/plan.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/compiler.h"

/* What JSON readers of every language can hold exactly. */
#define REVISION_BITS ((UINT64_C(1) << 53) - 1)

static uint64_t add_word(uint64_t hash, const char *word)
{
    return XXH64(word, strlen(word) + 1, hash);
}

static uint64_t revision_of(const struct kube_object *canary)
{
    const struct canary_spec *spec = canary->spec;
    const char *revision = kube_labels_get(&canary->annotations, CANARY_REVISION_ANNOTATION);
    uint64_t hash = spec->target.kind;
    hash = add_word(hash, spec->target.name);
    hash = add_word(hash, spec->target.rule);
    hash = add_word(hash, spec->stable);
    hash = add_word(hash, spec->canary);
    hash = add_word(hash, revision != NULL ? revision : "");
    hash &= REVISION_BITS;
    return hash != 0 ? hash : 1;
}

static enum hold_kind hold_of(enum canary_hold hold)
{
    return hold == CANARY_HOLD_DURATION ? HOLD_TIME : hold == CANARY_HOLD_REQUESTS ? HOLD_REQUESTS : HOLD_APPROVAL;
}

void plan_rollout(const struct kube_object *canary, struct rollout_plan *ret_plan)
{
    const struct canary_spec *spec = canary->spec;
    *ret_plan = (struct rollout_plan){
        .step_count = spec->step_count,
        .revision = revision_of(canary),
        .holds_on_fail = spec->holds_on_failure,
        .is_unjudged = !spec->analysis.is_enabled,
        .is_suspended = spec->is_suspended,
        .max_slack = spec->analysis.max_slack,
        /* Of a pool; an adapter comes to servers that are warm. */
        .slow_start_ms = spec->target.kind == CANARY_HTTP_ROUTE ? spec->warmup.slow_start_ms : 0,
        .stall_ms = spec->warmup.timeout_ms,
    };
    for (unsigned i = 0; i < spec->step_count; i++) {
        const struct canary_step *step = &spec->steps[i];
        ret_plan->steps[i] = (struct rollout_step){
            .weight_bp = step->weight_bp,
            .hold = hold_of(step->hold),
            .hold_ms = step->hold_ms,
            .hold_requests = step->hold_requests,
        };
    }
}

unsigned plan_guards(const struct canary_spec *spec, struct guard ret_guards[ANALYSIS_GUARDS_MAX])
{
    const struct guard *defaults;
    unsigned count = guard_defaults(&defaults);
    if (spec->analysis.guard_count == 0) {
        memcpy(ret_guards, defaults, count * sizeof *defaults);
        return count;
    }
    count = 0;
    for (unsigned i = 0; i < spec->analysis.guard_count && count < ANALYSIS_GUARDS_MAX; i++) {
        const struct canary_guard *from = &spec->analysis.guards[i];
        struct guard guard = {
            .direction = from->is_at_least ? GUARD_AT_LEAST : GUARD_AT_MOST,
            .severity = from->holds ? SEVERITY_HOLD : SEVERITY_ROLLBACK,
            .quantile = from->quantile,
            .has_relative = from->has_relative,
            .ratio = from->ratio,
            .increase = from->increase,
            .has_absolute = from->has_absolute,
            .absolute = from->absolute,
        };
        if (guard_metric_of(from->metric, &guard.metric) && guard_check(&guard) == NULL)
            ret_guards[count++] = guard;
    }
    return count;
}

void plan_analysis(const struct canary_spec *spec, struct analysis_options *ret_options)
{
    analysis_default_options(ret_options);
    ret_options->min_samples = spec->analysis.min_samples;
}

struct plan_command plan_command(const struct kube_object *canary)
{
    const char *text = kube_labels_get(&canary->annotations, CANARY_COMMAND_ANNOTATION);
    const char *at = text != NULL ? strrchr(text, '@') : NULL;
    struct plan_command command = {.command = COMMAND_NONE};
    if (at == NULL)
        return command;
    struct bytes verb = bytes_make(text, (size_t)(at - text));
    command.id = strtoull(at + 1, NULL, 10);
    for (unsigned i = 1; i < COMMAND_COUNT; i++) {
        if (bytes_equal_str(verb, rollout_command_verb((enum rollout_command)i)))
            command.command = (enum rollout_command)i;
    }
    const char *cut = kube_labels_get(&canary->annotations, CANARY_CUT_ANNOTATION);
    command.cuts = command.command == COMMAND_ABORT && cut != NULL && strcmp(cut, at + 1) == 0;
    return command;
}
