/* SPDX-License-Identifier: Apache-2.0 */
/* reactor.h: one thread's event loop: epoll, timers, mail from other threads, deferred work.
 *
 * A turn is: wait, dispatch descriptors, run timers, take mail, run the deferred list, reclaim what was closed.
 * Everything here is called on the reactor's own thread, but reactor_mailbox() and reactor_stop(). */
#ifndef NET_REACTOR_H
#define NET_REACTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/list.h"
#include "net/mailbox.h"
#include "net/timer_wheel.h"

struct reactor;

/* A watched descriptor, embedded by its owner.  After reactor_unwatch() it gets no further callback, not even for an
 * event that was already collected in this turn. */
struct reactor_watch {
    int fd;
    uint32_t events; /* EPOLL* as registered; 0 = not watched */
    bool is_paced;   /* by reactor_pace() */
    const void *hot; /* what on_event reads first, about 300 bytes; NULL: nothing worth fetching early */
    void (*on_event)(struct reactor_watch *watch, uint32_t events);
};

/* Something to free at the end of the turn, when no callback up the stack can still hold it. */
struct reactor_reclaim {
    struct list link;
    void (*reclaim)(struct reactor_reclaim *self);
};

/* Something to do once at the end of the turn's dispatch (flush what was written): may be scheduled again from within.
 */
struct reactor_task {
    struct list link;
    void (*run)(struct reactor_task *self);
};

/* name: for logs and metrics ("worker 0").  NULL with errno when the kernel refuses. */
struct reactor *reactor_new(const char *name);
void reactor_free(struct reactor *reactor);
const char *reactor_name(const struct reactor *reactor);

/* Runs until reactor_stop(). */
void reactor_run(struct reactor *reactor);
/* One turn, waiting at most max_wait_ms (-1: for ever).  Unit tests drive the loop by this. */
void reactor_turn(struct reactor *reactor, int max_wait_ms);
/* From any thread and from signal handlers' mail; the loop ends after the present turn. */
void reactor_stop(struct reactor *reactor);

/* The time of this turn (monotonic), read once per wake-up. */
uint64_t reactor_now_ms(const struct reactor *reactor);
uint64_t reactor_now_us(const struct reactor *reactor);

void reactor_watch_init(struct reactor_watch *watch, int fd,
                        void (*on_event)(struct reactor_watch *watch, uint32_t events));
/* Registers, or changes the events; level-triggered unless EPOLLET is given.  0 or -errno. */
int reactor_watch_set(struct reactor *reactor, struct reactor_watch *watch, uint32_t events);
/* Harmless when not watched.  Does not close the descriptor. */
void reactor_unwatch(struct reactor *reactor, struct reactor_watch *watch);

/* Once, before anything is watched in earnest: the events of paced watches may wait so long for each other.  0 or
 * -errno. */
int reactor_set_window(struct reactor *reactor, unsigned window_us);
/* Events of the watch may wait from now on, or may not any more; those that are rarer than the window never do.
 * Without a window nothing changes. */
void reactor_pace(struct reactor *reactor, struct reactor_watch *watch, bool is_paced);

/* Arms relative to now. */
void reactor_timer_set(struct reactor *reactor, struct wheel_timer *timer, uint64_t delay_ms);
void reactor_timer_cancel(struct reactor *reactor, struct wheel_timer *timer);

void reactor_reclaim_later(struct reactor *reactor, struct reactor_reclaim *node);
void reactor_task_init(struct reactor_task *task, void (*run)(struct reactor_task *self));
/* Harmless when scheduled already. */
void reactor_task_schedule(struct reactor *reactor, struct reactor_task *task);
void reactor_task_cancel(struct reactor_task *task);

/* Where other threads post mail for this reactor. */
struct mailbox *reactor_mailbox(struct reactor *reactor);

/* Routes these signals (blocked in every thread by then) to on_signal through a signalfd.  0 or -errno. */
int reactor_watch_signals(struct reactor *reactor, const int *signals, unsigned count,
                          void (*on_signal)(void *context, int signal, int pid), void *context);

#endif
