/* SPDX-License-Identifier: Apache-2.0 */
/* bench_h1_parse.c: nanoseconds to read one request head, the whole head at hand.
 *
 * Build and run from the top folder:
 *   gcc -std=gnu17 -O2 -flto -D_GNU_SOURCE -Isrc bench/micro/bench_h1_parse.c src/http/codec/[a-z]*.c \
 *       src/base/arena.c src/base/bytes.c src/base/buffer.c -o build/bench_h1_parse && build/bench_h1_parse */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "http/codec/h1_parse.h"

#define ROUNDS 5
#define HEADS  1000000u

static const char completion[] = "POST /v1/chat/completions HTTP/1.1\r\n"
                                 "Host: inference.example.com\r\n"
                                 "User-Agent: OpenAI/Python 1.68.2\r\n"
                                 "Accept: application/json\r\n"
                                 "Accept-Encoding: gzip, deflate\r\n"
                                 "Connection: keep-alive\r\n"
                                 "Content-Type: application/json\r\n"
                                 "Content-Length: 1834\r\n"
                                 "Authorization: Bearer sk-0123456789abcdef0123456789abcdef0123456789abcdef\r\n"
                                 "X-Request-Id: 6f1c2a1e-9b1d-4a55-8c6e-2d6f4d0e7b11\r\n"
                                 "X-Session-Id: 4f9a66f2-5d0b-4d5b-9c58-0a8a8b1f3c77\r\n"
                                 "\r\n";

static const char tiny[] = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void parse_once(struct bytes head, struct arena *arena)
{
    struct h1_head_parser parser;
    struct http_request request;
    arena_reset(arena);
    h1_head_parser_init(&parser, &h1_default_limits);
    if (h1_parse_request_head(&parser, head, arena, &request) != H1_DONE || request.path.len == 0)
        abort();
}

static void measure(const char *name, struct bytes head)
{
    struct arena *arena = arena_new(8192);
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double start = seconds_now();
        for (unsigned i = 0; i < HEADS; i++)
            parse_once(head, arena);
        double took = seconds_now() - start;
        best = took < best ? took : best;
    }
    printf("%-12s %4zu bytes  %6.1f ns\n", name, head.len, best * 1e9 / HEADS);
    arena_free(arena);
}

int main(void)
{
    measure("completion", BYTES(completion));
    measure("tiny", BYTES(tiny));
    return 0;
}
