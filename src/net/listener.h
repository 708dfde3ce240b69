/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h: a listening socket shared by the workers (EPOLLEXCLUSIVE), and each worker's hold on it.
 *
 * The socket is opened once by the control thread and counted; every worker accepts from the same queue, so a worker or
 * a configuration that goes away loses no queued connection.  Closing drains the queue first. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "net/address.h"
#include "net/reactor.h"

/* Shared, reference-counted (atomic). */
struct listen_socket;

/* Binds and listens (SO_REUSEADDR, backlog 4096 capped by the system; IPv6 takes no IPv4).  0 or -errno
 * (EADDRINUSE, EADDRNOTAVAIL, EACCES). */
int listen_socket_open(const struct address *at, struct listen_socket **ret_socket);
struct listen_socket *listen_socket_take(struct listen_socket *socket);
void listen_socket_give_back(struct listen_socket *socket);
const struct address *
listen_socket_address(const struct listen_socket *socket); /* with the port that the kernel gave */

/* One worker's accepting from one socket. */
struct listener;

struct listener_owner {
    /* fd is non-blocking and close-on-exec; the callee owns it. */
    void (*on_accept)(void *owner_data, int fd, const struct address *peer);
    /* EMFILE/ENFILE/ENOBUFS: accepting pauses 100 ms instead of spinning; told once per pause. */
    void (*on_accept_error)(void *owner_data, int error);
};

/* Takes its own count of the socket.  NULL with errno set when epoll refuses. */
struct listener *listener_start(struct reactor *reactor, struct listen_socket *socket,
                                const struct listener_owner *owner, void *owner_data);
/* Accepts what is queued already, then leaves; freed at the end of the turn. */
void listener_stop(struct listener *listener);

#endif
