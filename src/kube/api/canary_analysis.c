/* SPDX-License-Identifier: Apache-2.0 */
/* canary_analysis.c: decodes how a Canary is judged: guards with their limits, each in the unit of its metric. */
#include "kube/api/canary_internal.h"

#include <stdlib.h>
#include <string.h>

enum { GUARDS_MAX = 24, SAMPLES_MAX = 1000000, LIMIT_TEXT_MAX = 32 };
enum { INTERVAL_MIN_MS = 1000, INTERVAL_MAX_MS = 10 * 60 * 1000, WINDOW_MAX_MS = 24 * 60 * 60 * 1000 };
enum { INTERVAL_MS = 10 * 1000, WINDOW_MS = 5 * 60 * 1000, MIN_SAMPLES = 50, MAX_SLACK = 4 };

enum metric_unit { UNIT_SHARE, UNIT_TIME, UNIT_NUMBER, UNIT_MILLIONTHS };

static const struct metric {
    const char *name;
    enum metric_unit unit;
    bool is_at_least;
} metrics[] = {
#define X(id, name, unit, is_at_least) {name, UNIT_##unit, is_at_least},
    CANARY_METRICS(X)
#undef X
};

/* NULL when absent or unknown (reported). */
static const struct metric *decode_metric(struct field *item)
{
    const char *names[ARRAY_LEN(metrics) + 1] = {NULL};
    for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
        names[i] = metrics[i].name;
    int found = decode_enum(item, "metric", REQUIRED, names, -1);
    return found < 0 ? NULL : &metrics[found];
}

/* ---- figures ---- */

/* "0.5%" as a share; false when it is none. */
static bool parse_percent(const char *text, double *ret_share)
{
    size_t len = strlen(text);
    if (len < 2 || len > LIMIT_TEXT_MAX || text[len - 1] != '%' || strspn(text, "0123456789.") != len - 1 ||
        text[0] == '.')
        return false;
    char *end;
    *ret_share = strtod(text, &end) / 100;
    return *end == '%';
}

static bool decode_share(struct field *parent, const char *name, double *ret_figure)
{
    json_t *value = parent->value != NULL ? json_object_get(parent->value, name) : NULL;
    if (!field_has(parent, name))
        return false;
    if (json_is_string(value) && parse_percent(json_string_value(value), ret_figure)) {
        if (*ret_figure <= 1)
            return true;
        field_problem(parent, name, "Invalid", "must be at most 100%%");
        return false;
    }
    field_problem(parent, name, "Invalid", "must be a percentage such as 0.5%%");
    return false;
}

static bool decode_amount(struct field *parent, const char *name, double scale, double *ret_figure)
{
    if (!field_has(parent, name))
        return false;
    *ret_figure = decode_number(parent, name, OPTIONAL, 0, 1e9, 0) * scale;
    return true;
}

/* An absent one is false; so is a wrong one, which is reported. */
static bool decode_figure(struct field *parent, const char *name, const struct metric *metric, double *ret_figure)
{
    uint64_t ms;
    switch (metric->unit) {
    case UNIT_SHARE:
        return decode_share(parent, name, ret_figure);
    case UNIT_TIME:
        if (!decode_duration(parent, name, &ms))
            return false;
        *ret_figure = (double)ms * 1000;
        return true;
    case UNIT_NUMBER:
        return decode_amount(parent, name, 1, ret_figure);
    case UNIT_MILLIONTHS:
        return decode_amount(parent, name, 1e6, ret_figure);
    }
    return false;
}

/* ---- guards ---- */

static void decode_relative(struct field *item, const struct metric *metric, struct canary_guard *guard)
{
    const char *wanted = guard->is_at_least ? "decrease" : "increase";
    const char *other = guard->is_at_least ? "increase" : "decrease";
    struct field relative = decode_object(item, "relative", OPTIONAL);
    bool has_ratio = field_has(&relative, "ratio");
    guard->has_relative = relative.value != NULL;
    guard->ratio = decode_number(&relative, "ratio", OPTIONAL, 0.01, 100, 1);
    (void)decode_figure(&relative, wanted, metric, &guard->increase);
    if (guard->has_relative && !has_ratio && !field_has(&relative, wanted))
        field_problem(&relative, NULL, "Required", "must have ratio or %s", wanted);
    if (field_has(&relative, other))
        field_problem(&relative, other, "Invalid", "must not be given with direction %s; use %s",
                      guard->is_at_least ? "atLeast" : "atMost", wanted);
    if (guard->is_at_least && guard->ratio > 1 && metric->unit == UNIT_SHARE)
        field_problem(&relative, "ratio", "Invalid", "must be at most 1 for a share that must be as large as stable's");
    if (metric->unit == UNIT_SHARE && guard->increase >= 1)
        field_problem(&relative, wanted, "Invalid", "must be below 100%%");
    decode_end(&relative);
}

static void decode_absolute(struct field *item, const struct metric *metric, struct canary_guard *guard)
{
    guard->has_absolute = decode_figure(item, "absolute", metric, &guard->absolute);
    if (!guard->has_absolute)
        return;
    if (metric->unit == UNIT_SHARE && guard->absolute >= 1)
        field_problem(item, "absolute", "Invalid", "must be below 100%%");
    else if (guard->absolute <= 0 && (metric->unit != UNIT_SHARE || guard->is_at_least))
        field_problem(item, "absolute", "Invalid", "must be above 0");
}

static void decode_quantile(struct field *item, const struct metric *metric, struct canary_guard *guard)
{
    if (!field_has(item, "quantile"))
        return;
    if (metric->unit == UNIT_SHARE)
        field_problem(item, "quantile", "Invalid", "must not be given for %s, which is a share", metric->name);
    guard->quantile = decode_number(item, "quantile", OPTIONAL, 0.01, 0.999, 0);
}

static void decode_limits(struct field *item, const struct metric *metric, struct canary_guard *guard)
{
    static const char *const directions[] = {"atMost", "atLeast", NULL};
    guard->metric = metric->name;
    guard->is_at_least = decode_enum(item, "direction", OPTIONAL, directions, metric->is_at_least) == 1;
    decode_quantile(item, metric, guard);
    decode_relative(item, metric, guard);
    decode_absolute(item, metric, guard);
    if (item->value != NULL && !field_has(item, "relative") && !field_has(item, "absolute"))
        field_problem(item, NULL, "Required", "must have a limit: relative, absolute or both");
}

static void decode_guard(struct field *item, struct canary_guard *guard)
{
    static const char *const severities[] = {"rollback", "hold", NULL};
    static const char *const limits[] = {"direction", "quantile", "relative", "absolute", NULL};
    const struct metric *metric = decode_metric(item);
    guard->holds = decode_enum(item, "severity", OPTIONAL, severities, 0) == 1;
    if (metric != NULL)
        decode_limits(item, metric, guard);
    else /* what they should be depends on the metric */
        decode_kept(item, limits);
    decode_end(item);
}

static void decode_guards(struct field *object, struct canary_analysis *analysis)
{
    struct field list = decode_list(object, "guards", OPTIONAL, 1, GUARDS_MAX);
    analysis->guard_count = (unsigned)list.len;
    analysis->guards = ARENA_ARRAY(object->decoder->arena, struct canary_guard, list.len);
    for (size_t i = 0; i < list.len; i++) {
        struct field item = decode_item(&list, i);
        decode_guard(&item, &analysis->guards[i]);
    }
}

static uint64_t decode_time_span(struct field *object, const char *name, uint64_t min_ms, uint64_t max_ms,
                                 uint64_t fallback_ms)
{
    uint64_t ms;
    if (!decode_duration(object, name, &ms))
        return fallback_ms;
    if (ms >= min_ms && ms <= max_ms)
        return ms;
    field_problem(object, name, "Invalid", "must be %llus..%llus", (unsigned long long)min_ms / 1000,
                  (unsigned long long)max_ms / 1000);
    return fallback_ms;
}

void canary_decode_analysis(struct field *spec, struct canary_analysis *analysis)
{
    struct field object = decode_object(spec, "analysis", OPTIONAL);
    analysis->is_enabled = decode_bool(&object, "enabled", true);
    analysis->interval_ms = decode_time_span(&object, "interval", INTERVAL_MIN_MS, INTERVAL_MAX_MS, INTERVAL_MS);
    analysis->window_ms = decode_time_span(&object, "window", INTERVAL_MIN_MS, WINDOW_MAX_MS, WINDOW_MS);
    if (analysis->window_ms < analysis->interval_ms)
        field_problem(&object, "window", "Invalid", "must not be shorter than interval");
    analysis->min_samples = (unsigned)decode_int(&object, "minimumSamples", OPTIONAL, 1, SAMPLES_MAX, MIN_SAMPLES);
    analysis->max_slack = decode_number(&object, "maxSlack", OPTIONAL, 1, 100, MAX_SLACK);
    decode_guards(&object, analysis);
    decode_end(&object);
}
