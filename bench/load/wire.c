/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c: see wire.h.  Input is handled where recv() put it; only a rest is kept, so that the tools stay cheap next to
 * the proxy that they measure. */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 512 };

/* One loop per program, which is what these tools are. */
static int epoll_fd = -1;
static struct list closed_wires;
static char scratch[WIRE_SCRATCH_BYTES];

static void die(const char *what)
{
    fprintf(stderr, "bench_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

void wire_loop_start(void)
{
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        die("epoll_create1");
    list_init(&closed_wires);
}

static void watch(struct wire *wire, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = wire};
    if (epoll_ctl(epoll_fd, operation, wire->fd, &event) < 0)
        die("epoll_ctl");
}

void wire_watch(struct wire *wire, int fd, void (*on_readable)(struct wire *wire))
{
    wire->fd = fd;
    wire->on_readable = on_readable;
    watch(wire, EPOLL_CTL_ADD, EPOLLIN);
}

uint64_t wire_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct sockaddr_in wire_address(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    char ip[64];
    unsigned port;
    if (sscanf(text, "%63[0-9.]:%u", ip, &port) != 2 || port > 65535 ||
        inet_pton(AF_INET, ip, &address.sin_addr) != 1) {
        fprintf(stderr, "bench_load: %s is not IP:PORT\n", text);
        exit(2);
    }
    address.sin_port = htons((uint16_t)port);
    return address;
}

static int new_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    return fd;
}

int wire_listen(const struct sockaddr_in *address)
{
    int fd = new_socket(), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) < 0 || listen(fd, 8192) < 0)
        die("listen");
    return fd;
}

static void start(struct wire *wire, int fd, bool is_connecting)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    wire->fd = fd;
    wire->waits_for_room = is_connecting;
    list_init(&wire->link);
    watch(wire, EPOLL_CTL_ADD, is_connecting ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void wire_connect(struct wire *wire, const struct sockaddr_in *to)
{
    int fd = new_socket();
    if (connect(fd, (const struct sockaddr *)to, sizeof *to) < 0 && errno != EINPROGRESS)
        die("connect");
    start(wire, fd, true);
}

int wire_accept(int listening_fd)
{
    return accept4(listening_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

void wire_adopt(struct wire *wire, int fd)
{
    start(wire, fd, false);
}

void wire_close(struct wire *wire)
{
    if (wire->fd < 0)
        return;
    close(wire->fd);
    wire->fd = -1;
    list_push(&closed_wires, &wire->link);
}

static void free_closed(void)
{
    while (!list_is_empty(&closed_wires)) {
        struct wire *wire = LIST_ENTRY(list_pop(&closed_wires), struct wire, link);
        buffer_deinit(&wire->in);
        buffer_deinit(&wire->out);
        wire->on_closed(wire);
    }
}

static void skip(struct wire *wire, size_t sent)
{
    for (int i = 0; i < 2; i++) {
        size_t of_piece = sent < wire->pending[i].len ? sent : wire->pending[i].len;
        wire->pending[i] = bytes_skip(wire->pending[i], of_piece);
        sent -= of_piece;
    }
    buffer_consume(&wire->out, sent);
}

static bool has_unsent(const struct wire *wire)
{
    return wire->pending[0].len + wire->pending[1].len + buffer_len(&wire->out) > 0;
}

/* Errors show when the connection is read. */
static void flush(struct wire *wire)
{
    struct bytes parts[3] = {wire->pending[0], wire->pending[1], buffer_bytes(&wire->out)};
    struct iovec pieces[3];
    size_t count = 0;
    for (int i = 0; i < 3; i++)
        if (parts[i].len > 0)
            pieces[count++] = (struct iovec){(void *)(uintptr_t)parts[i].data, parts[i].len};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    ssize_t sent = count > 0 ? sendmsg(wire->fd, &message, MSG_NOSIGNAL) : 0;
    if (sent > 0)
        skip(wire, (size_t)sent);
    bool waits = has_unsent(wire);
    if (waits != wire->waits_for_room)
        watch(wire, EPOLL_CTL_MOD, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
    wire->waits_for_room = waits;
}

void wire_send(struct wire *wire, struct bytes head, struct bytes body)
{
    wire->pending[0] = head;
    wire->pending[1] = body;
    if (!wire->waits_for_room)
        flush(wire);
}

void wire_send_copy(struct wire *wire, struct bytes bytes)
{
    if (!wire->waits_for_room) {
        ssize_t sent = send(wire->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        bytes = bytes_skip(bytes, sent > 0 ? (size_t)sent : 0);
    }
    if (bytes.len == 0)
        return;
    buffer_append(&wire->out, bytes);
    if (!wire->waits_for_room)
        flush(wire);
}

bool wire_receive(struct wire *wire, struct bytes *ret_input)
{
    bool is_behind = !buffer_is_empty(&wire->in);
    size_t room = is_behind ? 64 * 1024 : sizeof scratch;
    char *to = is_behind ? buffer_reserve(&wire->in, room) : scratch;
    ssize_t got = recv(wire->fd, to, room, 0);
    *ret_input = BYTES("");
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    if (is_behind)
        buffer_commit(&wire->in, (size_t)got);
    *ret_input = is_behind ? buffer_bytes(&wire->in) : bytes_make(scratch, (size_t)got);
    return true;
}

void wire_keep(struct wire *wire, struct bytes rest)
{
    if (!buffer_is_empty(&wire->in))
        buffer_consume(&wire->in, buffer_len(&wire->in) - rest.len);
    else if (rest.len > 0)
        buffer_append(&wire->in, rest);
}

static void dispatch(const struct epoll_event *event)
{
    struct wire *wire = event->data.ptr;
    if (wire->fd >= 0 && (event->events & EPOLLOUT) != 0)
        flush(wire);
    if (wire->fd >= 0 && (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        wire->on_readable(wire);
}

void wire_loop_turn(uint64_t timeout_ns)
{
    struct epoll_event batch[BATCH];
    struct timespec timeout = {(time_t)(timeout_ns / 1000000000u), (long)(timeout_ns % 1000000000u)};
    int count = epoll_pwait2(epoll_fd, batch, BATCH, &timeout, NULL);
    for (int i = 0; i < count; i++)
        dispatch(&batch[i]);
    free_closed();
}
