/* SPDX-License-Identifier: Apache-2.0 */
/* behaviour.c: the table of behaviour keys, and reading and writing by it.
 *
 * A key is one row: adding one needs a field, its default and a row.  Pure. */
#include "sim/behaviour.h"

#include <stdio.h>
#include <stdlib.h>

const struct behaviour behaviour_defaults = {
    .ttft_us = 40000,
    .itl_us = 10000,
    .prefill_us = 200,
    .prefill_max_us = 5000000,
    .load_factor = 1,
    .error_code = 500,
    .max_waiting = 1000,
    .length = 40,
    .kv_blocks = 28000,
    .slow_count = BEHAVIOUR_OFF,
    .die_after_events = BEHAVIOUR_OFF,
    .die_after_bytes = BEHAVIOUR_OFF,
};

enum kind { DURATION, NUMBER, COUNT, OR_OFF /* a count, or off */, SWITCH };

struct key {
    const char *name;
    enum kind kind;
    size_t offset;
    double min, max; /* of NUMBER and the counts */
    const char *help;
};

#define AT(field)  offsetof(struct behaviour, field)
#define DAY_US     (86400.0 * 1e6)
#define MAX_COUNT  1e9
#define MAX_NUMBER 31 /* characters of a number */
#define NO_RANGE   0, 0

/* clang-format off */
static const struct key keys[] = {
    {"ttft",             DURATION, AT(ttft_us),             NO_RANGE,     "time to the first token"},
    {"ttft-std-dev",     DURATION, AT(ttft_std_dev_us),     NO_RANGE,     "its deviation (at most 70 % off)"},
    {"itl",              DURATION, AT(itl_us),              NO_RANGE,     "time between tokens"},
    {"itl-std-dev",      DURATION, AT(itl_std_dev_us),      NO_RANGE,     "its deviation (at most 70 % off)"},
    {"prefill",          DURATION, AT(prefill_us),          NO_RANGE,     "added to ttft per uncached prompt token"},
    {"prefill-max",      DURATION, AT(prefill_max_us),      NO_RANGE,     "most that prefill adds"},
    {"load-factor",      NUMBER,   AT(load_factor),         0.01, 1000,   "how much slower with all slots taken"},
    {"startup",          DURATION, AT(startup_us),          NO_RANGE,     "time before it listens (see --sim-speed)"},
    {"max-waiting",      COUNT,    AT(max_waiting),         0, MAX_COUNT, "queued sequences; beyond: 429"},
    {"length",           COUNT,    AT(length),              1, 1e6,       "mean chat answer without max_tokens"},
    {"kv-blocks",        COUNT,    AT(kv_blocks),           1, MAX_COUNT, "KV cache blocks of 16 tokens"},
    {"error-rate",       NUMBER,   AT(error_rate),          0, 1,         "share of answers that are error-code"},
    {"error-code",       COUNT,    AT(error_code),          400, 599,     "status of injected errors"},
    {"slow-first-token", DURATION, AT(slow_first_token_us), NO_RANGE,     "delays the first token of next requests"},
    {"slow-count",       OR_OFF,   AT(slow_count),          0, MAX_COUNT, "of how many requests (off: all)"},
    {"die-after-events", OR_OFF,   AT(die_after_events),    0, MAX_COUNT, "reset streams after so many content events"},
    {"die-after-bytes",  OR_OFF,   AT(die_after_bytes),     0, MAX_COUNT, "reset answers after so many body bytes"},
    {"batch",            SWITCH,   AT(batch),               NO_RANGE,     "1: times of a batching engine with a prefix cache"},
    {"empty",            SWITCH,   AT(empty),               NO_RANGE,     "answers have no tokens"},
    {"late-head",        SWITCH,   AT(late_head),           NO_RANGE,     "a stream's head waits for a token"},
    {"refuse",           SWITCH,   AT(refuse),              NO_RANGE,     "1 closes the port, 0 opens it again"},
    {"slow-metrics",     DURATION, AT(slow_metrics_us),     NO_RANGE,     "time before /metrics is answered"},
    {"freeze-metrics",   SWITCH,   AT(freeze_metrics),      NO_RANGE,     "/metrics does not change any more"},
    {"abort-on-sigterm", SWITCH,   AT(abort_on_sigterm),    NO_RANGE,     "SIGTERM cuts instead of draining"},
};
/* clang-format on */

static const struct key *find_key(struct bytes name)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (bytes_equal_str(name, keys[i].name))
            return &keys[i];
    return NULL;
}

static bool unknown_key(struct bytes name, char error[BEHAVIOUR_ERROR_SIZE])
{
    int used = snprintf(error, BEHAVIOUR_ERROR_SIZE, "unknown behaviour key \"%.*s\"; known are",
                        (int)(name.len < 40 ? name.len : 40), name.data);
    for (size_t i = 0; i < ARRAY_LEN(keys) && used < BEHAVIOUR_ERROR_SIZE; i++)
        used += snprintf(error + used, (size_t)(BEHAVIOUR_ERROR_SIZE - used), "%s %s", i > 0 ? "," : "", keys[i].name);
    return false;
}

static bool bad_value(const struct key *key, struct bytes value, const char *wanted, char error[BEHAVIOUR_ERROR_SIZE])
{
    snprintf(error, BEHAVIOUR_ERROR_SIZE, "%s=%.*s: want %s", key->name, (int)(value.len < 40 ? value.len : 40),
             value.data, wanted);
    return false;
}

/* Digits with at most one point: no sign, exponent, "inf" or "nan". */
static bool read_number(struct bytes text, double *ret_value)
{
    char copy[MAX_NUMBER + 1];
    unsigned points = 0, digits = 0;
    if (text.len == 0 || text.len > MAX_NUMBER)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '.')
            points++;
        else if (text.data[i] >= '0' && text.data[i] <= '9')
            digits++;
        else
            return false;
    }
    if (points > 1 || digits == 0)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *ret_value = strtod(copy, NULL);
    return true;
}

static bool read_duration(struct bytes text, uint64_t *ret_us)
{
    static const struct {
        struct bytes unit;
        double us;
    } units[] = {{{"us", 2}, 1}, {{"ms", 2}, 1000}, {{"s", 1}, 1e6}, {{"m", 1}, 60e6}};
    double number = 0;
    if (read_number(text, &number) && number == 0) {
        *ret_us = 0; /* the only number that needs no unit */
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (!bytes_ends_with(text, units[i].unit))
            continue;
        if (!read_number(bytes_make(text.data, text.len - units[i].unit.len), &number) || number * units[i].us > DAY_US)
            return false;
        *ret_us = (uint64_t)(number * units[i].us + 0.5);
        return true;
    }
    return false;
}

static bool read_switch(struct bytes text, bool *ret_on)
{
    bool on = bytes_equal_str(text, "1") || bytes_equal_str(text, "true") || bytes_equal_str(text, "on");
    if (!on && !bytes_equal_str(text, "0") && !bytes_equal_str(text, "false") && !bytes_equal_str(text, "off"))
        return false;
    *ret_on = on;
    return true;
}

static bool set_in_range(const struct key *key, void *field, struct bytes value, char error[BEHAVIOUR_ERROR_SIZE])
{
    double number = 0;
    char wanted[80];
    bool is_number = key->kind == NUMBER;
    if (key->kind == OR_OFF && bytes_equal_str(value, "off")) {
        *(int64_t *)field = BEHAVIOUR_OFF;
        return true;
    }
    bool ok = read_number(value, &number) && number >= key->min && number <= key->max;
    if (!ok || (!is_number && number != (double)(int64_t)number)) {
        snprintf(wanted, sizeof wanted, "%s from %.9g to %.9g%s", is_number ? "a number" : "a whole number", key->min,
                 key->max, key->kind == OR_OFF ? ", or off" : "");
        return bad_value(key, value, wanted, error);
    }
    if (is_number)
        *(double *)field = number;
    else
        *(int64_t *)field = (int64_t)number;
    return true;
}

bool behaviour_set(struct behaviour *behaviour, struct bytes name, struct bytes value, char error[BEHAVIOUR_ERROR_SIZE])
{
    const struct key *key = find_key(name);
    if (key == NULL)
        return unknown_key(name, error);
    void *field = (char *)behaviour + key->offset;
    if (key->kind == DURATION)
        return read_duration(value, field) ||
               bad_value(key, value, "a duration of at most a day with us, ms, s or m", error);
    if (key->kind == SWITCH)
        return read_switch(value, field) || bad_value(key, value, "0 or 1", error);
    return set_in_range(key, field, value, error);
}

bool behaviour_parse(struct behaviour *behaviour, struct bytes text, char error[BEHAVIOUR_ERROR_SIZE])
{
    struct behaviour next = *behaviour;
    while (text.len > 0) {
        size_t end = bytes_find(text, ',');
        struct bytes item = bytes_trim(bytes_make(text.data, end));
        text = bytes_skip(text, end < text.len ? end + 1 : end);
        if (item.len == 0)
            continue; /* "a=1,,b=2" and a comma at the end are no riddle */
        size_t equals = bytes_find(item, '=');
        if (equals == item.len) {
            snprintf(error, BEHAVIOUR_ERROR_SIZE, "\"%.*s\" is not key=value", (int)(item.len < 40 ? item.len : 40),
                     item.data);
            return false;
        }
        if (!behaviour_set(&next, bytes_trim(bytes_make(item.data, equals)), bytes_trim(bytes_skip(item, equals + 1)),
                           error))
            return false;
    }
    *behaviour = next;
    return true;
}

bool behaviour_is_duration(struct bytes name)
{
    const struct key *key = find_key(name);
    return key != NULL && key->kind == DURATION;
}

static void write_duration(struct json_writer *json, uint64_t us)
{
    char text[40];
    if (us % 1000 == 0)
        snprintf(text, sizeof text, "%llums", (unsigned long long)(us / 1000));
    else
        snprintf(text, sizeof text, "%lluus", (unsigned long long)us);
    jw_str(json, text);
}

void behaviour_write(const struct behaviour *behaviour, struct json_writer *json)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const void *field = (const char *)behaviour + keys[i].offset;
        jw_key(json, keys[i].name);
        if (keys[i].kind == DURATION)
            write_duration(json, *(const uint64_t *)field);
        else if (keys[i].kind == NUMBER)
            jw_double(json, *(const double *)field);
        else if (keys[i].kind == SWITCH)
            jw_bool(json, *(const bool *)field);
        else if (*(const int64_t *)field == BEHAVIOUR_OFF)
            jw_null(json);
        else
            jw_i64(json, *(const int64_t *)field);
    }
}

void behaviour_write_help(struct buffer *out)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        buffer_printf(out, "  %-18s %s\n", keys[i].name, keys[i].help);
}
