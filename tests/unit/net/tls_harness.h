/* SPDX-License-Identifier: Apache-2.0 */
/* tls_harness.h: a TLS transport, its owner and a client of OpenSSL over loopback, on one thread.
 *
 * The owner reads and sends as the test tells it and counts what it is told; the client goes on when client_turn() is
 * called, so a test also says when it does not. */
#ifndef TESTS_UNIT_NET_TLS_HARNESS_H
#define TESTS_UNIT_NET_TLS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "unit/net/tls_peer.h"

enum { ENOUGH_TURNS = 20000, MEGABYTE = 1024 * 1024 };

struct user {
    struct reactor *reactor;
    struct tls_server *server;
    struct transport *transport;
    struct tls_client client;
    int fd;               /* the client's end; -1: closed */
    struct buffer sealed; /* by the client, not yet sent */
    struct buffer wire;   /* as it came from the server */
    struct buffer heard;  /* by the client */
    int client_state;     /* as tls_client_read() */
    int ended;            /* the client's socket: 1 after FIN, -errno after a reset */
    struct buffer got;    /* by the owner */
    struct buffer out;    /* of the owner */
    ssize_t got_end;      /* what transport_recv() said that was neither bytes nor -EAGAIN; 1 before */
    ssize_t sent_end;     /* the same of sending */
    unsigned readable, writable, gone;
    size_t read_size;   /* of one transport_recv(); 0: the owner does not read */
    unsigned reads_max; /* calls per on_readable */
    bool echoes, pauses_when_readable;
    bool closes_when_writable, closes_after_reading;
    unsigned closes_at_readable; /* the count; 0: never */
};

static struct user user;
static struct tls_pem pem;

static inline void close_transport(bool reset)
{
    if (user.transport != NULL)
        transport_close(user.transport, reset);
    user.transport = NULL;
}

static inline void owner_send(void)
{
    while (user.transport != NULL && !buffer_is_empty(&user.out)) {
        struct bytes text = buffer_bytes(&user.out);
        struct iovec piece = {(void *)(uintptr_t)text.data, text.len};
        ssize_t sent = transport_sendv(user.transport, &piece, 1);
        if (sent < 0) {
            user.sent_end = sent == -EAGAIN ? user.sent_end : sent;
            break;
        }
        buffer_consume(&user.out, (size_t)sent);
    }
    if (user.transport != NULL)
        transport_want_write(user.transport, !buffer_is_empty(&user.out) && user.sent_end == 1);
}

static inline void owner_read(void)
{
    for (unsigned i = 0; i < user.reads_max; i++) {
        ssize_t got = transport_recv(user.transport, buffer_reserve(&user.got, user.read_size), user.read_size);
        if (got > 0)
            buffer_commit(&user.got, (size_t)got);
        else if (got != -EAGAIN)
            user.got_end = got;
        if (got <= 0)
            return;
    }
}

static inline void on_readable(struct transport *transport)
{
    assert_ptr_equal(transport->owner_data, &user);
    assert_true(transport->want_read);
    user.readable++;
    if (user.readable == user.closes_at_readable) {
        close_transport(false);
        return;
    }
    if (user.read_size > 0)
        owner_read();
    if (user.closes_after_reading)
        close_transport(false);
    if (user.pauses_when_readable)
        transport_want_read(transport, false);
    if (user.echoes) {
        buffer_append(&user.out, buffer_bytes(&user.got));
        buffer_clear(&user.got);
        owner_send();
    }
}

static inline void on_writable(struct transport *transport)
{
    assert_true(transport->want_write);
    user.writable++;
    if (user.closes_when_writable)
        close_transport(false);
    else
        owner_send();
}

static inline void on_gone(struct transport *transport)
{
    assert_false(transport->want_read);
    user.gone++;
}

static const struct transport_owner owner = {
    .on_readable = on_readable, .on_writable = on_writable, .on_peer_gone = on_gone};

static inline int listen_on_loopback(struct address *ret_address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!address_make(ret_address, BYTES("127.0.0.1"), 0) || bind(fd, &ret_address->sa.generic, ret_address->len) < 0 ||
        listen(fd, 8) < 0 || getsockname(fd, &ret_address->sa.generic, &ret_address->len) < 0)
        abort();
    return fd;
}

static inline void connect_client(void)
{
    struct address address;
    int listening = listen_on_loopback(&address);
    user.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(user.fd, &address.sa.generic, address.len), 0);
    assert_int_equal(fcntl(user.fd, F_SETFL, O_NONBLOCK), 0);
    int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    close(listening);
    user.transport = tls_adopt(user.reactor, fd, user.server, &owner, &user);
    assert_non_null(user.transport);
    tls_client_start(&user.client);
    user.client_state = 1;
    user.ended = 0;
    user.got_end = user.sent_end = 1;
}

static inline void close_client(bool reset)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    if (reset)
        setsockopt(user.fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    if (user.fd >= 0)
        close(user.fd);
    user.fd = -1;
}

static inline void client_send(void)
{
    tls_client_take(&user.client, &user.sealed);
    struct bytes sealed = buffer_bytes(&user.sealed);
    ssize_t sent = user.fd >= 0 && sealed.len > 0 ? send(user.fd, sealed.data, sealed.len, MSG_NOSIGNAL) : 0;
    if (sent > 0)
        buffer_consume(&user.sealed, (size_t)sent);
}

/* From the socket into `wire`. */
static inline void client_receive(void)
{
    while (user.fd >= 0 && user.ended == 0) {
        ssize_t got = recv(user.fd, buffer_reserve(&user.wire, 65536), 65536, 0);
        if (got > 0)
            buffer_commit(&user.wire, (size_t)got);
        else if (got == 0)
            user.ended = 1;
        else if (errno == EAGAIN)
            return;
        else
            user.ended = -errno;
    }
}

static inline void client_turn(void)
{
    client_receive();
    tls_client_feed(&user.client, buffer_bytes(&user.wire));
    buffer_clear(&user.wire);
    if (user.client_state == 1)
        user.client_state = tls_client_read(&user.client, &user.heard);
    client_send();
}

static inline void turn(void)
{
    reactor_turn(user.reactor, 1);
    client_turn();
}

#define turn_until(condition)                                                                                          \
    do {                                                                                                               \
        for (int left = ENOUGH_TURNS; !(condition) && left > 0; left--)                                                \
            turn();                                                                                                    \
        assert_true(condition);                                                                                        \
    } while (0)

/* What is on its way arrives. */
static inline void settle(void)
{
    for (int i = 0; i < 20; i++)
        turn();
}

static inline int set_up(void **state)
{
    *state = &user;
    user = (struct user){.reactor = reactor_new("test"), .fd = -1, .read_size = 65536, .reads_max = 4};
    user.server = tls_pem_server(&pem, 0);
    tls_client_init(&user.client);
    connect_client();
    return 0;
}

static inline void finish_handshake(void)
{
    turn_until(SSL_is_init_finished(user.client.ssl));
    settle(); /* the server's tickets, and the client's last flight */
}

static inline int set_up_connected(void **state)
{
    set_up(state);
    finish_handshake();
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    close_transport(false);
    reactor_free(user.reactor);
    tls_server_free(user.server);
    tls_client_deinit(&user.client);
    close_client(false);
    buffer_deinit(&user.sealed);
    buffer_deinit(&user.wire);
    buffer_deinit(&user.heard);
    buffer_deinit(&user.got);
    buffer_deinit(&user.out);
    return 0;
}

static inline void say(const char *text)
{
    tls_client_write(&user.client, bytes_of(text));
    client_send();
}

static inline void expect_text(const struct buffer *buffer, const char *text)
{
    assert_true(bytes_equal_str(buffer_bytes(buffer), text));
}

/* Different everywhere, so that a lost, doubled or swapped piece shows. */
static inline void fill(struct buffer *buffer, size_t size)
{
    for (uint32_t i = 0; buffer_len(buffer) < size; i++) {
        uint32_t word = i * 2654435761u;
        buffer_append(buffer, bytes_make((const char *)&word, sizeof(word)));
    }
}

static inline void send_raw(struct bytes text)
{
    assert_int_equal(send(user.fd, text.data, text.len, MSG_NOSIGNAL), text.len);
}

static inline void fill_the_socket(struct buffer *text)
{
    fill(text, 8 * MEGABYTE);
    buffer_append(&user.out, buffer_bytes(text));
    owner_send();
    assert_false(buffer_is_empty(&user.out));
    for (int i = 0; i < 20; i++)
        reactor_turn(user.reactor, 0);
    assert_false(buffer_is_empty(&user.out));
}

static inline int make_pem(void **state)
{
    (void)state;
    tls_pem_init(&pem);
    return 0;
}

static inline int free_pem(void **state)
{
    (void)state;
    tls_pem_deinit(&pem);
    return 0;
}

#define FRESH_TEST(name)     cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define CONNECTED_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_connected, tear_down)

#endif
