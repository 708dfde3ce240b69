/* SPDX-License-Identifier: Apache-2.0 */
/* timer_wheel.h: many timers, cheap to add and cancel: a hierarchy of wheels with 1 ms slots.  Pure: time is an
 * argument.  The caller embeds struct wheel_timer; an armed timer must be cancelled before its memory goes. */
#ifndef NET_TIMER_WHEEL_H
#define NET_TIMER_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct wheel_timer {
    struct list link;
    uint64_t due_ms;
    /* Runs once per arming, disarmed already, so it may arm itself again. */
    void (*on_due)(struct wheel_timer *timer);
};

struct timer_wheel;

struct timer_wheel *wheel_new(uint64_t now_ms);
void wheel_free(struct timer_wheel *wheel);
void wheel_timer_init(struct wheel_timer *timer, void (*on_due)(struct wheel_timer *timer));
bool wheel_timer_is_armed(const struct wheel_timer *timer);
/* Arms or re-arms.  A due time in the past runs at the next advance. */
void wheel_add(struct timer_wheel *wheel, struct wheel_timer *timer, uint64_t due_ms);
/* Harmless when not armed. */
void wheel_cancel(struct timer_wheel *wheel, struct wheel_timer *timer);
/* Runs everything due at or before now_ms, in order of due time (ties: in order of arming). */
void wheel_advance(struct timer_wheel *wheel, uint64_t now_ms);
/* The earliest moment worth waking up for (never later than the next due time); UINT64_MAX when nothing is armed. */
uint64_t wheel_next_ms(const struct timer_wheel *wheel);

#endif
