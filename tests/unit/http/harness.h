/* SPDX-License-Identifier: Apache-2.0 */
/* harness.h: loopback sockets and a reactor turned by hand, for the tests of the HTTP server and client.
 *
 * Nothing waits for a duration: turn_until() turns until something is true and fails after a generous count. */
#ifndef TESTS_UNIT_HTTP_HARNESS_H
#define TESTS_UNIT_HTTP_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "net/address.h"
#include "net/reactor.h"

enum { MAX_TURNS = 20000 };

#define turn_until(reactor, condition)                                                                                 \
    do {                                                                                                               \
        int turns_left = MAX_TURNS;                                                                                    \
        while (!(condition) && turns_left-- > 0)                                                                       \
            reactor_turn((reactor), 1);                                                                                \
        assert_true(condition);                                                                                        \
    } while (0)

/* Enough turns for everything that is already on its way over loopback. */
static inline void settle(struct reactor *reactor)
{
    for (int i = 0; i < 20; i++)
        reactor_turn(reactor, 0);
}

/* Refuses connections, and keeps its port from others. */
static inline int refuse_on_loopback(struct address *ret_at)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_true(address_make(ret_at, BYTES("127.0.0.1"), 0));
    assert_int_equal(bind(fd, &ret_at->sa.generic, ret_at->len), 0);
    assert_int_equal(getsockname(fd, &ret_at->sa.generic, &ret_at->len), 0);
    return fd;
}

static inline int listen_on_loopback(struct address *ret_at)
{
    int fd = refuse_on_loopback(ret_at);
    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

static inline void set_nonblocking(int fd)
{
    assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

/* Two ends of a TCP connection, both non-blocking. */
static inline void connect_pair(int ret_ends[2], int receive_buffer_bytes)
{
    struct address at;
    int listening = listen_on_loopback(&at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer_bytes > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(receive_buffer_bytes));
    assert_int_equal(connect(fd, &at.sa.generic, at.len), 0);
    ret_ends[0] = fd;
    ret_ends[1] = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(ret_ends[1] >= 0);
    close(listening);
    set_nonblocking(fd);
}

/* What a peer socket has received so far; *ret_ended: 1 after FIN, -errno after a reset, else 0. */
static inline void drain_fd(int fd, struct buffer *got, int *ret_ended)
{
    for (;;) {
        char *room = buffer_reserve(got, 64 * 1024);
        ssize_t count = recv(fd, room, 64 * 1024, 0);
        if (count > 0) {
            buffer_commit(got, (size_t)count);
            continue;
        }
        if (count == 0)
            *ret_ended = 1;
        else if (errno != EAGAIN)
            *ret_ended = -errno;
        return;
    }
}

static inline void send_all(int fd, struct bytes data)
{
    ssize_t sent = send(fd, data.data, data.len, MSG_NOSIGNAL);
    assert_int_equal(sent, (ssize_t)data.len);
}

static inline void close_with_reset(int fd)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    close(fd);
}

static inline unsigned count_text(const struct buffer *buffer, const char *text)
{
    unsigned count = 0;
    struct bytes rest = buffer_bytes(buffer);
    size_t len = strlen(text);
    while (rest.len >= len) {
        const char *found = memmem(rest.data, rest.len, text, len);
        if (found == NULL)
            break;
        count++;
        rest = bytes_skip(rest, (size_t)(found - rest.data) + len);
    }
    return count;
}

static inline bool has_text(const struct buffer *buffer, const char *text)
{
    return count_text(buffer, text) > 0;
}

#endif
