/* SPDX-License-Identifier: Apache-2.0 */
/* relay.c: a bare TCP relay, the floor that a proxy is measured against: accepts, connects, moves bytes both ways.
 *
 * usage: bench_relay LISTEN-IP:PORT TARGET-IP:PORT.  One thread; it understands nothing of what it moves, and stops
 * reading from a side whose other side takes no more. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <unistd.h>

enum { BATCH = 256, CHUNK = 64 * 1024 };

struct side {
    int fd; /* -1: closed */
    struct side *other;
    char *pending; /* received for the other side, which took only a part */
    size_t pending_len;
};

struct relay {
    int epoll_fd;
    int listening_fd;
    struct sockaddr_in target;
    struct side *closed[BATCH * 2]; /* pairs that ended in this turn */
    int closed_count;
    char chunk[CHUNK];
};

static void watch(struct relay *relay, struct side *side, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = side};
    epoll_ctl(relay->epoll_fd, operation, side->fd, &event);
}

static void set_up(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void accept_all(struct relay *relay)
{
    for (int fd; (fd = accept4(relay->listening_fd, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        struct side *pair = calloc(2, sizeof *pair);
        int to = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (pair == NULL || to < 0)
            abort();
        connect(to, (const struct sockaddr *)&relay->target, sizeof relay->target);
        pair[0] = (struct side){.fd = fd, .other = &pair[1]};
        pair[1] = (struct side){.fd = to, .other = &pair[0]};
        set_up(fd);
        set_up(to);
        watch(relay, &pair[0], EPOLL_CTL_ADD, EPOLLIN);
        watch(relay, &pair[1], EPOLL_CTL_ADD, EPOLLIN);
    }
}

static void close_pair(struct relay *relay, struct side *side)
{
    struct side *pair = side < side->other ? side : side->other;
    for (int i = 0; i < 2; i++) {
        close(pair[i].fd);
        pair[i].fd = -1;
    }
    relay->closed[relay->closed_count++] = pair;
}

static void free_closed(struct relay *relay)
{
    while (relay->closed_count > 0) {
        struct side *pair = relay->closed[--relay->closed_count];
        free(pair[0].pending);
        free(pair[1].pending);
        free(pair);
    }
}

/* Keeps what the other side did not take, reads no more of this one, and waits for room there. */
static void hold(struct relay *relay, struct side *side, const char *data, size_t len)
{
    side->pending = malloc(len);
    if (side->pending == NULL)
        abort();
    memcpy(side->pending, data, len);
    side->pending_len = len;
    watch(relay, side, EPOLL_CTL_MOD, side->other->pending_len > 0 ? EPOLLOUT : 0);
    watch(relay, side->other, EPOLL_CTL_MOD, side->other->pending_len > 0 ? EPOLLOUT : EPOLLIN | EPOLLOUT);
}

static void move(struct relay *relay, struct side *side)
{
    ssize_t got = read(side->fd, relay->chunk, CHUNK);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        close_pair(relay, side);
        return;
    }
    ssize_t sent = write(side->other->fd, relay->chunk, (size_t)got);
    if (sent < 0 && errno != EAGAIN) {
        close_pair(relay, side);
        return;
    }
    if (sent < got)
        hold(relay, side, relay->chunk + (sent > 0 ? sent : 0), (size_t)(got - (sent > 0 ? sent : 0)));
}

/* There is room at `side` for what came from the other one. */
static void send_pending(struct relay *relay, struct side *side)
{
    struct side *from = side->other;
    ssize_t sent = write(side->fd, from->pending, from->pending_len);
    if (sent < 0) {
        if (errno != EAGAIN)
            close_pair(relay, side);
        return;
    }
    from->pending_len -= (size_t)sent;
    memmove(from->pending, from->pending + sent, from->pending_len);
    if (from->pending_len > 0)
        return;
    free(from->pending);
    from->pending = NULL;
    watch(relay, from, EPOLL_CTL_MOD, side->pending_len > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
    watch(relay, side, EPOLL_CTL_MOD, side->pending_len > 0 ? 0 : EPOLLIN);
}

static void dispatch(struct relay *relay, const struct epoll_event *event)
{
    struct side *side = event->data.ptr;
    if (side == NULL) {
        accept_all(relay);
        return;
    }
    if (side->fd >= 0 && (event->events & EPOLLOUT) != 0 && side->other->pending_len > 0)
        send_pending(relay, side);
    if (side->fd >= 0 && (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && side->pending_len == 0)
        move(relay, side);
}

static struct sockaddr_in address(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    char ip[64];
    unsigned port;
    if (sscanf(text, "%63[0-9.]:%u", ip, &port) != 2 || port > 65535 || inet_pton(AF_INET, ip, &address.sin_addr) != 1)
        exit(2);
    address.sin_port = htons((uint16_t)port);
    return address;
}

static void start(struct relay *relay, const char *listen_on)
{
    struct sockaddr_in own = address(listen_on);
    int on = 1;
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    relay->epoll_fd = epoll_create1(0);
    relay->listening_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(relay->listening_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(relay->listening_fd, (const struct sockaddr *)&own, sizeof own) < 0 ||
        listen(relay->listening_fd, 8192) < 0) {
        perror("bench_relay: listen");
        exit(1);
    }
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(relay->epoll_fd, EPOLL_CTL_ADD, relay->listening_fd, &event);
}

int main(int argc, char **argv)
{
    static struct relay relay;
    if (argc != 3)
        return 2;
    relay.target = address(argv[2]);
    start(&relay, argv[1]);
    for (;;) {
        struct epoll_event batch[BATCH];
        int count = epoll_wait(relay.epoll_fd, batch, BATCH, -1);
        for (int i = 0; i < count; i++)
            dispatch(&relay, &batch[i]);
        free_closed(&relay);
    }
}
