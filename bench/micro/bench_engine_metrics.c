/* SPDX-License-Identifier: Apache-2.0 */
/* bench_engine_metrics.c: what reading a vLLM-like metrics page of 30 KB costs in CPU time, and what that is of a core
 * for 100 endpoints that are scraped every 50 ms.
 *
 * cmake --build --preset release --target bench_engine_metrics && build/release/bench/bench_engine_metrics */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buffer.h"
#include "inference/scrape/engine_metrics.h"

enum { ROUNDS = 20000, PAGE_BYTES = 30000 };

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Histograms, of which such a page mostly consists, around the few gauges. */
static void write_page(struct buffer *page)
{
    static const char *const histograms[] = {"time_to_first_token_seconds", "time_per_output_token_seconds",
                                             "e2e_request_latency_seconds", "request_queue_time_seconds",
                                             "request_prefill_time_seconds"};
    static const char labels[] = "engine=\"0\",model_name=\"meta-llama/Llama-3.1-8B-Instruct\"";
    buffer_printf(page, "vllm:num_requests_running{%s} 12.0\nvllm:num_requests_waiting{%s} 3.0\n", labels, labels);
    buffer_printf(page, "vllm:kv_cache_usage_perc{%s} 0.4531\nprocess_start_time_seconds 1.76e+09\n", labels);
    for (unsigned i = 0; buffer_len(page) < PAGE_BYTES; i++)
        buffer_printf(page, "vllm:%s_bucket{%s,le=\"%u.5\"} %u.0\n", histograms[i % 5], labels, i, i * 7);
    buffer_printf(page, "vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"27000\",%s} 1.0\n", labels);
}

int main(void)
{
    struct buffer page = {0};
    struct engine_metrics metrics;
    unsigned long long sum = 0;
    write_page(&page);
    double before_us = cpu_us();
    for (unsigned i = 0; i < ROUNDS; i++) {
        engine_metrics_read(buffer_bytes(&page), NULL, &metrics);
        sum += metrics.running + metrics.kv_tokens;
    }
    double each_us = (cpu_us() - before_us) / ROUNDS;
    printf("%zu bytes: %.1f us each; 100 endpoints every 50 ms: %.1f %% of a core (without the network; check %llu)\n",
           buffer_len(&page), each_us, each_us * 2000 / 1e4, sum);
    buffer_deinit(&page);
    return 0;
}
