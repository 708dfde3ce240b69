/* SPDX-License-Identifier: Apache-2.0 */
/* decode_scalar.c: texts, numbers, enumerations, durations and times of decode.h. */
#include "kube/api/decode.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* The value when the field is given with the type that is wanted; else NULL, reported. */
static json_t *scalar(struct field *parent, const char *name, enum presence presence, json_type type,
                      const char *expected)
{
    if (!field_has(parent, name)) {
        if (presence == REQUIRED && parent->value != NULL)
            field_problem(parent, name, "Required", "required");
        return NULL;
    }
    json_t *value = json_object_get(parent->value, name);
    bool is_type = json_typeof(value) == type || (type == JSON_TRUE && json_is_false(value));
    if (!is_type)
        field_problem(parent, name, "TypeMismatch", "%s", expected);
    return is_type ? value : NULL;
}

static bool is_text_good(const struct field *field, const char *name, json_t *value, const struct text_syntax *syntax)
{
    return decode_check_text(field, name, bytes_make(json_string_value(value), json_string_length(value)), syntax);
}

static const char *text_field(struct field *parent, const char *name, enum presence presence,
                              const struct text_syntax *syntax, const char *fallback)
{
    json_t *value = scalar(parent, name, presence, JSON_STRING, "must be a string");
    return value != NULL && is_text_good(parent, name, value, syntax) ? json_string_value(value) : fallback;
}

const char *decode_text(struct field *parent, const char *name, enum presence presence,
                        const struct text_syntax *syntax)
{
    return text_field(parent, name, presence, syntax, "");
}

const char *decode_text_or(struct field *parent, const char *name, const struct text_syntax *syntax,
                           const char *fallback)
{
    return text_field(parent, name, OPTIONAL, syntax, fallback);
}

const char **decode_texts(struct field *parent, const char *name, size_t max, const struct text_syntax *syntax,
                          unsigned *ret_count)
{
    struct field list = decode_list(parent, name, OPTIONAL, 0, max);
    const char **texts = ARENA_ARRAY(parent->decoder->arena, const char *, list.len + 1);
    unsigned count = 0;
    for (size_t i = 0; i < list.len; i++) {
        struct field item = {.decoder = list.decoder, .parent = &list, .index = i};
        json_t *value = json_array_get(list.value, i);
        if (!json_is_string(value))
            field_problem(&item, NULL, "TypeMismatch", "must be a string");
        else if (is_text_good(&item, NULL, value, syntax))
            texts[count++] = json_string_value(value);
    }
    *ret_count = count;
    return texts;
}

int64_t decode_int(struct field *parent, const char *name, enum presence presence, int64_t min, int64_t max,
                   int64_t fallback)
{
    json_t *value = scalar(parent, name, presence, JSON_INTEGER, "must be an integer");
    if (value == NULL)
        return fallback;
    int64_t number = json_integer_value(value);
    if (number >= min && number <= max)
        return number;
    if (max == INT32_MAX || max == INT64_MAX)
        field_problem(parent, name, "Invalid", "must be %lld or more", (long long)min);
    else
        field_problem(parent, name, "Invalid", "must be %lld..%lld", (long long)min, (long long)max);
    return fallback;
}

double decode_number(struct field *parent, const char *name, enum presence presence, double min, double max,
                     double fallback)
{
    json_t *given = parent->value != NULL ? json_object_get(parent->value, name) : NULL;
    json_type type = json_is_integer(given) ? JSON_INTEGER : JSON_REAL;
    json_t *value = scalar(parent, name, presence, type, "must be a number");
    if (value == NULL)
        return fallback;
    double number = json_number_value(value);
    if (number >= min && number <= max)
        return number;
    field_problem(parent, name, "Invalid", "must be %.10g..%.10g", min, max);
    return fallback;
}

uint16_t decode_port(struct field *parent, const char *name, enum presence presence)
{
    return (uint16_t)decode_int(parent, name, presence, 1, UINT16_MAX, 0);
}

bool decode_port_or_name(struct field *parent, const char *name, enum presence presence, uint16_t *ret_port,
                         const char **ret_name)
{
    *ret_port = 0;
    *ret_name = "";
    json_t *value = parent->value != NULL ? json_object_get(parent->value, name) : NULL;
    if (json_is_string(value))
        *ret_name = decode_text(parent, name, presence, &syntax_port_name);
    else if (value == NULL || json_is_null(value) || json_is_integer(value))
        *ret_port = decode_port(parent, name, presence);
    else
        (void)scalar(parent, name, presence, JSON_STRING, "must be a port number or a port name");
    return *ret_port != 0 || (*ret_name)[0] != '\0';
}

bool decode_bool(struct field *parent, const char *name, bool fallback)
{
    json_t *value = scalar(parent, name, OPTIONAL, JSON_TRUE, "must be true or false");
    return value != NULL ? json_is_true(value) : fallback;
}

/* "A, B or C" */
static const char *enum_text(struct arena *arena, const char *const *names)
{
    const char *text = "";
    for (size_t i = 0; names[i] != NULL; i++) {
        const char *joint = i == 0 ? "" : names[i + 1] == NULL ? " or " : ", ";
        text = arena_printf(arena, "%s%s%s", text, joint, names[i][0] == '\0' ? "\"\"" : names[i]);
    }
    return text;
}

int decode_enum(struct field *parent, const char *name, enum presence presence, const char *const *names, int fallback)
{
    json_t *value = scalar(parent, name, presence, JSON_STRING, "must be a string");
    if (value == NULL)
        return fallback;
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(json_string_value(value), names[i]) == 0)
            return i;
    }
    field_problem(parent, name, "Invalid", "must be %s", enum_text(parent->decoder->problems->arena, names));
    return fallback;
}

bool decode_duration(struct field *parent, const char *name, uint64_t *ret_ms)
{
    *ret_ms = 0;
    json_t *value = scalar(parent, name, OPTIONAL, JSON_STRING, "must be a duration in quotes, such as \"30s\"");
    if (value == NULL)
        return false;
    if (kube_duration_ms(json_string_value(value), ret_ms))
        return true;
    field_problem(parent, name, "Invalid", "must be a duration such as 500ms, 30s or 1h30m");
    return false;
}

/* The part after the seconds: a fraction or none, then Z or an offset; answers with the offset in minutes. */
static bool parse_zone(const char *text, int *ret_minutes)
{
    if (*text == '.') {
        text++;
        if (*text < '0' || *text > '9')
            return false;
        text += strspn(text, "0123456789");
    }
    int hours, minutes, used = 0;
    if (strcmp(text, "Z") == 0) {
        *ret_minutes = 0;
        return true;
    }
    if ((*text != '+' && *text != '-') || sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || used != 5 ||
        text[6] != '\0' || hours > 23 || minutes > 59)
        return false;
    *ret_minutes = (*text == '-' ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

static bool parse_time(const char *text, uint64_t *ret_ms)
{
    struct tm tm = {0};
    int used = 0, zone_minutes;
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
               &tm.tm_sec, &used) != 6 ||
        used != 19 || strpbrk(text, "+ ") == text || !parse_zone(text + used, &zone_minutes))
        return false;
    bool is_in_range = tm.tm_year >= 1970 && tm.tm_mon >= 1 && tm.tm_mon <= 12 && tm.tm_mday >= 1 && tm.tm_mday <= 31 &&
                       tm.tm_hour >= 0 && tm.tm_hour <= 23 && tm.tm_min >= 0 && tm.tm_min <= 59 && tm.tm_sec >= 0 &&
                       tm.tm_sec <= 60;
    if (!is_in_range)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    time_t seconds = timegm(&tm) - (time_t)zone_minutes * 60;
    *ret_ms = seconds > 0 ? (uint64_t)seconds * 1000 : 0;
    return true;
}

uint64_t decode_time(struct field *parent, const char *name)
{
    json_t *value = scalar(parent, name, OPTIONAL, JSON_STRING, "must be a time, such as \"2025-01-31T12:00:00Z\"");
    uint64_t time_ms = 0;
    if (value != NULL && !parse_time(json_string_value(value), &time_ms))
        field_problem(parent, name, "Invalid", "must be an RFC 3339 time, such as 2025-01-31T12:00:00Z");
    return time_ms;
}
