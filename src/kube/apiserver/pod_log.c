/* SPDX-License-Identifier: Apache-2.0 */
/* pod_log.c: GET pods/<name>/log: a container's log file, or its end, and what is added to it while the client stays.
 *
 * The file may be cut and begun anew by whoever writes it (a bound on its size): reading goes on from its start then.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kube/api/core.h"
#include "kube/apiserver/call.h"

enum { CHUNK_BYTES = 64 * 1024 };

struct log_stream {
    struct list link; /* in the server's list */
    struct api_call *call;
    int fd;
    uint64_t offset;
    uint64_t left; /* bytes that may still be sent (limitBytes) */
    bool follows;
    struct reactor_watch watch; /* inotify; fd -1: does not follow */
};

/* --- where to begin --- */

/* The offset of the last `lines` lines. */
static uint64_t tail_offset(int fd, uint64_t size, int64_t lines)
{
    char chunk[4096];
    uint64_t at = size;
    int64_t seen = 0;
    while (at > 0) {
        size_t len = at < sizeof chunk ? (size_t)at : sizeof chunk;
        if (pread(fd, chunk, len, (off_t)(at - len)) != (ssize_t)len)
            return 0;
        for (size_t i = len; i > 0; i--) {
            /* The newline that ends the last line begins none. */
            bool is_end = at - len + i == size;
            if (chunk[i - 1] == '\n' && !is_end && ++seen == lines)
                return at - len + i;
        }
        at -= len;
    }
    return 0;
}

static uint64_t first_offset(int fd, const struct target_query *query)
{
    struct stat status;
    if (query->tail_lines < 0 || fstat(fd, &status) < 0)
        return 0;
    uint64_t size = (uint64_t)status.st_size;
    return query->tail_lines == 0 ? size : tail_offset(fd, size, query->tail_lines);
}

/* --- sending --- */

void log_stop(struct log_stream *log)
{
    list_remove(&log->link);
    if (log->watch.fd >= 0) {
        reactor_unwatch(log->call->server->reactor, &log->watch);
        close(log->watch.fd);
    }
    close(log->fd);
    log->call->log = NULL;
    free(log);
}

static void finish(struct log_stream *log)
{
    struct api_call *call = log->call;
    struct exchange *exchange = call->exchange;
    call_release(call); /* stops the stream */
    exchange_finish(exchange);
}

/* A file that became shorter was begun anew. */
static void notice_restart(struct log_stream *log)
{
    struct stat status;
    if (fstat(log->fd, &status) == 0 && (uint64_t)status.st_size < log->offset)
        log->offset = 0;
}

/* Sends what there is and what the client takes. */
static void pump(struct log_stream *log)
{
    static const size_t max = CHUNK_BYTES;
    char *chunk = must(malloc(max));
    ssize_t got = 1;
    notice_restart(log);
    while (log->left > 0 && exchange_send_room(log->call->exchange) > 0 &&
           (got = pread(log->fd, chunk, max < log->left ? max : (size_t)log->left, (off_t)log->offset)) > 0) {
        exchange_send(log->call->exchange, bytes_make(chunk, (size_t)got));
        log->offset += (uint64_t)got;
        log->left -= (uint64_t)got;
    }
    free(chunk);
    bool is_at_end = got <= 0;
    if (log->left == 0 || (is_at_end && !log->follows))
        finish(log);
}

void log_can_send(struct log_stream *log)
{
    pump(log);
}

void logs_end(struct apiserver *server)
{
    LIST_FOR_EACH_SAFE (node, &server->logs) {
        struct log_stream *log = LIST_ENTRY(node, struct log_stream, link);
        log->follows = false;
        pump(log);
    }
}

static void on_changed(struct reactor_watch *watch, uint32_t events)
{
    struct log_stream *log = container_of(watch, struct log_stream, watch);
    _Alignas(struct inotify_event) char raw[4096];
    (void)events;
    for (ssize_t got; (got = read(watch->fd, raw, sizeof raw)) > 0;) {
        const struct inotify_event *event;
        for (const char *at = raw; at < raw + got; at += sizeof *event + event->len) {
            event = (const void *)at;
            /* The pod is gone, and its log with it: what is left is sent, then the stream ends. */
            if ((event->mask & (IN_ATTRIB | IN_DELETE_SELF)) != 0) {
                struct stat status;
                log->follows = fstat(log->fd, &status) == 0 && status.st_nlink > 0;
            }
        }
    }
    pump(log);
}

static void follow(struct log_stream *log, const char *path)
{
    struct reactor *reactor = log->call->server->reactor;
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0)
        return;
    reactor_watch_init(&log->watch, fd, on_changed);
    if (inotify_add_watch(fd, path, IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF) < 0 ||
        reactor_watch_set(reactor, &log->watch, EPOLLIN) < 0) {
        close(fd);
        log->watch.fd = -1;
        return;
    }
    log->follows = true;
}

/* --- beginning --- */

static bool find_log(struct api_call *call, char path[4096])
{
    const struct target *target = &call->target;
    const struct apiserver_config *config = &call->server->config;
    const struct stored *stored = store_get(config->store, KUBE_POD, target->namespace_, target->name);
    if (stored == NULL) {
        failure_about(&call->failure, FAILURE_NOT_FOUND, KUBE_POD, target->name, NULL);
        return false;
    }
    const struct pod_spec *pod = stored->object->spec;
    const char *container = target->query.container;
    if (container[0] == '\0')
        container = pod->pod.containers[0].name;
    bool is_known = false;
    for (unsigned i = 0; i < pod->pod.container_count; i++)
        is_known = is_known || strcmp(pod->pod.containers[i].name, container) == 0;
    if (!is_known)
        failure_set(&call->failure, FAILURE_BAD_REQUEST, "container %s is not valid for pod %s", container,
                    target->name);
    else if (target->query.is_previous)
        failure_set(
            &call->failure, FAILURE_BAD_REQUEST,
            "previous terminated container \"%s\" in pod \"%s\" not found: all runs of a container share one log",
            container, target->name);
    else if (target->query.is_timestamped || target->query.is_since)
        failure_set(&call->failure, FAILURE_BAD_REQUEST,
                    "the times of log lines are not recorded: timestamps and since are not supported");
    else if (config->pod_log == NULL || !config->pod_log(config->context, stored->object, container, path))
        failure_set(&call->failure, FAILURE_BAD_REQUEST, "container \"%s\" in pod \"%s\" has no log: it never started",
                    container, target->name);
    return !call->failure.is_set;
}

static void begin(struct api_call *call, int fd, const char *path)
{
    struct http_fields fields = {0};
    const struct target_query *query = &call->target.query;
    struct log_stream *log = must(calloc(1, sizeof *log));
    *log = (struct log_stream){.call = call, .fd = fd, .watch.fd = -1};
    log->offset = first_offset(fd, query);
    log->left = query->limit_bytes != 0 ? query->limit_bytes : UINT64_MAX;
    call->log = log;
    list_push(&call->server->logs, &log->link);
    if (query->follows)
        follow(log, path);
    http_fields_add(&fields, call->arena, BYTES("Content-Type"), BYTES("text/plain"));
    count_answer(call, 200);
    exchange_respond(call->exchange, 200, &fields, -1);
    pump(log);
}

void log_start(struct api_call *call)
{
    char path[4096];
    int fd = -1;
    if (find_log(call, path) && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        failure_set(&call->failure, FAILURE_NOT_FOUND, "the log cannot be read: %s", strerror(errno));
    if (call->failure.is_set)
        answer_failure(call);
    else
        begin(call, fd, path);
}
