/* SPDX-License-Identifier: Apache-2.0 */
/* vllm_metrics.c: one pass over a Prometheus text page, looking at the names of five families only.
 *
 * Pure.  A page has thousands of histogram lines that nobody here needs, and it is read many times a second: lines are
 * found by memchr and dropped by their first bytes.  Lines that make no sense are passed over. */
#include "inference/scrape/vllm_metrics.h"

#include <math.h>
#include <stdlib.h>

#include "base/compiler.h"

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

static enum family find_family(struct bytes *line)
{
    for (unsigned i = 0; i < FAMILY_COUNT; i++) {
        struct bytes name = family_names[i];
        if (!bytes_starts_with(*line, name) || line->len == name.len)
            continue;
        char next = line->data[name.len];
        if (next == '{' || is_blank(next)) {
            *line = bytes_skip(*line, name.len);
            return (enum family)i;
        }
    }
    return FAMILY_COUNT;
}

/* The label set at the front of *line, without its braces; "" when there is none.  false when it does not end. */
static bool take_labels(struct bytes *line, struct bytes *ret_labels)
{
    *ret_labels = BYTES("");
    if (line->len == 0 || line->data[0] != '{')
        return true;
    bool is_quoted = false;
    for (size_t i = 1; i < line->len; i++) {
        char c = line->data[i];
        if (is_quoted && c == '\\') {
            i++;
        } else if (c == '"') {
            is_quoted = !is_quoted;
        } else if (c == '}' && !is_quoted) {
            *ret_labels = bytes_make(line->data + 1, i - 1);
            *line = bytes_skip(*line, i + 1);
            return true;
        }
    }
    return false;
}

/* The sample value: the first word; a timestamp may follow. */
static bool read_value(struct bytes text, double *ret_value)
{
    while (text.len > 0 && is_blank(text.data[0]))
        text = bytes_skip(text, 1);
    char word[64];
    size_t len = 0;
    while (len < text.len && !is_blank(text.data[len]) && text.data[len] != '\r')
        len++;
    if (len == 0 || len >= sizeof word)
        return false;
    memcpy(word, text.data, len);
    word[len] = '\0';
    char *end;
    double value = strtod(word, &end);
    if (end != word + len || !isfinite(value) || value < 0)
        return false;
    *ret_value = value;
    return true;
}

static void read_line(struct bytes line, struct reading *reading)
{
    static const struct bytes prefix = {"vllm:", 5};
    if (!bytes_starts_with(line, prefix))
        return;
    line = bytes_skip(line, prefix.len);
    enum family family = find_family(&line);
    struct bytes labels;
    double value;
    if (family == FAMILY_COUNT || !take_labels(&line, &labels) || !read_value(line, &value))
        return;
    /* The value of the adapters' gauge is the time of its last change: former label sets stay on the page. */
    if (family == FAMILY_LORAS && (reading->sums[family].count == 0 || value >= reading->loras_time)) {
        reading->loras = labels;
        reading->loras_time = value;
    }
    reading->sums[family].sum += value;
    reading->sums[family].count++;
}

/* The still escaped value of a label, as a run in the page. */
static struct bytes find_label(struct bytes labels, struct bytes wanted)
{
    while (labels.len > 0) {
        size_t equals = bytes_find(labels, '=');
        struct bytes name = bytes_trim(bytes_make(labels.data, equals));
        if (labels.len - equals < 2 || labels.data[equals + 1] != '"')
            break;
        struct bytes value = bytes_skip(labels, equals + 2);
        size_t len = 0;
        while (len < value.len && value.data[len] != '"')
            len += value.data[len] == '\\' ? 2 : 1;
        if (len >= value.len)
            break;
        if (bytes_equal(name, wanted))
            return bytes_make(value.data, len);
        labels = bytes_skip(value, len + 1);
        while (labels.len > 0 && (labels.data[0] == ',' || is_blank(labels.data[0])))
            labels = bytes_skip(labels, 1);
    }
    return BYTES("");
}

/* Resolves the three escapes of the text format.  A list that is too long ends after its last whole name. */
static void copy_list(struct bytes escaped, char *target, size_t size)
{
    size_t len = 0, i = 0;
    for (; i < escaped.len && len + 1 < size; i++) {
        char c = escaped.data[i];
        if (c == '\\' && i + 1 < escaped.len)
            c = escaped.data[++i] == 'n' ? '\n' : escaped.data[i];
        target[len++] = c;
    }
    while (i < escaped.len && len > 0 && target[--len] != ',')
        ;
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
    unsigned long long max_loras = 0;
    if (bytes_to_u64(find_label(labels, BYTES("max_lora")), 1000000, &max_loras))
        metrics->max_loras = (unsigned)max_loras;
    copy_list(find_label(labels, BYTES("running_lora_adapters")), metrics->running_loras,
              sizeof metrics->running_loras);
    copy_list(find_label(labels, BYTES("waiting_lora_adapters")), metrics->waiting_loras,
              sizeof metrics->waiting_loras);
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
