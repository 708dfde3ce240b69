/* SPDX-License-Identifier: Apache-2.0 */
/* test_access_log.c: lines are valid JSON whatever a client sent, rings lose nothing silently, the thread never holds
 * up a worker; several threads at once, for ThreadSanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "observe/access_log.h"
#include "observe/access_ring.h"

enum { WORKERS = 3, EACH = 2000, RING_BYTES = 64 << 10 };

static void set(struct access_record *record, enum access_string id, const char *value)
{
    record->strings[id] = bytes_of(value);
}

static json_t *parse(struct bytes line)
{
    json_error_t error;
    assert_true(line.len > 0 && line.data[line.len - 1] == '\n');
    assert_null(memchr(line.data, '\n', line.len - 1));
    json_t *root = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        fail_msg("%s: %.*s", error.text, (int)line.len, line.data);
    return root;
}

static json_t *line_of(const struct access_record *record)
{
    struct buffer out = {0};
    struct access_clock clock = {0};
    access_record_write(record, &clock, &out);
    json_t *root = parse(buffer_bytes(&out));
    buffer_deinit(&out);
    return root;
}

static void a_line_has_what_is_known_and_nothing_else(void **state)
{
    (void)state;
    struct access_record record;
    access_record_init(&record);
    record.wall_ms = 1732619479123;
    record.is_stream = true;
    set(&record, ACCESS_METHOD, "POST");
    set(&record, ACCESS_ARM, "p/m");
    record.numbers[ACCESS_STATUS] = 200;
    record.numbers[ACCESS_TTFT] = 1234567;
    record.numbers[ACCESS_TOTAL] = 5;
    struct buffer out = {0};
    struct access_clock clock = {0};
    access_record_write(&record, &clock, &out);
    assert_true(
        bytes_equal_str(buffer_bytes(&out),
                        "{\"time\":\"2024-11-26T11:11:19.123Z\",\"method\":\"POST\",\"arm\":\"p/m\",\"stream\":true,"
                        "\"status\":200,\"ttft_ms\":1234.567,\"total_ms\":0.005}\n"));
    /* The second is made once, and anew when it is another. */
    static const char *const times[] = {"11:11:19.999", "11:11:20.000", "11:11:19.001"};
    static const uint64_t walls_ms[] = {1732619479999, 1732619480000, 1732619479001};
    for (unsigned i = 0; i < 3; i++) {
        buffer_clear(&out);
        record.wall_ms = walls_ms[i];
        access_record_write(&record, &clock, &out);
        assert_memory_equal(buffer_bytes(&out).data + strlen("{'time':'2024-11-26T"), times[i], strlen(times[i]));
    }
    buffer_deinit(&out);
}

static void hostile_bytes_stay_inside_their_string(void **state)
{
    (void)state;
    static const char *const hostile[] = {
        "\"},{\"status\":200}\n{\"x\":\"",
        "\\",
        "\\\"",
        "a\r\nb\tc",
        "\x1b[31m\x07\x7f",
        "\xff\xfe\x80",
        "\xc3",
        "\xed\xa0\x80",
        "\xf0\x9f\x98\x80",
        "\xe2\x80\xa8",
        "</script>",
    };
    for (unsigned i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        struct access_record record;
        access_record_init(&record);
        for (unsigned id = 0; id < ACCESS_STRING_COUNT; id++)
            set(&record, (enum access_string)id, hostile[i]);
        record.numbers[ACCESS_STATUS] = 404;
        json_t *root = line_of(&record);
        assert_int_equal(json_object_size(root), ACCESS_STRING_COUNT + 3);
        assert_int_equal(json_integer_value(json_object_get(root, "status")), 404);
        json_decref(root);
    }
}

static void long_strings_are_cut_between_characters(void **state)
{
    (void)state;
    char path[3000];
    for (unsigned i = 0; i < sizeof path; i += 2)
        memcpy(path + i, "\xc3\xa9", 2);
    for (size_t shift = 0; shift < 2; shift++) { /* in and out of step with the limit */
        struct access_record record;
        access_record_init(&record);
        record.strings[ACCESS_PATH] = bytes_make(path + shift, 2500);
        access_record_bound(&record);
        assert_int_equal(record.strings[ACCESS_PATH].len, 1024 - shift);
        record.strings[ACCESS_PATH] = bytes_make("\x80\x80\x80\x80\x80\x80", 6);
        access_record_bound(&record);
        assert_int_equal(record.strings[ACCESS_PATH].len, 6);
    }
}

static void fill(struct access_record *record, char text[], unsigned number)
{
    access_record_init(record);
    int len = snprintf(text, 64, "/%u/%.*s", number, (int)(number % 40), "0123456789012345678901234567890123456789");
    record->strings[ACCESS_PATH] = bytes_make(text, (size_t)len);
    record->numbers[ACCESS_STATUS] = number;
    record->is_stream = number % 2;
}

static void a_ring_gives_back_what_it_took_in_order_and_refuses_when_full(void **state)
{
    (void)state;
    struct access_ring *ring = access_ring_new(16 << 10);
    struct access_record in, out;
    char text[64];
    unsigned put = 0, got = 0, refused = 0;
    for (unsigned round = 0; round < 300; round++) {
        for (unsigned i = 0; i < 20 + round % 60; i++) {
            fill(&in, text, put);
            if (access_ring_put(ring, &in))
                put++;
            else
                refused++;
        }
        for (unsigned i = 0; i < 7 + round % 90 && access_ring_peek(ring, &out); i++) {
            fill(&in, text, got);
            assert_int_equal(out.numbers[ACCESS_STATUS], got);
            assert_true(bytes_equal(out.strings[ACCESS_PATH], in.strings[ACCESS_PATH]));
            assert_int_equal(out.is_stream, in.is_stream);
            access_ring_done(ring);
            got++;
        }
    }
    while (access_ring_peek(ring, &out)) {
        access_ring_done(ring);
        got++;
    }
    assert_int_equal(got, put);
    assert_true(refused > 100 && put > 1000);
    assert_true(access_ring_is_empty(ring));
    access_ring_free(ring);
}

struct fixture {
    char folder[64];
    char path[100];
    struct metrics *metrics;
    struct access_log *log;
};

static void fixture_start(struct fixture *fixture, const char *path, size_t ring_bytes)
{
    signal(SIGPIPE, SIG_IGN);
    strcpy(fixture->folder, "/tmp/serin-access-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof fixture->path, "%s/%s", fixture->folder, path);
    fixture->metrics = metrics_new(WORKERS + 1, 10);
    fixture->log = NULL;
    struct access_log_config config = {.path = fixture->path,
                                       .workers = WORKERS,
                                       .ring_bytes = ring_bytes,
                                       .metrics = fixture->metrics,
                                       .shard = WORKERS};
    if (strcmp(path, "pipe") == 0)
        assert_int_equal(mkfifo(fixture->path, 0600), 0);
    if (strcmp(path, "pipe") != 0)
        assert_int_equal(access_log_start(&config, &fixture->log), 0);
}

static void fixture_stop(struct fixture *fixture)
{
    char old[128];
    access_log_stop(fixture->log);
    metrics_free(fixture->metrics);
    snprintf(old, sizeof old, "%s.1", fixture->path);
    unlink(old);
    unlink(fixture->path);
    assert_int_equal(rmdir(fixture->folder), 0);
}

static int64_t dropped(const struct fixture *fixture, const char *reason)
{
    return metrics_value(fixture->metrics, METRIC_ACCESS_LOG_DROPPED, (const char *[]){reason});
}

/* Lines of the file, each checked to be JSON; ret_sum: of their status members. */
static unsigned read_lines(const char *path, uint64_t *ret_sum)
{
    char line[4096];
    unsigned lines = 0;
    FILE *file = fopen(path, "r");
    *ret_sum = 0;
    assert_non_null(file);
    for (; fgets(line, sizeof line, file) != NULL; lines++) {
        json_t *root = parse(bytes_of(line));
        *ret_sum += (uint64_t)json_integer_value(json_object_get(root, "status"));
        json_decref(root);
    }
    fclose(file);
    return lines;
}

struct writer {
    struct access_log *log;
    unsigned worker;
};

static void *write_many(void *argument)
{
    const struct writer *writer = argument;
    for (unsigned i = 0; i < EACH; i++) {
        struct access_record record;
        char text[64];
        fill(&record, text, i);
        access_log_write(writer->log, writer->worker, &record);
    }
    return NULL;
}

static void every_line_is_written_or_counted_as_dropped(void **state)
{
    (void)state;
    struct fixture fixture;
    struct writer writers[WORKERS];
    pthread_t threads[WORKERS];
    uint64_t sum;
    fixture_start(&fixture, "log", RING_BYTES);
    for (unsigned i = 0; i < WORKERS; i++) {
        writers[i] = (struct writer){fixture.log, i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    access_log_stop(fixture.log);
    fixture.log = NULL;
    unsigned lines = read_lines(fixture.path, &sum);
    assert_int_equal(lines + dropped(&fixture, "ring_full"), WORKERS * EACH);
    assert_int_equal(dropped(&fixture, "write_failed"), 0);
    assert_true(lines > 100);
    fixture_stop(&fixture);
}

static void wait_for_lines(const char *path, unsigned lines)
{
    uint64_t sum;
    for (unsigned i = 0; i < 5000; i++) {
        if (access(path, F_OK) == 0 && read_lines(path, &sum) >= lines)
            return;
        usleep(1000);
    }
    fail_msg("never: %u lines in %s", lines, path);
}

static void write_one(struct access_log *log, unsigned number)
{
    struct access_record record;
    char text[64];
    fill(&record, text, number);
    access_log_write(log, 0, &record);
}

static void a_file_that_was_moved_away_is_begun_anew(void **state)
{
    (void)state;
    struct fixture fixture;
    char old[128];
    uint64_t sum;
    fixture_start(&fixture, "log", RING_BYTES);
    write_one(fixture.log, 7);
    wait_for_lines(fixture.path, 1);
    snprintf(old, sizeof old, "%s.1", fixture.path);
    assert_int_equal(rename(fixture.path, old), 0);
    access_log_reopen(fixture.log);
    wait_for_lines(fixture.path, 0);
    write_one(fixture.log, 8);
    wait_for_lines(fixture.path, 1);
    assert_int_equal(read_lines(old, &sum), 1);
    assert_int_equal(sum, 7);
    assert_int_equal(read_lines(fixture.path, &sum), 1);
    assert_int_equal(sum, 8);
    fixture_stop(&fixture);
}

static void a_reader_that_does_not_read_holds_up_nobody(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_start(&fixture, "pipe", 16 << 10);
    int reader = open(fixture.path, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    struct access_log_config config = {
        .path = fixture.path, .workers = 1, .ring_bytes = 16 << 10, .metrics = fixture.metrics, .shard = WORKERS};
    assert_int_equal(access_log_start(&config, &fixture.log), 0);
    /* More than pipe, batch and ring can take: it returns all the same. */
    int waiting = 0, before = -1;
    for (unsigned i = 0, stuck = 0; stuck < 40; i++) {
        for (unsigned k = 0; k < 20; k++)
            write_one(fixture.log, i);
        usleep(2000);
        assert_int_equal(ioctl(reader, FIONREAD, &waiting), 0);
        stuck = waiting == before ? stuck + 1 : 0;
        before = waiting;
    }
    for (unsigned i = 0; i < 2000; i++)
        write_one(fixture.log, i);
    assert_true(dropped(&fixture, "ring_full") > 0);
    access_log_stop(fixture.log); /* gives up in time */
    fixture.log = NULL;
    assert_true(dropped(&fixture, "write_failed") > 0);
    close(reader);
    fixture_stop(&fixture);
}

static void a_pipe_without_a_reader_is_refused_at_the_start(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_start(&fixture, "pipe", 16 << 10);
    struct access_log_config config = {
        .path = fixture.path, .workers = 1, .ring_bytes = 16 << 10, .metrics = fixture.metrics, .shard = WORKERS};
    assert_true(access_log_start(&config, &fixture.log) < 0);
    fixture_stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_what_is_known_and_nothing_else),
        cmocka_unit_test(hostile_bytes_stay_inside_their_string),
        cmocka_unit_test(long_strings_are_cut_between_characters),
        cmocka_unit_test(a_ring_gives_back_what_it_took_in_order_and_refuses_when_full),
        cmocka_unit_test(every_line_is_written_or_counted_as_dropped),
        cmocka_unit_test(a_file_that_was_moved_away_is_begun_anew),
        cmocka_unit_test(a_reader_that_does_not_read_holds_up_nobody),
        cmocka_unit_test(a_pipe_without_a_reader_is_refused_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
