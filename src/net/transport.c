/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c: see transport_internal.h.  Called when something changes, never per byte. */
#include "net/transport_internal.h"

#include <netinet/tcp.h>
#include <unistd.h>

#include "base/log.h"

/* A host that vanished without a word is noticed after 30 s: no other timer ends the wait for an answer.  No
 * TCP_USER_TIMEOUT: it would also end connections to a busy server that does not read for a while. */
enum { ALIVE_IDLE_S = 15, ALIVE_INTERVAL_S = 5, ALIVE_PROBES = 3 };

void transport_init(struct transport *transport, int fd, void (*on_event)(struct reactor_watch *watch, uint32_t events))
{
    transport->want_read = true;
    reactor_watch_init(&transport->watch, fd, on_event);
    transport->watch.hot = transport->owner_data;
    /* Answers and events are written whole: waiting for more only adds latency. */
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void transport_notice_death(int fd)
{
    int on = 1, idle_s = ALIVE_IDLE_S, interval_s = ALIVE_INTERVAL_S, probes = ALIVE_PROBES;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

void transport_watch(struct transport *transport, uint32_t events)
{
    if (events == 0) {
        /* The kernel reports EPOLLHUP and EPOLLERR whatever is asked for: only leaving ends that. */
        reactor_unwatch(transport->reactor, &transport->watch);
        return;
    }
    int error = reactor_watch_set(transport->reactor, &transport->watch, events);
    /* Only coming back after having left can fail, for lack of kernel memory: the peer is known to be gone by then, and
     * the owner's timeout ends what it still waits for. */
    if (error != 0)
        log_error(reactor_name(transport->reactor), "epoll_ctl: %s", strerror(-error));
}

void transport_tell_peer_gone(struct transport *transport)
{
    transport->peer_gone_told = true;
    if (transport->owner->on_peer_gone != NULL)
        transport->owner->on_peer_gone(transport);
    transport->ops->update_watch(transport);
}

bool transport_tell_ready(struct transport *transport, uint32_t events)
{
    if (transport->want_write && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
        transport->owner->on_writable(transport);
    if (transport->closed)
        return true;
    if (transport->want_read && (events & (EPOLLIN | TRANSPORT_GONE_EVENTS)) != 0) {
        transport->owner->on_readable(transport);
        return true;
    }
    if (!transport->want_read && (events & TRANSPORT_GONE_EVENTS) != 0 && !transport->peer_gone_told) {
        transport_tell_peer_gone(transport);
        return true;
    }
    return transport->want_write;
}

void transport_close_socket(struct transport *transport, bool reset)
{
    transport->closed = true;
    reactor_unwatch(transport->reactor, &transport->watch);
    if (reset) {
        struct linger none = {.l_onoff = 1, .l_linger = 0};
        setsockopt(transport->watch.fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    }
    close(transport->watch.fd);
    transport->watch.fd = -1;
    reactor_reclaim_later(transport->reactor, &transport->reclaim);
}
