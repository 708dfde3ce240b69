/* SPDX-License-Identifier: Apache-2.0 */
/* tls_connect.c: the client side of TLS: whom to trust, and the way from a name to a handshake that is over. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/tls_internal.h"
#include "net/transport_internal.h"

static bool trust_authorities(SSL_CTX *ssl, struct bytes authorities_pem, char error[TLS_ERROR_SIZE])
{
    X509_STORE *store = SSL_CTX_get_cert_store(ssl);
    BIO *pem = tls_pem_open(authorities_pem);
    unsigned count = 0;
    X509 *authority;
    bool is_good = pem != NULL;
    while (is_good && (authority = PEM_read_bio_X509(pem, NULL, tls_no_password, NULL)) != NULL) {
        is_good = X509_STORE_add_cert(store, authority) == 1;
        X509_free(authority);
        count++;
    }
    is_good = is_good && count > 0 && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    BIO_free(pem);
    if (!is_good)
        return tls_refuse(error, "the authority's certificate is not usable");
    ERR_clear_error();
    return true;
}

struct tls_trust *tls_trust_new(struct bytes authorities_pem, char error[TLS_ERROR_SIZE])
{
    struct tls_trust *trust = must(calloc(1, sizeof(*trust)));
    struct tls_context *context = &trust->context;
    bool is_good = tls_context_init(context, TLS_client_method(), error);
    if (is_good)
        SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
    if (is_good && authorities_pem.len > 0)
        is_good = trust_authorities(context->ssl, authorities_pem, error);
    else if (is_good)
        is_good = SSL_CTX_set_default_verify_paths(context->ssl) == 1 ||
                  tls_refuse(error, "the system's authorities are not usable");
    if (is_good)
        return trust;
    tls_context_give_back(context);
    return NULL;
}

void tls_trust_free(struct tls_trust *trust)
{
    if (trust != NULL)
        tls_context_give_back(&trust->context);
}

/* RFC 6066 3 forbids addresses in server_name; certificates name both. */
static bool expect_name(SSL *ssl, const char *name)
{
    static const unsigned char protocols[] = "\x08http/1.1";
    struct address address;
    bool is_address = address_make(&address, bytes_of(name), 0);
    bool is_set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1
                             : SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
    return is_set && SSL_set_alpn_protos(ssl, protocols, sizeof protocols - 1) == 0;
}

void tls_tell_connected(struct tls_transport *tls, int error)
{
    struct transport *transport = &tls->transport;
    tls->error = error;
    /* After an error still `connecting`, as a TCP connection that failed. */
    transport->connecting = error != 0;
    if (error != 0)
        reactor_unwatch(transport->reactor, &transport->watch);
    ERR_clear_error();
    transport->owner->on_connected(transport, error);
}

int tls_handshake_error(const struct tls_transport *tls, bool is_late)
{
    if (is_late)
        return -ETIMEDOUT;
    if (SSL_get_verify_result(tls->ssl) != X509_V_OK)
        return -EKEYREJECTED;
    return tls->socket.error != 0 ? tls->socket.error : -EPROTO;
}

void tls_finish_dialling(struct tls_transport *tls)
{
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(tls->transport.watch.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error == 0) {
        tls->is_dialling = false;
        tls_handshake(tls);
        return;
    }
    tls->is_handshaking = false;
    reactor_timer_cancel(tls->transport.reactor, &tls->handshake_timer);
    tls_tell_connected(tls, -error);
}

static int dial(struct tls_transport *tls, const struct address *to)
{
    struct transport *transport = &tls->transport;
    tls->is_dialling = true;
    transport->connecting = true;
    if (connect(transport->watch.fd, &to->sa.generic, to->len) < 0 && errno != EINPROGRESS && errno != EINTR)
        return -errno;
    return reactor_watch_set(transport->reactor, &transport->watch, EPOLLOUT | EPOLLRDHUP);
}

struct transport *tls_connect(struct reactor *reactor, const struct address *to, struct tls_trust *trust,
                              const char *name, const struct transport_owner *owner, void *owner_data, int *ret_error)
{
    int fd = socket(to->sa.generic.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        *ret_error = -errno;
        return NULL;
    }
    struct tls_transport *tls = tls_transport_new(reactor, fd, &trust->context, owner, owner_data);
    SSL_set_connect_state(tls->ssl);
    int error = expect_name(tls->ssl, name) ? dial(tls, to) : -EINVAL;
    if (error != 0) {
        tls_transport_drop(tls);
        *ret_error = error;
        return NULL;
    }
    reactor_timer_set(reactor, &tls->handshake_timer, trust->context.handshake_timeout_ms);
    return &tls->transport;
}
