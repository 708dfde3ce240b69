/* SPDX-License-Identifier: Apache-2.0 */
/* tls_peer.h: the other side of TLS in a test's hands: a certificate, and a client that is a machine of bytes: what it
 * wants to send is taken, what arrived is fed, and the test carries them. */
#ifndef TESTS_UNIT_NET_TLS_PEER_H
#define TESTS_UNIT_NET_TLS_PEER_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "net/tls.h"

struct tls_pem {
    struct buffer certificate;
    struct buffer key;
};

struct tls_client {
    SSL_CTX *context; /* kept over connections: it holds the sessions */
    SSL *ssl;
    SSL_SESSION *session; /* the last ticket */
};

static inline void tls_require(bool holds)
{
    if (!holds) {
        ERR_print_errors_fp(stderr);
        abort();
    }
}

static inline void tls_take_pem(BIO *bio, struct buffer *ret_text)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    buffer_append(ret_text, bytes_make(data, (size_t)len));
    BIO_free(bio);
}

/* Self-signed, for "localhost". */
static inline void tls_pem_init(struct tls_pem *pem)
{
    *pem = (struct tls_pem){0};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    tls_require(key != NULL && certificate != NULL);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_set_pubkey(certificate, key);
    tls_require(X509_sign(certificate, key, EVP_sha256()) > 0);
    BIO *certificate_text = BIO_new(BIO_s_mem());
    BIO *key_text = BIO_new(BIO_s_mem());
    tls_require(PEM_write_bio_X509(certificate_text, certificate) == 1);
    tls_require(PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL) == 1);
    tls_take_pem(certificate_text, &pem->certificate);
    tls_take_pem(key_text, &pem->key);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static inline void tls_pem_deinit(struct tls_pem *pem)
{
    buffer_deinit(&pem->certificate);
    buffer_deinit(&pem->key);
}

static inline struct tls_server *tls_pem_server(const struct tls_pem *pem, uint32_t handshake_timeout_ms)
{
    char error[300] = "";
    struct tls_server_config config = {.chain_pem = buffer_bytes(&pem->certificate),
                                       .key_pem = buffer_bytes(&pem->key),
                                       .handshake_timeout_ms = handshake_timeout_ms};
    struct tls_server *server = tls_server_new(&config, error);
    if (server == NULL)
        fprintf(stderr, "%s\n", error);
    tls_require(server != NULL);
    return server;
}

static inline int tls_client_keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_client *client = SSL_get_app_data(ssl);
    SSL_SESSION_free(client->session);
    client->session = session;
    return 1;
}

static inline void tls_client_init(struct tls_client *client)
{
    *client = (struct tls_client){.context = SSL_CTX_new(TLS_client_method())};
    tls_require(client->context != NULL);
    SSL_CTX_set_session_cache_mode(client->context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client->context, tls_client_keep_session);
    SSL_CTX_set_mode(client->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

/* A fresh connection, in the session of the last one if there is a ticket. */
static inline void tls_client_start(struct tls_client *client)
{
    if (client->ssl != NULL)
        SSL_set_shutdown(client->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); /* or else its ticket is worthless */
    SSL_free(client->ssl);
    client->ssl = SSL_new(client->context);
    tls_require(client->ssl != NULL);
    SSL_set_app_data(client->ssl, client);
    SSL_set_bio(client->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (client->session != NULL)
        SSL_set_session(client->ssl, client->session);
    SSL_set_connect_state(client->ssl);
}

static inline void tls_client_deinit(struct tls_client *client)
{
    SSL_free(client->ssl);
    SSL_SESSION_free(client->session);
    SSL_CTX_free(client->context);
}

/* Appends what the client wants to send. */
static inline void tls_client_take(struct tls_client *client, struct buffer *sealed)
{
    char *data;
    long len = BIO_get_mem_data(SSL_get_wbio(client->ssl), &data);
    buffer_append(sealed, bytes_make(data, (size_t)len));
    (void)BIO_reset(SSL_get_wbio(client->ssl));
}

static inline void tls_client_feed(struct tls_client *client, struct bytes sealed)
{
    if (sealed.len > 0)
        tls_require(BIO_write(SSL_get_rbio(client->ssl), sealed.data, (int)sealed.len) == (int)sealed.len);
}

/* Goes on with the handshake and appends the text that can be read; 1 to go on, 0 after close_notify, -1 broken. */
static inline int tls_client_read(struct tls_client *client, struct buffer *text)
{
    for (;;) {
        size_t count = 0;
        ERR_clear_error();
        int result = SSL_read_ex(client->ssl, buffer_reserve(text, 65536), 65536, &count);
        buffer_commit(text, count);
        if (result == 1)
            continue;
        int status = SSL_get_error(client->ssl, result);
        return status == SSL_ERROR_WANT_READ ? 1 : status == SSL_ERROR_ZERO_RETURN ? 0 : -1;
    }
}

/* The handshake is done by then. */
static inline void tls_client_write(struct tls_client *client, struct bytes text)
{
    while (text.len > 0) {
        size_t count = 0;
        tls_require(SSL_write_ex(client->ssl, text.data, text.len, &count) == 1);
        text = bytes_skip(text, count);
    }
}

#endif
