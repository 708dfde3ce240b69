/* SPDX-License-Identifier: Apache-2.0 */
/* human_duration.c: the steps are those of every Kubernetes server, so that columns look alike.  Pure; any thread. */
#include "kube/apiserver/human_duration.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/compiler.h"

enum { MINUTE_S = 60, HOUR_S = 60 * MINUTE_S, DAY_S = 24 * HOUR_S, YEAR_S = 365 * DAY_S };

/* Below `limit_s` a duration is shown in `unit`s, with the rest in `minor` units when there is a minor one and the rest
 * is not 0. */
static const struct {
    int64_t limit_s;
    int unit_s, minor_s;
    char unit, minor;
} steps[] = {
    {2 * MINUTE_S, 1, 0, 's', 0},      {10 * MINUTE_S, MINUTE_S, 1, 'm', 's'},
    {3 * HOUR_S, MINUTE_S, 0, 'm', 0}, {8 * HOUR_S, HOUR_S, MINUTE_S, 'h', 'm'},
    {48 * HOUR_S, HOUR_S, 0, 'h', 0},  {8 * DAY_S, DAY_S, HOUR_S, 'd', 'h'},
    {2 * YEAR_S, DAY_S, 0, 'd', 0},    {8LL * YEAR_S, YEAR_S, DAY_S, 'y', 'd'},
    {INT64_MAX, YEAR_S, 0, 'y', 0},
};

void human_duration(int64_t ms, char text[16])
{
    int64_t seconds = ms / 1000;
    if (seconds < 0) {
        snprintf(text, 16, seconds < -1 ? "<invalid>" : "0s");
        return;
    }
    size_t i = 0;
    while (seconds >= steps[i].limit_s)
        i++;
    int whole = (int)(seconds / steps[i].unit_s); /* years at most: INT64_MAX milliseconds are 292 million */
    int rest = steps[i].minor_s != 0 ? (int)(seconds % steps[i].unit_s) / steps[i].minor_s : 0;
    int len = snprintf(text, 16, "%d%c", whole, steps[i].unit);
    if (rest != 0)
        snprintf(text + len, 16 - (size_t)len, "%d%c", rest, steps[i].minor);
}

void human_age(uint64_t then_ms, int64_t now_ms, char text[16])
{
    if (then_ms == 0)
        snprintf(text, 16, "<unknown>");
    else
        human_duration(now_ms - (int64_t)then_ms, text);
}
