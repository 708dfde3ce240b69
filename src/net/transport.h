/* SPDX-License-Identifier: Apache-2.0 */
/* transport.h: a byte stream under a protocol: plain TCP (tcp.c), or TLS behind the same face (tls.h).
 *
 * Non-blocking.  The owner hears of readiness through its callbacks and then calls recv/send.  One owner, one thread.
 */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "net/address.h"
#include "net/reactor.h"

struct transport;

struct transport_owner {
    /* Connected (client side only), or failed with -errno: nothing follows then, and the owner closes. */
    void (*on_connected)(struct transport *transport, int error);
    /* Bytes, end of stream or an error wait: call transport_recv(). */
    void (*on_readable)(struct transport *transport);
    void (*on_writable)(struct transport *transport);
    /* The peer has closed its side or reset while reading is paused (EPOLLRDHUP, EPOLLHUP, EPOLLERR); told once, and
     * not after transport_recv() has returned 0.  May be NULL. */
    void (*on_peer_gone)(struct transport *transport);
};

struct transport_ops {
    /* > 0 bytes; 0 end of stream; -EAGAIN; other -errno.  TLS: -EPROTO when there was no handshake, -EBADMSG when what
     * came later is broken. */
    ssize_t (*recv)(struct transport *transport, void *data, size_t size);
    /* > 0 bytes taken (may be fewer than offered); -EAGAIN; other -errno (-EPIPE, -ECONNRESET).  What was not taken
     * comes first, and whole, in the next call: TLS may have sealed it into a record already. */
    ssize_t (*sendv)(struct transport *transport, const struct iovec *pieces, int count);
    /* Frees at the end of the turn.  reset: RST instead of FIN, so that the peer knows that it was cut. */
    void (*close)(struct transport *transport, bool reset);
    /* Sends FIN, keeps reading (lingering close). */
    void (*shutdown_write)(struct transport *transport);
    /* want_read or want_write has changed. */
    void (*update_watch)(struct transport *transport);
};

struct transport {
    const struct transport_ops *ops;
    const struct transport_owner *owner; /* callbacks; the owner embeds or keeps the pointer it needs in owner_data */
    void *owner_data;
    struct reactor *reactor;
    struct reactor_watch watch;
    struct reactor_reclaim reclaim;
    bool want_read;
    bool want_write;
    bool connecting;
    bool closed;
    bool peer_gone_told;
};

/* Starts a connection; on_connected follows (never from inside this call).  NULL with -errno in *ret_error when it
 * cannot even start (on loopback a refusal may come at once). */
struct transport *tcp_connect(struct reactor *reactor, const struct address *to, const struct transport_owner *owner,
                              void *owner_data, int *ret_error);
/* Takes an accepted, non-blocking descriptor.  TCP_NODELAY is set.  NULL when the kernel refuses (fd closed then). */
struct transport *tcp_adopt(struct reactor *reactor, int fd, const struct transport_owner *owner, void *owner_data);

/* Which readiness is wanted; both cheap when unchanged.  Reading is wanted at first, writing is not. */
static inline void transport_want_read(struct transport *transport, bool want)
{
    if (transport->want_read == want)
        return;
    transport->want_read = want;
    transport->ops->update_watch(transport);
}

static inline void transport_want_write(struct transport *transport, bool want)
{
    if (transport->want_write == want)
        return;
    transport->want_write = want;
    transport->ops->update_watch(transport);
}

/* Readiness may be told a little later, together with others': see reactor_pace(). */
static inline void transport_pace(struct transport *transport, bool is_paced)
{
    if (!transport->closed)
        reactor_pace(transport->reactor, &transport->watch, is_paced);
}

static inline ssize_t transport_recv(struct transport *transport, void *data, size_t size)
{
    return transport->ops->recv(transport, data, size);
}

static inline ssize_t transport_sendv(struct transport *transport, const struct iovec *pieces, int count)
{
    return transport->ops->sendv(transport, pieces, count);
}

static inline void transport_close(struct transport *transport, bool reset)
{
    transport->ops->close(transport, reset);
}

static inline void transport_shutdown_write(struct transport *transport)
{
    transport->ops->shutdown_write(transport);
}

#endif
