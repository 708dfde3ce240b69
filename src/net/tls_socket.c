/* SPDX-License-Identifier: Apache-2.0 */
/* tls_socket.c: OpenSSL's way to a non-blocking socket.
 *
 * Writing never blocks: what the kernel does not take is kept here, and the transport gives OpenSSL nothing more to
 * seal before it is out.  OpenSSL could keep a record itself, but breaks the connection when it must answer a peer's
 * wish for new keys meanwhile.  Its own socket BIO would also raise SIGPIPE, and would not say whether a read stopped
 * because the socket was empty. */
#include "net/tls_internal.h"

#include <errno.h>

enum {
    DISCARD_BYTES = 4096,
    DISCARD_ROUNDS = 16,
    UNSENT_MAX_BYTES = 64 * 1024 /* a record, and answers to a peer that asks for new keys and does not read */
};

static void keep_first(struct tls_socket *socket, const char *data, size_t count)
{
    for (size_t i = 0; i < count && socket->first_len < TLS_FIRST_BYTES; i++)
        socket->first[socket->first_len++] = data[i];
}

static int socket_read(BIO *bio, char *data, int size)
{
    struct tls_socket *socket = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t count;
    do
        count = recv(socket->fd, data, (size_t)size, 0);
    while (count < 0 && errno == EINTR);
    if (count > 0) {
        keep_first(socket, data, (size_t)count);
    } else if (count == 0) {
        socket->is_at_end = true;
    } else if (errno == EAGAIN) {
        socket->is_dry = true;
        BIO_set_retry_read(bio);
    } else {
        socket->error = -errno;
    }
    return (int)count;
}

/* Bytes taken (perhaps none), or -errno.  errno stays as send() left it: OpenSSL forgives a client that leaves without
 * waiting for its tickets. */
static ssize_t send_some(struct tls_socket *socket, struct bytes sealed)
{
    ssize_t count;
    do
        count = send(socket->fd, sealed.data, sealed.len, MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    if (count < 0 && errno == EAGAIN)
        return 0;
    if (count < 0)
        socket->error = -errno;
    return count < 0 ? socket->error : count;
}

static int socket_write(BIO *bio, const char *data, int size)
{
    struct tls_socket *socket = BIO_get_data(bio);
    struct bytes sealed = bytes_make(data, (size_t)size);
    BIO_clear_retry_flags(bio);
    if (socket->is_shut)
        return size;
    ssize_t sent = buffer_is_empty(&socket->unsent) ? send_some(socket, sealed) : 0;
    if (sent < 0)
        return -1;
    if (buffer_len(&socket->unsent) + sealed.len > UNSENT_MAX_BYTES) {
        socket->error = -ENOBUFS;
        return -1;
    }
    buffer_append(&socket->unsent, bytes_skip(sealed, (size_t)sent));
    return size;
}

int tls_socket_flush(struct tls_socket *socket)
{
    if (buffer_is_empty(&socket->unsent))
        return 0;
    ssize_t sent = send_some(socket, buffer_bytes(&socket->unsent));
    if (sent < 0)
        return (int)sent;
    buffer_consume(&socket->unsent, (size_t)sent);
    if (!buffer_is_empty(&socket->unsent))
        return -EAGAIN;
    buffer_deinit(&socket->unsent); /* most connections never need it again */
    return 0;
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
    (void)number, (void)pointer;
    const struct tls_socket *socket = BIO_get_data(bio);
    if (command == BIO_CTRL_FLUSH)
        return 1; /* the transport flushes */
    return command == BIO_CTRL_EOF && socket->is_at_end ? 1 : 0;
}

BIO_METHOD *tls_socket_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket");
    if (method == NULL)
        return NULL;
    BIO_meth_set_read(method, socket_read);
    BIO_meth_set_write(method, socket_write);
    BIO_meth_set_ctrl(method, socket_control);
    return method;
}

BIO *tls_socket_bio_new(const BIO_METHOD *method, struct tls_socket *socket)
{
    BIO *bio = BIO_new(method);
    if (bio == NULL)
        return NULL;
    BIO_set_data(bio, socket);
    BIO_set_init(bio, 1);
    return bio;
}

bool tls_socket_speaks_http(const struct tls_socket *socket)
{
    static const char *const starts[] = {"GET ", "HEAD ", "POST ", "PUT ", "PATCH", "DELET", "OPTIO", "CONNE", "PRI *"};
    struct bytes first = bytes_make(socket->first, socket->first_len);
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        if (bytes_starts_with(first, bytes_of(starts[i])))
            return true;
    }
    return false;
}

/* The rest of the request is read first: closing a socket with unread bytes would send a reset, which destroys the
 * answer on its way. */
void tls_socket_answer_http(const struct tls_socket *socket)
{
    static const struct bytes answer =
        BYTES("HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
              "Client sent an HTTP request to an HTTPS server.\n");
    char discarded[DISCARD_BYTES];
    for (int round = 0; round < DISCARD_ROUNDS && recv(socket->fd, discarded, sizeof(discarded), 0) > 0; round++)
        ;
    if (send(socket->fd, answer.data, answer.len, MSG_NOSIGNAL) > 0)
        shutdown(socket->fd, SHUT_WR);
}
