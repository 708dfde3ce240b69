/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c: the clocks of the kernel, and RFC 3339 text.  Any thread; no state. */
#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

static uint64_t read_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_now_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

uint64_t clock_now_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

void clock_rfc3339(uint64_t wall_ms, char text[21])
{
    const uint64_t end_of_9999 = 253402300799; /* a later year has five digits, which RFC 3339 cannot say */
    uint64_t seconds = wall_ms / 1000;
    time_t when = (time_t)(seconds < end_of_9999 ? seconds : end_of_9999);
    struct tm parts;
    gmtime_r(&when, &parts);
    strftime(text, 21, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

/* `count` digits with a value in [low, high], then moves on. */
static bool take_number(const char **text, int count, int low, int high, int *ret_value)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *text += count;
    *ret_value = value;
    return value >= low && value <= high;
}

static bool take_char(const char **text, const char *either)
{
    if (**text != either[0] && **text != either[1])
        return false;
    ++*text;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

static bool take_date(const char **text, struct tm *parts)
{
    int year, month, day;
    if (!take_number(text, 4, 0, 9999, &year) || !take_char(text, "--") || !take_number(text, 2, 1, 12, &month) ||
        !take_char(text, "--") || !take_number(text, 2, 1, days_in_month(year, month), &day))
        return false;
    parts->tm_year = year - 1900;
    parts->tm_mon = month - 1;
    parts->tm_mday = day;
    return true;
}

static bool take_time(const char **text, struct tm *parts)
{
    /* Second 60 is a leap second (RFC 3339 5.7); it counts as the next minute's first. */
    return take_number(text, 2, 0, 23, &parts->tm_hour) && take_char(text, "::") &&
           take_number(text, 2, 0, 59, &parts->tm_min) && take_char(text, "::") &&
           take_number(text, 2, 0, 60, &parts->tm_sec);
}

/* A missing fraction is 0 ms; more than three digits are cut. */
static bool take_fraction(const char **text, int *ret_ms)
{
    int scale = 100;
    *ret_ms = 0;
    if (**text != '.')
        return true;
    const char *first = ++*text;
    for (; **text >= '0' && **text <= '9'; ++*text, scale /= 10)
        *ret_ms += (**text - '0') * scale;
    return *text > first;
}

static bool take_offset(const char **text, int *ret_seconds)
{
    int hours, minutes;
    *ret_seconds = 0;
    if (take_char(text, "Zz"))
        return true;
    int sign = **text == '-' ? -1 : 1;
    if (!take_char(text, "+-") || !take_number(text, 2, 0, 23, &hours) || !take_char(text, "::") ||
        !take_number(text, 2, 0, 59, &minutes))
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

uint64_t clock_parse_rfc3339(const char *text)
{
    struct tm parts = {0};
    int ms, offset_s;
    if (text == NULL || !take_date(&text, &parts) || !take_char(&text, "Tt") || !take_time(&text, &parts) ||
        !take_fraction(&text, &ms) || !take_offset(&text, &offset_s) || *text != '\0')
        return 0;
    int64_t seconds = (int64_t)timegm(&parts) - offset_s;
    return seconds >= 0 ? (uint64_t)seconds * 1000 + (uint64_t)ms : 0;
}
