/* SPDX-License-Identifier: Apache-2.0 */
/* tls_internal.h: what the files of TLS share: tls_server.c makes the context, tls_socket.c is OpenSSL's way to the
 * socket, tls.c the transport over both. */
#ifndef NET_TLS_INTERNAL_H
#define NET_TLS_INTERNAL_H

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <stdatomic.h>

#include "base/buffer.h"
#include "net/tls.h"

struct tls_server {
    SSL_CTX *context;
    BIO_METHOD *socket_method; /* outlives every BIO made with it: hence the count */
    uint32_t handshake_timeout_ms;
    atomic_uint users; /* the creator and every transport */
};

enum { TLS_FIRST_BYTES = 5 };

struct tls_socket {
    int fd;
    int error;            /* -errno of the last failure, 0 for none */
    bool is_dry;          /* the last read found nothing; cleared by who reads */
    bool is_at_end;       /* FIN came */
    bool is_shut;         /* FIN was sent: what OpenSSL still wants to say (new keys, alerts) is dropped */
    struct buffer unsent; /* sealed, and not taken by the kernel yet */
    uint8_t first_len;
    char first[TLS_FIRST_BYTES]; /* what the peer said first */
};

BIO_METHOD *tls_socket_method_new(void);
/* NULL when there is no memory.  The socket must live as long as the BIO. */
BIO *tls_socket_bio_new(const BIO_METHOD *method, struct tls_socket *socket);
/* 0 when nothing is unsent any more, -EAGAIN, other -errno. */
int tls_socket_flush(struct tls_socket *socket);
bool tls_socket_speaks_http(const struct tls_socket *socket);
/* Tells a client that it forgot TLS, and ends the stream. */
void tls_socket_answer_http(const struct tls_socket *socket);

#endif
