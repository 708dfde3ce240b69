/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.c: the transport over a plain TCP socket.  One owner, one thread; the struct needs nothing beyond
 * struct transport.
 *
 * epoll_ctl is called only when the wanted readiness changes.  EPOLLRDHUP stays registered while reading is paused, so
 * that a peer that leaves is noticed; once told, it is dropped, because level-triggered it would wake every turn. */
#include "net/transport_internal.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void tcp_update_watch(struct transport *transport)
{
    if (transport->closed || transport->connecting)
        return;
    uint32_t events = transport->peer_gone_told ? 0 : EPOLLRDHUP;
    if (transport->want_read)
        events |= EPOLLIN;
    if (transport->want_write)
        events |= EPOLLOUT;
    transport_watch(transport, events);
}

static void finish_connect(struct transport *transport)
{
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(transport->watch.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error != 0) {
        /* Still `connecting`, so that nothing watches the dead socket until its owner closes it. */
        reactor_unwatch(transport->reactor, &transport->watch);
        transport->owner->on_connected(transport, -error);
        return;
    }
    transport->connecting = false;
    transport->owner->on_connected(transport, 0);
    tcp_update_watch(transport);
}

static void on_event(struct reactor_watch *watch, uint32_t events)
{
    struct transport *transport = container_of(watch, struct transport, watch);
    if (transport->connecting) {
        finish_connect(transport);
        return;
    }
    bool is_told = transport_tell_ready(transport, events);
    if (!is_told && (events & (EPOLLHUP | EPOLLERR)) != 0)
        reactor_unwatch(transport->reactor, watch);
}

/* Not recv() and send(): those are points of cancellation, at which a program with threads pays for two atomics. */
static ssize_t raw_recv(long fd, void *data, size_t size)
{
    return syscall(SYS_recvfrom, fd, data, size, 0L, NULL, NULL);
}

static ssize_t raw_send(long fd, const struct iovec *pieces, int count)
{
    if (count == 1)
        return syscall(SYS_sendto, fd, pieces[0].iov_base, pieces[0].iov_len, (long)MSG_NOSIGNAL, NULL, 0L);
    struct msghdr message = {.msg_iov = (struct iovec *)pieces,
                             .msg_iovlen = (size_t)(count < IOV_MAX ? count : IOV_MAX)};
    return syscall(SYS_sendmsg, fd, &message, (long)MSG_NOSIGNAL);
}

static ssize_t tcp_recv(struct transport *transport, void *data, size_t size)
{
    for (;;) {
        ssize_t count = raw_recv(transport->watch.fd, data, size);
        if (LIKELY(count > 0))
            return count;
        if (count == 0 && size > 0) {
            transport->peer_gone_told = true; /* the owner knows now: pausing must not tell it again */
            return 0;
        }
        if (errno != EINTR)
            return -errno;
    }
}

static ssize_t tcp_sendv(struct transport *transport, const struct iovec *pieces, int count)
{
    assert(count > 0);
    for (;;) {
        ssize_t sent = raw_send(transport->watch.fd, pieces, count);
        if (LIKELY(sent >= 0))
            return sent;
        if (errno != EINTR)
            return -errno;
    }
}

static void reclaim(struct reactor_reclaim *self)
{
    free(container_of(self, struct transport, reclaim));
}

static void tcp_close(struct transport *transport, bool reset)
{
    if (!transport->closed)
        transport_close_socket(transport, reset);
}

static void tcp_shutdown_write(struct transport *transport)
{
    shutdown(transport->watch.fd, SHUT_WR);
}

static const struct transport_ops tcp_ops = {
    .recv = tcp_recv,
    .sendv = tcp_sendv,
    .close = tcp_close,
    .shutdown_write = tcp_shutdown_write,
    .update_watch = tcp_update_watch,
};

static struct transport *new_transport(struct reactor *reactor, int fd, const struct transport_owner *owner,
                                       void *owner_data)
{
    struct transport *transport = calloc(1, sizeof(*transport));
    if (transport == NULL)
        abort();
    *transport = (struct transport){
        .ops = &tcp_ops, .owner = owner, .owner_data = owner_data, .reactor = reactor, .reclaim.reclaim = reclaim};
    transport_init(transport, fd, on_event);
    return transport;
}

static int start_connect(struct transport *transport, const struct address *to)
{
    if (connect(transport->watch.fd, &to->sa.generic, to->len) < 0 && errno != EINPROGRESS && errno != EINTR)
        return -errno;
    return reactor_watch_set(transport->reactor, &transport->watch, EPOLLOUT | EPOLLRDHUP);
}

struct transport *tcp_connect(struct reactor *reactor, const struct address *to, const struct transport_owner *owner,
                              void *owner_data, int *ret_error)
{
    int fd = socket(to->sa.generic.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        *ret_error = -errno;
        return NULL;
    }
    struct transport *transport = new_transport(reactor, fd, owner, owner_data);
    transport_notice_death(fd);
    transport->connecting = true;
    int error = start_connect(transport, to);
    if (error != 0) {
        close(fd);
        free(transport);
        *ret_error = error;
        return NULL;
    }
    return transport;
}

struct transport *tcp_adopt(struct reactor *reactor, int fd, const struct transport_owner *owner, void *owner_data)
{
    struct transport *transport = new_transport(reactor, fd, owner, owner_data);
    int error = reactor_watch_set(reactor, &transport->watch, EPOLLIN | EPOLLRDHUP);
    if (error != 0) {
        close(fd);
        free(transport);
        errno = -error;
        return NULL;
    }
    return transport;
}
