/* SPDX-License-Identifier: Apache-2.0 */
/* bench_openai_scan.c: how fast the body scanner reads, by kind of body and by version of the string skipper.
 *
 * S=src/inference/payload; gcc -std=gnu17 -O2 -D_GNU_SOURCE -Isrc -o build/bench_openai_scan \
 *     bench/micro/bench_openai_scan.c $S/openai_scan.c $S/scan_member.c $S/scan_string.c $S/string_skip.c \
 *     src/base/utf8.c
 * build/bench_openai_scan */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "inference/payload/openai_scan.h"
#include "inference/payload/string_skip.h"

enum { BODY_BYTES = 200 * 1024, ROUNDS = 2000 };

struct body {
    const char *name;
    const char *unit; /* repeated as the text of messages */
    unsigned units_per_message;
};

static const struct body bodies[] = {
    {"long strings", "The quick brown fox jumps over the lazy dog, and then it does so again. ", 270},
    {"long strings, a \\n per 70 bytes", "The quick brown fox jumps over the lazy dog, and then does it again.\\n",
     270},
    {"long strings, code (quotes)", "if (strcmp(name, \\\"x\\\") == 0) return \\\"a\\\\n\\\";\\n", 400},
    {"all \\uXXXX", "\\u4f60\\u597d\\uff0c\\u4e16\\u754c", 600},
    {"short messages (150 bytes)", "The quick brown fox jumps over the lazy dog, and then it does so again. ", 2},
    {"tiny messages", "hi", 1},
};

static size_t make_body(const struct body *kind, char *out)
{
    size_t len = (size_t)sprintf(out, "{\"model\":\"mymodel\",\"stream\":true,\"messages\":[");
    while (len < BODY_BYTES) {
        len += (size_t)sprintf(out + len, "{\"role\":\"user\",\"content\":\"");
        for (unsigned i = 0; i < kind->units_per_message; i++)
            len += (size_t)sprintf(out + len, "%s", kind->unit);
        len += (size_t)sprintf(out + len, "\"},");
    }
    return len - 1 + (size_t)sprintf(out + len - 1, "],\"max_tokens\":100}");
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* piece: bytes per feed, as reads from a socket would bring them. */
static double scan_gb_per_s(struct bytes body, size_t piece)
{
    double start = now_s();
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct openai_scan scan;
        openai_scan_init(&scan);
        for (size_t at = 0; at < body.len; at += piece)
            openai_scan_feed(&scan, bytes_make(body.data + at, body.len - at < piece ? body.len - at : piece));
        if (!openai_scan_finish(&scan) || !scan.has_model)
            abort();
    }
    return (double)body.len * ROUNDS / (now_s() - start) / 1e9;
}

static double skip_gb_per_s(string_skip_fn skip, size_t len)
{
    char *text = malloc(len + 1);
    if (text == NULL)
        abort();
    memset(text, 'x', len);
    text[len] = '"';
    double start = now_s();
    for (unsigned round = 0; round < ROUNDS; round++)
        if (skip(text, text + len + 1) != text + len)
            abort();
    double rate = (double)len * ROUNDS / (now_s() - start) / 1e9;
    free(text);
    return rate;
}

int main(void)
{
    char *text = malloc(2 * BODY_BYTES);
    if (text == NULL)
        abort();
    printf("%-36s %12s %12s\n", "body of about 200 KiB", "whole GB/s", "16 KiB GB/s");
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct bytes body = bytes_make(text, make_body(&bodies[i], text));
        printf("%-36s %12.2f %12.2f\n", bodies[i].name, scan_gb_per_s(body, body.len), scan_gb_per_s(body, 16384));
    }
    printf("string of 200 KiB: scalar %.2f GB/s\n", skip_gb_per_s(string_skip_scalar, BODY_BYTES));
#ifdef __x86_64__
    printf("string of 200 KiB: SSE2 %.2f GB/s\n", skip_gb_per_s(string_skip_sse2, BODY_BYTES));
    if (__builtin_cpu_supports("avx2"))
        printf("string of 200 KiB: AVX2 %.2f GB/s\n", skip_gb_per_s(string_skip_avx2, BODY_BYTES));
#endif
    free(text);
    return 0;
}
