/* SPDX-License-Identifier: Apache-2.0 */
/* test_prometheus_parse.c: lines that are samples, lines that are not, and label values. */
#include "observe/prometheus_parse.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/compiler.h"

static void every_form_of_a_sample_line_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *line, *name, *labels;
        double value;
    } rows[] = {
        {"up 1", "up", "", 1},
        {"up 1\n", "up", "", 1},
        {"up 1\r\n", "up", "", 1},
        {"  up \t 1  ", "up", "", 1},
        {"up{} 2", "up", "", 2},
        {"up { } 2", "up", " ", 2},
        {"up{a=\"b\"} -2.5", "up", "a=\"b\"", -2.5},
        {"up{a=\"b\"}3", "up", "a=\"b\"", 3},
        {"up{ a = \"b\" , c=\"\" , } 1e3", "up", " a = \"b\" , c=\"\" , ", 1000},
        {"up{a=\"}\",b=\"\\\"}\"} 4", "up", "a=\"}\",b=\"\\\"}\"", 4},
        {"up{a=\"# no comment\"} 4", "up", "a=\"# no comment\"", 4},
        {"vllm:num_requests_waiting{model_name=\"m\"} 7.0", "vllm:num_requests_waiting", "model_name=\"m\"", 7},
        {"up 1 1700000000000", "up", "", 1},
        {"up 1 1.5 # {trace=\"x\"} 0.1", "up", "", 1},
        {"up 1 # {trace=\"x\"} 0.1 2.5", "up", "", 1},
        {"_x9 +Inf", "_x9", "", INFINITY},
        {"x -Inf", "x", "", -INFINITY},
        {"# HELP up x\n# TYPE up gauge\n\n   \nup 5", "up", "", 5},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct prometheus_sample sample;
        size_t cursor = 0;
        if (!prometheus_next(bytes_of(rows[i].line), &cursor, &sample))
            fail_msg("not read: %s", rows[i].line);
        assert_true(bytes_equal_str(sample.name, rows[i].name));
        if (!bytes_equal_str(sample.labels, rows[i].labels))
            fail_msg("%s: labels %.*s", rows[i].line, BYTES_ARG(sample.labels));
        assert_true(sample.value == rows[i].value);
        assert_false(prometheus_next(bytes_of(rows[i].line), &cursor, &sample));
    }
}

static void malformed_lines_are_skipped(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "up",
        "up ",
        "up{",
        "up{a",
        "up{a=",
        "up{a=\"",
        "up{a=\"b",
        "up{a=\"b\"",
        "up{a=\"b\"}",
        "up{a=\"b\"} ",
        "up{a=b} 1",
        "up{=\"b\"} 1",
        "up{,} 1",
        "up{a=\"b\"c=\"d\"} 1",
        "up{a=\"b\\",
        "up{a=\"b\\\"} 1",
        "1up 1",
        "up one",
        "up 1x",
        "up 1 x",
        "up 1 2 3",
        "up\v1",
        "up \v1",
        "{a=\"b\"} 1",
        "up- 1",
        "up} 1",
        "up 11111111111111111111111111111111111111111111111111111111111111111",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct prometheus_sample sample;
        size_t cursor = 0;
        if (prometheus_next(bytes_of(lines[i]), &cursor, &sample))
            fail_msg("read: %s", lines[i]);
        assert_int_equal(cursor, strlen(lines[i]));
    }
}

static void a_bad_line_does_not_hide_its_neighbours(void **state)
{
    (void)state;
    struct bytes text = BYTES("a 1\nb{x=\"y} 2\nc 3\nd{\ne 5");
    struct prometheus_sample sample;
    size_t cursor = 0;
    char names[8] = "";
    while (prometheus_next(text, &cursor, &sample))
        strncat(names, sample.name.data, sample.name.len);
    assert_string_equal(names, "ace");
}

static void a_value_that_is_no_number_is_handed_out_as_such(void **state)
{
    (void)state;
    struct prometheus_sample sample;
    size_t cursor = 0;
    assert_true(prometheus_next(BYTES("x NaN"), &cursor, &sample));
    assert_true(isnan(sample.value));
}

static void any_prefix_of_a_page_is_read_without_looking_past_it(void **state)
{
    (void)state;
    struct bytes page = BYTES("# TYPE a counter\na{b=\"c\\\\\",d=\"e\\n\"} 1.5e1 123\nvllm:x_bucket{le=\"+Inf\"} 9\n");
    for (size_t len = 0; len <= page.len; len++) {
        char *exact = malloc(len > 0 ? len : 1); /* for AddressSanitizer */
        assert_non_null(exact);
        memcpy(exact, page.data, len);
        struct prometheus_sample sample;
        char value[8];
        for (size_t cursor = 0; prometheus_next(bytes_make(exact, len), &cursor, &sample);)
            prometheus_label(sample.labels, "d", value, sizeof(value));
        free(exact);
    }
}

static void a_label_is_found_by_its_whole_name_and_unescaped(void **state)
{
    (void)state;
    struct bytes labels = BYTES("ab=\"no\", a = \"x\\\\y\\\"z\\nw\\q,}\" ,empty=\"\",last=\"end\",");
    char value[32];
    assert_true(prometheus_label(labels, "a", value, sizeof(value)));
    assert_string_equal(value, "x\\y\"z\nw\\q,}");
    assert_true(prometheus_label(labels, "empty", value, sizeof(value)));
    assert_string_equal(value, "");
    assert_true(prometheus_label(labels, "last", value, sizeof(value)));
    assert_string_equal(value, "end");
    assert_false(prometheus_label(labels, "las", value, sizeof(value)));
    assert_false(prometheus_label(labels, "x", value, sizeof(value)));
    assert_false(prometheus_label(BYTES(""), "x", value, sizeof(value)));
    assert_false(prometheus_label((struct bytes){0}, "x", value, sizeof(value)));
}

static void a_long_label_value_is_cut(void **state)
{
    (void)state;
    char value[4] = "???";
    assert_true(prometheus_label(BYTES("a=\"12\\n45\""), "a", value, sizeof(value)));
    assert_string_equal(value, "12\n");
    assert_true(prometheus_label(BYTES("a=\"12345\""), "a", value, 1));
    assert_string_equal(value, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_sample_line_is_read),
        cmocka_unit_test(malformed_lines_are_skipped),
        cmocka_unit_test(a_bad_line_does_not_hide_its_neighbours),
        cmocka_unit_test(a_value_that_is_no_number_is_handed_out_as_such),
        cmocka_unit_test(any_prefix_of_a_page_is_read_without_looking_past_it),
        cmocka_unit_test(a_label_is_found_by_its_whole_name_and_unescaped),
        cmocka_unit_test(a_long_label_value_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
