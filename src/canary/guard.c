/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c: names, checks and texts of guards, and the guards that apply when none are given. */
#include "canary/guard.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

static const struct {
    const char *name;
    enum guard_kind kind;
    const char *unit;
} metrics[GUARD_METRIC_COUNT] = {
#define X(id, name, kind, unit, meaning) [GUARD_##id] = {name, GUARD_KIND_##kind, unit},
    GUARD_METRICS(X)
#undef X
};

/* Time to first token may be 25 % longer and tens of milliseconds on top, which nobody feels; decoding 10 % slower is
 * felt.  What says more about clients than about the arm only holds. */
static const struct guard defaults[] = {
    {.metric = GUARD_ERROR_RATE, .has_relative = true, .ratio = 1, .increase = 0.005},
    {.metric = GUARD_EMPTY_RATE, .has_relative = true, .ratio = 1, .increase = 0.01, .is_optional = true},
    {.metric = GUARD_TTFT, .quantile = 0.5, .has_relative = true, .ratio = 1.25, .increase = 10e3, .is_optional = true},
    {.metric = GUARD_TTFT,
     .quantile = 0.95,
     .has_relative = true,
     .ratio = 1.25,
     .increase = 20e3,
     .is_optional = true},
    {.metric = GUARD_TPOT, .quantile = 0.5, .has_relative = true, .ratio = 1.1, .is_optional = true},
    {.metric = GUARD_FINISH_LENGTH,
     .severity = SEVERITY_HOLD,
     .has_relative = true,
     .ratio = 1,
     .increase = 0.1,
     .is_optional = true},
    {.metric = GUARD_CLIENT_ERROR_RATE, .severity = SEVERITY_HOLD, .has_relative = true, .ratio = 1, .increase = 0.05},
    {.metric = GUARD_CANCELLED_RATE, .severity = SEVERITY_HOLD, .has_relative = true, .ratio = 1, .increase = 0.1},
};

const char *guard_metric_name(enum guard_metric metric)
{
    return metrics[metric].name;
}

bool guard_metric_of(const char *name, enum guard_metric *ret_metric)
{
    for (unsigned i = 0; i < GUARD_METRIC_COUNT; i++) {
        if (strcmp(name, metrics[i].name) == 0) {
            *ret_metric = (enum guard_metric)i;
            return true;
        }
    }
    return false;
}

enum guard_kind guard_metric_kind(enum guard_metric metric)
{
    return metrics[metric].kind;
}

const char *guard_severity_name(enum guard_severity severity)
{
    return severity == SEVERITY_ROLLBACK ? "rollback" : "hold";
}

bool guard_has_limit(const struct guard *guard, enum guard_limit limit)
{
    return limit == LIMIT_RELATIVE ? guard->has_relative : guard->has_absolute;
}

static bool is_share(const struct guard *guard)
{
    return metrics[guard->metric].kind != GUARD_KIND_VALUE;
}

static const char *check_relative(const struct guard *guard)
{
    if (!isfinite(guard->ratio) || guard->ratio <= 0)
        return "the ratio to stable must be above 0";
    if (!isfinite(guard->increase) || guard->increase < 0)
        return "the increase over stable must not be negative";
    if (is_share(guard) && guard->increase >= 1)
        return "an increase of 100 points or more can never be passed";
    if (guard->direction == GUARD_AT_LEAST && guard->ratio > 1 && is_share(guard))
        return "a share cannot be asked to be more than stable's";
    return NULL;
}

static const char *check_absolute(const struct guard *guard)
{
    if (!isfinite(guard->absolute) || guard->absolute < 0)
        return "the absolute limit must not be negative";
    if (is_share(guard) && guard->absolute >= 1)
        return "an absolute limit of a share must be below 100 %";
    if (guard->absolute <= 0 && (!is_share(guard) || guard->direction == GUARD_AT_LEAST))
        return "an absolute limit of 0 says nothing here";
    return NULL;
}

const char *guard_check(const struct guard *guard)
{
    if (guard->metric >= GUARD_METRIC_COUNT)
        return "there is no such metric";
    if (!guard->has_relative && !guard->has_absolute)
        return "a guard needs a limit, relative to stable or absolute";
    if (!(guard->quantile >= 0) || guard->quantile >= 1)
        return "a quantile lies between 0 and 1";
    if (is_share(guard) && guard->quantile > 0)
        return "a rate or share has no quantiles";
    const char *wrong = guard->has_relative ? check_relative(guard) : NULL;
    return wrong == NULL && guard->has_absolute ? check_absolute(guard) : wrong;
}

void guard_describe(const struct guard *guard, char text[48])
{
    const char *name = metrics[guard->metric].name;
    if (is_share(guard))
        snprintf(text, 48, "%s", name);
    else if (guard->quantile > 0)
        snprintf(text, 48, "%s p%g", name, guard->quantile * 100);
    else
        snprintf(text, 48, "%s mean", name);
}

void guard_format(const struct guard *guard, double figure, char text[32])
{
    const char *unit = metrics[guard->metric].unit;
    if (!isfinite(figure))
        snprintf(text, 32, "unknown");
    else if (is_share(guard))
        snprintf(text, 32, "%.*f %%", figure < 0.1 ? 2 : 1, figure * 100);
    else if (strcmp(unit, "ms") == 0)
        snprintf(text, 32, "%.*f ms", figure < 100e3 ? 1 : 0, figure / 1e3);
    else if (strcmp(unit, "millionths") == 0)
        snprintf(text, 32, "%.*f", figure < 1000 ? 8 : 6, figure / 1e6);
    else
        snprintf(text, 32, "%.*f", figure < 100 ? 1 : 0, figure);
}

unsigned guard_defaults(const struct guard **ret_guards)
{
    *ret_guards = defaults;
    return ARRAY_LEN(defaults);
}

struct guard guard_widen(const struct guard *guard, double slack)
{
    struct guard wider = *guard;
    bool is_margin = guard->direction == GUARD_AT_MOST ? guard->ratio > 1 : guard->ratio < 1;
    if (!guard->has_relative || slack <= 1)
        return wider;
    if (is_margin)
        wider.ratio = fmax(0.05, 1 + (guard->ratio - 1) * slack);
    wider.increase = guard->increase * slack;
    if (is_share(guard))
        wider.increase = fmin(wider.increase, fmax(guard->increase, 0.5));
    return wider;
}

double guard_allowed(const struct guard *guard, enum guard_limit limit, double stable_figure)
{
    if (limit == LIMIT_ABSOLUTE)
        return guard->absolute;
    double step = guard->direction == GUARD_AT_MOST ? guard->increase : -guard->increase;
    return guard->ratio * stable_figure + step;
}
