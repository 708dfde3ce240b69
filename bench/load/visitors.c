/* SPDX-License-Identifier: Apache-2.0 */
/* visitors.c: see visitors.h.  Every byte of every answer is compared with what the origin sent. */
#include "visitors.h"

#include <stdlib.h>
#include <string.h>

#include "origin.h"
#include "wire.h"

enum { MAX_UNSERVED = 64 };

enum chunk_phase { CHUNK_SIZE, CHUNK_DATA, CHUNK_END };

struct visitor {
    struct wire wire;
    struct list link; /* on visitors.all */
    uint64_t sent_ns;
    bool is_waiting; /* a request is under way */
    bool is_served;
    bool is_in_stream;
    /* Of an event stream: */
    enum chunk_phase phase;
    size_t chunk_left;
    char event[TRAFFIC_EVENT_BYTES]; /* what has come of the present one */
    size_t event_len;
    uint32_t next_event;
    bool is_done; /* [DONE] was seen */
};

/* One crowd at a time. */
static struct {
    struct run *run;
    struct list all;
    unsigned served, open;
    char head[1024];
    size_t head_len;
} visitors;

static void on_closed(struct wire *wire)
{
    free(container_of(wire, struct visitor, wire));
}

static void leave(struct visitor *visitor)
{
    if (visitor->wire.fd < 0)
        return;
    visitors.open--;
    list_remove(&visitor->link);
    wire_close(&visitor->wire);
}

static void fail(struct visitor *visitor, const char *what)
{
    run_error(visitors.run, what);
    leave(visitor);
}

/* What the OpenAI library for Python sends. */
static void write_head(const struct run *run)
{
    visitors.head_len = (size_t)snprintf(
        visitors.head, sizeof visitors.head,
        "POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
        "Accept: application/json\r\nContent-Type: application/json\r\nUser-Agent: OpenAI/Python 1.68.2\r\n"
        "X-Stainless-Lang: python\r\nX-Stainless-Package-Version: 1.68.2\r\nX-Stainless-OS: Linux\r\n"
        "X-Stainless-Arch: x64\r\nX-Stainless-Runtime: CPython\r\nX-Stainless-Runtime-Version: 3.11.2\r\n"
        "Authorization: Bearer sk-0123456789abcdef0123456789abcdef\r\nX-Stainless-Async: false\r\n"
        "x-stainless-retry-count: 0\r\nContent-Length: %zu\r\n\r\n",
        run->host, run->body.bytes.len);
}

static void ask(struct visitor *visitor)
{
    visitor->is_waiting = true;
    visitor->is_in_stream = false;
    visitor->sent_ns = wire_now_ns();
    wire_send(&visitor->wire, bytes_make(visitors.head, visitors.head_len), visitors.run->body.bytes);
}

static void note_served(struct visitor *visitor)
{
    if (!visitor->is_served)
        visitors.served++;
    visitor->is_served = true;
}

static void answered(struct visitor *visitor)
{
    struct run *run = visitors.run;
    uint64_t now_ns = wire_now_ns();
    note_served(visitor);
    visitor->is_waiting = false;
    run->all_answers++;
    if (run->is_measuring) {
        run->answers++;
        if (run->kind == TRAFFIC_POST)
            histogram_add(&run->delays, now_ns - visitor->sent_ns);
    }
    if (run->is_ending)
        leave(visitor);
    else if (run->kind != TRAFFIC_IDLE)
        ask(visitor);
}

static bool is_answer(struct bytes json)
{
    for (unsigned i = 0; i < TRAFFIC_MODELS; i++)
        if (bytes_equal(json, traffic_answer_json(i)))
            return true;
    return false;
}

/* A JSON answer is taken when it is whole. */
static void take_json(struct visitor *visitor, struct bytes head, struct bytes *input)
{
    unsigned long long length;
    if (!bytes_to_u64(traffic_field(head, "content-length"), 1u << 20, &length)) {
        fail(visitor, "an answer without a length");
        return;
    }
    if (input->len < head.len + length)
        return;
    struct bytes json = bytes_make(input->data + head.len, (size_t)length);
    if (!is_answer(json)) {
        fail(visitor, "an answer with other bytes");
        return;
    }
    *input = bytes_skip(*input, head.len + (size_t)length);
    if (input->len > 0)
        fail(visitor, "bytes behind the answer");
    else
        answered(visitor);
}

static void start_stream(struct visitor *visitor, struct bytes head, struct bytes *input)
{
    if (!bytes_equal_nocase(traffic_field(head, "transfer-encoding"), BYTES("chunked"))) {
        fail(visitor, "a stream that is not chunked");
        return;
    }
    *input = bytes_skip(*input, head.len);
    visitor->is_in_stream = true;
    visitor->phase = CHUNK_SIZE;
    visitor->event_len = 0;
    visitor->next_event = 0;
    visitor->is_done = false;
    if (visitors.run->kind == TRAFFIC_PACED)
        note_served(visitor);
}

/* False: more bytes are needed, or the connection is gone. */
static bool take_head(struct visitor *visitor, struct bytes *input)
{
    const char *end = memmem(input->data, input->len, "\r\n\r\n", 4);
    if (end == NULL)
        return false;
    struct bytes head = bytes_make(input->data, (size_t)(end - input->data) + 4);
    size_t before = input->len;
    if (!visitor->is_waiting || !bytes_starts_with(head, BYTES("HTTP/1.1 200 "))) {
        char what[120];
        struct bytes reason = traffic_field(head, "x-serin-reason");
        snprintf(what, sizeof what, "%.*s %.*s", (int)strcspn(head.data, "\r\"") % 60, head.data, (int)reason.len % 40,
                 reason.data);
        fail(visitor, what);
        return false;
    }
    if (visitors.run->kind == TRAFFIC_POST || visitors.run->kind == TRAFFIC_IDLE)
        take_json(visitor, head, input);
    else
        start_stream(visitor, head, input);
    return visitor->wire.fd >= 0 && input->len < before;
}

static void take_event(struct visitor *visitor)
{
    struct run *run = visitors.run;
    uint64_t time_ns;
    uint32_t number;
    bool is_right =
        traffic_event_read(visitor->event, &time_ns, &number) && number == visitor->next_event && !visitor->is_done;
    visitor->next_event++;
    visitor->event_len = 0;
    run->all_events++;
    if (!is_right) {
        fail(visitor, "an event with other bytes, lost, doubled or out of order");
    } else if (run->is_measuring) {
        run->events_seen++;
        histogram_add(&run->delays, wire_now_ns() - time_ns);
    }
}

static void take_done(struct visitor *visitor)
{
    visitor->is_done = memcmp(visitor->event, traffic_done, TRAFFIC_DONE_BYTES) == 0;
    visitor->event_len = 0;
    if (!visitor->is_done || visitor->next_event != visitors.run->events)
        fail(visitor, "a stream that ends too early");
}

/* The seventh byte of an event tells which it is. */
static size_t event_size(const struct visitor *visitor)
{
    if (visitor->event_len < 7)
        return 7;
    return visitor->event[6] == '[' ? TRAFFIC_DONE_BYTES : TRAFFIC_EVENT_BYTES;
}

static void take_events(struct visitor *visitor, struct bytes data)
{
    while (data.len > 0 && visitor->wire.fd >= 0) {
        size_t missing = event_size(visitor) - visitor->event_len;
        size_t count = data.len < missing ? data.len : missing;
        memcpy(visitor->event + visitor->event_len, data.data, count);
        visitor->event_len += count;
        data = bytes_skip(data, count);
        if (visitor->event_len == TRAFFIC_EVENT_BYTES)
            take_event(visitor);
        else if (visitor->event_len == TRAFFIC_DONE_BYTES && visitor->event[6] == '[')
            take_done(visitor);
    }
}

/* "c8\r\n"; false: not whole yet. */
static bool take_chunk_size(struct visitor *visitor, struct bytes *input)
{
    const char *end = memmem(input->data, input->len, "\r\n", 2);
    if (end == NULL)
        return false;
    char *stop;
    visitor->chunk_left = strtoul(input->data, &stop, 16);
    if (stop != end) {
        fail(visitor, "a chunk without a size");
        return false;
    }
    visitor->phase = visitor->chunk_left > 0 ? CHUNK_DATA : CHUNK_END;
    *input = bytes_skip(*input, (size_t)(end - input->data) + 2);
    return true;
}

static bool take_chunk_end(struct visitor *visitor, struct bytes *input, bool is_last)
{
    if (input->len < 2)
        return false;
    if (memcmp(input->data, "\r\n", 2) != 0) {
        fail(visitor, "a chunk of another size than it says");
        return false;
    }
    *input = bytes_skip(*input, 2);
    visitor->phase = CHUNK_SIZE;
    if (!is_last)
        return true;
    if (!visitor->is_done || input->len > 0)
        fail(visitor, "a stream that ends before [DONE], or goes on after it");
    else
        answered(visitor);
    return false;
}

/* False: more bytes are needed, or the stream is over. */
static bool take_stream(struct visitor *visitor, struct bytes *input)
{
    if (visitor->phase == CHUNK_SIZE)
        return take_chunk_size(visitor, input);
    if (visitor->phase == CHUNK_END) /* the last chunk has no data */
        return take_chunk_end(visitor, input, visitor->chunk_left == 0);
    size_t count = input->len < visitor->chunk_left ? input->len : visitor->chunk_left;
    take_events(visitor, bytes_make(input->data, count));
    *input = bytes_skip(*input, count);
    visitor->chunk_left -= count;
    if (visitor->chunk_left == 0) {
        visitor->phase = CHUNK_END;
        visitor->chunk_left = 1; /* not the last one */
    }
    return input->len > 0 && visitor->wire.fd >= 0;
}

static void on_readable(struct wire *wire)
{
    struct visitor *visitor = container_of(wire, struct visitor, wire);
    struct bytes input;
    if (!wire_receive(wire, &input)) {
        fail(visitor, visitor->is_waiting ? "the connection ended before the answer" : "an idle connection was closed");
        return;
    }
    bool goes_on = input.len > 0;
    while (goes_on && wire->fd >= 0)
        goes_on = visitor->is_in_stream ? take_stream(visitor, &input) : take_head(visitor, &input);
    if (wire->fd >= 0)
        wire_keep(wire, input);
}

void visitors_start(struct run *run)
{
    visitors.run = run;
    visitors.served = visitors.open = 0;
    list_init(&visitors.all);
    write_head(run);
    for (unsigned i = 0; i < run->connections; i++) {
        struct visitor *visitor = calloc(1, sizeof *visitor);
        if (visitor == NULL)
            abort();
        visitor->wire.on_readable = on_readable;
        visitor->wire.on_closed = on_closed;
        list_init(&visitor->link);
        list_push(&visitors.all, &visitor->link);
        visitors.open++;
        wire_connect(&visitor->wire, &run->target);
        ask(visitor);
        /* No burst that overflows a listening queue. */
        while (i + 1 - visitors.served > MAX_UNSERVED && run->errors == 0)
            wire_loop_turn(origin_send_due(1000000));
    }
}

unsigned visitors_served(void)
{
    return visitors.served;
}

unsigned visitors_open(void)
{
    return visitors.open;
}

void visitors_leave(bool all)
{
    LIST_FOR_EACH_SAFE (node, &visitors.all) {
        struct visitor *visitor = LIST_ENTRY(node, struct visitor, link);
        if (all || !visitor->is_waiting)
            leave(visitor);
    }
}
