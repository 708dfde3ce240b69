/* SPDX-License-Identifier: Apache-2.0 */
/* sim_metrics.c: counters and histograms of one simulated server and their Prometheus text. */
#include "sim/sim_metrics.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_BOUNDS   24
#define BLOCK_TOKENS 16

static const double first_token_bounds[] = {.001, .005, .01, .02, .04, .06, .08, .1, .25, .5,  .75,
                                            1,    2.5,  5,   7.5, 10,  20,  40,  80, 160, 640, 2560};
static const double token_bounds[] = {.01, .025, .05, .075, .1,  .15, .2, .3, .4, .5,
                                      .75, 1,    2.5, 5,    7.5, 10,  20, 40, 80};
static const double time_bounds[] = {.3, .5, .8, 1,  1.5, 2,   2.5, 5,   10,   15,  20,
                                     30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680};
static const double size_bounds[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000};

/* id, name, bounds, help. */
#define HISTOGRAMS(X)                                                                                                  \
    X(FIRST_TOKEN, "time_to_first_token_seconds", first_token_bounds, "Arrival to first token.")                       \
    X(INTER_TOKEN, "inter_token_latency_seconds", token_bounds, "Token to token.")                                     \
    X(PER_OUTPUT, "time_per_output_token_seconds", token_bounds, "Token to token, by its older name.")                 \
    X(REQUEST_PER_OUTPUT, "request_time_per_output_token_seconds", token_bounds, "Mean per token of a request.")       \
    X(E2E, "e2e_request_latency_seconds", time_bounds, "Arrival to last token.")                                       \
    X(QUEUE, "request_queue_time_seconds", time_bounds, "Arrival to slot.")                                            \
    X(INFERENCE, "request_inference_time_seconds", time_bounds, "Slot to last token.")                                 \
    X(PREFILL, "request_prefill_time_seconds", time_bounds, "Slot to first token.")                                    \
    X(DECODE, "request_decode_time_seconds", time_bounds, "First to last token.")                                      \
    X(PROMPT_TOKENS, "request_prompt_tokens", size_bounds, "Prompt tokens per request.")                               \
    X(GENERATION_TOKENS, "request_generation_tokens", size_bounds, "Generated tokens per request.")                    \
    X(MAX_GENERATION, "request_max_num_generation_tokens", size_bounds, "Most tokens generated for a request.")        \
    X(MAX_TOKENS, "request_params_max_tokens", size_bounds, "max_tokens as asked for.")

enum histogram_id {
#define X(id, name, bounds, help) HISTOGRAM_##id,
    HISTOGRAMS(X)
#undef X
        HISTOGRAM_COUNT
};

static const struct {
    const char *name;
    const double *bounds;
    unsigned count;
    const char *help;
} histogram_rows[] = {
#define X(id, name, bounds, help) {name, bounds, ARRAY_LEN(bounds), help},
    HISTOGRAMS(X)
#undef X
};

struct histogram {
    uint64_t buckets[MAX_BOUNDS + 1];
    uint64_t count;
    double sum;
};

struct fake {
    bool has_waiting, has_running, has_kv, has_loras;
    double waiting, running, kv;
    uint64_t max_lora;
    char *running_loras, *waiting_loras;
};

struct sim_metrics {
    char *labels; /* model_name="x" */
    unsigned max_loras;
    bool has_lora;
    uint64_t prompt_tokens, generation_tokens;
    uint64_t cached_tokens;
    uint64_t stopped, cut_by_length, aborted;
    struct histogram histograms[HISTOGRAM_COUNT];
    struct fake fake;
};

/* Label values escape backslash, quote and line feed. */
static void append_label_value(struct buffer *out, struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (c == '\n') {
            buffer_append_str(out, "\\n");
            continue;
        }
        if (c == '"' || c == '\\')
            buffer_append_char(out, '\\');
        buffer_append_char(out, c);
    }
}

struct sim_metrics *sim_metrics_new(struct bytes model_name, unsigned max_loras, bool has_lora)
{
    struct sim_metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics == NULL)
        abort();
    struct buffer labels = {0};
    buffer_append_str(&labels, "model_name=\"");
    append_label_value(&labels, model_name);
    buffer_append(&labels, bytes_make("\"", 2)); /* with the NUL */
    metrics->labels = labels.data;
    metrics->max_loras = max_loras;
    metrics->has_lora = has_lora;
    return metrics;
}

static void end_fake(struct fake *fake)
{
    free(fake->running_loras);
    free(fake->waiting_loras);
    memset(fake, 0, sizeof *fake);
}

void sim_metrics_free(struct sim_metrics *metrics)
{
    if (metrics == NULL)
        return;
    end_fake(&metrics->fake);
    free(metrics->labels);
    free(metrics);
}

static void observe(struct sim_metrics *metrics, enum histogram_id id, double value, uint64_t times)
{
    struct histogram *histogram = &metrics->histograms[id];
    unsigned bucket = 0;
    while (bucket < histogram_rows[id].count && value > histogram_rows[id].bounds[bucket])
        bucket++;
    histogram->buckets[bucket] += times;
    histogram->count += times;
    histogram->sum += value * (double)times;
}

static double seconds(uint64_t from_us, uint64_t to_us)
{
    return to_us > from_us ? (double)(to_us - from_us) / 1e6 : 0;
}

void sim_metrics_add_tokens(struct sim_metrics *metrics, uint64_t tokens, uint64_t gap_us)
{
    double each = (double)gap_us / 1e6 / (double)tokens;
    observe(metrics, HISTOGRAM_INTER_TOKEN, each, tokens);
    observe(metrics, HISTOGRAM_PER_OUTPUT, each, tokens);
}

void sim_metrics_add_first_token(struct sim_metrics *metrics, uint64_t since_arrival_us)
{
    observe(metrics, HISTOGRAM_FIRST_TOKEN, (double)since_arrival_us / 1e6, 1);
}

void sim_metrics_add_finished(struct sim_metrics *metrics, const struct sequence *sequence, const char *finish_reason,
                              uint64_t max_tokens, uint64_t now_us)
{
    uint64_t first_us = sequence->generated > 0 ? sequence->first_token_us : now_us;
    metrics->prompt_tokens += sequence->prompt_tokens;
    metrics->generation_tokens += sequence->generated;
    metrics->cached_tokens += sequence->batch.cached_tokens;
    if (strcmp(finish_reason, "length") == 0)
        metrics->cut_by_length++;
    else
        metrics->stopped++;
    observe(metrics, HISTOGRAM_E2E, seconds(sequence->arrived_us, now_us), 1);
    observe(metrics, HISTOGRAM_QUEUE, seconds(sequence->arrived_us, sequence->started_us), 1);
    observe(metrics, HISTOGRAM_INFERENCE, seconds(sequence->started_us, now_us), 1);
    observe(metrics, HISTOGRAM_PREFILL, seconds(sequence->started_us, first_us), 1);
    observe(metrics, HISTOGRAM_DECODE, seconds(first_us, now_us), 1);
    observe(metrics, HISTOGRAM_PROMPT_TOKENS, (double)sequence->prompt_tokens, 1);
    observe(metrics, HISTOGRAM_GENERATION_TOKENS, (double)sequence->generated, 1);
    observe(metrics, HISTOGRAM_MAX_GENERATION, (double)sequence->generated, 1);
    if (max_tokens > 0)
        observe(metrics, HISTOGRAM_MAX_TOKENS, (double)max_tokens, 1);
    if (sequence->generated > 1)
        observe(metrics, HISTOGRAM_REQUEST_PER_OUTPUT, seconds(first_us, now_us) / (double)(sequence->generated - 1),
                1);
}

void sim_metrics_add_aborted(struct sim_metrics *metrics)
{
    metrics->aborted++;
}

static bool fake_number(const json_t *value, bool *ret_found, double *ret_value)
{
    *ret_found = true;
    *ret_value = json_number_value(value);
    return json_is_number(value) && json_number_value(value) >= 0;
}

static bool fake_member(struct fake *fake, const char *key, const json_t *value)
{
    if (strcmp(key, "waiting") == 0)
        return fake_number(value, &fake->has_waiting, &fake->waiting);
    if (strcmp(key, "running") == 0)
        return fake_number(value, &fake->has_running, &fake->running);
    if (strcmp(key, "kv") == 0)
        return fake_number(value, &fake->has_kv, &fake->kv);
    fake->has_loras = true;
    if (strcmp(key, "max-lora") == 0) {
        fake->max_lora = (uint64_t)json_integer_value(value);
        return json_is_integer(value) && json_integer_value(value) >= 0;
    }
    char **names = strcmp(key, "running-lora-adapters") == 0   ? &fake->running_loras
                   : strcmp(key, "waiting-lora-adapters") == 0 ? &fake->waiting_loras
                                                               : NULL;
    if (names == NULL || !json_is_string(value))
        return false;
    *names = strdup(json_string_value(value));
    return *names != NULL;
}

bool sim_metrics_fake(struct sim_metrics *metrics, json_t *object, char error[200])
{
    struct fake fake = {.max_lora = metrics->max_loras};
    const char *key;
    json_t *value;
    if (!json_is_null(object) && !json_is_object(object)) {
        snprintf(error, 200, "fake-metrics must be an object or null");
        return false;
    }
    json_object_foreach(object, key, value)
    {
        if (fake_member(&fake, key, value))
            continue;
        snprintf(error, 200,
                 "fake-metrics: \"%.40s\" is unknown or of the wrong type; known are waiting, running, kv, max-lora "
                 "(numbers), running-lora-adapters, waiting-lora-adapters (strings)",
                 key);
        end_fake(&fake);
        return false;
    }
    end_fake(&metrics->fake);
    metrics->fake = fake;
    return true;
}

static void write_head(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# HELP vllm:%s %s\n# TYPE vllm:%s %s\n", name, help, name, type);
}

static void write_gauge(const struct sim_metrics *metrics, struct buffer *out, const char *name, const char *help,
                        double value)
{
    write_head(out, name, "gauge", help);
    buffer_printf(out, "vllm:%s{%s} %.9g\n", name, metrics->labels, value);
}

static void write_counter(const struct sim_metrics *metrics, struct buffer *out, const char *name, const char *help,
                          uint64_t value)
{
    write_head(out, name, "counter", help);
    buffer_printf(out, "vllm:%s{%s} %llu\n", name, metrics->labels, (unsigned long long)value);
}

static void write_loras(const struct sim_metrics *metrics, const struct models *models, uint64_t wall_ms,
                        struct buffer *out)
{
    const struct fake *fake = &metrics->fake;
    if (!metrics->has_lora && !fake->has_loras)
        return; /* vLLM without --enable-lora says nothing */
    struct buffer running = {0}, waiting = {0};
    if (fake->has_loras) {
        buffer_append_str(&running, fake->running_loras != NULL ? fake->running_loras : "");
        buffer_append_str(&waiting, fake->waiting_loras != NULL ? fake->waiting_loras : "");
    } else {
        models_write_running(models, &running);
        models_write_waiting(models, &waiting);
    }
    write_head(out, "lora_requests_info", "gauge", "Adapters in use; the value is the time of the last update.");
    buffer_printf(out, "vllm:lora_requests_info{max_lora=\"%llu\",running_lora_adapters=\"",
                  (unsigned long long)(fake->has_loras ? fake->max_lora : metrics->max_loras));
    append_label_value(out, buffer_bytes(&running));
    buffer_append_str(out, "\",waiting_lora_adapters=\"");
    append_label_value(out, buffer_bytes(&waiting));
    buffer_printf(out, "\"} %.3f\n", (double)wall_ms / 1000);
    buffer_deinit(&running);
    buffer_deinit(&waiting);
}

static void write_histogram(const struct sim_metrics *metrics, enum histogram_id id, struct buffer *out)
{
    const struct histogram *histogram = &metrics->histograms[id];
    const char *name = histogram_rows[id].name;
    uint64_t sum = 0;
    write_head(out, name, "histogram", histogram_rows[id].help);
    for (unsigned i = 0; i < histogram_rows[id].count; i++) {
        sum += histogram->buckets[i];
        buffer_printf(out, "vllm:%s_bucket{%s,le=\"%.9g\"} %llu\n", name, metrics->labels, histogram_rows[id].bounds[i],
                      (unsigned long long)sum);
    }
    buffer_printf(out, "vllm:%s_bucket{%s,le=\"+Inf\"} %llu\n", name, metrics->labels,
                  (unsigned long long)histogram->count);
    buffer_printf(out, "vllm:%s_sum{%s} %.9g\nvllm:%s_count{%s} %llu\n", name, metrics->labels, histogram->sum, name,
                  metrics->labels, (unsigned long long)histogram->count);
}

static void write_success(const struct sim_metrics *metrics, struct buffer *out)
{
    const struct {
        const char *reason;
        uint64_t value;
    } rows[] = {{"stop", metrics->stopped}, {"length", metrics->cut_by_length}, {"abort", metrics->aborted}};
    write_head(out, "request_success_total", "counter", "Requests that ended, by how.");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        buffer_printf(out, "vllm:request_success_total{%s,finished_reason=\"%s\"} %llu\n", metrics->labels,
                      rows[i].reason, (unsigned long long)rows[i].value);
}

void sim_metrics_write(struct sim_metrics *metrics, const struct engine *engine, const struct models *models,
                       uint64_t wall_ms, int64_t kv_blocks, struct buffer *out)
{
    const struct fake *fake = &metrics->fake;
    write_gauge(metrics, out, "num_requests_running", "Sequences in a slot.",
                fake->has_running ? fake->running : engine_running(engine));
    write_gauge(metrics, out, "num_requests_waiting", "Sequences in the queue.",
                fake->has_waiting ? fake->waiting : engine_waiting(engine));
    write_gauge(metrics, out, "kv_cache_usage_perc", "Share of the KV cache in use; 1 is all.",
                fake->has_kv ? fake->kv : engine_kv_usage(engine));
    write_loras(metrics, models, wall_ms, out);
    write_head(out, "cache_config_info", "gauge", "Sizes of the KV cache, as labels.");
    buffer_printf(out, "vllm:cache_config_info{block_size=\"%d\",num_gpu_blocks=\"%lld\"} 1\n", BLOCK_TOKENS,
                  (long long)kv_blocks);
    write_counter(metrics, out, "prompt_tokens_total", "Prompt tokens of finished requests.", metrics->prompt_tokens);
    write_counter(metrics, out, "generation_tokens_total", "Tokens generated for finished requests.",
                  metrics->generation_tokens);
    write_counter(metrics, out, "prefix_cache_queries_total", "Prompt tokens that were looked for in the prefix cache.",
                  metrics->prompt_tokens);
    write_counter(metrics, out, "prefix_cache_hits_total", "Prompt tokens that were found there.",
                  metrics->cached_tokens);
    write_success(metrics, out);
    for (unsigned id = 0; id < HISTOGRAM_COUNT; id++)
        write_histogram(metrics, (enum histogram_id)id, out);
}
