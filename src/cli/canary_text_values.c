/* SPDX-License-Identifier: Apache-2.0 */
/* canary_text_values.c: numbers, shares and times of a Canary, each as short as it may be without lying.  Pure. */
#include <math.h>
#include <string.h>

#include "cli/canary_text_internal.h"
#include "kube/api/canary.h"
#include "kube/apiserver/human_duration.h"

double tree_number(const json_t *tree, const char *path)
{
    const json_t *value = tree_at(tree, path);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool is_shown(double value)
{
    return isfinite(value) && value >= 0 && value < 1e15;
}

const char *show_percent(struct arena *arena, double percent)
{
    if (!is_shown(percent))
        return "";
    double hundredths = round(percent * 100);
    int decimals = fmod(hundredths, 100) == 0 ? 0 : fmod(hundredths, 10) == 0 ? 1 : 2;
    return arena_printf(arena, "%.*f%%", decimals, hundredths / 100);
}

const char *show_ms(struct arena *arena, double ms)
{
    if (!is_shown(ms))
        return "";
    if (ms >= 9999.5)
        return arena_printf(arena, "%.1fs", ms / 1000);
    return arena_printf(arena, "%.*fms", ms < 99.95 ? 1 : 0, ms);
}

const char *show_rate(struct arena *arena, double per_second)
{
    if (!is_shown(per_second))
        return "";
    return arena_printf(arena, "%.*f", per_second < 9.995 ? 2 : per_second < 99.95 ? 1 : 0, per_second);
}

/* Answers cost fractions of a hundredth: five digits that say something. */
const char *show_cost(struct arena *arena, double cost)
{
    if (!is_shown(cost))
        return "";
    return arena_printf(arena, "%.*f", cost >= 1 ? 4 : cost >= 0.001 ? 6 : 8, cost);
}

const char *show_count(struct arena *arena, double count)
{
    static const char suffixes[] = "kMGT";
    if (!is_shown(count))
        return "";
    if (count < 99999.5)
        return arena_printf(arena, "%.0f", count);
    unsigned suffix = 0;
    for (count /= 1000; count >= 999.95 && suffix + 1 < sizeof suffixes - 1; suffix++)
        count /= 1000;
    return arena_printf(arena, "%.1f%c", count, suffixes[suffix]);
}

static const char *hold_text(struct arena *arena, const struct canary_step *step)
{
    char duration[16];
    switch (step->hold) {
    case CANARY_HOLD_DURATION:
        human_duration((int64_t)step->hold_ms, duration);
        return arena_printf(arena, "when it was held for %s", duration);
    case CANARY_HOLD_REQUESTS:
        return arena_printf(arena, "when %llu requests were judged", (unsigned long long)step->hold_requests);
    case CANARY_HOLD_APPROVAL:
        return "when somebody promotes it";
    }
    return "";
}

static const char *next_of(struct arena *arena, const struct canary_spec *spec, double index)
{
    if (!(index >= 0) || index > spec->step_count)
        return "";
    unsigned now = (unsigned)index;
    double next = now < spec->step_count ? spec->steps[now].weight_bp / 100.0 : 100;
    if (now == 0)
        return arena_printf(arena, "%s when it is warm", show_percent(arena, next));
    const char *judged = spec->analysis.is_enabled ? " and the verdict is pass" : "";
    return arena_printf(arena, "%s %s%s", show_percent(arena, next), hold_text(arena, &spec->steps[now - 1]), judged);
}

const char *show_next(struct arena *arena, const json_t *canary)
{
    static const char *const over[] = {"Completed", "Promoting", "RollingBack", "RolledBack", "Aborted", "Failed"};
    const char *phase = tree_text(canary, "status.phase");
    for (size_t i = 0; i < ARRAY_LEN(over); i++) {
        if (strcmp(phase, over[i]) == 0)
            return "";
    }
    struct problems problems;
    problems_init(&problems, arena);
    struct kube_object *object = kube_object_decode((json_t *)(uintptr_t)canary, &problems);
    const char *text = "";
    if (object != NULL && object->kind == KUBE_CANARY)
        text = next_of(arena, object->spec, tree_number(canary, "status.step.index"));
    kube_object_give_back(object);
    return text;
}
