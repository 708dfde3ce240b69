/* SPDX-License-Identifier: Apache-2.0 */
/* vllm_metrics.c: one pass over a Prometheus text page, looking at the names of five families only.
 *
 * Pure.  A page has thousands of histogram lines that nobody here needs, and it is read many times a second: lines are
 * found by memchr and dropped by their first bytes.  Lines that make no sense are passed over. */
#include "inference/scrape/vllm_metrics.h"

#include <math.h>

#include "observe/prometheus_parse.h"

#define LIST_BYTES sizeof(((struct vllm_metrics *)NULL)->running_loras)

enum family { FAMILY_WAITING, FAMILY_RUNNING, FAMILY_KV, FAMILY_KV_OLD, FAMILY_LORAS, FAMILY_COUNT };

static const struct bytes family_names[FAMILY_COUNT] = {
    [FAMILY_WAITING] = {"num_requests_waiting", 20},
    [FAMILY_RUNNING] = {"num_requests_running", 20},
    [FAMILY_KV] = {"kv_cache_usage_perc", 19},
    [FAMILY_KV_OLD] = {"gpu_cache_usage_perc", 20}, /* before vLLM 0.10 */
    [FAMILY_LORAS] = {"lora_requests_info", 18},
};

struct series_sum {
    double sum;
    unsigned count;
};

struct reading {
    struct series_sum sums[FAMILY_COUNT];
    struct bytes loras; /* the labels of the newest series */
    double loras_time;
};

static struct bytes take_line(struct bytes *page)
{
    size_t len = bytes_find(*page, '\n');
    struct bytes line = bytes_make(page->data, len);
    *page = bytes_skip(*page, len < page->len ? len + 1 : len);
    return line;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* By the first bytes alone, so that the lines of other families are never taken apart. */
static enum family find_family(struct bytes name_on)
{
    for (unsigned i = 0; i < FAMILY_COUNT; i++) {
        struct bytes name = family_names[i];
        if (!bytes_starts_with(name_on, name) || name_on.len == name.len)
            continue;
        char next = name_on.data[name.len];
        if (next == '{' || is_blank(next))
            return (enum family)i;
    }
    return FAMILY_COUNT;
}

static void read_line(struct bytes line, struct reading *reading)
{
    static const struct bytes prefix = {"vllm:", 5};
    if (!bytes_starts_with(line, prefix))
        return;
    enum family family = find_family(bytes_skip(line, prefix.len));
    struct prometheus_sample sample;
    size_t cursor = 0;
    if (family == FAMILY_COUNT || !prometheus_next(line, &cursor, &sample) || !isfinite(sample.value) ||
        sample.value < 0)
        return;
    /* The value of the adapters' gauge is the time of its last change: former label sets stay on the page. */
    if (family == FAMILY_LORAS && (reading->sums[family].count == 0 || sample.value >= reading->loras_time)) {
        reading->loras = sample.labels;
        reading->loras_time = sample.value;
    }
    reading->sums[family].sum += sample.value;
    reading->sums[family].count++;
}

/* A list that is too long ends after its last whole name. */
static void copy_list(struct bytes labels, const char *name, char target[LIST_BYTES])
{
    char text[LIST_BYTES + 1]; /* one more: what fills it was cut */
    if (!prometheus_label(labels, name, text, sizeof text))
        text[0] = '\0';
    size_t len = strlen(text);
    if (len == LIST_BYTES)
        while (len > 0 && text[--len] != ',')
            ;
    memcpy(target, text, len);
    target[len] = '\0';
}

static unsigned to_unsigned(double value, unsigned limit)
{
    return value < limit ? (unsigned)value : limit;
}

static bool take_gauge(const struct series_sum *sum, unsigned *ret_value)
{
    *ret_value = to_unsigned(sum->sum, 1000000000);
    return sum->count > 0;
}

static void take_loras(struct bytes labels, struct vllm_metrics *metrics)
{
    char number[16];
    unsigned long long max_loras = 0;
    if (prometheus_label(labels, "max_lora", number, sizeof number) &&
        bytes_to_u64(bytes_of(number), 1000000, &max_loras))
        metrics->max_loras = (unsigned)max_loras;
    copy_list(labels, "running_lora_adapters", metrics->running_loras);
    copy_list(labels, "waiting_lora_adapters", metrics->waiting_loras);
}

void vllm_metrics_read(struct bytes page, struct vllm_metrics *ret_metrics)
{
    struct reading reading = {0};
    while (page.len > 0)
        read_line(take_line(&page), &reading);

    struct vllm_metrics *metrics = ret_metrics;
    metrics->has_waiting = take_gauge(&reading.sums[FAMILY_WAITING], &metrics->waiting);
    metrics->has_running = take_gauge(&reading.sums[FAMILY_RUNNING], &metrics->running);
    const struct series_sum *kv = &reading.sums[reading.sums[FAMILY_KV].count > 0 ? FAMILY_KV : FAMILY_KV_OLD];
    metrics->has_kv = kv->count > 0;
    metrics->kv_permille = kv->count > 0 ? to_unsigned(kv->sum / kv->count * 1000 + 0.5, 1000) : 0;
    metrics->has_loras = reading.sums[FAMILY_LORAS].count > 0;
    metrics->max_loras = 0;
    metrics->running_loras[0] = metrics->waiting_loras[0] = '\0';
    if (metrics->has_loras)
        take_loras(reading.loras, metrics);
}
