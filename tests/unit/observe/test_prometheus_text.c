/* SPDX-License-Identifier: Apache-2.0 */
/* test_prometheus_text.c: escapes and number forms, and that our parser reads what is written. */
#include "observe/prometheus_text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "observe/prometheus_parse.h"

static void expect_text(struct buffer *out, const char *expected)
{
    buffer_append_char(out, '\0');
    assert_string_equal(out->data + out->head, expected);
    buffer_deinit(out);
}

static void the_head_escapes_the_help(void **state)
{
    (void)state;
    struct buffer out = {0};
    prometheus_write_head(&out, "x_total", "counter", "one\\two\nthree \"four\"");
    expect_text(&out, "# HELP x_total one\\\\two\\nthree \"four\"\n# TYPE x_total counter\n");
}

static void label_values_are_escaped_and_made_utf8(void **state)
{
    (void)state;
    struct buffer out = {0};
    prometheus_append_label(&out, BYTES("a"), BYTES("q\"b\\n\nz"));
    prometheus_append_label(&out, BYTES("b"), BYTES("\xc3\xa9\xff\xc3"));
    prometheus_append_label(&out, BYTES("c"), BYTES(""));
    expect_text(&out, "a=\"q\\\"b\\\\n\\nz\",b=\"\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\",c=\"\"");
}

static void numbers_have_their_exact_forms(void **state)
{
    (void)state;
    struct buffer out = {0};
    prometheus_write_i64(&out, "a", BYTES(""), INT64_MIN);
    prometheus_write_double(&out, "b", BYTES("x=\"y\""), 0.25);
    prometheus_write_double(&out, "c", BYTES(""), NAN);
    prometheus_write_double(&out, "d", BYTES(""), INFINITY);
    prometheus_write_double(&out, "e", BYTES(""), -INFINITY);
    prometheus_write_us(&out, "f", BYTES(""), 12000034);
    expect_text(&out, "a -9223372036854775808\nb{x=\"y\"} 0.25\nc NaN\nd +Inf\ne -Inf\nf 12.000034\n");
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    static const char odd[] = "a\"b\\c\nd}{,=#\xe2\x82\xac";
    struct buffer labels = {0}, out = {0};
    prometheus_append_label(&labels, BYTES("l"), bytes_of(odd));
    prometheus_write_double(&out, "x", buffer_bytes(&labels), 0.1);
    struct prometheus_sample sample;
    size_t cursor = 0;
    char value[64];
    assert_true(prometheus_next(buffer_bytes(&out), &cursor, &sample));
    assert_true(sample.value == 0.1);
    assert_true(prometheus_label(sample.labels, "l", value, sizeof(value)));
    assert_string_equal(value, odd);
    buffer_deinit(&labels);
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_escapes_the_help),
        cmocka_unit_test(label_values_are_escaped_and_made_utf8),
        cmocka_unit_test(numbers_have_their_exact_forms),
        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
