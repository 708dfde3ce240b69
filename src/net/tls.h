/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h: the server side of TLS 1.2 and 1.3 as a transport.
 *
 * A tls_server is immutable, any number of threads and transports may use one; a transport belongs to one thread, as
 * every transport.  No client certificates, no renegotiation, no early data; sessions are resumed by tickets. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/bytes.h"
#include "net/transport.h"

struct tls_server;

struct tls_server_config {
    struct bytes chain_pem;        /* the server's certificate, then those that lead to its root */
    struct bytes key_pem;          /* without a password */
    uint32_t handshake_timeout_ms; /* 0: 10 s */
};

/* NULL with a sentence in error. */
struct tls_server *tls_server_new(const struct tls_server_config *config, char error[300]);
/* Open transports keep what they need. */
void tls_server_free(struct tls_server *server);

/* Takes an accepted, non-blocking descriptor, as tcp_adopt().  The owner hears nothing of a handshake that succeeds:
 * until then reading and sending say -EAGAIN.  Of one that fails or takes too long it hears as of any error: it is
 * readable and transport_recv() says -EPROTO.  A client that speaks HTTP without TLS was told so by then.
 * The end of the stream is close_notify or, as HTTP has lengths of its own, FIN alone. */
struct transport *tls_adopt(struct reactor *reactor, int fd, struct tls_server *server,
                            const struct transport_owner *owner, void *owner_data);

#endif
