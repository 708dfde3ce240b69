/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus_parse.c: the grammar of a sample line, read in place.  Pure.
 *
 * A line is name [{label="value",...}] value [timestamp], with OpenMetrics' exemplar ("# ...") allowed behind it.  What
 * does not fit is skipped whole: a model server's odd line must not hide its other metrics. */
#include "observe/prometheus_parse.h"

#include <assert.h>
#include <stdlib.h>

struct label {
    struct bytes name;
    struct bytes raw_value; /* between the quotes, still escaped */
};

static void skip_blanks(struct bytes *line)
{
    while (line->len > 0 && (line->data[0] == ' ' || line->data[0] == '\t'))
        *line = bytes_skip(*line, 1);
}

static bool take_char(struct bytes *line, char wanted)
{
    if (line->len == 0 || line->data[0] != wanted)
        return false;
    *line = bytes_skip(*line, 1);
    return true;
}

static bool is_name_char(char c, bool is_first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
           (!is_first && c >= '0' && c <= '9');
}

static bool take_name(struct bytes *line, struct bytes *ret_name)
{
    size_t len = 0;
    while (len < line->len && is_name_char(line->data[len], len == 0))
        len++;
    *ret_name = bytes_make(line->data, len);
    *line = bytes_skip(*line, len);
    return len > 0;
}

/* From behind the opening quote to behind the closing one. */
static bool take_quoted(struct bytes *line, struct bytes *ret_raw)
{
    for (size_t at = 0; at < line->len; at++) {
        if (line->data[at] == '\\') {
            at++;
        } else if (line->data[at] == '"') {
            *ret_raw = bytes_make(line->data, at);
            *line = bytes_skip(*line, at + 1);
            return true;
        }
    }
    return false;
}

static bool take_label(struct bytes *line, struct label *ret_label)
{
    if (!take_name(line, &ret_label->name))
        return false;
    skip_blanks(line);
    if (!take_char(line, '='))
        return false;
    skip_blanks(line);
    return take_char(line, '"') && take_quoted(line, &ret_label->raw_value);
}

/* From behind the opening brace to behind the closing one; a comma may stand before it. */
static bool take_labels(struct bytes *line, struct bytes *ret_labels)
{
    const char *start = line->data;
    for (;;) {
        skip_blanks(line);
        *ret_labels = bytes_make(start, (size_t)(line->data - start));
        if (take_char(line, '}'))
            return true;
        struct label ignored;
        if (!take_label(line, &ignored))
            return false;
        skip_blanks(line);
        if (!take_char(line, ',') && (line->len == 0 || line->data[0] != '}'))
            return false;
    }
}

static bool take_number(struct bytes *line, double *ret_value)
{
    char text[64]; /* longer than any number that a server prints */
    size_t len = 0;
    while (len < line->len && line->data[len] != ' ' && line->data[len] != '\t')
        len++;
    if (len == 0 || len >= sizeof(text))
        return false;
    memcpy(text, line->data, len);
    text[len] = '\0';
    char *end;
    *ret_value = strtod(text, &end);
    *line = bytes_skip(*line, len);
    /* strtod would skip leading control characters. */
    return end == text + len && (unsigned char)text[0] > ' ';
}

static bool parse_line(struct bytes line, struct prometheus_sample *ret_sample)
{
    skip_blanks(&line);
    if (!take_name(&line, &ret_sample->name))
        return false;
    ret_sample->labels = BYTES("");
    skip_blanks(&line);
    if (take_char(&line, '{') && !take_labels(&line, &ret_sample->labels))
        return false;
    skip_blanks(&line);
    if (!take_number(&line, &ret_sample->value))
        return false;
    skip_blanks(&line);
    double timestamp;
    if (line.len > 0 && line.data[0] != '#' && !take_number(&line, &timestamp))
        return false;
    skip_blanks(&line);
    return line.len == 0 || line.data[0] == '#';
}

static struct bytes take_line(struct bytes text, size_t *cursor)
{
    struct bytes rest = bytes_skip(text, *cursor);
    struct bytes line = bytes_make(rest.data, bytes_find(rest, '\n'));
    *cursor += line.len < rest.len ? line.len + 1 : line.len;
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

bool prometheus_next(struct bytes text, size_t *cursor, struct prometheus_sample *ret_sample)
{
    while (*cursor < text.len) {
        if (parse_line(take_line(text, cursor), ret_sample))
            return true;
    }
    return false;
}

static void unescape(struct bytes raw, char *out, size_t size)
{
    size_t len = 0;
    for (size_t at = 0; at < raw.len && len + 1 < size; at++) {
        char c = raw.data[at];
        char next = at + 1 < raw.len ? raw.data[at + 1] : '\0';
        if (c == '\\' && (next == '\\' || next == '"' || next == 'n')) {
            c = next == 'n' ? '\n' : next;
            at++;
        }
        out[len++] = c;
    }
    out[len] = '\0';
}

bool prometheus_label(struct bytes labels, const char *name, char *out, size_t size)
{
    assert(size > 0);
    struct label label;
    while (labels.len > 0) { /* none may have no address either */
        skip_blanks(&labels);
        if (!take_label(&labels, &label))
            return false;
        if (bytes_equal_str(label.name, name)) {
            unescape(label.raw_value, out, size);
            return true;
        }
        skip_blanks(&labels);
        if (!take_char(&labels, ','))
            return false;
    }
    return false;
}
