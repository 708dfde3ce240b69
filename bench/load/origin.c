/* SPDX-License-Identifier: Apache-2.0 */
/* origin.c: see origin.h.  A request body is compared with what was sent: one that a proxy spoilt gets status 500. */
#include "origin.h"

#include <stdlib.h>
#include <string.h>

#include "wire.h"

/* A connection from a proxy. */
struct visit {
    struct wire wire;
    struct traffic_reader reader;
    size_t body_left;
    bool is_in_body;
    struct list pace; /* on origin.paced while its stream runs */
    uint64_t due_ns;
    uint32_t next_event;
};

/* One per program. */
static struct {
    struct wire listening;
    struct run *run;
    struct list paced; /* struct visit, the next one due first */
    unsigned streams_begun;
} origin;

static const char stream_head[] =
    "HTTP/1.1 200 OK\r\ndate: Thu, 26 Nov 2026 12:00:00 GMT\r\nserver: uvicorn\r\n"
    "content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";

static void on_closed(struct wire *wire)
{
    struct visit *visit = container_of(wire, struct visit, wire);
    list_remove(&visit->pace);
    free(visit);
}

static void send_event(struct visit *visit)
{
    char chunk[4 + TRAFFIC_EVENT_BYTES + 2] = "c8\r\n";
    traffic_event_write(chunk + 4, wire_now_ns(), visit->next_event++);
    memcpy(chunk + sizeof chunk - 2, "\r\n", 2);
    wire_send_copy(&visit->wire, bytes_make(chunk, sizeof chunk));
}

/* Each stream has its own place in the period, so that events come evenly.  Nothing is sent before all streams are
 * there: the set-up would never end on a slow machine. */
static void start_pacing(struct visit *visit)
{
    const struct run *run = origin.run;
    list_push(&origin.paced, &visit->pace);
    visit->due_ns = wire_now_ns() + run->period_ns; /* the last one of all, as each is sent a period after the other */
    if (++origin.streams_begun != run->connections)
        return;
    uint64_t due_ns = wire_now_ns(), number = 0;
    LIST_FOR_EACH (node, &origin.paced)
        LIST_ENTRY(node, struct visit, pace)->due_ns = due_ns + run->period_ns * number++ / run->connections;
}

static void send_done(struct visit *visit)
{
    wire_send_copy(&visit->wire, BYTES("e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"));
}

static void answer_stream(struct visit *visit)
{
    visit->next_event = 0;
    wire_send_copy(&visit->wire, BYTES(stream_head));
    if (origin.run->kind == TRAFFIC_PACED) {
        start_pacing(visit);
        return;
    }
    for (unsigned i = 0; i < origin.run->events; i++)
        send_event(visit);
    send_done(visit);
}

static void answer_completion(struct visit *visit)
{
    struct run *run = origin.run;
    int model = run != NULL ? traffic_read_end(&visit->reader, &run->body, run->check) : -1;
    if (model < 0) {
        wire_send_copy(&visit->wire, BYTES("HTTP/1.1 500 Wrong Body\r\ncontent-length: 0\r\n\r\n"));
        return;
    }
    run->by_model[model]++;
    if (run->kind == TRAFFIC_PACED || run->kind == TRAFFIC_UNPACED)
        answer_stream(visit);
    else
        wire_send(&visit->wire, traffic_answer((unsigned)model), BYTES(""));
}

/* Health checks, scrapes, model lists. */
static void answer_get(struct visit *visit, struct bytes head)
{
    static const char metrics[] = "vllm:num_requests_running{model_name=\"chat-v1\"} 1\n"
                                  "vllm:num_requests_waiting{model_name=\"chat-v1\"} 0\n"
                                  "vllm:gpu_cache_usage_perc{model_name=\"chat-v1\"} 0.1\n";
    static const char models[] = "{\"object\":\"list\",\"data\":[{\"id\":\"chat-v1\",\"object\":\"model\"},"
                                 "{\"id\":\"chat-v2\",\"object\":\"model\"}]}";
    bool is_models = bytes_starts_with(head, BYTES("GET /v1/models "));
    const char *body = bytes_starts_with(head, BYTES("GET /metrics ")) ? metrics : is_models ? models : "ok";
    char text[1024];
    int len = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %zu\r\n\r\n%s",
                       is_models ? "application/json" : "text/plain", strlen(body), body);
    wire_send_copy(&visit->wire, bytes_make(text, (size_t)len));
}

/* False: the head is not whole, or is nothing that this server reads. */
static bool take_head(struct visit *visit, struct bytes *input)
{
    const char *end = memmem(input->data, input->len, "\r\n\r\n", 4);
    if (end == NULL)
        return false;
    struct bytes head = bytes_make(input->data, (size_t)(end - input->data) + 4);
    *input = bytes_skip(*input, head.len);
    if (bytes_starts_with(head, BYTES("GET "))) {
        answer_get(visit, head);
        return true;
    }
    unsigned long long length;
    if (!bytes_to_u64(traffic_field(head, "content-length"), 1u << 30, &length)) {
        wire_close(&visit->wire);
        return false;
    }
    visit->reader = (struct traffic_reader){0};
    visit->body_left = (size_t)length;
    visit->is_in_body = true;
    return true;
}

static void take_body(struct visit *visit, struct bytes *input)
{
    struct bytes piece = bytes_make(input->data, input->len < visit->body_left ? input->len : visit->body_left);
    *input = bytes_skip(*input, piece.len);
    visit->body_left -= piece.len;
    if (origin.run != NULL)
        traffic_read(&visit->reader, &origin.run->body, piece);
    if (visit->body_left > 0)
        return;
    visit->is_in_body = false;
    answer_completion(visit);
}

static void on_readable(struct wire *wire)
{
    struct visit *visit = container_of(wire, struct visit, wire);
    struct bytes input;
    if (!wire_receive(wire, &input)) {
        wire_close(wire);
        return;
    }
    while (input.len > 0 && wire->fd >= 0) {
        if (visit->is_in_body)
            take_body(visit, &input);
        else if (!take_head(visit, &input))
            break;
    }
    wire_keep(wire, input);
}

static void on_connection(struct wire *listening)
{
    for (int fd; (fd = wire_accept(listening->fd)) >= 0;) {
        struct visit *visit = calloc(1, sizeof *visit);
        if (visit == NULL)
            abort();
        visit->wire.on_readable = on_readable;
        visit->wire.on_closed = on_closed;
        list_init(&visit->pace);
        wire_adopt(&visit->wire, fd);
    }
}

void origin_start(const struct sockaddr_in *address)
{
    list_init(&origin.paced);
    wire_watch(&origin.listening, wire_listen(address), on_connection);
}

void origin_serve(struct run *run)
{
    origin.run = run;
    origin.streams_begun = 0;
    while (!list_is_empty(&origin.paced))
        wire_close(&LIST_ENTRY(list_pop(&origin.paced), struct visit, pace)->wire);
}

uint64_t origin_send_due(uint64_t most)
{
    if (origin.run == NULL || origin.streams_begun < origin.run->connections)
        return most;
    uint64_t now_ns = wire_now_ns();
    while (!list_is_empty(&origin.paced)) {
        struct visit *visit = LIST_ENTRY(origin.paced.next, struct visit, pace);
        if (visit->due_ns > now_ns)
            return visit->due_ns - now_ns < most ? visit->due_ns - now_ns : most;
        list_remove(&visit->pace);
        if (visit->wire.fd < 0)
            continue;
        send_event(visit);
        if (visit->next_event == origin.run->events) {
            send_done(visit);
            continue;
        }
        /* One that is late by periods is not made up for: it would only make the next ones late. */
        visit->due_ns += origin.run->period_ns;
        if (visit->due_ns < now_ns)
            visit->due_ns = now_ns;
        list_push(&origin.paced, &visit->pace);
    }
    return most;
}
