/* SPDX-License-Identifier: Apache-2.0 */
/* paced_set.c: see paced_set.h. */
#include "net/paced_set.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static void on_watch(struct reactor_watch *watch, uint32_t events)
{
    (void)events;
    container_of(watch, struct paced_set, watch)->has_events = true;
}

int paced_set_open(struct paced_set *set, struct reactor *reactor, unsigned window_us)
{
    *set = (struct paced_set){.epoll_fd = epoll_create1(EPOLL_CLOEXEC), .window_us = window_us, .reactor = reactor};
    if (set->epoll_fd < 0)
        return -errno;
    reactor_watch_init(&set->watch, set->epoll_fd, on_watch);
    int error = reactor_watch_set(reactor, &set->watch, EPOLLIN);
    if (error != 0)
        paced_set_close(set);
    return error;
}

void paced_set_close(struct paced_set *set)
{
    if (set->epoll_fd >= 0)
        close(set->epoll_fd);
    set->epoll_fd = -1;
}

bool paced_set_is_due(const struct paced_set *set, uint64_t now_us)
{
    return set->has_events || (set->due_us != 0 && now_us >= set->due_us);
}

static void wait_for_window(struct paced_set *set, uint64_t due_us)
{
    set->due_us = due_us;
    reactor_unwatch(set->reactor, &set->watch);
}

static void wait_for_event(struct paced_set *set)
{
    set->due_us = 0;
    /* It was there before: for lack of kernel memory it may not come back, and is looked at by the clock then. */
    if (reactor_watch_set(set->reactor, &set->watch, EPOLLIN) != 0)
        set->due_us = set->looked_us + set->window_us;
}

int paced_set_collect(struct paced_set *set, uint64_t now_us, struct epoll_event *ret_events, int room)
{
    long found = syscall(SYS_epoll_pwait, (long)set->epoll_fd, ret_events, (long)room, 0L, NULL, 0L);
    int count = found > 0 ? (int)found : 0;
    bool is_dense = count > 0 && now_us - set->looked_us < 2ull * set->window_us;
    set->has_events = false;
    set->looked_us = now_us;
    if (count == room)
        wait_for_window(set, now_us); /* more may be there */
    else if (is_dense)
        wait_for_window(set, now_us + set->window_us);
    else
        wait_for_event(set);
    return count;
}
