/* SPDX-License-Identifier: Apache-2.0 */
/* access_log.c: the thread that makes lines of records and writes them.
 *
 * It sleeps while all rings are empty.  Who writes a record then wakes it; after waking it rests for a moment, so that
 * a busy worker wakes it a hundred times a second and not at every request.  A file that takes nothing (a full disk, a
 * pipe whose reader is slow) makes this thread wait and nobody else. */
#include "observe/access_log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "observe/access_ring.h"
#include "observe/log_file.h"

enum { REST_MS = 10, BATCH_BYTES = 64 << 10, STOP_MS = 1000 };

struct access_log {
    struct access_log_config config;
    struct log_file file;
    int wake_fd;
    atomic_bool is_sleeping, is_stopping, wants_reopen;
    uint64_t stop_ms; /* when it gives up; by its own thread */
    struct buffer batch;
    struct access_clock clock;
    struct metric_series *failed;
    struct metric_series **full; /* by worker */
    pthread_t thread;
    struct access_ring *rings[];
};

static bool is_over(void *context)
{
    struct access_log *log = context;
    if (!atomic_load_explicit(&log->is_stopping, memory_order_acquire))
        return false;
    if (log->stop_ms == 0)
        log->stop_ms = clock_now_ms() + STOP_MS;
    return clock_now_ms() > log->stop_ms;
}

static void write_batch(struct access_log *log)
{
    size_t lost = log_file_write(&log->file, buffer_bytes(&log->batch), is_over, log);
    metric_add(log->failed, (int64_t)lost);
    buffer_clear(&log->batch);
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
            log_file_reopen(&log->file);
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
    log_file_close(&log->file);
    if (log->wake_fd >= 0)
        close(log->wake_fd);
    buffer_deinit(&log->batch);
    free(log->full);
    free(log);
}

static struct access_log *log_new(const struct access_log_config *config)
{
    struct access_log *log = must(calloc(1, sizeof *log + config->workers * sizeof(struct access_ring *)));
    log->config = *config;
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
    struct log_file file;
    int opened = log_file_open(&file, "access log", config->path);
    if (opened < 0)
        return opened;
    struct access_log *log = log_new(config);
    log->file = file;
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
