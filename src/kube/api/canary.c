/* SPDX-License-Identifier: Apache-2.0 */
/* canary.c: decodes Canary: what it moves, in which steps, and what it asks for before and while it does.  How arms are
 * judged is in canary_analysis.c, what they cost in canary_prices.c, which requests stay together in
 * canary_stickiness.c. */
#include "kube/api/canary.h"

#include <string.h>

#include "kube/api/canary_arms.h"
#include "kube/api/canary_internal.h"
#include "kube/api/kinds.h"

enum { STEPS_MAX = 32, DEFAULT_HOLD_MS = 5 * 60 * 1000, RULES_MAX = 16, ARM_NAME_MAX = 256, ADAPTER_PATH_MAX = 1024 };

static const struct text_syntax arm_name_syntax = {.max_len = ARM_NAME_MAX};

enum { TARGET_KINDS = CANARY_MODEL_REWRITE + 1, TARGET_GROUPS_MAX = 2 };

/* A name, or the index of a rule, which YAML reads as a number. */
static const char *decode_rule(struct field *ref)
{
    json_t *value = ref->value != NULL ? json_object_get(ref->value, "rule") : NULL;
    if (!json_is_integer(value))
        return decode_text(ref, "rule", OPTIONAL, &syntax_dns_subdomain);
    int64_t index = decode_int(ref, "rule", OPTIONAL, 0, RULES_MAX - 1, 0);
    return arena_printf(ref->decoder->arena, "%lld", (long long)index);
}

static void decode_target_group(struct field *ref, struct canary_target *target)
{
    const enum kube_kind *kinds = canary_target_kinds(target->kind);
    const char *groups[TARGET_GROUPS_MAX + 1] = {NULL};
    for (unsigned i = 0; kinds[i] != KUBE_KIND_COUNT; i++)
        groups[i] = kube_kind_info(kinds[i])->group;
    /* Of several none is the default. */
    target->group = groups[1] == NULL ? groups[0] : "";
    if (field_has(ref, "group"))
        target->group = groups[decode_enum(ref, "group", OPTIONAL, groups, 0)];
}

static void decode_target(struct field *spec, struct canary_target *target)
{
    const char *kinds[TARGET_KINDS + 1] = {NULL};
    for (unsigned i = 0; i < TARGET_KINDS; i++)
        kinds[i] = kube_kind_info(canary_target_kinds((enum canary_target_kind)i)[0])->kind;
    struct field ref = decode_object(spec, "targetRef", REQUIRED);
    int kind = decode_enum(&ref, "kind", REQUIRED, kinds, -1);
    target->kind = kind < 0 ? CANARY_HTTP_ROUTE : (enum canary_target_kind)kind;
    if (kind < 0)
        target->group = decode_text(&ref, "group", OPTIONAL, &syntax_group);
    else
        decode_target_group(&ref, target);
    target->name = decode_text(&ref, "name", REQUIRED, &syntax_reference_name);
    target->rule = decode_rule(&ref);
    if (target->kind == CANARY_INFERENCE_MODEL && target->rule[0] != '\0')
        field_problem(&ref, "rule", "Invalid", "must not be given for kind InferenceModel, which has no rules");
    decode_end(&ref);
}

static void decode_arms(struct field *spec, struct canary_spec *canary)
{
    canary->stable = field_has(spec, "stable") ? decode_text(spec, "stable", OPTIONAL, &arm_name_syntax) : "";
    canary->canary = decode_text(spec, "canary", REQUIRED, &arm_name_syntax);
    if (canary->canary[0] != '\0' && strcmp(canary->stable, canary->canary) == 0)
        field_problem(spec, "canary", "Invalid", "must be another arm than stable");
}

/* ---- steps ---- */

static void decode_hold_object(struct field *item, struct canary_step *step)
{
    struct field hold = decode_object(item, "hold", OPTIONAL);
    bool has_duration = decode_duration(&hold, "duration", &step->hold_ms);
    bool has_requests = field_has(&hold, "requests"), has_approval = field_has(&hold, "approval");
    if (has_requests) {
        step->hold = CANARY_HOLD_REQUESTS;
        step->hold_requests = (uint64_t)decode_int(&hold, "requests", OPTIONAL, 1, 1000000000, 1);
    }
    if (has_approval) {
        step->hold = CANARY_HOLD_APPROVAL;
        if (!decode_bool(&hold, "approval", true))
            field_problem(&hold, "approval", "Invalid", "must be true; leave it out otherwise");
    }
    if (has_duration + has_requests + has_approval > 1)
        field_problem(&hold, NULL, "Invalid", "must have only one of duration, requests and approval");
    else if (hold.value != NULL && json_object_size(hold.value) == 0)
        field_problem(&hold, NULL, "Required", "must have one of duration, requests and approval");
    decode_end(&hold);
}

/* `hold: 10m` is short for `hold: {duration: 10m}`. */
static void decode_hold(struct field *item, struct canary_step *step)
{
    json_t *value = item->value != NULL ? json_object_get(item->value, "hold") : NULL;
    step->hold = CANARY_HOLD_DURATION;
    step->hold_ms = DEFAULT_HOLD_MS;
    if (!field_has(item, "hold"))
        return;
    if (json_is_string(value))
        (void)decode_duration(item, "hold", &step->hold_ms);
    else if (json_is_object(value))
        decode_hold_object(item, step);
    else
        field_problem(item, "hold", "TypeMismatch", "must be a duration such as 10m, or an object");
}

static void decode_step(struct field *item, struct canary_step *step)
{
    double percent = decode_number(item, "weight", REQUIRED, 0.01, 100, 0);
    double bp = percent * 100;
    step->weight_bp = (unsigned)(bp + 0.5);
    double rest = bp - step->weight_bp;
    if (rest > 1e-6 || rest < -1e-6)
        field_problem(item, "weight", "Invalid", "must have at most two decimals");
    decode_hold(item, step);
    decode_end(item);
}

/* Few requests first; what is doubled after that has been judged by many. */
static void default_steps(struct field *spec, struct canary_spec *canary)
{
    static const unsigned weights_bp[] = {100, 500, 2500, 5000};
    canary->step_count = ARRAY_LEN(weights_bp);
    canary->steps = ARENA_ARRAY(spec->decoder->arena, struct canary_step, canary->step_count);
    for (unsigned i = 0; i < canary->step_count; i++)
        canary->steps[i] = (struct canary_step){.weight_bp = weights_bp[i], .hold_ms = DEFAULT_HOLD_MS};
}

static void decode_steps(struct field *spec, struct canary_spec *canary)
{
    struct field list = decode_list(spec, "steps", OPTIONAL, 1, STEPS_MAX);
    canary->step_count = (unsigned)list.len;
    canary->steps = ARENA_ARRAY(spec->decoder->arena, struct canary_step, list.len);
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        decode_step(&item, &canary->steps[i]);
        unsigned former_bp = i > 0 ? canary->steps[i - 1].weight_bp : 0;
        if (i > 0 && canary->steps[i].weight_bp > 0 && canary->steps[i].weight_bp <= former_bp)
            field_problem(&item, "weight", "Invalid", "must be above %g, the weight of the step before",
                          former_bp / 100.0);
    }
    if (list.len == 0)
        default_steps(spec, canary);
}

/* ---- what must be there before the weight moves ---- */

static void decode_duration_or(struct field *parent, const char *name, uint64_t fallback_ms, uint64_t *ret_ms)
{
    if (!decode_duration(parent, name, ret_ms))
        *ret_ms = fallback_ms;
}

static void decode_warmup(struct field *spec, struct canary_warmup *warmup)
{
    enum { ENDPOINTS_MAX = 10000, TIMEOUT_MS = 10 * 60 * 1000, SLOW_START_MS = 30 * 1000 };
    static const struct text_syntax path = {.max_len = ADAPTER_PATH_MAX};
    struct field object = decode_object(spec, "warmup", OPTIONAL);
    warmup->endpoints = (unsigned)decode_int(&object, "endpoints", OPTIONAL, 1, ENDPOINTS_MAX, 0);
    decode_duration_or(&object, "timeout", TIMEOUT_MS, &warmup->timeout_ms);
    decode_duration_or(&object, "slowStart", SLOW_START_MS, &warmup->slow_start_ms);
    struct field adapter = decode_object(&object, "adapter", OPTIONAL);
    warmup->adapter_path = decode_text_or(&adapter, "path", &path, "");
    decode_end(&adapter);
    decode_end(&object);
}

static void decode_capacity(struct field *spec, struct canary_capacity *capacity)
{
    struct field object = decode_object(spec, "capacity", OPTIONAL);
    capacity->max_queue = decode_number(&object, "maxQueue", OPTIONAL, 0, 1000000, 5);
    capacity->max_kv_cache = decode_number(&object, "maxKvCache", OPTIONAL, 0, 1, 0.9);
    decode_end(&object);
}

const void *canary_decode(struct field *root, const struct kube_object *object)
{
    static const char *const on_failures[] = {"rollback", "hold", NULL};
    struct canary_spec *canary = ARENA_NEW(object->arena, struct canary_spec);
    struct field spec = decode_object(root, "spec", REQUIRED);
    decode_target(&spec, &canary->target);
    decode_arms(&spec, canary);
    decode_steps(&spec, canary);
    canary_decode_analysis(&spec, &canary->analysis);
    canary_decode_prices(&spec, canary);
    canary_decode_stickiness(&spec, canary, object);
    decode_warmup(&spec, &canary->warmup);
    decode_capacity(&spec, &canary->capacity);
    canary->holds_on_failure = decode_enum(&spec, "onFailure", OPTIONAL, on_failures, 0) == 1;
    canary->is_suspended = decode_bool(&spec, "suspend", false);
    decode_end(&spec);
    return canary;
}
