/* SPDX-License-Identifier: Apache-2.0 */
/* answer_scan.c: the lines of an event stream (HTML living standard 9.2.6) around answer_json.c, resumable between any
 * two bytes.
 *
 * Pure; one owner, one thread.  Lines end in LF or CRLF.  An event's data is one document, on one line or several. */
#include "inference/payload/answer_internal.h"

enum line {
    LINE_NAME,  /* in a field's name, or before it */
    LINE_DATA,  /* behind the colon */
    LINE_EVENT, /* likewise */
    LINE_OTHER,
};

void answer_scan_init(struct answer_scan *scan, bool is_stream, bool wants_hash)
{
    /* What stands behind needs no beginning. */
    memset(scan, 0, offsetof(struct answer_scan, form.head));
    scan->is_stream = is_stream;
    scan->wants_hash = wants_hash;
    scan->skip = string_skip_best();
    if (wants_hash)
        reply_hash_init(&scan->hash);
}

static void end_event(struct answer_scan *scan)
{
    answer_json_reset(scan);
    scan->kind_len = 0;
    scan->has_output = false;
    scan->is_thought = false;
    scan->choice = 0;
}

static void end_name(struct answer_scan *scan)
{
    struct bytes name = bytes_make(scan->line_name, scan->line_len <= sizeof scan->line_name ? scan->line_len : 0);
    scan->line = bytes_equal(name, BYTES("data"))    ? LINE_DATA
                 : bytes_equal(name, BYTES("event")) ? LINE_EVENT
                                                     : LINE_OTHER;
    if (scan->line == LINE_EVENT)
        scan->kind_len = 0;
}

static void step_name(struct answer_scan *scan, char c)
{
    if (c == '\n') {
        if (scan->line_len == 0)
            end_event(scan);
        scan->line_len = 0;
    } else if (c == ':') {
        end_name(scan);
    } else if (c != '\r' && scan->line_len <= sizeof scan->line_name) {
        if (scan->line_len < sizeof scan->line_name)
            scan->line_name[scan->line_len] = c;
        scan->line_len++;
    }
}

static void add_kind(struct answer_scan *scan, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != ' ' && text.data[i] != '\r' && scan->kind_len < sizeof scan->kind)
            scan->kind[scan->kind_len++] = text.data[i];
}

/* Up to the line's end, if it is here. */
static const char *read_line(struct answer_scan *scan, const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    const char *stop = newline != NULL ? newline : end;
    if (scan->line == LINE_DATA)
        answer_json_feed(scan, at, stop);
    else if (scan->line == LINE_EVENT)
        add_kind(scan, bytes_make(at, (size_t)(stop - at)));
    if (newline == NULL)
        return end;
    if (scan->line == LINE_EVENT)
        answer_take_kind(scan, bytes_make(scan->kind, scan->kind_len));
    scan->line = LINE_NAME;
    scan->line_len = 0;
    return newline + 1;
}

/* event: where the event that is being read began, if that was here and with data. */
static void feed_stream(struct answer_scan *scan, const char *at, const char *end)
{
    static const char data[] = "data:";
    const char *event = NULL, *behind;
    while (at < end) {
        if (scan->line != LINE_NAME) {
            at = read_line(scan, at, end);
        } else if (scan->line_len > 0 || end - at <= 5 || memcmp(at, data, 5) != 0) {
            if (event != NULL && *at == '\n')
                answer_template_keep(scan, event, at + 1);
            event = NULL;
            step_name(scan, *at++);
        } else if (scan->state == ANSWER_START && scan->kind_len == 0 &&
                   (behind = answer_template_match(scan, at, end)) != NULL) {
            at = behind;
        } else {
            event = scan->state == ANSWER_START && scan->kind_len == 0 ? at : NULL;
            answer_template_begin(scan);
            scan->line = LINE_DATA;
            at += 5;
        }
    }
}

static void learn_shape(struct answer_scan *scan, const char *at, const char *end)
{
    struct answer_trace trace = {.is_simple = true};
    scan->trace = &trace;
    answer_json_feed(scan, at, end);
    scan->trace = NULL;
    if (scan->state == ANSWER_END)
        answer_shape_keep(scan, &trace, at, end);
}

/* The first piece of a whole answer is most often all of it. */
static void feed_first(struct answer_scan *scan, const char *at, const char *end)
{
    if (!answer_shape_match(scan, at, end))
        learn_shape(scan, at, end);
}

unsigned answer_scan_feed(struct answer_scan *scan, struct bytes piece)
{
    uint64_t before = scan->output_events;
    if (scan->is_stream)
        feed_stream(scan, piece.data, piece.data + piece.len);
    else if (scan->shape != NULL && !scan->wants_hash && scan->state == ANSWER_START)
        feed_first(scan, piece.data, piece.data + piece.len);
    else
        answer_json_feed(scan, piece.data, piece.data + piece.len);
    return (unsigned)(scan->output_events - before);
}

void answer_scan_finish(struct answer_scan *scan)
{
    if (scan->wants_hash)
        scan->reply_hash = reply_hash_value(&scan->hash);
}
