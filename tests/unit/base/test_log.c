/* SPDX-License-Identifier: Apache-2.0 */
/* test_log.c: the written line, read back from a pipe put in place of standard error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

struct capture {
    int saved;
    int read_end;
    char text[8192];
};

static void capture_begin(struct capture *capture)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    capture->saved = dup(STDERR_FILENO);
    capture->read_end = ends[0];
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
}

/* What was logged since capture_begin(); the pipe holds far more than a test writes. */
static const char *capture_end(struct capture *capture)
{
    dup2(capture->saved, STDERR_FILENO);
    close(capture->saved);
    size_t len = 0;
    ssize_t count;
    while ((count = read(capture->read_end, capture->text + len, sizeof(capture->text) - 1 - len)) > 0)
        len += (size_t)count;
    capture->text[len] = '\0';
    close(capture->read_end);
    return capture->text;
}

/* "2026-01-02T03:04:05.678Z " */
enum { TIME_LEN = 25 };

static void a_line_has_time_level_object_and_message(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    log_warn("pool default/p", "%d endpoints left", 3);
    log_info(NULL, "started");
    const char *text = capture_end(&capture);
    unsigned year, month, day, hour, minute, second, ms;
    assert_int_equal(sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u.%3uZ ", &year, &month, &day, &hour, &minute, &second, &ms),
                     7);
    assert_int_equal(text[TIME_LEN - 1], ' ');
    const char *first = "warn  pool default/p: 3 endpoints left\n";
    assert_memory_equal(text + TIME_LEN, first, strlen(first));
    assert_string_equal(text + TIME_LEN + strlen(first) + TIME_LEN, "info  started\n");
}

static void control_characters_are_escaped(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    log_error("a\nb", "%s", "x\r\ny\tz\x1b[31m\x7f caf\xc3\xa9");
    assert_string_equal(capture_end(&capture) + TIME_LEN, "error a\\nb: x\\r\\ny\\tz\\x1b[31m\\x7f caf\xc3\xa9\n");
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
    (void)state;
    struct capture capture;
    char message[5000], object[1000];
    memset(message, 'm', sizeof(message));
    message[sizeof(message) - 1] = '\0';
    memset(object, 'o', sizeof(object));
    object[sizeof(object) - 1] = '\0';
    capture_begin(&capture);
    log_error(object, "%s", message);
    const char *text = capture_end(&capture);
    size_t len = strlen(text);
    assert_int_equal(len, 2048);
    assert_string_equal(text + len - 5, "m...\n");
    memset(message, 1, 3000); /* escapes take four bytes each */
    capture_begin(&capture);
    log_error(NULL, "%s", message);
    assert_true(strlen(capture_end(&capture)) <= 2048);
}

static void lines_above_the_level_are_dropped(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    log_debug(NULL, "hidden");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug(NULL, "shown");
    log_set_level(LOG_LEVEL_ERROR);
    log_warn(NULL, "hidden");
    log_set_level(LOG_LEVEL_INFO);
    assert_string_equal(capture_end(&capture) + TIME_LEN, "debug shown\n");
}

static void level_names_are_known(void **state)
{
    (void)state;
    enum log_level level = LOG_LEVEL_INFO;
    assert_true(log_level_from_name("debug", &level));
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_true(log_level_from_name("error", &level));
    assert_int_equal(level, LOG_LEVEL_ERROR);
    assert_false(log_level_from_name("Error", &level));
    assert_false(log_level_from_name("", &level));
}

static void logging_leaves_errno_alone(void **state)
{
    (void)state;
    struct capture capture;
    capture_begin(&capture);
    errno = EAGAIN;
    log_info(NULL, "x");
    assert_int_equal(errno, EAGAIN);
    capture_end(&capture);
}

static void a_burst_is_written_and_the_rest_counted(void **state)
{
    (void)state;
    struct log_limit limit = {0};
    unsigned suppressed = 99;
    for (unsigned i = 0; i < LOG_BURST; i++) {
        assert_true(log_limit_allows(&limit, 1000, &suppressed));
        assert_int_equal(suppressed, 0);
    }
    for (unsigned i = 0; i < 7; i++)
        assert_false(log_limit_allows(&limit, 1000, &suppressed));
    assert_true(log_limit_allows(&limit, 1001, &suppressed));
    assert_int_equal(suppressed, 7);
    assert_true(log_limit_allows(&limit, 1001, &suppressed));
    assert_int_equal(suppressed, 0);
}

static void the_next_line_tells_how_many_were_suppressed(void **state)
{
    (void)state;
    struct log_limit limit = {.suppressed = 7};
    struct capture capture;
    capture_begin(&capture);
    log_limited(&limit, LOG_LEVEL_WARN, "endpoint 10.0.0.1:8000", "refused");
    assert_string_equal(capture_end(&capture) + TIME_LEN,
                        "warn  endpoint 10.0.0.1:8000: refused (7 such lines suppressed)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_object_and_message),
        cmocka_unit_test(control_characters_are_escaped),
        cmocka_unit_test(a_long_line_is_cut_and_still_ends),
        cmocka_unit_test(lines_above_the_level_are_dropped),
        cmocka_unit_test(level_names_are_known),
        cmocka_unit_test(logging_leaves_errno_alone),
        cmocka_unit_test(a_burst_is_written_and_the_rest_counted),
        cmocka_unit_test(the_next_line_tells_how_many_were_suppressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
