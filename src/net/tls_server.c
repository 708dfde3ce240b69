/* SPDX-License-Identifier: Apache-2.0 */
/* tls_server.c: an OpenSSL context with the server's certificate and our settings.  Nothing of it changes once made. */
#include "net/tls_internal.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

static bool add_chain(SSL_CTX *context, BIO *pem)
{
    X509 *issuer;
    while ((issuer = PEM_read_bio_X509(pem, NULL, tls_no_password, NULL)) != NULL) {
        if (SSL_CTX_add0_chain_cert(context, issuer) != 1) {
            X509_free(issuer);
            return false;
        }
    }
    bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (is_at_end)
        ERR_clear_error();
    return is_at_end;
}

static bool use_chain(SSL_CTX *context, struct bytes chain_pem, char error[TLS_ERROR_SIZE])
{
    BIO *pem = tls_pem_open(chain_pem);
    X509 *certificate = pem != NULL ? PEM_read_bio_X509(pem, NULL, tls_no_password, NULL) : NULL;
    bool is_used = certificate != NULL && SSL_CTX_use_certificate(context, certificate) == 1 && add_chain(context, pem);
    X509_free(certificate);
    BIO_free(pem);
    return is_used || tls_refuse(error, "the certificate chain is not usable");
}

static bool use_key(SSL_CTX *context, struct bytes key_pem, char error[TLS_ERROR_SIZE])
{
    BIO *pem = tls_pem_open(key_pem);
    EVP_PKEY *key = pem != NULL ? PEM_read_bio_PrivateKey(pem, NULL, tls_no_password, NULL) : NULL;
    bool is_used = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(pem);
    if (!is_used)
        return tls_refuse(error, "the key is not usable with the certificate");
    return SSL_CTX_check_private_key(context) == 1 || tls_refuse(error, "the key is not the certificate's");
}

/* RFC 7301 3.2 lets us refuse a client that offers only what we do not speak; saying nothing lets it try HTTP/1.1. */
static int choose_protocol(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len,
                           const unsigned char *offered, unsigned offered_len, void *context)
{
    (void)ssl, (void)context;
    static const struct bytes wanted = {"http/1.1", 8};
    for (unsigned at = 0; at < offered_len && offered[at] < offered_len - at; at += 1u + offered[at]) {
        struct bytes name = bytes_make((const char *)offered + at + 1, offered[at]);
        if (!bytes_equal(name, wanted))
            continue;
        *ret_name = offered + at + 1;
        *ret_len = offered[at];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

static bool configure(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets keep the state with the client */
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    return SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1; /* larger ones only cost us time */
}

struct tls_server *tls_server_new(const struct tls_server_config *config, char error[TLS_ERROR_SIZE])
{
    struct tls_server *server = must(calloc(1, sizeof(*server)));
    struct tls_context *context = &server->context;
    if (tls_context_init(context, TLS_server_method(), error) &&
        (configure(context->ssl) || tls_refuse(error, "OpenSSL does not start")) &&
        use_chain(context->ssl, config->chain_pem, error) && use_key(context->ssl, config->key_pem, error)) {
        if (config->handshake_timeout_ms > 0)
            context->handshake_timeout_ms = config->handshake_timeout_ms;
        return server;
    }
    tls_context_give_back(context);
    return NULL;
}

void tls_server_free(struct tls_server *server)
{
    if (server != NULL)
        tls_context_give_back(&server->context);
}
