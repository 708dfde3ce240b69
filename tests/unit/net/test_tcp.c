/* SPDX-License-Identifier: Apache-2.0 */
/* test_tcp.c: the TCP transport over loopback; the peer is a plain blocking socket in the test's hands. */
#include "net/transport.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { ENOUGH_TURNS = 50, TURN_MS = 1000 };

struct user {
    struct reactor *reactor;
    struct transport *transport;
    int listen_fd;
    int peer_fd; /* -1: closed */
    struct address address;
    unsigned connected, readable, writable, gone;
    int error;
    bool closes_when_readable, closes_when_writable;
};

static struct user user;

static void close_transport(bool reset)
{
    if (user.transport != NULL)
        transport_close(user.transport, reset);
    user.transport = NULL;
}

static void note_connected(struct transport *transport, int error)
{
    assert_ptr_equal(transport->owner_data, &user);
    user.connected++;
    user.error = error;
}

static void note_readable(struct transport *transport)
{
    (void)transport;
    user.readable++;
    if (user.closes_when_readable)
        close_transport(false);
}

static void note_writable(struct transport *transport)
{
    user.writable++;
    if (user.closes_when_writable)
        close_transport(false);
    else
        transport_want_write(transport, false);
}

static void note_gone(struct transport *transport)
{
    (void)transport;
    user.gone++;
}

static const struct transport_owner owner = {.on_connected = note_connected,
                                             .on_readable = note_readable,
                                             .on_writable = note_writable,
                                             .on_peer_gone = note_gone};

static int listen_on_loopback(struct address *ret_address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!address_make(ret_address, BYTES("127.0.0.1"), 0) || bind(fd, &ret_address->sa.generic, ret_address->len) < 0 ||
        listen(fd, 8) < 0 || getsockname(fd, &ret_address->sa.generic, &ret_address->len) < 0)
        return -1;
    return fd;
}

/* A reactor and a listening socket, nothing connected. */
static int set_up(void **state)
{
    *state = &user;
    user = (struct user){.reactor = reactor_new("test"), .peer_fd = -1};
    user.listen_fd = listen_on_loopback(&user.address);
    return user.listen_fd >= 0 ? 0 : -1;
}

/* The transport is the accepted side. */
static int set_up_adopted(void **state)
{
    set_up(state);
    user.peer_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(user.peer_fd, &user.address.sa.generic, user.address.len) < 0)
        return -1;
    int fd = accept4(user.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    user.transport = tcp_adopt(user.reactor, fd, &owner, &user);
    return user.transport != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    close_transport(false);
    reactor_free(user.reactor);
    if (user.peer_fd >= 0)
        close(user.peer_fd);
    close(user.listen_fd);
    return 0;
}

static void turn_until(const unsigned *counter, unsigned wanted)
{
    for (int i = 0; i < ENOUGH_TURNS && *counter < wanted; i++)
        reactor_turn(user.reactor, TURN_MS);
    assert_int_equal(*counter, wanted);
}

/* What is there already is told; nothing is waited for. */
static void turn_idle(void)
{
    for (int i = 0; i < 3; i++)
        reactor_turn(user.reactor, 0);
}

static void close_peer(bool reset)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    if (reset)
        setsockopt(user.peer_fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    close(user.peer_fd);
    user.peer_fd = -1;
}

static void say(const char *text)
{
    assert_int_equal(write(user.peer_fd, text, strlen(text)), strlen(text));
}

static void a_connection_is_told_later_and_carries_bytes_both_ways(void **state)
{
    (void)state;
    int error = 0;
    user.transport = tcp_connect(user.reactor, &user.address, &owner, &user, &error);
    assert_non_null(user.transport);
    assert_int_equal(user.connected, 0);
    user.peer_fd = accept(user.listen_fd, NULL, NULL);
    turn_until(&user.connected, 1);
    assert_int_equal(user.error, 0);

    struct iovec piece = {"ping", 4};
    char data[16];
    assert_int_equal(transport_sendv(user.transport, &piece, 1), 4);
    assert_int_equal(read(user.peer_fd, data, sizeof(data)), 4);
    say("pong");
    turn_until(&user.readable, 1);
    assert_int_equal(transport_recv(user.transport, data, sizeof(data)), 4);
    assert_memory_equal(data, "pong", 4);
    assert_int_equal(transport_recv(user.transport, data, sizeof(data)), -EAGAIN);
    turn_idle();
    assert_int_equal(user.readable, 1);
    assert_int_equal(user.writable, 0);
}

static void a_refused_connection_is_an_error_at_once_or_later(void **state)
{
    (void)state;
    struct address nobody;
    close(listen_on_loopback(&nobody));
    int error = 0;
    user.transport = tcp_connect(user.reactor, &nobody, &owner, &user, &error);
    if (user.transport != NULL) {
        turn_until(&user.connected, 1);
        error = user.error;
        transport_want_write(user.transport, true);
        turn_idle();
        assert_int_equal(user.connected + user.writable + user.readable + user.gone, 1);
    }
    assert_int_equal(error, -ECONNREFUSED);
}

static void what_is_wanted_while_connecting_holds_afterwards(void **state)
{
    (void)state;
    int error = 0;
    user.transport = tcp_connect(user.reactor, &user.address, &owner, &user, &error);
    transport_want_read(user.transport, false);
    transport_want_write(user.transport, true);
    user.peer_fd = accept(user.listen_fd, NULL, NULL);
    say("early");
    turn_until(&user.connected, 1);
    turn_until(&user.writable, 1);
    turn_idle();
    assert_int_equal(user.readable, 0);
}

static void a_connection_may_be_closed_before_it_is_made(void **state)
{
    (void)state;
    int error = 0;
    user.transport = tcp_connect(user.reactor, &user.address, &owner, &user, &error);
    close_transport(false);
    turn_idle();
    assert_int_equal(user.connected, 0);
}

static void several_pieces_are_sent_in_order(void **state)
{
    (void)state;
    struct iovec pieces[] = {{"one ", 4}, {"two ", 4}, {"three", 5}};
    char data[16] = "";
    assert_int_equal(transport_sendv(user.transport, pieces, 3), 13);
    assert_int_equal(read(user.peer_fd, data, sizeof(data)), 13);
    assert_memory_equal(data, "one two three", 13);
}

static void a_full_socket_says_eagain_and_then_becomes_writable(void **state)
{
    (void)state;
    static char block[65536];
    struct iovec piece = {block, sizeof(block)};
    ssize_t sent, total = 0;
    while ((sent = transport_sendv(user.transport, &piece, 1)) > 0)
        total += sent;
    assert_int_equal(sent, -EAGAIN);
    transport_want_write(user.transport, true);
    turn_idle();
    assert_int_equal(user.writable, 0);
    while (total > 0) {
        ssize_t got = read(user.peer_fd, block, sizeof(block));
        assert_true(got > 0);
        total -= got;
    }
    turn_until(&user.writable, 1);
    turn_idle();
    assert_int_equal(user.writable, 1);
}

static void the_end_of_the_stream_is_read_as_zero(void **state)
{
    (void)state;
    say("last words");
    close_peer(false);
    turn_until(&user.readable, 1);
    char data[64];
    assert_int_equal(transport_recv(user.transport, data, sizeof(data)), 10);
    turn_until(&user.readable, 2);
    assert_int_equal(transport_recv(user.transport, data, sizeof(data)), 0);
    transport_want_read(user.transport, false);
    turn_idle();
    assert_int_equal(user.gone, 0); /* it was told by the zero */
    assert_int_equal(user.readable, 2);
}

static void a_reset_is_read_as_an_error(void **state)
{
    (void)state;
    close_peer(true);
    turn_until(&user.readable, 1);
    char data[64];
    assert_int_equal(transport_recv(user.transport, data, sizeof(data)), -ECONNRESET);
}

static void sending_to_a_peer_that_reset_is_an_error_and_no_signal(void **state)
{
    (void)state;
    struct iovec pieces[] = {{"x", 1}, {"y", 1}};
    close_peer(true);
    turn_until(&user.readable, 1);
    assert_true(transport_sendv(user.transport, pieces, 1) < 0);
    assert_int_equal(transport_sendv(user.transport, pieces, 2), -EPIPE);
}

static void paused_reading_leaves_bytes_with_the_kernel_until_resumed(void **state)
{
    (void)state;
    transport_want_read(user.transport, false);
    say("wait");
    turn_idle();
    assert_int_equal(user.readable, 0);
    transport_want_read(user.transport, true);
    turn_until(&user.readable, 1);
    char data[8];
    assert_int_equal(transport_recv(user.transport, data, sizeof(data)), 4);
}

static void expect_gone_once(bool reset)
{
    transport_want_read(user.transport, false);
    say("unread");
    close_peer(reset);
    turn_until(&user.gone, 1);
    turn_idle();
    assert_int_equal(user.gone, 1);
    assert_int_equal(user.readable, 0);
    assert_int_equal(user.transport->watch.events, 0); /* or else every turn would wake */
}

static void a_peer_that_closes_while_reading_is_paused_is_told_once(void **state)
{
    (void)state;
    expect_gone_once(false);
    transport_want_read(user.transport, true);
    turn_until(&user.readable, 1);
    char data[64];
    assert_int_equal(transport_recv(user.transport, data, sizeof(data)), 6);
    assert_int_equal(transport_recv(user.transport, data, sizeof(data)), 0);
}

static void a_peer_that_resets_while_reading_is_paused_is_told_once(void **state)
{
    (void)state;
    expect_gone_once(true);
}

static void closing_sends_the_end_of_the_stream(void **state)
{
    (void)state;
    char data[8];
    close_transport(false);
    assert_int_equal(read(user.peer_fd, data, sizeof(data)), 0);
}

static void closing_by_reset_tells_the_peer_that_it_was_cut(void **state)
{
    (void)state;
    char data[8];
    close_transport(true);
    assert_int_equal(read(user.peer_fd, data, sizeof(data)), -1);
    assert_int_equal(errno, ECONNRESET);
}

/* Of its own accord a connection to a host that lost its power would never end. */
static void the_other_hosts_death_is_noticed(void **state)
{
    (void)state;
    int error = 0, is_asking = 0, idle_s = 0, interval_s = 0, probes = 0;
    struct transport *transport = tcp_connect(user.reactor, &user.address, &owner, &user, &error);
    assert_non_null(transport);
    int fd = transport->watch.fd;
    getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &is_asking, &(socklen_t){sizeof(int)});
    getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, &(socklen_t){sizeof(int)});
    getsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, &(socklen_t){sizeof(int)});
    getsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, &(socklen_t){sizeof(int)});
    assert_int_equal(is_asking, 1);
    assert_in_range(idle_s + interval_s * probes, 5, 60);
    transport_close(transport, true);
    turn_idle();
}

static void closing_twice_in_a_turn_is_harmless(void **state)
{
    (void)state;
    struct transport *transport = user.transport;
    close_transport(false);
    transport_close(transport, true);
    transport_want_read(transport, false);
    turn_idle();
}

static void after_shutting_the_writing_side_reading_goes_on(void **state)
{
    (void)state;
    char data[8];
    transport_shutdown_write(user.transport);
    assert_int_equal(read(user.peer_fd, data, sizeof(data)), 0);
    say("more");
    turn_until(&user.readable, 1);
    assert_int_equal(transport_recv(user.transport, data, sizeof(data)), 4);
}

static void a_transport_may_be_closed_by_its_own_callbacks(void **state)
{
    (void)state;
    user.closes_when_readable = true;
    say("bye");
    turn_until(&user.readable, 1);
    turn_idle();
    assert_int_equal(user.readable, 1);
}

static void closing_while_writable_spares_the_waiting_bytes(void **state)
{
    (void)state;
    user.closes_when_writable = true;
    say("unread");
    transport_want_write(user.transport, true);
    turn_until(&user.writable, 1);
    turn_idle();
    assert_int_equal(user.readable, 0);
}

#define TCP_TEST(name)     cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define ADOPTED_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_adopted, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TCP_TEST(a_connection_is_told_later_and_carries_bytes_both_ways),
        TCP_TEST(a_refused_connection_is_an_error_at_once_or_later),
        TCP_TEST(what_is_wanted_while_connecting_holds_afterwards),
        TCP_TEST(a_connection_may_be_closed_before_it_is_made),
        TCP_TEST(the_other_hosts_death_is_noticed),
        ADOPTED_TEST(several_pieces_are_sent_in_order),
        ADOPTED_TEST(a_full_socket_says_eagain_and_then_becomes_writable),
        ADOPTED_TEST(the_end_of_the_stream_is_read_as_zero),
        ADOPTED_TEST(a_reset_is_read_as_an_error),
        ADOPTED_TEST(sending_to_a_peer_that_reset_is_an_error_and_no_signal),
        ADOPTED_TEST(paused_reading_leaves_bytes_with_the_kernel_until_resumed),
        ADOPTED_TEST(a_peer_that_closes_while_reading_is_paused_is_told_once),
        ADOPTED_TEST(a_peer_that_resets_while_reading_is_paused_is_told_once),
        ADOPTED_TEST(closing_sends_the_end_of_the_stream),
        ADOPTED_TEST(closing_by_reset_tells_the_peer_that_it_was_cut),
        ADOPTED_TEST(closing_twice_in_a_turn_is_harmless),
        ADOPTED_TEST(after_shutting_the_writing_side_reading_goes_on),
        ADOPTED_TEST(a_transport_may_be_closed_by_its_own_callbacks),
        ADOPTED_TEST(closing_while_writable_spares_the_waiting_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
