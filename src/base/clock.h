/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h: the only place that reads clocks.  Pure modules take the time as an argument instead. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Monotonic; never goes back. */
uint64_t clock_now_ms(void);
uint64_t clock_now_us(void);
/* Unix time. */
uint64_t clock_wall_ms(void);
/* RFC 3339 in UTC with seconds ("2026-01-02T03:04:05Z"); text has room for 21 bytes. */
void clock_rfc3339(uint64_t wall_ms, char text[21]);
/* The inverse, fractions allowed; 0 when text is not such a time. */
uint64_t clock_parse_rfc3339(const char *text);

#endif
