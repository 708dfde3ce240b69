/* SPDX-License-Identifier: Apache-2.0 */
/* test_decision_log.c: lines arrive whole and in order of each writer, what finds no room is counted, and a file may be
 * moved away; several threads at once, for ThreadSanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "observe/decision_log.h"

enum { WRITERS = 3, EACH = 500 };

struct place {
    char folder[64], path[96], moved[96];
    struct metrics *metrics;
};

static int set_up(void **state)
{
    static struct place place;
    strcpy(place.folder, "/tmp/decision-log-XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    snprintf(place.path, sizeof place.path, "%s/log", place.folder);
    snprintf(place.moved, sizeof place.moved, "%s/moved", place.folder);
    place.metrics = metrics_new(1, 100);
    *state = &place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    metrics_free(place->metrics);
    unlink(place->path);
    unlink(place->moved);
    return rmdir(place->folder);
}

static struct decision_log *start(struct place *place, size_t pending_bytes)
{
    struct decision_log *log;
    struct decision_log_config config = {
        .path = place->path, .every = 7, .pending_bytes = pending_bytes, .metrics = place->metrics};
    assert_int_equal(decision_log_start(&config, &log), 0);
    return log;
}

static int64_t dropped(const struct place *place, const char *reason)
{
    return metrics_value(place->metrics, METRIC_DECISION_LOG_DROPPED, &reason);
}

struct writer {
    pthread_t thread;
    struct decision_log *log;
    unsigned number;
};

static void *write_many(void *argument)
{
    struct writer *writer = argument;
    char line[64];
    for (unsigned i = 0; i < EACH; i++) {
        int len = snprintf(line, sizeof line, "%u %u end\n", writer->number, i);
        decision_log_write(writer->log, bytes_make(line, (size_t)len));
    }
    return NULL;
}

static void lines_of_all_writers_arrive_whole_and_in_their_order(void **state)
{
    struct place *place = *state;
    struct writer writers[WRITERS];
    unsigned next[WRITERS] = {0}, number, i;
    struct decision_log *log = start(place, 1 << 20);
    assert_int_equal(decision_log_every(log), 7);
    for (unsigned w = 0; w < WRITERS; w++) {
        writers[w] = (struct writer){.log = log, .number = w};
        assert_int_equal(pthread_create(&writers[w].thread, NULL, write_many, &writers[w]), 0);
    }
    for (unsigned w = 0; w < WRITERS; w++)
        pthread_join(writers[w].thread, NULL);
    decision_log_stop(log);
    FILE *file = fopen(place->path, "r");
    assert_non_null(file);
    while (fscanf(file, "%u %u end\n", &number, &i) == 2)
        assert_int_equal(i, next[number]++);
    assert_true(feof(file));
    fclose(file);
    for (unsigned w = 0; w < WRITERS; w++)
        assert_int_equal(next[w], EACH);
    assert_int_equal(dropped(place, "buffer_full"), 0);
}

/* A pipe whose reader does not read, so that the buffer fills. */
static void what_finds_no_room_is_counted(void **state)
{
    struct place *place = *state;
    static char line[1000];
    assert_int_equal(mkfifo(place->path, 0600), 0);
    int reader = open(place->path, O_RDONLY | O_NONBLOCK);
    struct decision_log *log = start(place, 4096);
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\n';
    unsigned written = 1000; /* more than pipe and buffers hold */
    for (unsigned i = 0; i < written; i++)
        decision_log_write(log, bytes_make(line, sizeof line));
    unsigned lines = 0;
    static char text[65536];
    for (ssize_t got = 1; got > 0;) { /* lets it go on */
        got = read(reader, text, sizeof text);
        for (ssize_t i = 0; i < got; i++)
            lines += text[i] == '\n';
    }
    decision_log_stop(log);
    for (ssize_t got; (got = read(reader, text, sizeof text)) > 0;)
        for (ssize_t i = 0; i < got; i++)
            lines += text[i] == '\n';
    close(reader);
    assert_true(dropped(place, "buffer_full") > 0);
    assert_int_equal(lines + dropped(place, "buffer_full") + dropped(place, "write_failed"), written);
}

static void a_file_that_was_moved_away_is_begun_anew(void **state)
{
    struct place *place = *state;
    struct stat status;
    struct decision_log *log = start(place, 4096);
    assert_int_equal(rename(place->path, place->moved), 0);
    decision_log_reopen(log);
    decision_log_write(log, BYTES("line\n"));
    decision_log_stop(log);
    assert_int_equal(stat(place->path, &status) + stat(place->moved, &status), 0);
}

static void a_file_that_cannot_be_opened_is_said_at_once(void **state)
{
    struct place *place = *state;
    struct decision_log *log = NULL;
    struct decision_log_config config = {.path = "/nowhere/log", .every = 1, .metrics = place->metrics};
    assert_int_equal(decision_log_start(&config, &log), -ENOENT);
    assert_null(log);
    decision_log_stop(NULL);
}

#define LOG_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(lines_of_all_writers_arrive_whole_and_in_their_order),
        LOG_TEST(what_finds_no_room_is_counted),
        LOG_TEST(a_file_that_was_moved_away_is_begun_anew),
        LOG_TEST(a_file_that_cannot_be_opened_is_said_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
