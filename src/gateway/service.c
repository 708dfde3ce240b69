/* SPDX-License-Identifier: Apache-2.0 */
/* service.c: datagrams to the service manager, the heartbeat behind them, the log file.
 *
 * A heartbeat is a piece of mail to each worker that comes back as mail to the control thread: it travels the way that
 * snapshots do, so that what it proves is what matters. */
#include "gateway/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"

void service_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path, strlen(path));
    if (path[0] == '@') /* the abstract namespace */
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    /* Nothing can be done about a manager that does not listen. */
    (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
    close(fd);
}

struct heartbeat {
    struct mail mail;
    struct watchdog *watchdog;
};

static void begin_round(struct watchdog *watchdog);

static void on_heartbeat(struct mail *mail)
{
    struct heartbeat *heartbeat = container_of(mail, struct heartbeat, mail);
    struct watchdog *watchdog = heartbeat->watchdog;
    free(heartbeat);
    if (++watchdog->answered == watchdog->worker_count)
        service_notify("WATCHDOG=1");
}

/* On a worker's thread. */
static void on_ping(void *context)
{
    struct watchdog *watchdog = context;
    struct heartbeat *heartbeat = must(calloc(1, sizeof *heartbeat));
    heartbeat->watchdog = watchdog;
    heartbeat->mail.deliver = on_heartbeat;
    mailbox_post(reactor_mailbox(watchdog->reactor), &heartbeat->mail);
}

/* A worker that has not answered yet keeps the round open: no second ping piles up behind it. */
static void on_timer(struct wheel_timer *timer)
{
    struct watchdog *watchdog = container_of(timer, struct watchdog, timer);
    if (watchdog->answered == watchdog->worker_count)
        begin_round(watchdog);
    reactor_timer_set(watchdog->reactor, &watchdog->timer, watchdog->period_ms);
}

static void begin_round(struct watchdog *watchdog)
{
    watchdog->answered = 0;
    for (unsigned i = 0; i < watchdog->worker_count; i++)
        worker_ping(watchdog->workers[i], on_ping, watchdog);
}

void watchdog_start(struct watchdog *watchdog, struct reactor *reactor, struct worker *const *workers,
                    unsigned worker_count)
{
    const char *text = getenv("WATCHDOG_USEC");
    unsigned long long timeout_us = 0;
    *watchdog = (struct watchdog){.reactor = NULL};
    if (text == NULL || !bytes_to_u64(bytes_of(text), UINT32_MAX, &timeout_us) || timeout_us < 10000)
        return;
    watchdog->reactor = reactor;
    watchdog->workers = workers;
    watchdog->worker_count = watchdog->answered = worker_count;
    watchdog->period_ms = timeout_us / 1000 / 3;
    wheel_timer_init(&watchdog->timer, on_timer);
    reactor_timer_set(reactor, &watchdog->timer, 0);
}

void watchdog_stop(struct watchdog *watchdog)
{
    if (watchdog->reactor != NULL)
        reactor_timer_cancel(watchdog->reactor, &watchdog->timer);
}

/* Standard error itself is exchanged, in one step: no line of any thread is lost. */
int service_log_to(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0)
        return -errno;
    int error = dup2(fd, STDERR_FILENO) < 0 ? -errno : 0;
    close(fd);
    return error;
}
