/* SPDX-License-Identifier: Apache-2.0 */
/* tls_internal.h: what the files of TLS share: tls_context.c and tls_server.c make contexts, tls_socket.c is
 * OpenSSL's way to the socket, tls.c the transport over both, tls_connect.c the client side of it. */
#ifndef NET_TLS_INTERNAL_H
#define NET_TLS_INTERNAL_H

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <stdatomic.h>

#include "base/buffer.h"
#include "net/tls.h"
#include "net/transport.h"

/* What transports of one configuration share. */
struct tls_context {
    SSL_CTX *ssl;
    BIO_METHOD *socket_method; /* outlives every BIO made with it: hence the count */
    uint32_t handshake_timeout_ms;
    atomic_uint users; /* the creator and every transport */
};
/* The public faces of it. */
struct tls_server {
    struct tls_context context;
};
struct tls_trust {
    struct tls_context context;
};

enum { TLS_ERROR_SIZE = 300, TLS_PEM_MAX_BYTES = 1024 * 1024, TLS_HANDSHAKE_TIMEOUT_MS = 10 * 1000 };

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

struct tls_transport {
    struct transport transport;
    SSL *ssl;
    struct tls_context *context;
    struct tls_socket socket;
    struct wheel_timer handshake_timer;
    struct reactor_task task;
    size_t sealed_bytes; /* of the owner's, in a record that was begun to be sent, and not yet reported as taken */
    int error;           /* the connection is broken: -errno for every call from here on; 0 while it is not */
    bool is_dialling;    /* a client's TCP connection is not there yet */
    bool is_handshaking;
    bool is_ready;     /* transport_recv() has something to say whatever the socket does */
    bool is_read_over; /* close_notify or FIN */
};

/* tls_context.c */
/* False with a sentence; the context must be freed in any case. */
bool tls_context_init(struct tls_context *context, const SSL_METHOD *method, char error[TLS_ERROR_SIZE]);
void tls_context_take(struct tls_context *context);
/* Frees what contains it with the last user.  Accepts NULL. */
void tls_context_give_back(struct tls_context *context);
/* False; the sentence gets OpenSSL's own reason. */
bool tls_refuse(char error[TLS_ERROR_SIZE], const char *what);
/* NULL when it is empty or too long. */
BIO *tls_pem_open(struct bytes pem);
/* Nobody sits at the keyboard. */
int tls_no_password(char *data, int size, int is_writing, void *context);

/* tls.c */
/* Neither watched nor handshaking yet. */
struct tls_transport *tls_transport_new(struct reactor *reactor, int fd, struct tls_context *context,
                                        const struct transport_owner *owner, void *owner_data);
/* One that nothing was told about yet; closes the descriptor. */
void tls_transport_drop(struct tls_transport *tls);
void tls_handshake(struct tls_transport *tls);

/* tls_connect.c */
/* The TCP connection is there, or is not. */
void tls_finish_dialling(struct tls_transport *tls);
/* A client's handshake is over: 0, or its error. */
void tls_tell_connected(struct tls_transport *tls, int error);
int tls_handshake_error(const struct tls_transport *tls, bool is_late);

BIO_METHOD *tls_socket_method_new(void);
/* NULL when there is no memory.  The socket must live as long as the BIO. */
BIO *tls_socket_bio_new(const BIO_METHOD *method, struct tls_socket *socket);
/* 0 when nothing is unsent any more, -EAGAIN, other -errno. */
int tls_socket_flush(struct tls_socket *socket);
bool tls_socket_speaks_http(const struct tls_socket *socket);
/* Tells a client that it forgot TLS, and ends the stream. */
void tls_socket_answer_http(const struct tls_socket *socket);

#endif
