/* SPDX-License-Identifier: Apache-2.0 */
/* engines.c: many model servers in one cheap thread, for benchmarks of what a fleet costs its gateway.
 *
 * usage: bench_engines FIRST-IP PORT COUNT.  Listens on that many addresses, counted up from the first.  Each answers
 * /metrics with a page of 30 KB that changes, /v1/models, health checks, and any POST with a short completion. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "engine_page.h"
#include "wire.h"

enum { PAGES = 64 };

#define WAIT_NS 1000000000ull

struct visit {
    struct wire wire;
    size_t body_left;
};

static struct bytes pages[PAGES]; /* whole answers */
static unsigned page_seed = 1;

static struct bytes answer(const char *type, struct bytes body)
{
    struct buffer text = {0};
    buffer_printf(&text,
                  "HTTP/1.1 200 OK\r\ndate: Thu, 26 Nov 2026 12:00:00 GMT\r\nserver: uvicorn\r\n"
                  "content-length: %zu\r\ncontent-type: %s\r\n\r\n",
                  body.len, type);
    buffer_append(&text, body);
    return buffer_bytes(&text);
}

static void write_pages(void)
{
    for (unsigned i = 0; i < PAGES; i++) {
        struct buffer page = {0};
        engine_page_write(&page, 1000 + i * 41);
        pages[i] = answer("text/plain; version=0.0.4; charset=utf-8", buffer_bytes(&page));
        buffer_deinit(&page);
    }
}

/* In no order, so that no server shows only busy ones. */
static struct bytes next_page(void)
{
    page_seed = page_seed * 1664525u + 1013904223u;
    return pages[(page_seed >> 16) % PAGES];
}

static void on_closed(struct wire *wire)
{
    free(container_of(wire, struct visit, wire));
}

static void answer_get(struct visit *visit, struct bytes head)
{
    static struct bytes models, ok;
    if (models.len == 0) {
        models = answer("application/json", BYTES("{\"object\":\"list\",\"data\":[{\"id\":\"chat\"}]}"));
        ok = answer("text/plain", BYTES(""));
    }
    if (bytes_starts_with(head, BYTES("GET /metrics ")))
        wire_send(&visit->wire, next_page(), BYTES(""));
    else
        wire_send(&visit->wire, bytes_starts_with(head, BYTES("GET /v1/models ")) ? models : ok, BYTES(""));
}

static void answer_post(struct visit *visit)
{
    static struct bytes completion;
    if (completion.len == 0)
        completion = answer("application/json",
                            BYTES("{\"object\":\"chat.completion\",\"model\":\"chat\",\"choices\":[{\"index\":0,"
                                  "\"message\":{\"role\":\"assistant\",\"content\":\"Yes.\"},"
                                  "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,"
                                  "\"completion_tokens\":2,\"total_tokens\":11}}"));
    wire_send(&visit->wire, completion, BYTES(""));
}

static size_t content_length(struct bytes head)
{
    static const char name[] = "\r\ncontent-length:";
    for (size_t at = 0; at + sizeof name < head.len; at++)
        if (strncasecmp(head.data + at, name, sizeof name - 1) == 0)
            return strtoul(head.data + at + sizeof name - 1, NULL, 10);
    return 0;
}

/* False: the head is not whole. */
static bool take_head(struct visit *visit, struct bytes *input)
{
    const char *end = memmem(input->data, input->len, "\r\n\r\n", 4);
    if (end == NULL)
        return false;
    struct bytes head = bytes_make(input->data, (size_t)(end - input->data) + 4);
    *input = bytes_skip(*input, head.len);
    visit->body_left = content_length(head);
    if (visit->body_left == 0)
        answer_get(visit, head);
    return true;
}

static void take_body(struct visit *visit, struct bytes *input)
{
    size_t take = input->len < visit->body_left ? input->len : visit->body_left;
    *input = bytes_skip(*input, take);
    visit->body_left -= take;
    if (visit->body_left == 0)
        answer_post(visit);
}

static void on_readable(struct wire *wire)
{
    struct visit *visit = container_of(wire, struct visit, wire);
    struct bytes input;
    if (!wire_receive(wire, &input)) {
        wire_close(wire);
        return;
    }
    while (input.len > 0) {
        if (visit->body_left > 0)
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
        wire_adopt(&visit->wire, fd);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct rlimit files;
    if (argc != 4 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: bench_engines FIRST-IP PORT COUNT\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    address.sin_port = htons((uint16_t)atoi(argv[2]));
    write_pages();
    wire_loop_start();
    for (int i = atoi(argv[3]); i > 0; i--) {
        struct wire *listening = calloc(1, sizeof *listening);
        if (listening == NULL)
            abort();
        wire_watch(listening, wire_listen(&address), on_connection);
        address.sin_addr.s_addr = htonl(ntohl(address.sin_addr.s_addr) + 1);
    }
    puts("ready");
    fflush(stdout);
    for (;;)
        wire_loop_turn(WAIT_NS);
}
