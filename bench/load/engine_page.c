/* SPDX-License-Identifier: Apache-2.0 */
/* engine_page.c: the families of vLLM 0.10 in their order. */
#include "engine_page.h"

#define MODEL "model_name=\"meta-llama/Llama-3.1-8B-Instruct\""

static const char *const histograms[] = {
    "iteration_tokens_total",      "time_to_first_token_seconds",    "time_per_output_token_seconds",
    "inter_token_latency_seconds", "request_time_per_output_token",  "e2e_request_latency_seconds",
    "request_queue_time_seconds",  "request_inference_time_seconds", "request_prefill_time_seconds",
    "request_decode_time_seconds", "request_prompt_tokens",          "request_generation_tokens",
};

static void write_head(struct buffer *page, const char *name, const char *type)
{
    buffer_printf(page, "# HELP vllm:%s Of the engine, since it started.\n# TYPE vllm:%s %s\n", name, name, type);
}

static void write_gauge(struct buffer *page, const char *name, double value)
{
    write_head(page, name, "gauge");
    buffer_printf(page, "vllm:%s{engine=\"0\"," MODEL "} %g\n", name, value);
}

static void write_counter(struct buffer *page, const char *name, unsigned number)
{
    write_head(page, name, "counter");
    buffer_printf(page, "vllm:%s_total{engine=\"0\"," MODEL "} %u.0\n", name, number * 977);
    buffer_printf(page, "vllm:%s_created{engine=\"0\"," MODEL "} 1.7616352e+09\n", name);
}

static void write_histogram(struct buffer *page, const char *name, unsigned number)
{
    enum { BUCKETS = 18 };
    unsigned count = 0;
    write_head(page, name, "histogram");
    for (unsigned i = 0; i < BUCKETS; i++) {
        count += number * (i + 3) % 1013;
        buffer_printf(page, "vllm:%s_bucket{engine=\"0\",le=\"%g\"," MODEL "} %u.0\n", name, 0.001 * (1 << i), count);
    }
    buffer_printf(page, "vllm:%s_bucket{engine=\"0\",le=\"+Inf\"," MODEL "} %u.0\n", name, count);
    buffer_printf(page, "vllm:%s_count{engine=\"0\"," MODEL "} %u.0\n", name, count);
    buffer_printf(page, "vllm:%s_sum{engine=\"0\"," MODEL "} %u.25\n", name, count * 3);
}

void engine_page_write(struct buffer *page, unsigned number)
{
    buffer_printf(page, "# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.\n"
                        "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1.76163516e+09\n");
    write_gauge(page, "num_requests_running", 1 + number % 37);
    write_gauge(page, "num_requests_waiting", number % 3);
    write_gauge(page, "kv_cache_usage_perc", 0.25 + number % 100 / 333.0);
    write_counter(page, "prefix_cache_queries", number);
    write_counter(page, "prefix_cache_hits", number);
    write_counter(page, "num_preemptions", number % 11);
    write_counter(page, "prompt_tokens", number);
    write_counter(page, "generation_tokens", number);
    for (unsigned i = 0; i < ARRAY_LEN(histograms); i++)
        write_histogram(page, histograms[i], number);
    write_head(page, "cache_config_info", "gauge");
    buffer_printf(page, "vllm:cache_config_info{block_size=\"16\",cache_dtype=\"auto\",enable_prefix_caching=\"True\","
                        "engine=\"0\",gpu_memory_utilization=\"0.9\",num_gpu_blocks=\"60000\"} 1.0\n");
}
