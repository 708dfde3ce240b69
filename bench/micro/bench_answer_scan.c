/* SPDX-License-Identifier: Apache-2.0 */
/* bench_answer_scan.c: what reading an answer costs, per event of a stream and per whole answer.
 *
 * S=src/inference/payload; gcc -std=gnu17 -O2 -D_GNU_SOURCE -Isrc -o build/bench_answer_scan \
 *     bench/micro/bench_answer_scan.c $S/answer_*.c $S/reply_hash.c $S/string_skip.c src/base/utf8.c src/base/bytes.c \
 *     -lxxhash
 * build/bench_answer_scan        (valgrind --tool=callgrind build/bench_answer_scan ROUNDS SAMPLE: instructions) */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "inference/payload/answer_scan.h"

struct sample {
    const char *name;
    bool is_stream;
    bool wants_hash;
    bool has_shape;
    const char *text;
};

#define EVENT                                                                                                          \
    "data: {\"id\":\"chatcmpl-0123456789abcdef0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":"    \
    "1732619479,\"model\":\"mymodel\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\"logprobs\":null,"  \
    "\"finish_reason\":null}]}\n\n"
#define WHOLE                                                                                                          \
    "{\"id\":\"chatcmpl-0123456789abcdef0123456789abcdef\",\"object\":\"chat.completion\",\"created\":1732619479,"     \
    "\"model\":\"mymodel\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"The quick "     \
    "brown fox jumps over the lazy dog.\",\"refusal\":null,\"annotations\":null,\"audio\":null,\"function_call\":"     \
    "null,\"tool_calls\":[],\"reasoning_content\":null},\"logprobs\":null,\"finish_reason\":\"stop\",\"stop_reason\":" \
    "null}],\"service_tier\":null,\"system_fingerprint\":null,\"usage\":{\"prompt_tokens\":200,\"total_tokens\":"      \
    "210,\"completion_tokens\":10,\"prompt_tokens_details\":null},\"prompt_logprobs\":null,\"kv_transfer_params\":"    \
    "null}"

#define SHORT                                                                                                          \
    "{\"id\":\"chatcmpl-0123456789abcdef0123456789abcdef\",\"object\":\"chat.completion\",\"created\":1732619479,"     \
    "\"model\":\"mymodel\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"The quick "     \
    "brown fox jumps over the lazy dog.\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":"                  \
    "{\"prompt_tokens\":200,\"total_tokens\":210,\"completion_tokens\":10}}"

static const struct sample samples[] = {
    {"chat event unlike the one before it", true, false, false,
     "data: {\"x\":1}\n\n" EVENT "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n"},
    {"chat event like the one before it", true, false, false, EVENT},
    {"the same, hashed", true, true, false, EVENT},
    {"whole chat answer with the usual members", false, false, false, SHORT},
    {"the same, like the one before it", false, false, true, SHORT},
    {"whole chat answer with all members of vLLM", false, false, false, WHOLE},
    {"the same, hashed", false, true, false, WHOLE},
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double ns_each(const struct sample *sample, unsigned rounds)
{
    struct bytes text = bytes_of(sample->text);
    static struct answer_shape shape;
    struct answer_scan scan;
    double start = now_s();
    answer_scan_init(&scan, sample->is_stream, sample->wants_hash);
    for (unsigned i = 0; i < rounds; i++) {
        if (!sample->is_stream)
            answer_scan_init(&scan, false, sample->wants_hash);
        scan.shape = sample->has_shape ? &shape : NULL;
        answer_scan_feed(&scan, text);
    }
    answer_scan_finish(&scan);
    if (!scan.has_text)
        abort();
    return (now_s() - start) * 1e9 / rounds;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 2000000;
    unsigned first = argc > 2 ? (unsigned)atoi(argv[2]) : 0, count = sizeof samples / sizeof samples[0];
    for (unsigned i = first; i < count && (argc <= 2 || i == first); i++)
        printf("%-52s %4zu bytes %6.0f ns\n", samples[i].name, strlen(samples[i].text), ns_each(&samples[i], rounds));
    return 0;
}
