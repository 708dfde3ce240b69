/* SPDX-License-Identifier: Apache-2.0 */
/* access_log.c: the thread that makes lines of records and writes them.
 *
 * It sleeps while all rings are empty.  Who writes a record then wakes it; after waking it rests for a moment, so that
 * a busy worker wakes it a hundred times a second and not at every request.  A file that takes nothing (a full disk, a
 * pipe whose reader is slow) makes this thread wait and nobody else. */
#include "observe/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "observe/access_ring.h"

enum { REST_MS = 10, BATCH_BYTES = 64 << 10, STOP_MS = 1000 };

struct access_log {
    struct access_log_config config;
    char *path;
    int fd;
    bool is_pipe;     /* or a socket, or a terminal: written in pieces that fit */
    bool is_mid_line; /* the last write ended inside one */
    int wake_fd;
    atomic_bool is_sleeping, is_stopping, wants_reopen;
    uint64_t stop_ms; /* when it gives up; by its own thread */
    struct buffer batch;
    struct access_clock clock;
    struct log_limit limit;
    struct metric_series *failed;
    struct metric_series **full; /* by worker */
    pthread_t thread;
    struct access_ring *rings[];
};

/* Opening never waits for a reader, nor does writing. */
static int open_file(const char *path)
{
    if (strcmp(path, "-") == 0)
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
}

static void use_file(struct access_log *log, int fd)
{
    struct stat status;
    if (log->fd >= 0)
        close(log->fd);
    log->fd = fd;
    log->is_pipe = fstat(fd, &status) < 0 || !S_ISREG(status.st_mode);
    log->is_mid_line = false;
    buffer_clear(&log->batch);
}

static void reopen(struct access_log *log)
{
    int fd = strcmp(log->path, "-") != 0 ? open_file(log->path) : -1;
    if (fd >= 0)
        use_file(log, fd);
    else if (strcmp(log->path, "-") != 0)
        log_error("access log", "%s: cannot be opened again: %s; the old file is written on", log->path,
                  strerror(errno));
}

static size_t count_lines(struct bytes text)
{
    size_t lines = 0;
    for (const char *at; (at = memchr(text.data, '\n', text.len)) != NULL; lines++)
        text = bytes_skip(text, (size_t)(at - text.data) + 1);
    return lines;
}

static bool is_over(struct access_log *log)
{
    if (!atomic_load_explicit(&log->is_stopping, memory_order_acquire))
        return false;
    if (log->stop_ms == 0)
        log->stop_ms = clock_now_ms() + STOP_MS;
    return clock_now_ms() > log->stop_ms;
}

/* 0, or -errno when the file takes no more. */
static int write_some(struct access_log *log, struct bytes *text)
{
    struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
    size_t len = log->is_pipe && text->len > PIPE_BUF ? PIPE_BUF : text->len;
    if (log->is_pipe && poll(&ready, 1, 100) <= 0)
        return is_over(log) ? -ETIMEDOUT : 0;
    ssize_t written = write(log->fd, text->data, len);
    if (written < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    log->is_mid_line = written > 0 && text->data[written - 1] != '\n';
    *text = bytes_skip(*text, (size_t)written);
    return 0;
}

static void write_batch(struct access_log *log)
{
    struct bytes text = buffer_bytes(&log->batch);
    int error = 0;
    while (text.len > 0 && error == 0)
        error = write_some(log, &text);
    if (error < 0) {
        size_t lines = count_lines(text);
        metric_add(log->failed, (int64_t)lines);
        log_limited(&log->limit, LOG_LEVEL_ERROR, "access log", "%s: %s; %zu lines are lost", log->path,
                    strerror(-error), lines);
    }
    buffer_clear(&log->batch);
    if (log->is_mid_line) /* half a line stays half; the next one starts anew */
        buffer_append_char(&log->batch, '\n');
}

/* Whether there was anything. */
static bool drain(struct access_log *log, struct access_ring *ring)
{
    struct access_record record;
    bool has_any = false;
    while (access_ring_peek(ring, &record)) {
        access_record_write(&record, &log->clock, &log->batch);
        access_ring_done(ring);
        has_any = true;
        if (buffer_len(&log->batch) >= BATCH_BYTES)
            write_batch(log);
    }
    return has_any;
}

static bool drain_all(struct access_log *log)
{
    bool has_any = false;
    for (unsigned i = 0; i < log->config.workers; i++)
        has_any = drain(log, log->rings[i]) || has_any;
    if (has_any)
        write_batch(log);
    return has_any;
}

static bool has_work(const struct access_log *log)
{
    for (unsigned i = 0; i < log->config.workers; i++)
        if (!access_ring_is_empty(log->rings[i]))
            return true;
    return atomic_load(&log->is_stopping) || atomic_load(&log->wants_reopen);
}

static void sleep_until_woken(struct access_log *log)
{
    struct pollfd woken = {.fd = log->wake_fd, .events = POLLIN};
    uint64_t count;
    atomic_store(&log->is_sleeping, true);
    if (!has_work(log)) /* looked at once more: who wrote before saw nobody asleep */
        (void)poll(&woken, 1, -1);
    atomic_store(&log->is_sleeping, false);
    (void)!read(log->wake_fd, &count, sizeof count);
    if (!atomic_load(&log->is_stopping))
        nanosleep(&(struct timespec){.tv_nsec = REST_MS * 1000000L}, NULL);
}

static void wake(struct access_log *log)
{
    uint64_t one = 1;
    if (atomic_load(&log->is_sleeping) && atomic_exchange(&log->is_sleeping, false))
        (void)!write(log->wake_fd, &one, sizeof one);
}

static void *run(void *argument)
{
    struct access_log *log = argument;
    pthread_setname_np(pthread_self(), "access log");
    for (;;) {
        /* Before the rings: what was written before the stop is in them. */
        bool is_last = atomic_load_explicit(&log->is_stopping, memory_order_acquire);
        if (atomic_exchange(&log->wants_reopen, false))
            reopen(log);
        if (drain_all(log) || is_last) {
            if (is_last)
                return NULL;
            nanosleep(&(struct timespec){.tv_nsec = REST_MS * 1000000L}, NULL);
        } else {
            sleep_until_woken(log);
        }
    }
}

static void log_free(struct access_log *log)
{
    for (unsigned i = 0; i < log->config.workers; i++)
        access_ring_free(log->rings[i]);
    if (log->fd >= 0)
        close(log->fd);
    if (log->wake_fd >= 0)
        close(log->wake_fd);
    buffer_deinit(&log->batch);
    free(log->full);
    free(log->path);
    free(log);
}

static struct access_log *log_new(const struct access_log_config *config)
{
    struct access_log *log = must(calloc(1, sizeof *log + config->workers * sizeof(struct access_ring *)));
    log->config = *config;
    log->path = must(strdup(config->path));
    log->fd = -1;
    log->wake_fd = -1;
    log->full = must(calloc(config->workers, sizeof(struct metric_series *)));
    log->failed =
        metrics_series(config->metrics, config->shard, METRIC_ACCESS_LOG_DROPPED, (const char *[]){"write_failed"});
    for (unsigned i = 0; i < config->workers; i++) {
        log->rings[i] = access_ring_new(config->ring_bytes);
        log->full[i] = metrics_series(config->metrics, i, METRIC_ACCESS_LOG_DROPPED, (const char *[]){"ring_full"});
    }
    return log;
}

int access_log_start(const struct access_log_config *config, struct access_log **ret_log)
{
    int fd = open_file(config->path);
    if (fd < 0)
        return -errno;
    struct access_log *log = log_new(config);
    use_file(log, fd);
    log->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = log->wake_fd < 0 ? errno : pthread_create(&log->thread, NULL, run, log);
    if (error != 0) {
        log_free(log);
        return -error;
    }
    *ret_log = log;
    return 0;
}

void access_log_stop(struct access_log *log)
{
    if (log == NULL)
        return;
    atomic_store(&log->is_stopping, true);
    wake(log);
    pthread_join(log->thread, NULL);
    log_free(log);
}

void access_log_write(struct access_log *log, unsigned worker, struct access_record *record)
{
    access_record_bound(record);
    if (access_ring_put(log->rings[worker], record))
        wake(log);
    else
        metric_add(log->full[worker], 1);
}

void access_log_reopen(struct access_log *log)
{
    atomic_store(&log->wants_reopen, true);
    wake(log);
}
