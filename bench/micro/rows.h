/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h: how the micro benchmarks of picking print: one line per figure, as bench/micro/run.py reads it. */
#ifndef BENCH_MICRO_ROWS_H
#define BENCH_MICRO_ROWS_H

#include <stdarg.h>
#include <stdio.h>

#include "base/compiler.h"

/* cold < 0: there is none. */
static inline void PRINTF_LIKE(4, 5) print_row(double warm, double cold, const char *unit, const char *format, ...)
{
    char name[120], text[32] = "-";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    if (cold >= 0)
        snprintf(text, sizeof text, "%.2f", cold);
    printf("%-60s  %-8s  %10.2f  %10s\n", name, unit, warm, text);
}

#endif
