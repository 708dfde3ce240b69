/* SPDX-License-Identifier: Apache-2.0 */
/* decision_log.c: two buffers that change places: one is filled under the lock, the other is written without it. */
#include "observe/decision_log.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "observe/log_file.h"

enum { STOP_MS = 1000 };

struct decision_log {
    struct decision_log_config config;
    struct log_file file;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct buffer pending; /* under the lock, as the next three */
    bool is_stopping, wants_reopen;
    uint64_t full_count;   /* lines that found no room and were not counted yet */
    struct buffer writing; /* the thread's */
    uint64_t stop_ms;      /* when it gives up; 0: it goes on */
    struct metric_series *full, *failed;
    pthread_t thread;
};

/* What the thread takes out of the lock. */
struct work {
    bool is_last, wants_reopen;
    uint64_t full_count;
};

static bool is_over(void *context)
{
    struct decision_log *log = context;
    pthread_mutex_lock(&log->lock);
    if (log->is_stopping && log->stop_ms == 0)
        log->stop_ms = clock_now_ms() + STOP_MS;
    pthread_mutex_unlock(&log->lock);
    return log->stop_ms != 0 && clock_now_ms() > log->stop_ms;
}

static struct work wait_for_work(struct decision_log *log)
{
    pthread_mutex_lock(&log->lock);
    while (buffer_is_empty(&log->pending) && log->full_count == 0 && !log->is_stopping && !log->wants_reopen)
        pthread_cond_wait(&log->changed, &log->lock);
    struct work work = {log->is_stopping, log->wants_reopen, log->full_count};
    struct buffer filled = log->pending;
    log->pending = log->writing;
    log->writing = filled;
    log->wants_reopen = false;
    log->full_count = 0;
    pthread_mutex_unlock(&log->lock);
    return work;
}

static void *run(void *argument)
{
    struct decision_log *log = argument;
    struct work work = {0};
    pthread_setname_np(pthread_self(), "decision log");
    while (!work.is_last) {
        work = wait_for_work(log);
        if (work.wants_reopen)
            log_file_reopen(&log->file);
        size_t lost = log_file_write(&log->file, buffer_bytes(&log->writing), is_over, log);
        metric_add(log->failed, (int64_t)lost);
        metric_add(log->full, (int64_t)work.full_count);
        buffer_clear(&log->writing);
    }
    return NULL;
}

static void log_free(struct decision_log *log)
{
    log_file_close(&log->file);
    buffer_deinit(&log->pending);
    buffer_deinit(&log->writing);
    pthread_cond_destroy(&log->changed);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

static struct metric_series *dropped(const struct decision_log_config *config, const char *reason)
{
    return metrics_series(config->metrics, config->shard, METRIC_DECISION_LOG_DROPPED, &reason);
}

int decision_log_start(const struct decision_log_config *config, struct decision_log **ret_log)
{
    struct log_file file;
    int error = log_file_open(&file, "decision log", config->path);
    if (error < 0)
        return error;
    struct decision_log *log = must(calloc(1, sizeof *log));
    log->config = *config;
    log->file = file;
    log->full = dropped(config, "buffer_full");
    log->failed = dropped(config, "write_failed");
    pthread_mutex_init(&log->lock, NULL);
    pthread_cond_init(&log->changed, NULL);
    error = pthread_create(&log->thread, NULL, run, log);
    if (error != 0) {
        log_free(log);
        return -error;
    }
    *ret_log = log;
    return 0;
}

void decision_log_stop(struct decision_log *log)
{
    if (log == NULL)
        return;
    pthread_mutex_lock(&log->lock);
    log->is_stopping = true;
    pthread_cond_signal(&log->changed);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    log_free(log);
}

unsigned decision_log_every(const struct decision_log *log)
{
    return log->config.every;
}

void decision_log_write(struct decision_log *log, struct bytes line)
{
    pthread_mutex_lock(&log->lock);
    if (buffer_len(&log->pending) + line.len <= log->config.pending_bytes)
        buffer_append(&log->pending, line);
    else
        log->full_count++;
    pthread_cond_signal(&log->changed);
    pthread_mutex_unlock(&log->lock);
}

void decision_log_reopen(struct decision_log *log)
{
    pthread_mutex_lock(&log->lock);
    log->wants_reopen = true;
    pthread_cond_signal(&log->changed);
    pthread_mutex_unlock(&log->lock);
}
