/* SPDX-License-Identifier: Apache-2.0 */
/* timer_wheel.c: a due time is written in base 64; a timer sits on the level of the highest digit in which its due time
 * differs from the wheel's present, in the slot of that digit.  One owner, one thread, no clock.
 *
 * Whenever the present enters a slot above level 0, the timers of that slot move down, keeping their order.  All levels
 * below are empty at that moment, and nothing can be armed straight into them before: this is why ties run in order of
 * arming.  Eleven levels cover 64 bits, so no due time is out of range. */
#include "net/timer_wheel.h"

#include <assert.h>
#include <stdlib.h>

enum { DIGIT_BITS = 6, SLOTS = 1 << DIGIT_BITS, LEVELS = (64 + DIGIT_BITS - 1) / DIGIT_BITS };

struct level {
    uint64_t occupied; /* a bit per slot that is not empty */
    struct list slots[SLOTS];
};

struct timer_wheel {
    uint64_t now_ms;
    struct list overdue;  /* armed when due already; sorted by due time */
    uint16_t busy_levels; /* a bit per level with an occupied slot */
    struct level levels[LEVELS];
};

struct position {
    unsigned level;
    unsigned slot;
};

struct timer_wheel *wheel_new(uint64_t now_ms)
{
    struct timer_wheel *wheel = calloc(1, sizeof(*wheel));
    if (wheel == NULL)
        abort();
    wheel->now_ms = now_ms;
    list_init(&wheel->overdue);
    for (unsigned level = 0; level < LEVELS; level++) {
        for (unsigned slot = 0; slot < SLOTS; slot++)
            list_init(&wheel->levels[level].slots[slot]);
    }
    return wheel;
}

/* Leaves every timer of the list disarmed. */
static void disarm_all(struct list *timers)
{
    while (!list_is_empty(timers))
        list_pop(timers);
}

void wheel_free(struct timer_wheel *wheel)
{
    if (wheel == NULL)
        return;
    disarm_all(&wheel->overdue);
    for (unsigned level = 0; level < LEVELS; level++) {
        for (unsigned slot = 0; slot < SLOTS; slot++)
            disarm_all(&wheel->levels[level].slots[slot]);
    }
    free(wheel);
}

void wheel_timer_init(struct wheel_timer *timer, void (*on_due)(struct wheel_timer *timer))
{
    *timer = (struct wheel_timer){.on_due = on_due};
    list_init(&timer->link);
}

bool wheel_timer_is_armed(const struct wheel_timer *timer)
{
    return !list_is_empty(&timer->link);
}

static struct position position_of(const struct timer_wheel *wheel, uint64_t due_ms)
{
    uint64_t differing = due_ms ^ wheel->now_ms;
    unsigned level = differing == 0 ? 0 : (unsigned)(63 - __builtin_clzll(differing)) / DIGIT_BITS;
    return (struct position){.level = level, .slot = (unsigned)(due_ms >> (level * DIGIT_BITS)) % SLOTS};
}

static void mark_occupied(struct timer_wheel *wheel, struct position at)
{
    wheel->levels[at.level].occupied |= UINT64_C(1) << at.slot;
    wheel->busy_levels = (uint16_t)(wheel->busy_levels | 1U << at.level);
}

static void mark_empty(struct timer_wheel *wheel, struct position at)
{
    struct level *level = &wheel->levels[at.level];
    level->occupied &= ~(UINT64_C(1) << at.slot);
    if (level->occupied == 0)
        wheel->busy_levels = (uint16_t)(wheel->busy_levels & ~(1U << at.level));
}

static void place(struct timer_wheel *wheel, struct wheel_timer *timer)
{
    struct position at = position_of(wheel, timer->due_ms);
    list_push(&wheel->levels[at.level].slots[at.slot], &timer->link);
    mark_occupied(wheel, at);
}

/* Behind the last one that is due no later: nearly always the tail. */
static void place_overdue(struct timer_wheel *wheel, struct wheel_timer *timer)
{
    struct list *after = wheel->overdue.prev;
    while (after != &wheel->overdue && LIST_ENTRY(after, struct wheel_timer, link)->due_ms > timer->due_ms)
        after = after->prev;
    list_push_front(after, &timer->link);
}

void wheel_add(struct timer_wheel *wheel, struct wheel_timer *timer, uint64_t due_ms)
{
    wheel_cancel(wheel, timer);
    timer->due_ms = due_ms;
    if (due_ms <= wheel->now_ms)
        place_overdue(wheel, timer);
    else
        place(wheel, timer);
}

void wheel_cancel(struct timer_wheel *wheel, struct wheel_timer *timer)
{
    if (!wheel_timer_is_armed(timer))
        return;
    list_remove(&timer->link);
    if (timer->due_ms <= wheel->now_ms)
        return; /* was overdue, or is being run by wheel_advance() */
    struct position at = position_of(wheel, timer->due_ms);
    if (list_is_empty(&wheel->levels[at.level].slots[at.slot]))
        mark_empty(wheel, at);
}

/* Moves everything to another, empty list. */
static void list_move_all(struct list *from, struct list *to)
{
    list_init(to);
    if (list_is_empty(from))
        return;
    *to = *from;
    to->next->prev = to;
    to->prev->next = to;
    list_init(from);
}

static void run_all(struct list *timers)
{
    while (!list_is_empty(timers)) {
        struct wheel_timer *timer = LIST_ENTRY(list_pop(timers), struct wheel_timer, link);
        timer->on_due(timer);
    }
}

/* The first occupied slot; the earliest timer is in it because lower levels are nearer. */
static struct position first_occupied(const struct timer_wheel *wheel)
{
    unsigned level = (unsigned)__builtin_ctz(wheel->busy_levels);
    return (struct position){.level = level, .slot = (unsigned)__builtin_ctzll(wheel->levels[level].occupied)};
}

/* When the present enters the slot: on level 0 the due time itself. */
static uint64_t slot_start_ms(const struct timer_wheel *wheel, struct position at)
{
    unsigned shift = at.level * DIGIT_BITS;
    uint64_t above = at.level + 1 < LEVELS ? wheel->now_ms >> (shift + DIGIT_BITS) << (shift + DIGIT_BITS) : 0;
    return above | (uint64_t)at.slot << shift;
}

/* Timers of a slot of level 0 are due; others move down. */
static void enter_slot(struct timer_wheel *wheel, struct position at)
{
    struct list timers;
    list_move_all(&wheel->levels[at.level].slots[at.slot], &timers);
    mark_empty(wheel, at);
    if (at.level == 0) {
        run_all(&timers);
        return;
    }
    while (!list_is_empty(&timers))
        place(wheel, LIST_ENTRY(list_pop(&timers), struct wheel_timer, link));
}

void wheel_advance(struct timer_wheel *wheel, uint64_t now_ms)
{
    struct list overdue;
    list_move_all(&wheel->overdue, &overdue);
    run_all(&overdue);
    while (wheel->busy_levels != 0) {
        struct position at = first_occupied(wheel);
        uint64_t start_ms = slot_start_ms(wheel, at);
        if (start_ms > now_ms)
            break;
        assert(start_ms >= wheel->now_ms);
        wheel->now_ms = start_ms;
        enter_slot(wheel, at);
    }
    if (now_ms > wheel->now_ms)
        wheel->now_ms = now_ms;
}

uint64_t wheel_next_ms(const struct timer_wheel *wheel)
{
    if (!list_is_empty(&wheel->overdue))
        return LIST_ENTRY(wheel->overdue.next, struct wheel_timer, link)->due_ms;
    if (wheel->busy_levels == 0)
        return UINT64_MAX;
    return slot_start_ms(wheel, first_occupied(wheel));
}
