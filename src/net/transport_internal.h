/* SPDX-License-Identifier: Apache-2.0 */
/* transport_internal.h: what the transports over a socket share: the socket's watch, and how it is closed. */
#ifndef NET_TRANSPORT_INTERNAL_H
#define NET_TRANSPORT_INTERNAL_H

#include "net/transport.h"

enum { TRANSPORT_GONE_EVENTS = EPOLLRDHUP | EPOLLHUP | EPOLLERR };

/* ops, owner, owner_data, reactor and reclaim are set by the caller; reading is wanted.  Sets TCP_NODELAY. */
void transport_init(struct transport *transport, int fd,
                    void (*on_event)(struct reactor_watch *watch, uint32_t events));
/* The kernel asks from time to time whether the other host is still there. */
void transport_notice_death(int fd);
/* Asks for these events, 0 for none. */
void transport_watch(struct transport *transport, uint32_t events);
/* Calls on_peer_gone, and stops listening for that. */
void transport_tell_peer_gone(struct transport *transport);
/* What the socket's events mean to the owner: writable, readable or the peer is gone.  False: it waits for
 * nothing of what they say, and no more for room either. */
bool transport_tell_ready(struct transport *transport, uint32_t events);
/* Marks as closed, closes the descriptor and leaves the memory to the end of the turn. */
void transport_close_socket(struct transport *transport, bool reset);

#endif
