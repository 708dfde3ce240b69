/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c: the transport over TLS.  One owner, one thread.
 *
 * The socket is level-triggered, but what OpenSSL has read is no longer in it.  So whenever something waits inside
 * (more records, the end of the stream, an error) is_ready is set, and as long as reading is wanted a task at the end
 * of the turn tells the owner, until it reads.
 *
 * In the other direction a record that the socket takes only in part counts as not taken: the owner offers its bytes
 * again, as it would after a short send(), and is told that they are gone when the whole record is. */
#include "net/tls_internal.h"
#include "net/transport_internal.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    RECORD_BYTES = SSL3_RT_MAX_PLAIN_LENGTH,
    EMPTY_READS = 4 /* buffers full of records without data, in one call: then the others have their turn */
};

static struct tls_transport *tls_of(struct transport *transport)
{
    return container_of(transport, struct tls_transport, transport);
}

static uint32_t wanted_events(const struct tls_transport *tls)
{
    const struct transport *transport = &tls->transport;
    uint32_t events = 0;
    if (tls->error != 0)
        return 0;
    if (!buffer_is_empty(&tls->socket.unsent))
        events |= EPOLLOUT;
    if (tls->is_handshaking)
        return events | EPOLLIN;
    if (transport->want_read && !tls->is_read_over)
        events |= EPOLLIN;
    if (transport->want_write)
        events |= EPOLLOUT;
    if (!transport->peer_gone_told)
        events |= EPOLLRDHUP;
    return events;
}

/* What no event of the socket will tell. */
static bool owes_wakeup(const struct tls_transport *tls)
{
    return (tls->transport.want_read && tls->is_ready) || (tls->transport.want_write && tls->error != 0);
}

static void tls_update_watch(struct transport *transport)
{
    struct tls_transport *tls = tls_of(transport);
    if (transport->closed || tls->is_dialling)
        return;
    transport_watch(transport, wanted_events(tls));
    if (owes_wakeup(tls))
        reactor_task_schedule(transport->reactor, &tls->task);
}

static void on_task(struct reactor_task *task)
{
    struct tls_transport *tls = container_of(task, struct tls_transport, task);
    struct transport *transport = &tls->transport;
    if (transport->want_read && tls->is_ready)
        transport->owner->on_readable(transport);
    if (!transport->closed && transport->want_write && tls->error != 0)
        transport->owner->on_writable(transport);
    if (!transport->closed && owes_wakeup(tls))
        reactor_task_schedule(transport->reactor, task);
}

/* After OpenSSL gave up, which forbids to ask it again.  fallback: when the socket is not to blame. */
static int give_up(struct tls_transport *tls, int fallback)
{
    tls->error = tls->socket.error != 0 ? tls->socket.error : fallback;
    tls->is_ready = true;
    ERR_clear_error();
    tls_update_watch(&tls->transport);
    return tls->error;
}

/* The same outside the owner's calls, as if the socket had an error: whatever the owner waits for comes. */
static void break_off(struct tls_transport *tls, int fallback)
{
    struct transport *transport = &tls->transport;
    give_up(tls, fallback);
    if (!transport->want_read && !transport->peer_gone_told)
        transport_tell_peer_gone(transport);
}

static void fail_handshake(struct tls_transport *tls, bool is_late)
{
    tls->is_handshaking = false;
    reactor_timer_cancel(tls->transport.reactor, &tls->handshake_timer);
    if (tls->transport.connecting) {
        tls_tell_connected(tls, tls_handshake_error(tls, is_late));
        return;
    }
    if (tls_socket_speaks_http(&tls->socket))
        tls_socket_answer_http(&tls->socket);
    /* Not a word of TLS: somebody looked whether the port is open. */
    bool is_look = tls->socket.is_at_end && tls->socket.first_len == 0;
    break_off(tls, is_look ? -ECONNRESET : -EPROTO);
}

static void on_handshake_late(struct wheel_timer *timer)
{
    fail_handshake(container_of(timer, struct tls_transport, handshake_timer), true);
}

void tls_handshake(struct tls_transport *tls)
{
    ERR_clear_error();
    int result = SSL_do_handshake(tls->ssl);
    bool is_done = result == 1;
    if (is_done) {
        tls->is_handshaking = false;
        tls->is_ready = SSL_has_pending(tls->ssl);
        reactor_timer_cancel(tls->transport.reactor, &tls->handshake_timer);
    } else if (SSL_get_error(tls->ssl, result) != SSL_ERROR_WANT_READ) {
        fail_handshake(tls, false);
        return;
    }
    tls_update_watch(&tls->transport);
    if (is_done && tls->transport.connecting)
        tls_tell_connected(tls, 0);
}

static void on_event(struct reactor_watch *watch, uint32_t events)
{
    struct tls_transport *tls = container_of(watch, struct tls_transport, transport.watch);
    if (tls->is_dialling) {
        tls_finish_dialling(tls);
        return;
    }
    if (!buffer_is_empty(&tls->socket.unsent) && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
        int flushed = tls_socket_flush(&tls->socket);
        if (flushed < 0 && flushed != -EAGAIN) {
            if (tls->is_handshaking)
                fail_handshake(tls, false);
            else
                break_off(tls, flushed);
            return;
        }
        tls_update_watch(&tls->transport);
    }
    if (tls->is_handshaking)
        tls_handshake(tls);
    else
        (void)transport_tell_ready(&tls->transport, events);
}

/* As recv(2); -EAGAIN also when all that was received were records without data: socket.is_dry is not set then. */
static ssize_t read_record(struct tls_transport *tls, char *data, size_t size)
{
    if (tls->error != 0)
        return tls->error;
    if (tls->is_read_over)
        return 0;
    size_t count = 0;
    ERR_clear_error();
    tls->socket.is_dry = false;
    if (SSL_read_ex(tls->ssl, data, size, &count) == 1)
        return (ssize_t)count;
    switch (SSL_get_error(tls->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        tls->is_read_over = true;
        return 0;
    default:
        return give_up(tls, -EBADMSG);
    }
}

/* Until the socket is dry: whatever stays inside needs a wake-up of ours. */
static ssize_t tls_recv(struct transport *transport, void *data, size_t size)
{
    struct tls_transport *tls = tls_of(transport);
    if (tls->is_handshaking)
        return -EAGAIN;
    size_t total = 0;
    ssize_t last = -EAGAIN;
    for (int empty = 0; total < size && empty < EMPTY_READS; empty += last < 0) {
        last = read_record(tls, (char *)data + total, size - total);
        if (last > 0)
            total += (size_t)last;
        else if (last != -EAGAIN || tls->socket.is_dry)
            break;
    }
    bool is_over = last <= 0 && last != -EAGAIN;
    tls->is_ready = is_over ? total > 0 : !tls->socket.is_dry && SSL_has_pending(tls->ssl);
    if (last == 0 && total == 0)
        transport->peer_gone_told = true; /* the owner knows now: pausing must not tell it again */
    tls_update_watch(transport);
    return total > 0 ? (ssize_t)total : last;
}

static size_t length_of(const struct iovec *pieces, int count)
{
    size_t length = 0;
    for (int i = 0; i < count; i++)
        length += pieces[i].iov_len;
    return length;
}

/* The next record's worth of the pieces after `skip` bytes; copied only when it lies in several of them. */
static struct bytes gather(const struct iovec *pieces, int count, size_t skip, char record[RECORD_BYTES])
{
    while (count > 0 && skip >= pieces->iov_len) {
        skip -= pieces->iov_len;
        pieces++;
        count--;
    }
    if (count == 0)
        return BYTES("");
    struct bytes first = bytes_skip(bytes_make(pieces->iov_base, pieces->iov_len), skip);
    if (count == 1 || first.len >= RECORD_BYTES)
        return bytes_make(first.data, first.len < RECORD_BYTES ? first.len : RECORD_BYTES);
    size_t len = 0;
    for (; count > 0 && len < RECORD_BYTES; pieces++, count--) {
        struct bytes piece = bytes_skip(bytes_make(pieces->iov_base, pieces->iov_len), skip);
        size_t room = RECORD_BYTES - len;
        size_t taken = piece.len < room ? piece.len : room;
        memcpy(record + len, piece.data, taken);
        len += taken;
        skip = 0;
    }
    return bytes_make(record, len);
}

/* 0 when the record is on its way, whole or not. */
static int seal(struct tls_transport *tls, struct bytes plain)
{
    ERR_clear_error();
    if (SSL_write_ex(tls->ssl, plain.data, plain.len, &tls->sealed_bytes) == 1)
        return 0;
    tls->sealed_bytes = 0;
    return give_up(tls, -EBADMSG);
}

static ssize_t tls_sendv(struct transport *transport, const struct iovec *pieces, int count)
{
    struct tls_transport *tls = tls_of(transport);
    char record[RECORD_BYTES];
    size_t total = 0;
    if (tls->is_handshaking)
        return -EAGAIN;
    if (tls->socket.is_shut)
        return -EPIPE;
    assert(count > 0 && tls->sealed_bytes <= length_of(pieces, count));
    int error = tls->error;
    while (error == 0 && (error = tls_socket_flush(&tls->socket)) == 0) {
        total += tls->sealed_bytes;
        tls->sealed_bytes = 0;
        struct bytes plain = gather(pieces, count, total, record);
        if (plain.len == 0)
            return (ssize_t)total;
        error = seal(tls, plain);
    }
    if (error != -EAGAIN && tls->error == 0)
        give_up(tls, error);
    tls_update_watch(transport);
    return total > 0 ? (ssize_t)total : error;
}

/* Best effort: what a full socket does not take is dropped with the rest. */
static void send_close_notify(struct tls_transport *tls)
{
    if (tls->is_handshaking || tls->error != 0 || tls->socket.is_shut)
        return;
    ERR_clear_error();
    SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

static void reclaim(struct reactor_reclaim *self)
{
    struct tls_transport *tls = container_of(self, struct tls_transport, transport.reclaim);
    SSL_free(tls->ssl);
    buffer_deinit(&tls->socket.unsent);
    tls_context_give_back(tls->context);
    free(tls);
}

static void tls_close(struct transport *transport, bool reset)
{
    struct tls_transport *tls = tls_of(transport);
    if (transport->closed)
        return;
    if (!reset)
        send_close_notify(tls);
    reactor_timer_cancel(transport->reactor, &tls->handshake_timer);
    reactor_task_cancel(&tls->task);
    transport_close_socket(transport, reset);
}

static void tls_shutdown_write(struct transport *transport)
{
    struct tls_transport *tls = tls_of(transport);
    send_close_notify(tls);
    tls->socket.is_shut = true;
    buffer_deinit(&tls->socket.unsent); /* nothing can follow FIN */
    shutdown(transport->watch.fd, SHUT_WR);
}

static const struct transport_ops tls_ops = {
    .recv = tls_recv,
    .sendv = tls_sendv,
    .close = tls_close,
    .shutdown_write = tls_shutdown_write,
    .update_watch = tls_update_watch,
};

struct tls_transport *tls_transport_new(struct reactor *reactor, int fd, struct tls_context *context,
                                        const struct transport_owner *owner, void *owner_data)
{
    struct tls_transport *tls = must(calloc(1, sizeof(*tls)));
    tls->transport = (struct transport){
        .ops = &tls_ops, .owner = owner, .owner_data = owner_data, .reactor = reactor, .reclaim.reclaim = reclaim};
    transport_init(&tls->transport, fd, on_event);
    wheel_timer_init(&tls->handshake_timer, on_handshake_late);
    reactor_task_init(&tls->task, on_task);
    tls->socket.fd = fd;
    tls->is_handshaking = true;
    tls->context = context;
    tls_context_take(context);
    tls->ssl = must(SSL_new(context->ssl));
    BIO *bio = must(tls_socket_bio_new(context->socket_method, &tls->socket));
    SSL_set_bio(tls->ssl, bio, bio);
    return tls;
}

void tls_transport_drop(struct tls_transport *tls)
{
    close(tls->transport.watch.fd);
    reclaim(&tls->transport.reclaim);
}

struct transport *tls_adopt(struct reactor *reactor, int fd, struct tls_server *server,
                            const struct transport_owner *owner, void *owner_data)
{
    struct tls_transport *tls = tls_transport_new(reactor, fd, &server->context, owner, owner_data);
    SSL_set_accept_state(tls->ssl);
    int error = reactor_watch_set(reactor, &tls->transport.watch, wanted_events(tls));
    if (error != 0) {
        tls_transport_drop(tls);
        errno = -error;
        return NULL;
    }
    reactor_timer_set(reactor, &tls->handshake_timer, server->context.handshake_timeout_ms);
    return &tls->transport;
}
