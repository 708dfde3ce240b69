/* SPDX-License-Identifier: Apache-2.0 */
/* tls_context.c: what servers and clients have in common in OpenSSL, and who still uses it. */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/tls_internal.h"

/* Both are the context and nothing more, so that either is freed by the context's address. */
_Static_assert(sizeof(struct tls_server) == sizeof(struct tls_context), "a tls_server is a context");
_Static_assert(sizeof(struct tls_trust) == sizeof(struct tls_context), "a tls_trust is a context");

bool tls_refuse(char error[TLS_ERROR_SIZE], const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    snprintf(error, TLS_ERROR_SIZE, reason != NULL ? "%s (%s)" : "%s", what, reason);
    ERR_clear_error();
    return false;
}

int tls_no_password(char *data, int size, int is_writing, void *context)
{
    (void)data, (void)size, (void)is_writing, (void)context;
    return -1;
}

BIO *tls_pem_open(struct bytes pem)
{
    return pem.len > 0 && pem.len <= TLS_PEM_MAX_BYTES ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
}

static bool configure(SSL_CTX *ssl)
{
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    /* A read receives once, so that a peer that sends only records without data cannot hold the thread. */
    SSL_CTX_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_read_ahead(ssl, 1); /* one recv() per wake-up instead of two per record */
    return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1;
}

bool tls_context_init(struct tls_context *context, const SSL_METHOD *method, char error[TLS_ERROR_SIZE])
{
    ERR_clear_error();
    context->handshake_timeout_ms = TLS_HANDSHAKE_TIMEOUT_MS;
    atomic_init(&context->users, 1);
    context->ssl = SSL_CTX_new(method);
    context->socket_method = tls_socket_method_new();
    bool is_good = context->ssl != NULL && context->socket_method != NULL && configure(context->ssl);
    return is_good || tls_refuse(error, "OpenSSL does not start");
}

void tls_context_take(struct tls_context *context)
{
    atomic_fetch_add_explicit(&context->users, 1, memory_order_relaxed);
}

void tls_context_give_back(struct tls_context *context)
{
    if (context == NULL || atomic_fetch_sub_explicit(&context->users, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->socket_method);
    free(context);
}
