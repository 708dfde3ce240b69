/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus_text.c: escaping and number forms of the Prometheus text format 0.0.4.  Pure. */
#include "observe/prometheus_text.h"

#include <inttypes.h>
#include <math.h>

#include "base/utf8.h"

static void append_help(struct buffer *out, const char *help)
{
    for (; *help != '\0'; help++) {
        if (*help == '\\')
            buffer_append_str(out, "\\\\");
        else if (*help == '\n')
            buffer_append_str(out, "\\n");
        else
            buffer_append_char(out, *help);
    }
}

void prometheus_write_head(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# HELP %s ", name);
    append_help(out, help);
    buffer_printf(out, "\n# TYPE %s %s\n", name, type);
}

/* The format wants UTF-8: one bad label value (a model name that a client sent) would void the whole page. */
static void append_value(struct buffer *out, struct bytes value)
{
    while (value.len > 0) {
        size_t len = utf8_sequence_len(value);
        char c = value.data[0];
        if (c == '"' || c == '\\' || c == '\n') {
            buffer_append_char(out, '\\');
            buffer_append_char(out, c == '\n' ? 'n' : c);
        } else if (len == 0) {
            buffer_append_str(out, "\xef\xbf\xbd"); /* U+FFFD */
        } else {
            buffer_append(out, bytes_make(value.data, len));
        }
        value = bytes_skip(value, len > 0 ? len : 1);
    }
}

void prometheus_append_label(struct buffer *out, struct bytes name, struct bytes value)
{
    if (!buffer_is_empty(out))
        buffer_append_char(out, ',');
    buffer_append(out, name);
    buffer_append_str(out, "=\"");
    append_value(out, value);
    buffer_append_char(out, '"');
}

void prometheus_write_name(struct buffer *out, const char *name, struct bytes labels)
{
    buffer_append_str(out, name);
    if (labels.len > 0) {
        buffer_append_char(out, '{');
        buffer_append(out, labels);
        buffer_append_char(out, '}');
    }
    buffer_append_char(out, ' ');
}

void prometheus_write_i64(struct buffer *out, const char *name, struct bytes labels, int64_t value)
{
    prometheus_write_name(out, name, labels);
    buffer_printf(out, "%" PRId64 "\n", value);
}

void prometheus_write_double(struct buffer *out, const char *name, struct bytes labels, double value)
{
    prometheus_write_name(out, name, labels);
    if (isnan(value))
        buffer_append_str(out, "NaN\n");
    else if (isinf(value))
        buffer_append_str(out, value > 0 ? "+Inf\n" : "-Inf\n");
    else
        buffer_printf(out, "%.17g\n", value);
}

void prometheus_write_us(struct buffer *out, const char *name, struct bytes labels, uint64_t value_us)
{
    prometheus_write_name(out, name, labels);
    buffer_printf(out, "%" PRIu64 ".%06" PRIu64 "\n", value_us / 1000000, value_us % 1000000);
}
