/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c: listening sockets and each worker's accepting from them.
 *
 * A listen_socket is immutable but for its atomic count, so any thread may hold one.  A listener belongs to its
 * reactor's thread.  EPOLLEXCLUSIVE wakes one worker per connection, not all. */
#include "net/listener.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,
    UNSENT_BYTES = 128 * 1024,
    ACCEPTS_PER_EVENT = 16, /* then the turn's other descriptors get their time */
    PAUSE_MS = 100,
};

struct listen_socket {
    atomic_uint holders;
    int fd;
    struct address address;
};

struct listener {
    struct reactor *reactor;
    struct listen_socket *socket;
    const struct listener_owner *owner;
    void *owner_data;
    struct reactor_watch watch;
    struct wheel_timer resume;
    struct reactor_reclaim reclaim;
    bool is_stopped;
};

/* 0 or -errno. */
static int bind_and_listen(int fd, const struct address *at)
{
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -errno;
    /* [::]:80 and 0.0.0.0:80 are two listeners, whatever the system's default says. */
    if (at->sa.generic.sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
        return -errno;
    /* Connections inherit it.  Without it the kernel takes megabytes for each client that does not read. */
    int unsent = UNSENT_BYTES;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent)) < 0)
        return -errno;
    if (bind(fd, &at->sa.generic, at->len) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return 0;
}

int listen_socket_open(const struct address *at, struct listen_socket **ret_socket)
{
    int fd = socket(at->sa.generic.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int error = bind_and_listen(fd, at);
    if (error != 0) {
        close(fd);
        return error;
    }
    struct listen_socket *opened = calloc(1, sizeof(*opened));
    if (opened == NULL)
        abort();
    atomic_init(&opened->holders, 1);
    opened->fd = fd;
    opened->address.len = sizeof(opened->address.sa);
    getsockname(fd, &opened->address.sa.generic, &opened->address.len);
    *ret_socket = opened;
    return 0;
}

struct listen_socket *listen_socket_take(struct listen_socket *socket)
{
    atomic_fetch_add_explicit(&socket->holders, 1, memory_order_relaxed);
    return socket;
}

void listen_socket_give_back(struct listen_socket *socket)
{
    if (socket == NULL || atomic_fetch_sub_explicit(&socket->holders, 1, memory_order_acq_rel) > 1)
        return;
    close(socket->fd);
    free(socket);
}

const struct address *listen_socket_address(const struct listen_socket *socket)
{
    return &socket->address;
}

static int start_watching(struct listener *listener)
{
    return reactor_watch_set(listener->reactor, &listener->watch, EPOLLIN | EPOLLEXCLUSIVE);
}

static void pause_accepting(struct listener *listener)
{
    if (listener->is_stopped)
        return;
    reactor_unwatch(listener->reactor, &listener->watch);
    reactor_timer_set(listener->reactor, &listener->resume, PAUSE_MS);
}

static void resume_accepting(struct wheel_timer *timer)
{
    struct listener *listener = container_of(timer, struct listener, resume);
    if (start_watching(listener) != 0)
        pause_accepting(listener);
}

static bool is_out_of_resources(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* Whether to try for another one. */
static bool accept_one(struct listener *listener)
{
    struct address peer;
    peer.len = sizeof(peer.sa);
    int fd = accept4(listener->socket->fd, &peer.sa.generic, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        listener->owner->on_accept(listener->owner_data, fd, &peer);
        return true;
    }
    int error = errno;
    if (error == EAGAIN)
        return false;
    if (is_out_of_resources(error)) {
        pause_accepting(listener);
        listener->owner->on_accept_error(listener->owner_data, error);
        return false;
    }
    /* The others speak of one connection that died in the queue (accept(2)), not of the socket. */
    return true;
}

static void on_event(struct reactor_watch *watch, uint32_t events)
{
    (void)events;
    struct listener *listener = container_of(watch, struct listener, watch);
    for (int i = 0; i < ACCEPTS_PER_EVENT && !listener->is_stopped; i++) {
        if (!accept_one(listener))
            return;
    }
}

static void reclaim(struct reactor_reclaim *self)
{
    free(container_of(self, struct listener, reclaim));
}

struct listener *listener_start(struct reactor *reactor, struct listen_socket *socket,
                                const struct listener_owner *owner, void *owner_data)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL)
        abort();
    *listener = (struct listener){.reactor = reactor,
                                  .socket = listen_socket_take(socket),
                                  .owner = owner,
                                  .owner_data = owner_data,
                                  .reclaim.reclaim = reclaim};
    reactor_watch_init(&listener->watch, socket->fd, on_event);
    wheel_timer_init(&listener->resume, resume_accepting);
    int error = start_watching(listener);
    if (error == 0)
        return listener;
    listen_socket_give_back(listener->socket);
    free(listener);
    errno = -error;
    return NULL;
}

void listener_stop(struct listener *listener)
{
    assert(!listener->is_stopped);
    listener->is_stopped = true;
    reactor_unwatch(listener->reactor, &listener->watch);
    reactor_timer_cancel(listener->reactor, &listener->resume);
    /* Bounded by what can be queued: clients that keep coming must not hold us here. */
    for (int i = 0; i < BACKLOG && accept_one(listener); i++)
        continue;
    listen_socket_give_back(listener->socket);
    reactor_reclaim_later(listener->reactor, &listener->reclaim);
}
