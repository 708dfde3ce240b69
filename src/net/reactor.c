/* SPDX-License-Identifier: Apache-2.0 */
/* reactor.c: the event loop of one thread over epoll.
 *
 * Lists of work (tasks) are taken as a whole before they are run: what is scheduled by running them belongs to the next
 * turn, which then does not wait.  Knows nothing of sockets and protocols. */
#include "net/reactor.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/paced_set.h"

enum { BATCH = 256, NAME_SIZE = 32 };

struct signal_watch {
    struct reactor_watch watch; /* fd -1: no signals are wanted */
    void (*on_signal)(void *context, int signal, int pid);
    void *context;
};

struct reactor {
    int epoll_fd;
    uint64_t now_us;
    uint64_t now_ms;
    struct timer_wheel *wheel;
    struct mailbox *mailbox;
    struct reactor_watch mail_watch;
    bool has_mail;
    struct list tasks;
    struct list reclaims;
    struct signal_watch signals;
    struct paced_set paced;
    atomic_bool is_stopping; /* with reactor_stop(), any thread's */
    int batch_at;            /* the entry being dispatched; those behind it are still to come */
    int batch_len;
    struct epoll_event batch[BATCH];
    char name[NAME_SIZE];
};

static void read_clock(struct reactor *reactor)
{
    reactor->now_us = clock_now_us();
    reactor->now_ms = reactor->now_us / 1000;
}

static void note_mail(struct reactor_watch *watch, uint32_t events)
{
    (void)events;
    container_of(watch, struct reactor, mail_watch)->has_mail = true;
}

struct reactor *reactor_new(const char *name)
{
    struct reactor *reactor = calloc(1, sizeof(*reactor));
    if (reactor == NULL)
        abort();
    snprintf(reactor->name, sizeof(reactor->name), "%s", name);
    list_init(&reactor->tasks);
    list_init(&reactor->reclaims);
    atomic_init(&reactor->is_stopping, false);
    reactor_watch_init(&reactor->signals.watch, -1, NULL);
    reactor->paced.epoll_fd = -1;
    read_clock(reactor);
    reactor->wheel = wheel_new(reactor->now_ms);
    reactor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    reactor->mailbox = reactor->epoll_fd >= 0 ? mailbox_new() : NULL;
    if (reactor->mailbox == NULL)
        goto refused;
    reactor_watch_init(&reactor->mail_watch, mailbox_fd(reactor->mailbox), note_mail);
    int error = reactor_watch_set(reactor, &reactor->mail_watch, EPOLLIN);
    if (error == 0)
        return reactor;
    errno = -error;
refused:;
    int saved_errno = errno;
    reactor_free(reactor);
    errno = saved_errno;
    return NULL;
}

static void run_tasks(struct reactor *reactor)
{
    struct list taken;
    list_init(&taken);
    while (!list_is_empty(&reactor->tasks))
        list_push(&taken, list_pop(&reactor->tasks));
    while (!list_is_empty(&taken)) {
        struct reactor_task *task = LIST_ENTRY(list_pop(&taken), struct reactor_task, link);
        task->run(task);
    }
}

static void reclaim_all(struct reactor *reactor)
{
    while (!list_is_empty(&reactor->reclaims)) {
        struct reactor_reclaim *node = LIST_ENTRY(list_pop(&reactor->reclaims), struct reactor_reclaim, link);
        node->reclaim(node);
    }
}

/* Mail that was still under way is delivered (it may own memory), and what it closes is reclaimed. */
static void finish_work(struct reactor *reactor)
{
    mailbox_deliver_all(reactor->mailbox);
    run_tasks(reactor);
    reclaim_all(reactor);
    mailbox_deliver_all(reactor->mailbox);
    reclaim_all(reactor);
}

void reactor_free(struct reactor *reactor)
{
    if (reactor == NULL)
        return;
    if (reactor->mailbox != NULL)
        finish_work(reactor);
    if (reactor->signals.watch.fd >= 0)
        close(reactor->signals.watch.fd);
    mailbox_free(reactor->mailbox);
    wheel_free(reactor->wheel);
    paced_set_close(&reactor->paced);
    if (reactor->epoll_fd >= 0)
        close(reactor->epoll_fd);
    free(reactor);
}

const char *reactor_name(const struct reactor *reactor)
{
    return reactor->name;
}

static int wait_ms(const struct reactor *reactor, int max_wait_ms)
{
    if (!list_is_empty(&reactor->tasks) || !list_is_empty(&reactor->reclaims))
        return 0;
    uint64_t next_ms = wheel_next_ms(reactor->wheel);
    if (next_ms == UINT64_MAX)
        return max_wait_ms;
    uint64_t now_ms = clock_now_ms(); /* not the turn's time: dispatching it may have taken a while */
    uint64_t until_next_ms = next_ms > now_ms ? next_ms - now_ms : 0;
    int wait = until_next_ms < INT_MAX ? (int)until_next_ms : INT_MAX;
    return max_wait_ms >= 0 && max_wait_ms < wait ? max_wait_ms : wait;
}

/* Until paced events are due, where that is sooner.  Milliseconds are too coarse for that; kernels before 5.11 know no
 * others. */
static int wait_for_window(struct reactor *reactor, uint64_t most_us)
{
    struct timespec most = {.tv_sec = (time_t)(most_us / 1000000), .tv_nsec = (long)(most_us % 1000000) * 1000};
    long count = syscall(SYS_epoll_pwait2, (long)reactor->epoll_fd, reactor->batch, (long)BATCH, &most, NULL, 0L);
    if (count < 0 && errno == ENOSYS)
        count = syscall(SYS_epoll_pwait, (long)reactor->epoll_fd, reactor->batch, (long)BATCH,
                        (long)(most_us + 999) / 1000, NULL, 0L);
    return (int)count;
}

/* Not epoll_wait(), which is a point of cancellation: see net/tcp.c. */
static int wait_for_events(struct reactor *reactor, int most_ms)
{
    uint64_t due_us = reactor->paced.due_us;
    if (due_us != 0 && most_ms != 0) {
        uint64_t now_us = clock_now_us(), until_due_us = due_us > now_us ? due_us - now_us : 0;
        if (most_ms < 0 || until_due_us < (uint64_t)most_ms * 1000)
            return wait_for_window(reactor, until_due_us);
    }
    return (int)syscall(SYS_epoll_pwait, (long)reactor->epoll_fd, reactor->batch, (long)BATCH, (long)most_ms, NULL, 0L);
}

static void collect(struct reactor *reactor, int max_wait_ms)
{
    int count = wait_for_events(reactor, wait_ms(reactor, max_wait_ms));
    if (count < 0 && errno != EINTR) {
        log_error(reactor->name, "epoll_wait: %s", strerror(errno)); /* a bug of ours: nothing can go on */
        abort();
    }
    reactor->batch_len = count > 0 ? count : 0;
}

/* What the events to come will read is fetched while this one is handled, as far as the one before has fetched where it
 * lies. */
static void prefetch(const struct reactor *reactor)
{
    const struct epoll_event *next = &reactor->batch[reactor->batch_at + 1];
    if (reactor->batch_at + 2 < reactor->batch_len)
        __builtin_prefetch(next[1].data.ptr);
    const struct reactor_watch *watch = reactor->batch_at + 1 < reactor->batch_len ? next->data.ptr : NULL;
    if (watch == NULL || watch->hot == NULL)
        return;
    for (unsigned line = 0; line < 5; line++)
        __builtin_prefetch((const char *)watch->hot + line * CACHE_LINE);
}

static void dispatch(struct reactor *reactor)
{
    for (reactor->batch_at = 0; reactor->batch_at < reactor->batch_len; reactor->batch_at++) {
        struct epoll_event *event = &reactor->batch[reactor->batch_at];
        struct reactor_watch *watch = event->data.ptr;
        prefetch(reactor);
        if (watch != NULL)
            watch->on_event(watch, event->events);
    }
    reactor->batch_len = 0;
}

static void dispatch_paced(struct reactor *reactor)
{
    if (LIKELY(!paced_set_is_due(&reactor->paced, reactor->now_us)))
        return;
    reactor->batch_len = paced_set_collect(&reactor->paced, reactor->now_us, reactor->batch, BATCH);
    dispatch(reactor);
}

void reactor_turn(struct reactor *reactor, int max_wait_ms)
{
    collect(reactor, max_wait_ms);
    read_clock(reactor);
    dispatch(reactor);
    dispatch_paced(reactor);
    wheel_advance(reactor->wheel, reactor->now_ms);
    if (reactor->has_mail) {
        reactor->has_mail = false;
        mailbox_deliver_all(reactor->mailbox);
    }
    run_tasks(reactor);
    reclaim_all(reactor);
}

void reactor_run(struct reactor *reactor)
{
    while (!atomic_load_explicit(&reactor->is_stopping, memory_order_acquire))
        reactor_turn(reactor, -1);
    atomic_store_explicit(&reactor->is_stopping, false, memory_order_relaxed);
}

void reactor_stop(struct reactor *reactor)
{
    atomic_store_explicit(&reactor->is_stopping, true, memory_order_release);
    eventfd_write(mailbox_fd(reactor->mailbox), 1);
}

uint64_t reactor_now_ms(const struct reactor *reactor)
{
    return reactor->now_ms;
}

uint64_t reactor_now_us(const struct reactor *reactor)
{
    return reactor->now_us;
}

void reactor_watch_init(struct reactor_watch *watch, int fd,
                        void (*on_event)(struct reactor_watch *watch, uint32_t events))
{
    *watch = (struct reactor_watch){.fd = fd, .on_event = on_event};
}

static int set_of(const struct reactor *reactor, const struct reactor_watch *watch)
{
    return watch->is_paced ? reactor->paced.epoll_fd : reactor->epoll_fd;
}

int reactor_watch_set(struct reactor *reactor, struct reactor_watch *watch, uint32_t events)
{
    assert(events != 0);
    if (watch->events == events)
        return 0;
    struct epoll_event event = {.events = events, .data.ptr = watch};
    int operation = watch->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(set_of(reactor, watch), operation, watch->fd, &event) < 0)
        return -errno;
    watch->events = events;
    return 0;
}

void reactor_unwatch(struct reactor *reactor, struct reactor_watch *watch)
{
    if (watch->events == 0)
        return;
    epoll_ctl(set_of(reactor, watch), EPOLL_CTL_DEL, watch->fd, NULL);
    watch->events = 0;
    for (int i = reactor->batch_at + 1; i < reactor->batch_len; i++) {
        if (reactor->batch[i].data.ptr == watch)
            reactor->batch[i].data.ptr = NULL;
    }
}

int reactor_set_window(struct reactor *reactor, unsigned window_us)
{
    assert(reactor->paced.epoll_fd < 0);
    return window_us > 0 ? paced_set_open(&reactor->paced, reactor, window_us) : 0;
}

void reactor_pace(struct reactor *reactor, struct reactor_watch *watch, bool is_paced)
{
    if (reactor->paced.epoll_fd < 0 || watch->is_paced == is_paced)
        return;
    uint32_t events = watch->events;
    reactor_unwatch(reactor, watch);
    watch->is_paced = is_paced;
    if (events == 0)
        return;
    int error = reactor_watch_set(reactor, watch, events);
    if (error != 0) /* as in transport_watch(): its owner's timeout ends what it waits for */
        log_error(reactor->name, "epoll_ctl: %s", strerror(-error));
}

void reactor_timer_set(struct reactor *reactor, struct wheel_timer *timer, uint64_t delay_ms)
{
    uint64_t due_ms = delay_ms < UINT64_MAX - reactor->now_ms ? reactor->now_ms + delay_ms : UINT64_MAX;
    wheel_add(reactor->wheel, timer, due_ms);
}

void reactor_timer_cancel(struct reactor *reactor, struct wheel_timer *timer)
{
    wheel_cancel(reactor->wheel, timer);
}

void reactor_reclaim_later(struct reactor *reactor, struct reactor_reclaim *node)
{
    list_push(&reactor->reclaims, &node->link);
}

void reactor_task_init(struct reactor_task *task, void (*run)(struct reactor_task *self))
{
    task->run = run;
    list_init(&task->link);
}

void reactor_task_schedule(struct reactor *reactor, struct reactor_task *task)
{
    if (list_is_empty(&task->link))
        list_push(&reactor->tasks, &task->link);
}

void reactor_task_cancel(struct reactor_task *task)
{
    list_remove(&task->link);
}

struct mailbox *reactor_mailbox(struct reactor *reactor)
{
    return reactor->mailbox;
}

static void read_signals(struct reactor_watch *watch, uint32_t events)
{
    (void)events;
    struct signal_watch *signals = container_of(watch, struct signal_watch, watch);
    struct signalfd_siginfo info;
    while (read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        signals->on_signal(signals->context, (int)info.ssi_signo, (int)info.ssi_pid);
}

int reactor_watch_signals(struct reactor *reactor, const int *signals, unsigned count,
                          void (*on_signal)(void *context, int signal, int pid), void *context)
{
    assert(reactor->signals.watch.fd < 0);
    sigset_t set;
    sigemptyset(&set);
    for (unsigned i = 0; i < count; i++)
        sigaddset(&set, signals[i]);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    reactor->signals.on_signal = on_signal;
    reactor->signals.context = context;
    reactor_watch_init(&reactor->signals.watch, fd, read_signals);
    return reactor_watch_set(reactor, &reactor->signals.watch, EPOLLIN);
}
