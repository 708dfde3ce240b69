/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h: TLS 1.2 and 1.3 as a transport, on either side.
 *
 * A tls_server or tls_trust is immutable, any number of threads and transports may use one; a transport belongs to one
 * thread, as every transport.  No client certificates, no renegotiation, no early data; a server's sessions are resumed
 * by tickets. */
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

/* Whose servers a client believes to be who they say. */
struct tls_trust;

/* authorities_pem: certificates; empty: those that the system trusts.  NULL with a sentence in error. */
struct tls_trust *tls_trust_new(struct bytes authorities_pem, char error[300]);
/* Open transports keep what they need. */
void tls_trust_free(struct tls_trust *trust);

/* As tcp_connect(): on_connected comes after the handshake.  name: the host name or IP address that the server's
 * certificate must have; borrowed for the call.  A handshake that fails is told with -EKEYREJECTED when the certificate
 * is not to be trusted, -ETIMEDOUT after 10 s, -EPROTO otherwise. */
struct transport *tls_connect(struct reactor *reactor, const struct address *to, struct tls_trust *trust,
                              const char *name, const struct transport_owner *owner, void *owner_data, int *ret_error);

#endif
