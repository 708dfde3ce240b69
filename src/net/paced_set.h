/* SPDX-License-Identifier: Apache-2.0 */
/* paced_set.h: descriptors of a reactor whose events may wait a little for each other, so that what comes for many of
 * them is one wake-up.
 *
 * An epoll set of its own, looked at once per window while events are that dense; between rarer ones it is watched like
 * any descriptor, and they are told at once.  Part of the reactor; its thread only. */
#ifndef NET_PACED_SET_H
#define NET_PACED_SET_H

#include "net/reactor.h"

struct paced_set {
    int epoll_fd; /* -1: there is none, and nothing waits */
    unsigned window_us;
    struct reactor *reactor;
    struct reactor_watch watch; /* of epoll_fd, while it is watched */
    bool has_events;            /* the watch said so in this turn */
    uint64_t looked_us;         /* the last time */
    uint64_t due_us;            /* to be looked at then; 0: when the watch says so */
};

/* 0 or -errno. */
int paced_set_open(struct paced_set *set, struct reactor *reactor, unsigned window_us);
void paced_set_close(struct paced_set *set);
bool paced_set_is_due(const struct paced_set *set, uint64_t now_us);
/* Looks: what has come, at most `room` events. */
int paced_set_collect(struct paced_set *set, uint64_t now_us, struct epoll_event *ret_events, int room);

#endif
